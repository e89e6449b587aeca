//! Driving a server over keep-alive connections for a while.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::histogram::Histogram;
use super::reader::{Answer, Reader};
use crate::clock;

/// How much longer than its window a unit may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether an answer ended a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The unit is done and counts.
    Done,
    /// Another request belongs to it.
    More,
    /// The server had no room for it, and said so properly. Counted, but not as done.
    Refused,
}

/// What one connection says and understands. A unit of work is one request, or several that
/// belong together.
pub(crate) trait Conversation: Send {
    /// Appends the next request.
    fn request(&mut self, out: &mut Vec<u8>);

    /// Takes the answer to it.
    ///
    /// # Errors
    /// When it is not the expected one: the unit counts as failed and the next begins anew.
    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress>;
}

/// How long to drive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Before anything counts.
    pub(crate) warm_up: Duration,
    /// While units count.
    pub(crate) length: Duration,
    /// How long each connection rests after a unit.
    pub(crate) rest: Duration,
}

/// What was seen in a window.
#[derive(Clone)]
pub(crate) struct Window {
    /// Latencies of the units that ended within it.
    pub(crate) latencies: Histogram,
    /// Its length in seconds.
    pub(crate) seconds: f64,
    /// All units that were done, before and behind the window too.
    pub(crate) units: u64,
    /// Units that were turned away.
    pub(crate) refused: u64,
    /// Units that failed, during the warm-up too.
    pub(crate) failures: u64,
    /// Why the first one failed.
    pub(crate) failure: Option<String>,
}

impl Window {
    /// One in which nothing happened.
    pub(crate) fn empty() -> Window {
        Window {
            latencies: Histogram::new(),
            seconds: 0.0,
            units: 0,
            refused: 0,
            failures: 0,
            failure: None,
        }
    }

    /// Units per second.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 {
            self.latencies.total() as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// Adds a later window of the same kind.
    pub(crate) fn add(&mut self, other: Window) {
        self.latencies.add(&other.latencies);
        self.seconds += other.seconds;
        self.join(other);
    }

    fn join(&mut self, other: Window) {
        self.units += other.units;
        self.refused += other.refused;
        self.failures += other.failures;
        if self.failure.is_none() {
            self.failure = other.failure;
        }
    }
}

/// Drives a server with all conversations at once, each on a connection of its own. Each does at
/// least one unit, however short the window is.
///
/// # Errors
/// When a connection cannot be made or breaks.
pub(crate) async fn drive(
    address: SocketAddr,
    conversations: &mut Vec<Box<dyn Conversation>>,
    limits: Limits,
) -> Result<Window> {
    let mut connected = Vec::with_capacity(conversations.len());
    for conversation in conversations.drain(..) {
        connected.push((connect(address).await?, conversation));
    }
    let begin = clock::instant() + limits.warm_up;
    let end = begin + limits.length;
    let tasks: Vec<_> = connected
        .into_iter()
        .map(|(stream, conversation)| {
            tokio::spawn(converse(stream, conversation, (begin, end), limits.rest))
        })
        .collect();
    let mut window = Window {
        seconds: limits.length.as_secs_f64(),
        ..Window::empty()
    };
    let patience = limits.warm_up + limits.length + PATIENCE;
    for task in tasks {
        let (conversation, seen) = tokio::time::timeout(patience, task)
            .await
            .context("the server does not answer any more")???;
        conversations.push(conversation);
        window.latencies.add(&seen.latencies);
        window.join(seen);
    }
    Ok(window)
}

/// Runs one unit of work alone and shows each answer.
///
/// # Errors
/// When the unit fails.
pub(crate) async fn once(
    address: SocketAddr,
    conversation: &mut dyn Conversation,
    mut show: impl FnMut(&[u8], &Answer<'_>),
) -> Result<()> {
    let mut stream = connect(address).await?;
    let mut reader = Reader::new();
    let mut request = Vec::new();
    loop {
        request.clear();
        conversation.request(&mut request);
        stream.write_all(&request).await?;
        let (answer, _) = reader.read(&mut stream).await?;
        show(&request, &answer);
        if conversation.answer(&answer)? != Progress::More {
            return Ok(());
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("no connection to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn converse(
    mut stream: TcpStream,
    mut conversation: Box<dyn Conversation>,
    (begin, end): (Instant, Instant),
    rest: Duration,
) -> Result<(Box<dyn Conversation>, Window)> {
    let mut window = Window::empty();
    let mut reader = Reader::new();
    let mut request = Vec::with_capacity(1024);
    let mut started = clock::instant();
    loop {
        request.clear();
        conversation.request(&mut request);
        stream.write_all(&request).await?;
        let (answer, closes) = reader.read(&mut stream).await?;
        let progress = conversation.answer(&answer);
        if closes {
            anyhow::bail!(
                "the server closed the connection (status {})",
                answer.status
            );
        }
        if matches!(progress, Ok(Progress::More)) {
            continue;
        }
        let now = clock::instant();
        window.units += 1;
        match progress {
            Err(error) => {
                window.failures += 1;
                window.failure.get_or_insert_with(|| format!("{error:#}"));
            }
            Ok(Progress::Refused) => window.refused += 1,
            // As many begin before the window and end in it as begin in it and end behind it.
            Ok(_) if now >= begin && now < end => window.latencies.record(now - started),
            Ok(_) => {}
        }
        if now >= end {
            return Ok((conversation, window));
        }
        started = now;
        if !rest.is_zero() {
            clock::pause(rest).await;
            started = clock::instant();
        }
    }
}
