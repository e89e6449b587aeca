//! What lies between the server and its database, and can fail: a TCP relay that stops, falls
//! silent, is slow, or cuts a connection at a moment of its choice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// When to cut the next connection that gets there, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    Never,
    /// Within a transaction, before its end is sent.
    InTransaction,
    /// The order to commit does not arrive.
    BeforeCommit,
    /// The order to commit arrives; its answer does not.
    AfterCommit,
}

/// A relay on a port of its own.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    target: SocketAddr,
    cut: AtomicU8,
    /// Before each piece that is passed on, milliseconds.
    delay: AtomicU64,
    /// Moves when all connections of now are to end.
    generation: watch::Sender<u64>,
    /// Connections of an older generation pass nothing on any more.
    silent_before: watch::Sender<u64>,
    cuts: AtomicUsize,
}

impl Proxy {
    /// A relay to that port of this machine.
    pub(crate) async fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: SocketAddr::from(([127, 0, 0, 1], target)),
            cut: AtomicU8::new(Cut::Never as u8),
            delay: AtomicU64::new(0),
            generation: watch::channel(0).0,
            silent_before: watch::channel(0).0,
            cuts: AtomicUsize::new(0),
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Proxy {
            port,
            shared,
            listening: Some(listening),
        }
    }

    /// Cuts one connection, at that moment.
    pub(crate) fn cut_once(&self, cut: Cut) {
        self.shared.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// How many connections were cut so.
    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Everything takes so much longer, each way.
    pub(crate) fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap();
        self.shared.delay.store(delay, Ordering::SeqCst);
    }

    /// Ends all connections; new ones are let in.
    pub(crate) fn drop_all(&self) {
        self.shared.generation.send_modify(|now| *now += 1);
    }

    /// The connections of now stay open and pass nothing on any more, for ever. New ones are
    /// well once `heal` was called.
    pub(crate) fn fall_silent(&self) {
        self.shared.silent_before.send_replace(u64::MAX);
    }

    /// New connections are well; silent ones stay silent.
    pub(crate) fn heal(&self) {
        let mut now = 0;
        self.shared.generation.send_if_modified(|generation| {
            // Nobody is told: the silent ones stay open.
            *generation += 1;
            now = *generation;
            false
        });
        self.shared.silent_before.send_replace(now);
    }

    /// Nobody listens any more, and all connections end: the server is stopped.
    pub(crate) async fn stop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            listening.await.ok();
        }
        self.drop_all();
    }

    /// Listens again.
    pub(crate) async fn start(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.listening = Some(tokio::spawn(listen(listener, Arc::clone(&self.shared))));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(relay(client, Arc::clone(&shared)));
    }
}

async fn relay(client: TcpStream, shared: Arc<Shared>) {
    let mut generation = shared.generation.subscribe();
    let own = *generation.borrow_and_update();
    let silent = shared.silent_before.subscribe();
    let Ok(server) = TcpStream::connect(shared.target).await else {
        return;
    };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let committing = Arc::<AtomicBool>::default();
    let line = |silent| Line {
        shared: Arc::clone(&shared),
        own,
        silent,
        committing: Arc::clone(&committing),
    };
    let there = line(silent.clone()).pass_requests(from_client, to_server);
    let back = line(silent).pass_answers(from_server, to_client);
    // Dropping both ends both connections.
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = generation.changed() => {}
    }
}

/// One direction of one connection.
struct Line {
    shared: Arc<Shared>,
    own: u64,
    silent: watch::Receiver<u64>,
    /// The last that was asked is a commit.
    committing: Arc<AtomicBool>,
}

impl Line {
    /// Waits as long as everything takes now; for ever on a line that has fallen silent.
    async fn wait(&mut self) {
        let delay = self.shared.delay.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let own = self.own;
        // Once silent, always silent: the generation of a line does not change.
        let spoken = self.silent.wait_for(|before| *before <= own).await;
        drop(spoken);
    }

    async fn pass_requests(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 64 * 1024];
        let mut begun = false;
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let piece = &buffer[..length];
            let cut = self.shared.cut.load(Ordering::SeqCst);
            if begun && cut == Cut::InTransaction as u8 {
                return self.cut();
            }
            begun |= contains(piece, b"START TRANSACTION") || contains(piece, b"BEGIN");
            let commit = contains(piece, b"COMMIT");
            if commit && cut == Cut::BeforeCommit as u8 {
                return self.cut();
            }
            self.committing.store(commit, Ordering::SeqCst);
            self.wait().await;
            if to.write_all(piece).await.is_err() {
                return;
            }
        }
    }

    async fn pass_answers(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            self.wait().await;
            // Whoever speaks this protocol says one thing at a time: this is the answer to it.
            let cut = self.shared.cut.load(Ordering::SeqCst);
            if self.committing.load(Ordering::SeqCst) && cut == Cut::AfterCommit as u8 {
                return self.cut();
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    fn cut(&self) {
        self.shared.cut.store(Cut::Never as u8, Ordering::SeqCst);
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

fn contains(piece: &[u8], text: &[u8]) -> bool {
    piece.windows(text.len()).any(|window| window == text)
}
