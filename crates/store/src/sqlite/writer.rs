//! The writer: a thread that owns the one writing connection.
//!
//! Operations queue up. The thread takes what waits (at most [`GROUP`]), runs one after the
//! other in one transaction and commits them together: one sync to the disk for the whole group.
//! Nobody gets an answer before the commit; when the commit fails, every operation of the group
//! has failed. An operation that fails is rolled back alone: the group then runs once more, each
//! operation under a savepoint. It does not have them from the start because failures are rare,
//! and under a savepoint SQLite copies every page before it changes it.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::{connection, operation, statement};
use crate::StoreError;
use crate::stats::{Counts, Stats};
use crate::transaction::{Connection as Handle, Transaction};

/// At most so many operations share a commit.
const GROUP: usize = 64;

/// At most so many operations wait; more callers wait for a place in the queue.
const QUEUE: usize = 1024;

/// How long a caller waits for a place in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// The queue's end that callers hold.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    counts: Counts,
}

enum Message {
    Run(Box<dyn Job>),
    Stop(oneshot::Sender<()>),
}

/// An operation of any type.
trait Job: Send {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// Runs; whether its changes shall be kept.
    fn run(&mut self, transaction: &mut Transaction) -> bool;
    /// Answers: with its own result after a commit, else with the error.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

impl Writer {
    /// Opens the file and starts the thread. It ends when it is stopped or every handle is gone.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connection::open(path, connection::Role::Writer)?;
        let checkpointer = Checkpointer::attach(&mut connection, path)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let counts = Counts::default();
        let counted = counts.clone();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                let stopped = serve(connection, waiting, &counted, &checkpointer);
                if let Some(stopped) = stopped {
                    // Whoever asked may have gone.
                    let _ = stopped.send(());
                }
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread: {}", error.kind())))?;
        Ok(Self { queue, counts })
    }

    /// How long the queue is, and what the thread has done.
    pub(super) fn stats(&self) -> Stats {
        let free = self.queue.capacity();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Stats {
            queued: number(QUEUE.saturating_sub(free)),
            queue_limit: number(QUEUE),
            ..self.counts.stats()
        }
    }

    /// Queues an operation and waits for the commit of its group.
    pub(super) async fn run<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Operation {
            operation,
            outcome: None,
            reply,
        };
        let place = tokio::time::timeout(QUEUE_TIMEOUT, self.queue.reserve())
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        place.send(Message::Run(Box::new(job)));
        match answer.await {
            Ok(Outcome::Returned(result)) => result,
            Ok(Outcome::Panicked(payload)) => resume_unwind(payload),
            Err(_) => Err(E::from(StoreError::Closed)),
        }
    }

    /// Runs synchronous work in a transaction of the writer.
    pub(super) async fn with_connection<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |transaction| {
            let result = match transaction.sqlite() {
                Some(connection) => work(connection),
                None => Err(StoreError::Closed),
            };
            Box::pin(std::future::ready(result))
        })
        .await
    }

    /// Stops the thread after what is queued, and waits for it to close its connection.
    pub(super) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.queue.send(Message::Stop(done)).await.is_ok() {
            // An error means that the thread is gone, which is what was asked for.
            let _ = stopped.await;
        }
    }
}

struct Operation<T, E, F> {
    operation: F,
    outcome: Option<Outcome<T, E>>,
    reply: oneshot::Sender<Outcome<T, E>>,
}

enum Outcome<T, E> {
    Returned(Result<T, E>),
    /// The caller's thread goes on unwinding, as it does with the other databases.
    Panicked(Box<dyn Any + Send>),
}

