//! Load figures of a database, for whoever watches the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How busy a database is. Numbers of this process; totals count from its opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// SQLite: operations that wait for the writer.
    pub queued: u64,
    /// SQLite: so many may wait.
    pub queue_limit: u64,
    /// Writing transactions; on SQLite one may hold many operations.
    pub transactions: u64,
    /// Writing operations.
    pub operations: u64,
    /// Attempts that were repeated, after a deadlock for example.
    pub retries: u64,
    /// Connections that nobody uses.
    pub connections_idle: u64,
    /// Connections in use. Not known on SQLite.
    pub connections_in_use: Option<u64>,
    /// Callers that wait for a connection. Nobody does on SQLite.
    pub waiting: u64,
    /// SQLite: size of the file, in bytes.
    pub file_bytes: Option<u64>,
    /// SQLite: size of the write-ahead log, in bytes.
    pub log_bytes: Option<u64>,
}

/// What is counted while working. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    transactions: AtomicU64,
    operations: AtomicU64,
    retries: AtomicU64,
    waiting: AtomicU64,
}

impl Counts {
    /// A writing transaction of so many operations.
    pub(crate) fn transaction(&self, operations: usize) {
        let operations = u64::try_from(operations).unwrap_or(u64::MAX);
        self.0.transactions.fetch_add(1, Ordering::Relaxed);
        self.0.operations.fetch_add(operations, Ordering::Relaxed);
    }

    /// Another attempt at the same thing.
    pub(crate) fn retried(&self) {
        self.0.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody waits for a connection, while what this gives lives.
    pub(crate) fn wait(&self) -> Waiting {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self.clone())
    }

    /// The totals, with nothing else.
    pub(crate) fn stats(&self) -> Stats {
        let read = |total: &AtomicU64| total.load(Ordering::Relaxed);
        Stats {
            transactions: read(&self.0.transactions),
            operations: read(&self.0.operations),
            retries: read(&self.0.retries),
            waiting: read(&self.0.waiting),
            ..Stats::default()
        }
    }
}

/// Somebody who waits for a connection.
pub(crate) struct Waiting(Counts);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
