//! How far a statement may go on a reading connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use rusqlite::Connection;

use super::statement;
use crate::StoreError;

/// SQLite asks after so many steps of its machine, of which a look-up by key takes some dozens.
const STEPS: i32 = 1000;

/// So many bytes that a step reads or compares count as a step.
const BYTES: usize = 16;

/// What a statement may take on a thread that others wait for, in steps: about a millisecond.
const SHORT: i64 = 40_000;

/// The pace of one connection. SQLite asks it every thousand steps whether to go on.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Steps left; only counts while `limited`.
    left: AtomicI64,
    limited: AtomicBool,
    /// The number of the long statement that runs, and of the last one that nobody waits for.
    current: AtomicU64,
    stopped: AtomicU64,
}

impl Pace {
    /// Sets a connection's pace, without a limit to begin with.
    pub(super) fn attach(connection: &mut Connection) -> Result<Arc<Self>, StoreError> {
        let pace = Arc::new(Self {
            current: AtomicU64::new(1),
            ..Self::default()
        });
        let asked = Arc::clone(&pace);
        connection
            .progress_handler(STEPS, Some(move || asked.ends()))
            .map_err(|error| statement::error(&error))?;
        Ok(pace)
    }

    /// From now on a statement is interrupted when it takes long.
    pub(super) fn limit(&self) {
        self.left.store(SHORT, Ordering::Relaxed);
        self.limited.store(true, Ordering::Relaxed);
    }

    /// Without a limit from now on. Whether the limit was reached.
    pub(super) fn lift(&self) -> bool {
        self.limited.store(false, Ordering::Relaxed);
        self.left.load(Ordering::Relaxed) < 0
    }

    /// Begins a statement that may take long. When the returned guard is dropped while it runs,
    /// it is interrupted.
    pub(super) fn begin(self: &Arc<Self>) -> StopOnDrop {
        let number = self.current.fetch_add(1, Ordering::Relaxed) + 1;
        StopOnDrop {
            pace: Arc::clone(self),
            number,
        }
    }

    /// Ends what [`Pace::begin`] began: the connection may run other statements.
    pub(super) fn end(&self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes that were read or compared within a step. Whether the statement has to end.
    pub(super) fn spend(&self, bytes: usize) -> bool {
        let steps = i64::try_from(bytes / BYTES).unwrap_or(i64::MAX);
        self.ends_after(steps)
    }

    fn ends(&self) -> bool {
        self.ends_after(i64::from(STEPS))
    }

    fn ends_after(&self, steps: i64) -> bool {
        let over = self.limited.load(Ordering::Relaxed)
            && self.left.fetch_sub(steps, Ordering::Relaxed) < steps;
        over || self.stopped.load(Ordering::Relaxed) == self.current.load(Ordering::Relaxed)
    }
}

/// Whoever waits for the rows of a long statement.
pub(super) struct StopOnDrop {
    pace: Arc<Pace>,
    number: u64,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.pace.stopped.store(self.number, Ordering::Relaxed);
    }
}