impl<T, E, F> Job for Operation<T, E, F>
where
    F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, transaction: &mut Transaction) -> bool {
        let operation = &self.operation;
        // The transaction stays usable: its savepoint is rolled back.
        let outcome = match catch_unwind(AssertUnwindSafe(|| {
            operation::poll_once(operation, transaction)
        })) {
            Ok(result) => Outcome::Returned(result),
            Err(payload) => Outcome::Panicked(payload),
        };
        let keep = matches!(outcome, Outcome::Returned(Ok(_)));
        self.outcome = Some(outcome);
        keep
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (self.outcome, committed) {
            (Some(outcome), Ok(())) => outcome,
            (Some(Outcome::Panicked(payload)), Err(_)) => Outcome::Panicked(payload),
            (Some(Outcome::Returned(Err(own))), Err(_)) => Outcome::Returned(Err(own)),
            (_, Err(error)) => Outcome::Returned(Err(E::from(error))),
            (None, Ok(())) => Outcome::Returned(Err(E::from(StoreError::Closed))),
        };
        // The caller may have gone; its operation is done all the same.
        let _ = self.reply.send(outcome);
    }
}

/// The thread's life. Gives who is to be told of its end.
fn serve(
    connection: Connection,
    mut waiting: mpsc::Receiver<Message>,
    counts: &Counts,
    checkpointer: &Checkpointer,
) -> Option<oneshot::Sender<()>> {
    let mut handle = Some(Box::new(connection));
    let mut stop = None;
    while stop.is_none()
        && handle.is_some()
        && let Some(first) = waiting.blocking_recv()
    {
        let group;
        (group, stop) = gather(first, &mut waiting);
        counts.transaction(group.len());
        let mut not_begun = None;
        handle = handle.and_then(|connection| commit_group(connection, group, &mut not_begun));
        // Others hold the file, and this group has waited for it as long as anybody should: who
        // has queued up meanwhile must not wait for one group after the other to find that out.
        while let Some(error) = &not_begun
            && stop.is_none()
            && let Ok(first) = waiting.try_recv()
        {
            let group;
            (group, stop) = gather(first, &mut waiting);
            finish(group, &Err(error.clone()));
        }
    }
    waiting.close();
    while let Ok(message) = waiting.try_recv() {
        if let Message::Run(job) = message {
            job.finish(Err(StoreError::Closed));
        }
    }
    checkpointer.stop();
    drop(handle);
    stop
}

type Group = VecDeque<Box<dyn Job>>;

/// What waits right now, up to the size of a group or the order to stop.
fn gather(
    first: Message,
    waiting: &mut mpsc::Receiver<Message>,
) -> (Group, Option<oneshot::Sender<()>>) {
    let mut group = Group::new();
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Stop(done) => return (group, Some(done)),
            Message::Run(job) => group.push_back(job),
        }
        next = if group.len() < GROUP {
            waiting.try_recv().ok()
        } else {
            None
        };
    }
    (group, None)
}

/// Runs all operations of a group. When no transaction can be begun, `not_begun` has the reason.
fn commit_group(
    connection: Box<Connection>,
    mut group: Group,
    not_begun: &mut Option<StoreError>,
) -> Option<Box<Connection>> {
    group.retain(|job| !job.is_abandoned());
    if group.is_empty() {
        return Some(connection);
    }
    if let Err(error) = statement::execute(&connection, "BEGIN IMMEDIATE", &[]) {
        *not_begun = Some(error.clone());
        finish(group, &Err(error));
        return Some(connection);
    }
    let (connection, ran) = run_together(connection, &mut group)?;
    match ran {
        Ran::All => {
            let committed = end(&connection, false);
            finish(group, &committed);
        }
        Ran::Failed(result) if group.len() == 1 => {
            // Without effect when SQLite has rolled back already.
            let _ = statement::execute(&connection, "ROLLBACK", &[]);
            finish(group, &result);
        }
        Ran::Failed(_) => {
            let _ = statement::execute(&connection, "ROLLBACK", &[]);
            return commit_guarded(connection, group);
        }
    }
    Some(connection)
}

/// How a run without savepoints went.
enum Ran {
    /// Every operation shall be kept.
    All,
    /// One failed by itself (`Ok`), or the transaction was lost with this error.
    Failed(Result<(), StoreError>),
}

