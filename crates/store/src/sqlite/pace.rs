//! How far a statement may go on a reading connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use rusqlite::Connection;

use super::statement;
use crate::StoreError;

/// SQLite asks after so many steps of its machine, of which a look-up by key takes some dozens.
const STEPS: i32 = 1000;

/// What a statement may take on a thread that others wait for, in thousands of steps: about a
/// millisecond.
const SHORT: i64 = 40;

/// The pace of one connection. SQLite asks it every thousand steps whether to go on.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Answers left; only counts while `limited`.
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

    fn ends(&self) -> bool {
        let over =
            self.limited.load(Ordering::Relaxed) && self.left.fetch_sub(1, Ordering::Relaxed) <= 0;
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
