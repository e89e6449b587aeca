//! One scenario: Crema and its limit in turn, window by window, so that whatever else the
//! machine does falls on both.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::crema::{self, Server};
use crate::data;
use crate::load::{self, Conversation, Limits, Window};
use crate::process;
use crate::raw::{Shape, Work};
use crate::scenario::{Scenario, Setup, Side};

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Pairs of windows.
    pub(crate) rounds: u32,
    /// One window.
    pub(crate) limits: Limits,
    /// Connections at once.
    pub(crate) connections: u64,
}

impl Plan {
    /// Windows of that many seconds.
    pub(crate) fn new(rounds: u32, seconds: f64, connections: u64) -> Plan {
        let length = Duration::from_secs_f64(seconds);
        Plan {
            rounds,
            limits: Limits {
                warm_up: length / 8,
                length,
                rest: Duration::ZERO,
            },
            connections,
        }
    }

    /// A window in which a server that has just started comes to do all that it does.
    pub(crate) fn starting(self) -> Limits {
        Limits {
            length: Duration::from_millis(1_200).min(self.limits.length * 2),
            ..self.limits
        }
    }

    /// A window before the first round.
    fn warming(self) -> Limits {
        Limits {
            length: self.limits.length / 4,
            ..self.limits
        }
    }
}

/// What was measured.
pub(crate) struct Comparison {
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// Connections at once.
    pub(crate) connections: u64,
    /// All windows of Crema.
    pub(crate) crema: Window,
    /// All windows of the raw server.
    pub(crate) raw: Window,
    /// What the raw server did for each request.
    pub(crate) work: Work,
    /// Requests of one unit.
    pub(crate) requests: u32,
    /// Crema's rate divided by the raw server's, for each round.
    pub(crate) ratios: Vec<f64>,
    /// Processor time that Crema's process used.
    pub(crate) cpu: Duration,
    /// Processor time that the raw server's process used.
    pub(crate) raw_cpu: Duration,
    /// Crema's memory after the last round, in bytes.
    pub(crate) memory: u64,
}

impl Comparison {
    /// The median of the ratios.
    pub(crate) fn ratio(&self) -> f64 {
        median(&self.ratios)
    }
}

/// The middle one; 0 when there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2);
    match (lower, upper) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => 0.0,
    }
}

/// Measures a scenario.
///
/// # Errors
/// When a server fails, or an answer was not the expected one.
pub(crate) async fn compare(
    scenario: Scenario,
    setup: &Setup,
    server: &Server,
    plan: Plan,
) -> Result<Comparison> {
    let mut ours = scenario
        .conversations(setup, Side::Crema, plan.connections)
        .await
        .with_context(|| format!("preparing {}", scenario.name()))?;
    let (raw, requests) = raw_server(scenario, setup, &mut ours).await?;
    let mut theirs = scenario
        .conversations(setup, Side::Raw, plan.connections)
        .await?;
    let mut result = Comparison {
        scenario,
        connections: plan.connections,
        crema: Window::empty(),
        raw: Window::empty(),
        work: scenario.raw().0,
        requests,
        ratios: Vec::new(),
        cpu: Duration::ZERO,
        raw_cpu: Duration::ZERO,
        memory: 0,
    };
    // Connections to the database are made, caches filled, statements prepared.
    load::drive(server.address, &mut ours, plan.warming()).await?;
    load::drive(raw.address, &mut theirs, plan.warming()).await?;
    for _ in 0..plan.rounds {
        let (crema, used) = metered(server, &mut ours, plan.limits).await?;
        let (limit, raw_used) = metered(&raw, &mut theirs, plan.limits).await?;
        result.cpu += used;
        result.raw_cpu += raw_used;
        result
            .ratios
            .push(crema.rate() / limit.rate().max(f64::EPSILON));
        result.crema.add(crema);
        result.raw.add(limit);
    }
    result.memory = process::resident(server.pid())?;
    drop(raw);
    if scenario.writes() {
        data::trim(&setup.site.database).await?;
    }
    check(scenario, "Crema", &result.crema)?;
    check(scenario, "the raw server", &result.raw)?;
    Ok(result)
}

/// One window, and the processor time that the server's process used in it.
async fn metered(
    server: &Server,
    conversations: &mut Vec<Box<dyn Conversation>>,
    limits: Limits,
) -> Result<(Window, Duration)> {
    let before = process::cpu(server.pid())?;
    let window = load::drive(server.address, conversations, limits).await?;
    let after = process::cpu(server.pid())?;
    Ok((window, after.saturating_sub(before)))
}

/// What a scenario costs on a large data set, as a multiple of what it costs on a small one:
/// the median over rounds in which both servers take turns.
///
/// # Errors
/// As [`compare`].
pub(crate) async fn growth(
    scenario: Scenario,
    small: &Setup,
    large: &Setup,
    plan: Plan,
) -> Result<f64> {
    let mut quotients = Vec::new();
    let count = plan.connections;
    let mut few = scenario.conversations(small, Side::Crema, count).await?;
    let mut many = scenario.conversations(large, Side::Crema, count).await?;
    for _ in 0..plan.rounds {
        let on_small = load::drive(small.address, &mut few, plan.limits).await?;
        let on_large = load::drive(large.address, &mut many, plan.limits).await?;
        check(scenario, "Crema", &on_small)?;
        check(scenario, "Crema", &on_large)?;
        quotients.push(on_small.rate() / on_large.rate().max(f64::EPSILON));
    }
    if scenario.writes() {
        data::trim(&small.site.database).await?;
        data::trim(&large.site.database).await?;
    }
    Ok(median(&quotients))
}

/// Starts the limit with answers as long as Crema's. Gives also the requests of one unit.
async fn raw_server(
    scenario: Scenario,
    setup: &Setup,
    conversations: &mut [Box<dyn Conversation>],
) -> Result<(Server, u32)> {
    let first = conversations.first_mut().context("no connections")?;
    let mut get = None;
    let mut post = None;
    let mut requests = 0;
    load::once(setup.address, first.as_mut(), |request, answer| {
        requests += 1;
        let shape = Shape {
            status: answer.status,
            head: answer.head.len(),
            body: answer.body.len(),
        };
        match request.starts_with(b"GET") {
            true => get = Some(shape),
            false => post = Some(shape),
        }
    })
    .await
    .with_context(|| format!("the first request of {}", scenario.name()))?;
    let (work, place) = scenario.raw();
    let mut args = vec![
        format!("--site={}", setup.site.folder.display()),
        format!("--work={}", option(work)?),
        format!("--token={}", option(place)?),
    ];
    args.extend(get.map(|shape| format!("--get={shape}")));
    args.extend(post.map(|shape| format!("--post={shape}")));
    Ok((crema::serve_raw(&args)?, requests))
}

/// The value as the command line spells it.
fn option(value: impl clap::ValueEnum) -> Result<String> {
    let value = value.to_possible_value().context("no such option")?;
    Ok(value.get_name().to_owned())
}

fn check(scenario: Scenario, who: &str, window: &Window) -> Result<()> {
    if let Some(failure) = &window.failure {
        bail!(
            "{}: {} of the requests to {who} failed, the first: {failure}",
            scenario.name(),
            window.failures
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}
