//! A server that answers what a test tells it to, and counts.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::reply::{Piece, Reply};

/// A server on a loopback port. Ends when dropped.
pub struct FakeServer {
    host: String,
    secure: bool,
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Reply>>,
    received: Mutex<Vec<String>>,
    connections: AtomicUsize,
    /// Requests whose connection has not ended.
    under_way: watch::Sender<usize>,
}

impl FakeServer {
    pub(super) async fn start(host: &str, tls: Option<TlsAcceptor>) -> FakeServer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let shared = Arc::new(Shared::default());
        let port = listener.local_addr().expect("a port").port();
        let secure = tls.is_some();
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        FakeServer {
            host: host.to_owned(),
            secure,
            port,
            shared,
            accepting,
        }
    }

    /// The port that it really listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path: with the name of an `https` server and without a port; of another one
    /// with the address and port at which it listens.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        if self.secure {
            format!("https://{}{path}", self.host)
        } else {
            format!("http://{}:{}{path}", self.host, self.port)
        }
    }

    /// What it answers from now on to requests for a path (without its query); 404 elsewhere.
    ///
    /// # Panics
    /// When a test has failed before.
    pub fn answer(&self, path: &str, reply: Reply) {
        let mut answers = self.shared.answers.lock().expect("a test has failed");
        answers.insert(path.to_owned(), reply);
    }

    /// How many requests came.
    ///
    /// # Panics
    /// When a test has failed before.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared
            .received
            .lock()
            .expect("a test has failed")
            .len()
    }

    /// The requests that came, from the request line to the empty line.
    ///
    /// # Panics
    /// When a test has failed before.
    #[must_use]
    pub fn received(&self) -> Vec<String> {
        let received = self.shared.received.lock().expect("a test has failed");
        received.clone()
    }

    /// How many connections were made, with or without a request.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have arrived whose connections are still open.
    ///
    /// # Panics
    /// When the server has ended.
    pub async fn under_way(&self, wanted: usize) {
        let mut number = self.shared.under_way.subscribe();
        let reached = number.wait_for(|number| *number == wanted).await;
        reached.expect("the server has ended");
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        // What goes wrong with one connection is what the other side wanted.
        tokio::spawn(serve(stream, tls.clone(), Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) -> io::Result<()> {
    match tls {
        Some(tls) => talk(tls.accept(stream).await?, &shared).await,
        None => talk(stream, &shared).await,
    }
}

/// One request, one answer.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let reply = {
        let answers = shared.answers.lock().expect("a test has failed");
        answers.get(path).cloned()
    };
    (shared.received.lock().expect("a test has failed")).push(head);
    shared.under_way.send_modify(|number| *number += 1);
    let reply = reply.unwrap_or_else(|| Reply::status(404));
    let sent = send(&mut stream, reply.into_pieces()).await;
    shared.under_way.send_modify(|number| *number -= 1);
    sent
}

async fn send(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    pieces: Vec<Piece>,
) -> io::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => stream.write_all(&bytes).await?,
            Piece::Drip(bytes, pause) => {
                let mut ticks = tokio::time::interval(pause);
                for byte in bytes {
                    ticks.tick().await;
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                }
            }
            Piece::Forever(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            Piece::Silence => {
                stream.flush().await?;
                while stream.read(&mut [0; 64]).await? > 0 {}
            }
        }
    }
    stream.shutdown().await
}
