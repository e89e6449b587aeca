//! What is printed and written.

mod figures;
mod markdown;
mod table;
mod targets;

pub(crate) use figures::{Figures, Set};
pub(crate) use markdown::write;
pub(crate) use table::Table;
pub(crate) use targets::targets;

use crate::compare::Comparison;

/// The table of one data set.
pub(crate) fn comparisons(rows: &[Comparison]) -> Table {
    let mut table = Table::new(&[
        "scenario",
        "conn.",
        "Crema/s",
        "p50 ms",
        "p99 ms",
        "p99/p50",
        "CPU µs",
        "raw limit",
        "raw/s",
        "raw p50 ms",
        "raw p99 ms",
        "raw CPU µs",
        "ratio",
        "memory MB",
    ]);
    for row in rows {
        let (p50, p99) = quantiles(&row.crema.latencies);
        let (raw_p50, raw_p99) = quantiles(&row.raw.latencies);
        let work = match row.requests {
            1 => row.work.name().to_owned(),
            requests => format!("{requests} × {}", row.work.name()),
        };
        table.row(vec![
            row.scenario.name().to_owned(),
            row.connections.to_string(),
            rate(row.crema.rate()),
            millis(p50),
            millis(p99),
            quotient(p99, p50),
            cost(row.cpu, row.crema.units),
            work,
            rate(row.raw.rate()),
            millis(raw_p50),
            millis(raw_p99),
            cost(row.raw_cpu, row.raw.units),
            format!("{:.2}", row.ratio()),
            megabytes(row.memory),
        ]);
    }
    table
}

/// p50 and p99 in microseconds.
pub(crate) fn quantiles(latencies: &crate::load::Histogram) -> (u64, u64) {
    (latencies.quantile(0.5), latencies.quantile(0.99))
}

/// A rate, rounded.
pub(crate) fn rate(rate: f64) -> String {
    if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "latencies far below 2^52 µs")]
pub(crate) fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}

/// How many times.
#[expect(clippy::cast_precision_loss, reason = "latencies far below 2^52 µs")]
pub(crate) fn quotient(above: u64, below: u64) -> String {
    format!("{:.1}", above as f64 / below.max(1) as f64)
}

/// Processor time of one unit in microseconds.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn cost(time: std::time::Duration, units: u64) -> String {
    let micros = time.as_secs_f64() * 1e6 / units.max(1) as f64;
    format!("{micros:.0}")
}

/// Bytes as megabytes.
#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}
