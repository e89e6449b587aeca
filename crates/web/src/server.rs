//! Accepting connections, with limits on how many there are and how slow they may be, and stopping
//! without dropping any.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::App;
use crate::connections::{Connection, Connections, Place, SWEEP};
use crate::metrics::Metrics;
use crate::reply;
use crate::stream::{Arriving, Departing, Watched};

/// How many connections there may be and how long each step may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that are open at the same time.
    pub connections: usize,
    /// For a request's headers, from their first byte.
    pub head: Duration,
    /// For a connection between two requests. Longer than a proxy keeps its own (60 s is common):
    /// who closes first must be the one that sends the next request.
    pub idle: Duration,
    /// For a request's body and our answer together.
    pub request: Duration,
    /// For a client to take the answer.
    pub sending: Duration,
    /// For requests that still run after the signal to stop.
    pub drain: Duration,
    /// For requests that are already on their way on open connections then: each is answered, as
    /// the last one of its connection.
    pub last_requests: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 768,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            request: Duration::from_secs(60),
            sending: Duration::from_secs(60),
            drain: Duration::from_secs(30),
            last_requests: Duration::from_secs(1),
        }
    }
}

/// The longest request line and headers together, in bytes; longer ones are 431.
const MOST_HEAD: usize = 64 * 1024;
/// How long to wait when the system has no more file descriptors or memory for a connection.
const EXHAUSTED: Duration = Duration::from_millis(20);
/// How many connections are told at the same time that there is no room.
const TURNED_AWAY: usize = 32;
/// How long each may take to hear it.
const TURN_AWAY: Duration = Duration::from_secs(1);
/// What they are told.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\ncontent-length: 103\r\ncache-control: no-store\r\n\
    retry-after: 1\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n\
    {\"error\":\"temporarily_unavailable\",\"error_description\":\"All connections of the server are in use now.\"}";

/// Serves until `stop` is done, then finishes what runs and returns.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    serve_within(listener, app, Limits::default(), stop).await
}

/// As [`serve`], with other limits than the usual ones.
///
/// # Errors
/// When the listener fails for good.
// spec: cli.md, "SIGTERM drains: stop accepting, finish what runs (30 s)"
pub async fn serve_within(
    listener: TcpListener,
    app: Arc<App>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let server = Server {
        app: Arc::clone(&app),
        connections: Connections::new(limits),
        graceful: GracefulShutdown::new(),
        turned_away: Arc::default(),
        metrics: Arc::clone(app.metrics()),
    };
    let mut stop = pin!(stop);
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.take(stream, peer),
                Err(error) => server.not_accepted(&error).await,
            },
            _ = sweep.tick() => server.connections.sweep(),
        }
    }
    app.drain();
    server.connections.drain();
    // Who has been let in by the system already is no refused connection.
    while let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, listener.accept()).await
    {
        server.take(stream, peer);
    }
    drop(listener);
    server.finish(sweep).await;
    app.sites().close().await;
    Ok(())
}

/// What every connection needs.
struct Server {
    app: Arc<App>,
    connections: Arc<Connections>,
    graceful: GracefulShutdown,
    turned_away: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

impl Server {
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(place) = self.connections.enter(peer.ip()) else {
            self.metrics.connection_refused();
            turn_away(stream, &self.turned_away);
            return;
        };
        let open = self.metrics.connection();
        let _ = stream.set_nodelay(true);
        let connection = Arc::clone(&place.0);
        let app = Arc::clone(&self.app);
        let handler = {
            let connection = Arc::clone(&connection);
            hyper::service::service_fn(move |request| {
                respond(Arc::clone(&app), request, peer, Arc::clone(&connection))
            })
        };
        let watched = Watched::new(stream, Arc::clone(&connection));
        let served = hyper::server::conn::http1::Builder::new()
            .max_buf_size(MOST_HEAD)
            .max_header_size(MOST_HEAD)
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(watched), handler);
        let served = self.graceful.watch(served);
        let task = tokio::spawn(async move {
            let _place: Place = place;
            let _open = open;
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
        connection.runs_in(task.abort_handle());
    }

    /// Out of file descriptors, or the client has gone again.
    async fn not_accepted(&self, error: &std::io::Error) {
        use std::io::ErrorKind;
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
        ) {
            return;
        }
        tracing::warn!(%error, "a connection was not accepted");
        self.connections.make_room();
        #[expect(
            clippy::disallowed_methods,
            reason = "nothing tells when the system has file descriptors again"
        )]
        tokio::time::sleep(EXHAUSTED).await;
    }

    /// Answers what is on its way, then closes what is idle and waits for the rest.
    async fn finish(self, mut sweep: tokio::time::Interval) {
        let limits = self.connections.limits().clone();
        let connections = Arc::clone(&self.connections);
        let ending = async move {
            let last = connections.all_closed();
            let _ = tokio::time::timeout(limits.last_requests, last).await;
            self.graceful.shutdown().await;
        };
        let sweeping = async {
            loop {
                sweep.tick().await;
                self.connections.sweep();
            }
        };
        let ended = async {
            tokio::select! {
                () = ending => {}
                () = sweeping => {}
            }
        };
        if tokio::time::timeout(limits.drain, ended).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}

