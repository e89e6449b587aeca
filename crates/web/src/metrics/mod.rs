//! What the server counts about itself.
//!
//! Counting is on every request's way, so it is a few relaxed additions to numbers that are
//! there from the start: no lock, no allocation, no text. Labels come from closed sets
//! ([`Endpoint`], [`Grant`], [`Outcome`]); what a client sends is never one, so a client cannot
//! make series, and no secret can become a label. Text is made when somebody asks ([`report()`]).
// spec: security.md, "Secrets and tokens never in logs, traces, metrics, …"

pub mod endpoint;
mod listener;
mod notes;
mod outcome;
mod process;
mod report;
mod text;

pub use endpoint::{Endpoint, Grant};
pub use listener::serve;
pub use notes::Notes;
pub use outcome::Outcome;
pub use report::report;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crema_document::Timestamp;

/// Upper bounds of the latency buckets, in microseconds. The last bucket has none.
pub const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Endpoints, with the token endpoint once more for each grant.
const ROWS: usize = Endpoint::ALL.len() + Grant::ALL.len() - 1;

/// All figures of one server process.
pub struct Metrics {
    rows: [Row; ROWS],
    in_flight: AtomicU64,
    connections: AtomicU64,
    connections_open: AtomicU64,
    connections_refused: AtomicU64,
    dropped_lines: OnceLock<Arc<AtomicU64>>,
    started_at: Timestamp,
}

/// The figures of one endpoint, or of one grant at the token endpoint.
#[derive(Debug)]
struct Row {
    outcomes: [AtomicU64; Outcome::COUNT],
    /// Requests by latency, each in one bucket only.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Microseconds.
    sum: AtomicU64,
}

impl Default for Row {
    fn default() -> Row {
        Row {
            outcomes: std::array::from_fn(|_| AtomicU64::new(0)),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum: AtomicU64::new(0),
        }
    }
}

fn row_of(endpoint: Endpoint, grant: Grant) -> usize {
    match (endpoint, grant) {
        (Endpoint::Token, Grant::None) => Endpoint::Token.index(),
        (Endpoint::Token, grant) => Endpoint::ALL.len() + grant.index() - 1,
        (endpoint, _) => endpoint.index(),
    }
}

impl Metrics {
    /// Figures of a server that starts now.
    pub fn new(started_at: Timestamp) -> Metrics {
        Metrics {
            rows: std::array::from_fn(|_| Row::default()),
            in_flight: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            connections_open: AtomicU64::new(0),
            connections_refused: AtomicU64::new(0),
            dropped_lines: OnceLock::new(),
            started_at,
        }
    }

    /// Where the log counts the lines that it had to give up, to be shown with the rest.
    pub fn watch_dropped_lines(&self, count: Arc<AtomicU64>) {
        // Whoever comes second watches the same log.
        let _ = self.dropped_lines.set(count);
    }

    fn dropped_lines(&self) -> Option<u64> {
        let count = self.dropped_lines.get()?;
        Some(count.load(Ordering::Relaxed))
    }

    fn started_at(&self) -> i64 {
        self.started_at.seconds()
    }

    /// A request begins.
    pub fn begin(self: &Arc<Metrics>, endpoint: Endpoint) -> Timing {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Timing {
            metrics: Arc::clone(self),
            endpoint,
            started: now(),
            ended: false,
        }
    }

    /// A connection was accepted; it is open while what this gives lives.
    pub fn connection(self: &Arc<Metrics>) -> OpenConnection {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// A connection was turned away, because there are too many.
    pub fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, endpoint: Endpoint, grant: Grant, outcome: Outcome, took: Duration) {
        let Some(row) = self.rows.get(row_of(endpoint, grant)) else {
            return;
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound);
        let add = |counter: Option<&AtomicU64>, number| {
            if let Some(counter) = counter {
                counter.fetch_add(number, Ordering::Relaxed);
            }
        };
        add(row.outcomes.get(outcome.index()), 1);
        add(row.buckets.get(bucket.unwrap_or(BOUNDS.len())), 1);
        add(Some(&row.sum), micros);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a request takes is measured, and nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

/// A request under way. One that is dropped before its end was abandoned.
pub struct Timing {
    metrics: Arc<Metrics>,
    endpoint: Endpoint,
    started: Instant,
    ended: bool,
}

impl Timing {
    /// The endpoint that the path leads to.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The request has its answer. Gives how long that took, in microseconds.
    pub fn end(mut self, endpoint: Endpoint, grant: Grant, outcome: Outcome) -> u64 {
        self.ended = true;
        let took = now().saturating_duration_since(self.started);
        self.metrics.count(endpoint, grant, outcome, took);
        u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.ended {
            let took = now().saturating_duration_since(self.started);
            let outcome = Outcome::ABANDONED;
            self.metrics
                .count(self.endpoint, Grant::None, outcome, took);
            tracing::info!(endpoint = self.endpoint.label(), "request abandoned");
        }
    }
}

/// An open connection, while it lives.
pub struct OpenConnection(Arc<Metrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}
