//! Writing the log back into the database file, beside the writer.
//!
//! SQLite does this by itself at the end of a commit, and whoever commits waits: for as long as it
//! takes to write thousands of pages to random places. Here a thread does it while the writer goes
//! on appending to the log, in passes of which each has less left to do. When hardly anything is
//! left, the writer does that itself between two commits; only then is the whole log written back,
//! and the next commit begins it anew instead of making it longer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::{connection, statement};
use crate::StoreError;

/// The log is written back once it has so many pages of 4 KiB. A page that changed a hundred times
/// meanwhile is written back once.
const START: i64 = 4_096;

/// When the disk cannot keep up, the writer waits from this length of the log on.
const LIMIT: i64 = 16 * START;

/// So few pages are left to the writer.
const FEW: i64 = 128;

/// A log that was written back but could not begin anew is due again after so many pages.
const AGAIN: i64 = 256;

/// How often a log is gone through before the writer is asked to do the rest.
const PASSES: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing to do.
    Idle,
    /// The thread is writing back.
    Running,
    /// Hardly anything is left: the writer's turn.
    Ready,
    /// The thread shall end.
    Stopped,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing can panic while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        let mut current = self.state();
        if *current != State::Stopped {
            *current = state;
        }
        drop(current);
        self.changed.notify_all();
    }

    /// Waits while the state is this one; gives the next.
    fn wait_while(&self, state: State) -> State {
        let waiting = |current: &mut State| *current == state;
        *self
            .changed
            .wait_while(self.state(), waiting)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes back; ends when this is dropped. It starts when it is first needed, so
/// that a command that writes a few rows has none.
pub(super) struct Checkpointer {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Checkpointer {
    /// Takes over from SQLite for this connection, whose file is at `path`.
    pub(super) fn attach(writer: &mut Connection, path: &Path) -> Result<Self, StoreError> {
        let checkpointer = Self {
            path: path.to_owned(),
            shared: Arc::new(Shared {
                state: Mutex::new(State::Idle),
                changed: Condvar::new(),
            }),
            thread: Arc::default(),
        };
        let hook = Self {
            path: checkpointer.path.clone(),
            shared: Arc::clone(&checkpointer.shared),
            thread: Arc::clone(&checkpointer.thread),
        };
        let mut due = START;
        // Runs on the writer's thread after a commit. An error of it would be taken for one of
        // the commit, which has happened.
        let after_commit = move |log: &mut rusqlite::hooks::Wal, pages: i32| {
            let pages = i64::from(pages);
            if pages < START {
                due = START;
            } else if pages >= due && hook.is_writers_turn(pages) {
                if let Err(error) = log.checkpoint() {
                    report(&statement::error(&error));
                }
                // While somebody reads from it, the log cannot begin anew.
                due = pages + AGAIN;
            }
            Ok(())
        };
        writer
            .wal_hook(Some(after_commit))
            .map_err(|error| statement::error(&error))?;
        Ok(checkpointer)
    }

    /// A log of that length is due; whether the writer shall write back what is left of it.
    fn is_writers_turn(&self, pages: i64) -> bool {
        let mut state = *self.shared.state();
        if state == State::Running && pages >= LIMIT {
            state = self.shared.wait_while(State::Running);
        }
        match state {
            State::Idle => {
                self.shared.set(State::Running);
                let started = self.start();
                if let Err(error) = &started {
                    report(error);
                    self.shared.set(State::Idle);
                }
                started.is_err()
            }
            State::Running => false,
            State::Ready => {
                self.shared.set(State::Idle);
                true
            }
            State::Stopped => true,
        }
    }

    /// Makes sure that the thread lives.
    fn start(&self) -> Result<(), StoreError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        let connection = connection::open(&self.path, connection::Role::Reader)?;
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || serve(&connection, &shared))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {}", error.kind())))?;
        *thread = Some(started);
        Ok(())
    }

    /// Ends the thread after the pass it is in, and waits for it to close its connection.
    pub(super) fn stop(&self) {
        self.shared.set(State::Stopped);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // It has nothing to say, and a panic of it was reported already.
            let _ = thread.join();
        }
    }
}

/// The thread's life.
fn serve(connection: &Connection, shared: &Shared) {
    loop {
        let mut state = *shared.state();
        while matches!(state, State::Idle | State::Ready) {
            state = shared.wait_while(state);
        }
        if state == State::Stopped {
            return;
        }
        if let Err(error) = write_back(connection, shared) {
            report(&error);
        }
        shared.set(State::Ready);
    }
}

fn write_back(connection: &Connection, shared: &Shared) -> Result<(), StoreError> {
    for _ in 0..PASSES {
        let left = pass(connection)?;
        if left <= FEW || *shared.state() == State::Stopped {
            break;
        }
    }
    Ok(())
}

/// Writes back what the log holds now. Gives how many pages were added meanwhile.
fn pass(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            let (pages, done): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(pages - done)
        })
        .map_err(|error| statement::error(&error))
}

fn report(error: &StoreError) {
    tracing::warn!(%error, "the database's log was not written back; it is tried again");
}
