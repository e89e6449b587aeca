//! Whether clearing what has expired is felt by those who ask meanwhile.

use anyhow::{Context as _, Result, bail};

use crate::compare::{Plan, median};
use crate::crema::Crema;
use crate::data::{self, Owner};
use crate::engine::Database;
use crate::load;
use crate::scenario::{self, Scenario, Setup, Side};
use crate::site::{Site, USER};

/// Expired tokens of one second of clearing: more than it gets done.
const PER_SECOND: f64 = 10_000.0;

/// What came of it.
pub(crate) struct Clearing {
    /// For each scenario p99 while rows are cleared, divided by p99 while none are; the median
    /// over the rounds.
    pub(crate) spread: Vec<(Scenario, f64)>,
    /// Rows that were cleared in all.
    pub(crate) rows: u64,
    /// Seconds in which they were.
    pub(crate) seconds: f64,
}

/// Lets two servers take turns on one data set on SQLite: one clears what is due, one does not.
///
/// # Errors
/// When anything fails, or nothing is cleared.
pub(crate) async fn clearing(crema: &Crema, site: &Site, plan: Plan) -> Result<Clearing> {
    let Database::Sqlite(file) = &site.database else {
        bail!("measured on SQLite only");
    };
    let owner = Owner {
        client: site.client_id.clone(),
        user: USER.to_owned(),
    };
    let scenarios = [Scenario::Introspection, Scenario::ClientCredentials];
    let window = plan.limits.warm_up + plan.limits.length;
    // It begins a second after the start, and goes on while the server is driven.
    let seconds = window.as_secs_f64() * f64::from(plan.rounds) * 2.0;
    let wanted = PER_SECOND * (seconds + 2.0 * f64::from(plan.rounds));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of rows, far below 2^52"
    )]
    data::add_due(file, &owner, wanted as u64)?;
    let before = data::count_due(file)?;
    let mut quotients = [Vec::new(), Vec::new()];
    for _ in 0..plan.rounds {
        let idle = p99s(crema, site, plan, &scenarios, "0").await?;
        let busy = p99s(crema, site, plan, &scenarios, "1").await?;
        for ((all, idle), busy) in quotients.iter_mut().zip(idle).zip(busy) {
            all.push(busy / idle.max(1.0));
        }
    }
    let rows = before.saturating_sub(data::count_due(file)?);
    data::trim(&site.database).await?;
    let spread = scenarios.iter().copied();
    Ok(Clearing {
        spread: spread
            .zip(quotients.iter().map(|all| median(all)))
            .collect(),
        rows,
        seconds,
    })
}

/// p99 of each scenario in microseconds, on a server that clears every so many seconds.
async fn p99s(
    crema: &Crema,
    site: &Site,
    plan: Plan,
    scenarios: &[Scenario],
    every: &str,
) -> Result<Vec<f64>> {
    let server = crema.serve_with(&["--housekeeping", every])?;
    let setup = Setup {
        site: site.clone(),
        address: server.address,
        cookie: scenario::sign_in(server.address).await?,
    };
    let mut all = Vec::new();
    for scenario in scenarios {
        let mut talk = scenario
            .conversations(&setup, Side::Crema, plan.connections)
            .await?;
        // Clearing begins a second after the start at the earliest.
        load::drive(server.address, &mut talk, plan.starting()).await?;
        let window = load::drive(server.address, &mut talk, plan.limits).await?;
        if let Some(failure) = &window.failure {
            bail!("{} while rows are cleared: {failure}", scenario.name());
        }
        let p99 = u32::try_from(window.latencies.quantile(0.99)).context("p99 of an hour")?;
        all.push(f64::from(p99));
    }
    server.stop().await?;
    Ok(all)
}