/// Answers one request.
async fn respond(
    app: Arc<App>,
    request: Request<Incoming>,
    peer: SocketAddr,
    connection: Arc<Connection>,
) -> std::io::Result<Response> {
    let has_body = !request.body().is_end_stream();
    if !connection.requested(has_body) {
        // It has been told to go at this very moment.
        return Err(std::io::ErrorKind::ConnectionAborted.into());
    }
    if let Some(mut reply) = refuse(&request, has_body) {
        connection.leave_unread();
        connection.answered();
        let close = HeaderValue::from_static("close");
        reply.headers_mut().insert(header::CONNECTION, close);
        return Ok(reply);
    }
    let connections = connection.table();
    let request = request.map(|body| match has_body {
        false => Body::empty(),
        true => Body::new(Arriving {
            body,
            connection: Arc::clone(&connection),
        }),
    });
    let mut answer = pin!(app.answer(peer.ip(), request));
    // What is answered at once, as most is, needs no timer.
    let at_once = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
    let mut reply = match at_once {
        Poll::Ready(reply) => reply,
        Poll::Pending => match tokio::time::timeout(connections.limits().request, answer).await {
            Ok(reply) => reply,
            Err(_) => too_slow(connection.lacks_body()),
        },
    };
    let unread = connection.lacks_body();
    if unread {
        connection.leave_unread();
    }
    if reply.body().size_hint().exact().is_none() {
        let own = Arc::clone(&connection);
        reply = reply.map(|body| Body::new(Departing::new(body, own)));
    }
    connection.answered();
    if unread || connections.is_draining() {
        let close = HeaderValue::from_static("close");
        reply.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(reply)
}

/// What no site is asked about: requests that somebody between the client and us may have read in
/// another way.
// spec: security.md, Inputs, outputs, network, "Malformed … chunking"; RFC 9112 §3.2, §6.1
fn refuse(request: &Request<Incoming>, has_body: bool) -> Option<Response> {
    let said = |status, description: &str| {
        let body = serde_json::json!({
            "error": "invalid_request",
            "error_description": description,
        });
        let mut reply = reply::json(status, &body);
        let headers = reply.headers_mut();
        let no_sniff = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, no_sniff);
        Some(reply)
    };
    if request.method() == Method::CONNECT {
        let mut reply = said(StatusCode::METHOD_NOT_ALLOWED, "This server is no proxy.")?;
        let allowed = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
        reply.headers_mut().insert(header::ALLOW, allowed);
        return Some(reply);
    }
    let scheme = request.uri().scheme_str();
    if scheme.is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return said(StatusCode::BAD_REQUEST, "The scheme is not one of HTTP.");
    }
    if has_body {
        let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
        let plain = codings.next().is_none_or(|one| {
            one.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none()
        });
        if !plain {
            let description = "The only transfer coding is chunked, and it is applied once.";
            return said(StatusCode::BAD_REQUEST, description);
        }
    }
    None
}

/// 408 when it was the client that was slow, 503 when it was the server.
fn too_slow(lacks_body: bool) -> Response {
    let mut reply = Response::new(Body::empty());
    let headers = reply.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if lacks_body {
        *reply.status_mut() = StatusCode::REQUEST_TIMEOUT;
    } else {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    reply
}

/// Says that there is no room and hangs up; reads a little of what the client sends, because
/// closing with unread bytes would take the answer away from it.
fn turn_away(mut stream: TcpStream, turned_away: &Arc<AtomicUsize>) {
    if turned_away.fetch_add(1, Ordering::Relaxed) >= TURNED_AWAY {
        turned_away.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let turned_away = Arc::clone(turned_away);
    tokio::spawn(async move {
        let tell = async {
            stream.write_all(NO_ROOM).await?;
            stream.shutdown().await?;
            let mut unread = [0; 1024];
            while stream.read(&mut unread).await? > 0 {}
            Ok::<(), std::io::Error>(())
        };
        let _ = tokio::time::timeout(TURN_AWAY, tell).await;
        turned_away.fetch_sub(1, Ordering::Relaxed);
    });
}