/// Runs the operations until one fails. `None` when the connection is lost.
fn run_together(
    mut connection: Box<Connection>,
    group: &mut Group,
) -> Option<(Box<Connection>, Ran)> {
    for job in group {
        let (back, keep) = run(connection, job.as_mut())?;
        connection = back;
        match keep {
            Ok(true) => {}
            Ok(false) => return Some((connection, Ran::Failed(Ok(())))),
            Err(error) => return Some((connection, Ran::Failed(Err(error)))),
        }
    }
    Some((connection, Ran::All))
}

/// Runs each operation under a savepoint; as many transactions as that takes, which is one
/// unless SQLite gives a transaction up (a full disk, for example).
fn commit_guarded(mut connection: Box<Connection>, mut group: Group) -> Option<Box<Connection>> {
    while !group.is_empty() {
        if let Err(error) = statement::execute(&connection, "BEGIN IMMEDIATE", &[]) {
            finish(group, &Err(error));
            return Some(connection);
        }
        let mut kept = Group::new();
        let mut failed = Group::new();
        let mut lost = None;
        while lost.is_none()
            && let Some(mut job) = group.pop_front()
        {
            let (back, keep) = run_under_savepoint(connection, job.as_mut())?;
            connection = back;
            match keep {
                Ok(true) => kept.push_back(job),
                Ok(false) => failed.push_back(job),
                Err(error) => {
                    lost = Some(error);
                    kept.push_back(job);
                }
            }
        }
        let committed = match lost {
            None => end(&connection, kept.is_empty()),
            Some(error) => {
                let _ = statement::execute(&connection, "ROLLBACK", &[]);
                Err(error)
            }
        };
        finish(kept, &committed);
        finish(failed, &Ok(()));
    }
    Some(connection)
}

/// Commits, or rolls back when nothing is to be kept.
fn end(connection: &Connection, nothing: bool) -> Result<(), StoreError> {
    if nothing {
        return statement::execute(connection, "ROLLBACK", &[]).map(drop);
    }
    let committed = statement::execute(connection, "COMMIT", &[]).map(drop);
    if committed.is_err() && !connection.is_autocommit() {
        // The error of the commit is the one to report.
        let _ = statement::execute(connection, "ROLLBACK", &[]);
    }
    committed
}

fn finish(group: Group, committed: &Result<(), StoreError>) {
    for job in group {
        job.finish(committed.clone());
    }
}

/// Runs one operation. Inside: whether to keep it, or the error when the whole transaction
/// is lost. `None` when the connection is.
fn run(
    connection: Box<Connection>,
    job: &mut dyn Job,
) -> Option<(Box<Connection>, Result<bool, StoreError>)> {
    let mut transaction = Transaction::new(Handle::Sqlite(connection));
    let keep = job.run(&mut transaction);
    let failure = transaction.failure().cloned();
    let (Handle::Sqlite(connection), _) = transaction.into_parts() else {
        return None;
    };
    if connection.is_autocommit() {
        let error = failure
            .unwrap_or_else(|| StoreError::Other("the operation ended the transaction".to_owned()));
        return Some((connection, Err(error)));
    }
    Some((connection, Ok(keep)))
}

/// [`run`], with everything undone when the operation is not to be kept.
fn run_under_savepoint(
    connection: Box<Connection>,
    job: &mut dyn Job,
) -> Option<(Box<Connection>, Result<bool, StoreError>)> {
    if let Err(error) = statement::execute(&connection, "SAVEPOINT operation", &[]) {
        return Some((connection, Err(error)));
    }
    let (connection, keep) = run(connection, job)?;
    let ended = match keep {
        Err(lost) => return Some((connection, Err(lost))),
        Ok(true) => statement::execute(&connection, "RELEASE operation", &[]),
        Ok(false) => statement::execute(&connection, "ROLLBACK TO operation", &[])
            .and_then(|_| statement::execute(&connection, "RELEASE operation", &[])),
    };
    Some((connection, ended.and(keep)))
}
