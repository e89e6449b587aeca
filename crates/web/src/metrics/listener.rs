//! The listener for figures: an address of its own.
//!
//! Behind a reverse proxy every request comes from the proxy's address, so an address cannot tell
//! who asks; and the figures are nobody's business but the operator's. What listens elsewhere is
//! not reached through the proxy at all.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::report::report;
use super::text::MEDIA_TYPE;
use crate::app::App;

/// Connections at the same time; further ones wait.
const CONNECTIONS: usize = 16;
/// How long a connection may take for a request's headers, and rest between two.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may last.
const LIFETIME: Duration = Duration::from_secs(300);
/// The pause after the system had no connection to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Answers `GET /metrics`, `/healthz` and `/readyz` until `stop` is done.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut stop => return,
            accepted = accepted => accepted,
        };
        let Ok((stream, _)) = accepted else {
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing tells when the system has file descriptors again"
            )]
            tokio::time::sleep(EXHAUSTED).await;
            continue;
        };
        let app = Arc::clone(&app);
        let service = hyper::service::service_fn(move |request| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(answer(&app, &request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // A scrape that failed is repeated by whoever scrapes.
            let _ = tokio::time::timeout(LIFETIME, connection).await;
            drop(place);
        });
    }
}

async fn answer(app: &App, request: &Request<Incoming>) -> Response<Body> {
    let mut reply = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let mut reply = Response::new(Body::from(report(app)));
            let media_type = HeaderValue::from_static(MEDIA_TYPE);
            reply.headers_mut().insert(header::CONTENT_TYPE, media_type);
            reply
        }
        (&Method::GET | &Method::HEAD, path @ ("/healthz" | "/readyz")) => {
            crate::app::health(app, path).await
        }
        (_, "/metrics" | "/healthz" | "/readyz") => {
            let mut reply = Response::new(Body::empty());
            *reply.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allow = HeaderValue::from_static("GET, HEAD");
            reply.headers_mut().insert(header::ALLOW, allow);
            reply
        }
        _ => {
            let mut reply = Response::new(Body::empty());
            *reply.status_mut() = StatusCode::NOT_FOUND;
            reply
        }
    };
    let headers = reply.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::CACHE_CONTROL, "no-store");
    reply
}
