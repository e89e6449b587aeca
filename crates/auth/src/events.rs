//! What has happened, counted: the audit trail as figures for whoever watches the server.
//!
//! Counted when a record is written; a transaction that is rolled back or tried again counts all
//! the same. The trail itself tells who and what.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::audit::{Operation, Status};

/// Numbers of audit records that one server process has written, by operation and outcome.
#[derive(Debug, Default)]
pub struct Events([[AtomicU64; 2]; Operation::ALL.len()]);

impl Events {
    /// One more.
    pub(crate) fn count(&self, operation: Operation, status: Status) {
        if let Some(counter) = self.counter(operation, status) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many there were.
    pub fn number(&self, operation: Operation, status: Status) -> u64 {
        self.counter(operation, status)
            .map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    fn counter(&self, operation: Operation, status: Status) -> Option<&AtomicU64> {
        let place = Operation::ALL.iter().position(|known| *known == operation);
        self.0
            .get(place?)?
            .get(usize::from(status == Status::Failed))
    }
}
