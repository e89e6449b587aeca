//! The targets, for a machine with two cores and SQLite, and whether they are reached.

use super::figures::{Figures, Set};
use super::{Table, millis, quantiles};
use crate::compare::Comparison;
use crate::scenario::Scenario;

/// The table of targets.
pub(crate) fn targets(figures: &Figures) -> Table {
    let mut table = Table::new(&["target", "wanted", "measured", "reached"]);
    let mut line = |what: &str, wanted: &str, measured: Option<(String, Verdict)>| {
        let (measured, verdict) = measured.map_or_else(
            || ("–".to_owned(), "not measured"),
            |(text, verdict)| (text, verdict.text()),
        );
        table.row(vec![
            what.to_owned(),
            wanted.to_owned(),
            measured,
            verdict.to_owned(),
        ]);
    };
    let base = figures.base();
    let row = |scenario| base.and_then(|set| set.row(scenario));
    let ratio = |scenario, least, stretch| row(scenario).map(|row| at_least(row, least, stretch));
    line(
        "introspection, of the raw read",
        "≥ 0.6 (0.8)",
        ratio(Scenario::Introspection, 0.6, Some(0.8)),
    );
    line(
        "userinfo, of the raw read",
        "≥ 0.6 (0.8)",
        ratio(Scenario::Userinfo, 0.6, Some(0.8)),
    );
    line(
        "document by name, of the raw read",
        "≥ 0.4",
        ratio(Scenario::Document, 0.4, None),
    );
    line(
        "list of 20 by an indexed filter, of the raw read",
        "≥ 0.25",
        ratio(Scenario::List, 0.25, None),
    );
    line(
        "refresh, of the raw durable insert",
        "≥ 0.4 (0.6)",
        ratio(Scenario::Refresh, 0.4, Some(0.6)),
    );
    line(
        "code issue with a session, of the raw durable insert",
        "≥ 0.3",
        ratio(Scenario::CodeIssue, 0.3, None),
    );
    line(
        "whole code flows with EdDSA a second",
        "≥ 2000",
        row(Scenario::CodeFlow).map(|row| {
            let rate = row.crema.rate();
            (format!("{rate:.0}"), Verdict::of(rate >= 2_000.0))
        }),
    );
    line(
        "reads with the most tokens, times the cost with the fewest (worst)",
        "≤ 1.2",
        growth(figures, false, 1.2),
    );
    line(
        "writes with the most tokens, times the cost with the fewest (worst)",
        "≤ 2",
        growth(figures, true, 2.0),
    );
    line(
        "p99 at 64 connections, times p50 (worst scenario)",
        "≤ 4",
        base.and_then(spread),
    );
    line(
        "introspection p99 while 50 clients try passwords",
        "< 10 ms",
        base.and_then(storm),
    );
    line(
        "p99 while expired rows are cleared, times p99 otherwise (worst)",
        "≤ 1.1",
        base.and_then(clearing),
    );
    line(
        "memory of an idle server with one site",
        "≤ 25 MB",
        base.and_then(|set| set.fresh.as_ref())
            .map(|fresh| memory(fresh.memory, 25_000_000)),
    );
    line(
        "memory after this run (an hour of load: `crema-bench soak`)",
        "≤ 60 MB",
        base.filter(|set| set.memory > 0)
            .map(|set| memory(set.memory, 60_000_000)),
    );
    line(
        "first answer after the start (median)",
        "≤ 100 ms",
        base.and_then(|set| set.fresh.as_ref()).map(|fresh| {
            let measured = format!(
                "{:.0} ms (slowest {:.0})",
                fresh.first_answer, fresh.slowest
            );
            (measured, Verdict::of(fresh.first_answer <= 100.0))
        }),
    );
    table
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Missed,
    Reached,
    Stretch,
}

impl Verdict {
    fn of(reached: bool) -> Verdict {
        if reached {
            Verdict::Reached
        } else {
            Verdict::Missed
        }
    }

    fn text(self) -> &'static str {
        match self {
            Verdict::Missed => "**no**",
            Verdict::Reached => "yes",
            Verdict::Stretch => "yes, and the stretch",
        }
    }
}

fn at_least(row: &Comparison, least: f64, stretch: Option<f64>) -> (String, Verdict) {
    let ratio = row.ratio();
    let verdict = match stretch {
        Some(stretch) if ratio >= stretch => Verdict::Stretch,
        _ => Verdict::of(ratio >= least),
    };
    (format!("{ratio:.2}"), verdict)
}

fn growth(figures: &Figures, writes: bool, most: f64) -> Option<(String, Verdict)> {
    let all = figures.growth.iter();
    let (scenario, worst) = all
        .filter(|(scenario, _)| scenario.writes() == writes)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let text = format!("{worst:.2} ({})", scenario.name());
    Some((text, Verdict::of(*worst <= most)))
}

#[expect(clippy::cast_precision_loss, reason = "latencies far below 2^52 µs")]
fn spread(set: &Set) -> Option<(String, Verdict)> {
    let quotient = |row: &Comparison| {
        let (p50, p99) = quantiles(&row.crema.latencies);
        p99 as f64 / p50.max(1) as f64
    };
    let all = set.crowd.iter().map(|row| (row.scenario, quotient(row)));
    let (scenario, worst) = all.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let text = format!("{worst:.1} ({})", scenario.name());
    Some((text, Verdict::of(worst <= 4.0)))
}

fn storm(set: &Set) -> Option<(String, Verdict)> {
    let (_, p99) = quantiles(&set.storm.as_ref()?.checks.latencies);
    Some((format!("{} ms", millis(p99)), Verdict::of(p99 < 10_000)))
}

fn clearing(set: &Set) -> Option<(String, Verdict)> {
    let all = set.clearing.as_ref()?.spread.iter();
    let (scenario, worst) = all.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let text = format!("{worst:.2} ({})", scenario.name());
    Some((text, Verdict::of(*worst <= 1.1)))
}

fn memory(bytes: u64, most: u64) -> (String, Verdict) {
    let text = format!("{} MB", super::megabytes(bytes));
    (text, Verdict::of(bytes <= most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_not_reached() {
        let figures = Figures {
            command: String::new(),
            ended: String::new(),
            machine: Vec::new(),
            sets: Vec::new(),
            missing: Vec::new(),
            growth: vec![(Scenario::Userinfo, 1.1), (Scenario::Introspection, 1.3)],
        };
        let text = targets(&figures).to_string();
        assert_eq!(text.matches("not measured").count(), 14, "{text}");
        assert!(text.contains("1.30 (introspection)"), "{text}");
        assert!(text.contains("**no**"), "{text}");
    }
}
