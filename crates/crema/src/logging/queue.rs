//! A thread that writes what others have to say.
//!
//! Writing to a pipe or a terminal takes longer than answering a request does, and may take for
//! ever when nobody reads. So lines gather for a moment and are written together; a warning goes
//! out at once. When nobody takes them, they are given up and counted: a log that stands still
//! must not stop the server. (What has to be kept is in the audit trail, not here.)

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a line may wait for others.
const GATHER: Duration = Duration::from_millis(20);
/// Nobody waits for more once there is so much, in bytes.
const ENOUGH: usize = 32 * 1024;
/// What may wait, in bytes: some thousand lines.
const LIMIT: usize = 4 * 1024 * 1024;

/// The thread and its queue. Dropping it writes the rest and ends the thread.
pub(super) struct Queue {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Where lines go in.
#[derive(Clone)]
pub(super) struct Entry(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Condvar,
    dropped: Arc<AtomicU64>,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    urgent: bool,
    ended: bool,
}

impl Waiting {
    fn is_due(&self) -> bool {
        self.urgent || self.ended || self.bytes.len() >= ENOUGH
    }
}

impl Queue {
    /// Starts the thread.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Queue> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || theirs.write_all(to))?;
        Ok(Queue {
            shared,
            thread: Some(thread),
        })
    }

    /// Where lines go in.
    pub(super) fn entry(&self) -> Entry {
        Entry(Arc::clone(&self.shared))
    }

    /// Counts the lines that were given up.
    pub(super) fn dropped_lines(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.dropped)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say when it panicked.
            let _ = thread.join();
        }
    }
}

impl Entry {
    /// Queues a line, its line break included. An urgent one is written at once.
    pub(super) fn push(&self, line: &str, urgent: bool) {
        let mut waiting = self.0.lock();
        if waiting.ended || waiting.bytes.len().saturating_add(line.len()) > LIMIT {
            drop(waiting);
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let first = waiting.bytes.is_empty();
        let due = waiting.is_due();
        waiting.bytes.extend_from_slice(line.as_bytes());
        waiting.urgent |= urgent;
        // The thread sleeps until the first line, and then until it is due.
        let wake = first || (!due && waiting.is_due());
        drop(waiting);
        if wake {
            self.0.news.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is locked; a poisoned one is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's life.
    fn write_all(&self, mut to: impl Write) {
        let mut lines = Vec::new();
        loop {
            let empty = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.ended;
            let waiting = self
                .news
                .wait_while(self.lock(), empty)
                .unwrap_or_else(PoisonError::into_inner);
            let (mut waiting, _) = self
                .news
                .wait_timeout_while(waiting, GATHER, |waiting| !waiting.is_due())
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.bytes, &mut lines);
            waiting.urgent = false;
            let ended = waiting.ended;
            drop(waiting);
            if to.write_all(&lines).and_then(|()| to.flush()).is_err() {
                let number = lines.iter().filter(|byte| **byte == b'\n').count();
                let number = u64::try_from(number).unwrap_or(u64::MAX);
                self.dropped.fetch_add(number, Ordering::Relaxed);
            }
            lines.clear();
            // After a flood the memory is given back.
            lines.shrink_to(2 * ENOUGH);
            if ended {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_before_the_end_and_in_order() {
        let memory = Memory::default();
        let queue = Queue::start(memory.clone()).unwrap();
        let entry = queue.entry();
        let mut expected = String::new();
        for number in 0..5000 {
            let line = format!("line {number}\n");
            entry.push(&line, number % 700 == 0);
            expected.push_str(&line);
        }
        drop(queue);
        entry.push("too late\n", true);
        assert_eq!(memory.0.lock().unwrap().as_slice(), expected.as_bytes());
        assert_eq!(entry.0.dropped.load(Ordering::Relaxed), 1);
    }

    /// Takes nothing until it is told to.
    struct Stuck(mpsc::Receiver<()>, Memory);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().ok();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_given_up_and_do_not_block() {
        let (go_on, told) = mpsc::channel();
        let memory = Memory::default();
        let queue = Queue::start(Stuck(told, memory.clone())).unwrap();
        let entry = queue.entry();
        let line = format!("{}\n", "x".repeat(1023));
        for _ in 0..20_000 {
            entry.push(&line, true);
        }
        let dropped = queue.dropped_lines().load(Ordering::Relaxed);
        assert!(dropped > 0, "nothing was given up");
        drop(go_on);
        drop(queue);
        let written = memory.0.lock().unwrap().len() / line.len();
        assert_eq!(u64::try_from(written).unwrap() + dropped, 20_000);
    }
}
