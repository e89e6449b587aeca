//! Where log events go: stderr, so that stdout holds answers only.
//!
//! A server writes a line a request, so a line must cost little: [`lines`] writes it straight
//! into a buffer, and [`queue`] hands the buffer to a thread that writes many lines at once.

mod lines;
mod queue;
#[cfg(feature = "otel")]
mod traces;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context as _;
use clap::ValueEnum;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
#[cfg(feature = "otel")]
use tracing_subscriber::layer::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
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
    #[cfg(feature = "otel")]
    traces: Option<traces::Traces>,
}

impl Log {
    /// Counts the lines that were given up because nobody took them; none are when every line is
    /// written at once.
    pub(crate) fn dropped_lines(&self) -> Option<Arc<AtomicU64>> {
        self.queue.as_ref().map(Queue::dropped_lines)
    }

    /// Whether traces are sent to a collector.
    pub(crate) fn has_traces(&self) -> bool {
        #[cfg(feature = "otel")]
        let traced = self.traces.is_some();
        #[cfg(not(feature = "otel"))]
        let traced = false;
        traced
    }
}

/// Starts the log of a command: few lines, each written at once.
pub(crate) fn start(level: LevelFilter) -> Log {
    let lines = Lines::new(LogFormat::Text, is_terminal(), None);
    install(Registry::default(), lines, &wanted(), level);
    Log {
        queue: None,
        #[cfg(feature = "otel")]
        traces: None,
    }
}

/// Starts the log of a server: many lines, written by a thread of their own.
///
/// # Errors
/// When there can be no thread, or no traces where they are asked for.
pub(crate) fn start_server(format: LogFormat, level: LevelFilter) -> anyhow::Result<Log> {
    let queue = Queue::start(io::stderr()).context("the log cannot be started")?;
    let lines = Lines::new(format, is_terminal(), Some(queue.entry()));
    #[cfg(feature = "otel")]
    if wants_traces() {
        return with_traces(queue, lines, level);
    }
    install(Registry::default(), lines, &wanted(), level);
    Ok(Log {
        queue: Some(queue),
        #[cfg(feature = "otel")]
        traces: None,
    })
}

#[cfg(feature = "otel")]
fn with_traces(queue: Queue, lines: Lines, level: LevelFilter) -> anyhow::Result<Log> {
    let traces = traces::Traces::start(is_set("OTEL_SERVICE_NAME"))?;
    let layer = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer())
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target(traces::TARGET, LevelFilter::DEBUG));
    let registry = Registry::default().with(layer);
    // Each has a filter of its own: what is not logged may be traced all the same.
    let _ = match targets(&wanted(), level) {
        Some(targets) => registry.with(lines.with_filter(targets)).try_init(),
        None => registry
            .with(lines.with_filter(filter(&wanted(), level)))
            .try_init(),
    };
    Ok(Log {
        queue: Some(queue),
        traces: Some(traces),
    })
}

/// Whether a collector is named (OpenTelemetry specification, OTLP exporter configuration).
#[cfg(feature = "otel")]
fn wants_traces() -> bool {
    is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
}

fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// `RUST_LOG`.
fn wanted() -> String {
    variable("RUST_LOG").unwrap_or_default()
}

#[cfg(feature = "otel")]
fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| !value.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the log shall say is asked in the environment, as in every program; read by \
              the binary, once, before anything else"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `RUST_LOG` selects; without it `level` and above are shown.
fn install<S>(registry: S, lines: Lines, wanted: &str, level: LevelFilter)
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // A second start, which does not happen, would keep the first.
    let _ = match targets(wanted, level) {
        Some(targets) => registry.with(targets).with(lines).try_init(),
        None => registry.with(filter(wanted, level)).with(lines).try_init(),
    };
}

/// A filter by level and target, which costs a disabled event nothing and a span no lock.
fn targets(wanted: &str, level: LevelFilter) -> Option<Targets> {
    if wanted.trim().is_empty() {
        return Some(Targets::new().with_default(level));
    }
    wanted.parse().ok()
}

/// The larger filter, for what else `RUST_LOG` can say: spans and fields.
fn filter(wanted: &str, level: LevelFilter) -> EnvFilter {
    EnvFilter::builder()
        .with_default_directive(level.into())
        .parse_lossy(wanted)
}
