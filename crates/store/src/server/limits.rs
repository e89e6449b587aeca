//! How long things may take. All follow from one number, the `timeout` of a
//! [`ServerConfig`](crate::ServerConfig):
//!
//! - it is how long an operation waits for a connection (a free one, or the server), and how long
//!   a statement waits for a lock;
//! - no new attempt begins after twice as long;
//! - an operation is given up after three times as long, attempts included, and so is a
//!   transaction whose client has fallen silent, by the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection;

/// The limits of one database; clones are the same.
#[derive(Clone)]
pub(super) struct Limits {
    timeout: Duration,
    lifted: Arc<AtomicBool>,
}

impl Limits {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            lifted: Arc::default(),
        }
    }

    /// Operations take as long as they need from now on.
    pub(super) fn lift(&self) {
        self.lifted.store(true, Ordering::Release);
    }

    /// When to give an operation up.
    pub(super) fn of_operation(&self) -> Option<Duration> {
        let lifted = self.lifted.load(Ordering::Acquire);
        (!lifted).then(|| self.timeout.saturating_mul(3))
    }

    /// When to stop trying again.
    pub(super) const fn of_attempts(&self) -> Duration {
        self.timeout.saturating_mul(2)
    }
}

/// How long the server lets a transaction wait for its next statement. It holds locks, and its
/// client may be gone without having said so.
pub(crate) const fn idle_in_transaction(timeout: Duration) -> Duration {
    timeout.saturating_mul(3)
}

/// Asks a connection whether it is alive. Half of the time to get one, so that there is time
/// left for a new one.
pub(crate) async fn ping_in_time<C: Connection>(
    connection: &mut C,
    timeout: Duration,
) -> Result<(), sqlx::Error> {
    match tokio::time::timeout(timeout / 2, connection.ping()).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}
