//! Accepting connections, with limits on how slow they may be, and stopping without dropping any.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::app::{App, Peer};

/// How long a client may take for its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take for a whole request, and we for its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests may still run after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves until `stop` is done, then finishes what runs and returns.
///
/// # Errors
/// When the listener fails for good.
// spec: cli.md, "SIGTERM drains: stop accepting, finish what runs (30 s)"
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let router = app.router();
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, say: the next connection may do better.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service =
            hyper::service::service_fn(move |request| respond(router.clone(), request, peer));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    app.drain();
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time");
    }
    app.sites().close().await;
    Ok(())
}

async fn respond(
    router: axum::Router,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<axum::response::Response, std::convert::Infallible> {
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(Peer(peer));
    match tokio::time::timeout(REQUEST_TIMEOUT, router.oneshot(request)).await {
        Ok(reply) => reply,
        Err(_) => {
            let mut reply = axum::response::Response::new(axum::body::Body::empty());
            *reply.status_mut() = axum::http::StatusCode::REQUEST_TIMEOUT;
            Ok(reply)
        }
    }
}
