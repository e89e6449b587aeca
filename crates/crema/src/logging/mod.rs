//! Where log events go: stderr, so that stdout holds answers only.
//!
//! A server writes a line a request, so a line must cost little: [`lines`] writes it straight
//! into a buffer, and [`queue`] hands the buffer to a thread that writes many lines at once.

mod lines;
mod queue;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use lines::Lines;
use queue::Queue;

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Readable lines, coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The log, while it is written. What is still on its way is written when this is dropped.
pub(crate) struct Log {
    queue: Option<Queue>,
}

impl Log {
    /// Counts the lines that were given up because nobody took them; none are when every line is
    /// written at once.
    pub(crate) fn dropped_lines(&self) -> Option<Arc<AtomicU64>> {
        self.queue.as_ref().map(Queue::dropped_lines)
    }
}

/// Starts the log of a command: few lines, each written at once.
pub(crate) fn start(level: LevelFilter) -> Log {
    install(Lines::new(LogFormat::Text, is_terminal(), None), level);
    Log { queue: None }
}

/// Starts the log of a server: many lines, written by a thread of their own.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start_server(format: LogFormat, level: LevelFilter) -> io::Result<Log> {
    let queue = Queue::start(io::stderr())?;
    let lines = Lines::new(format, is_terminal(), Some(queue.entry()));
    install(lines, level);
    Ok(Log { queue: Some(queue) })
}

fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// `RUST_LOG` selects; without it `level` and above are shown.
fn install(lines: Lines, level: LevelFilter) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable that every Rust program is asked with; read once, by the binary"
    )]
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    // A second start, which does not happen, would keep the first.
    let _ = match targets(&wanted, level) {
        Some(targets) => Registry::default().with(targets).with(lines).try_init(),
        None => {
            let filter = EnvFilter::builder()
                .with_default_directive(level.into())
                .parse_lossy(&wanted);
            Registry::default().with(filter).with(lines).try_init()
        }
    };
}

/// A filter by level and target, which costs a disabled event nothing and a span no lock. What
/// else `RUST_LOG` can say (spans, fields) takes the larger filter.
fn targets(wanted: &str, level: LevelFilter) -> Option<Targets> {
    if wanted.trim().is_empty() {
        return Some(Targets::new().with_default(level));
    }
    wanted.parse().ok()
}
