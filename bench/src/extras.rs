//! What no ratio says: memory, the time of a start, and token checks while passwords are tried.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::clock;
use crate::compare::median;
use crate::crema::Crema;
use crate::load::{self, Limits, Window};
use crate::process;
use crate::scenario::{self, Scenario, Setup, Side};

/// Clients that try passwords.
pub(crate) const ATTACKERS: u64 = 50;
/// Connections that ask about tokens meanwhile.
pub(crate) const ASKERS: u64 = 16;

/// Figures of a server that has just started.
pub(crate) struct Fresh {
    /// From starting the process to the end of the first answer, in milliseconds; the median.
    pub(crate) first_answer: f64,
    /// The longest of them.
    pub(crate) slowest: f64,
    /// Memory a second later, with one site open, in bytes; of the last start.
    pub(crate) memory: u64,
}

/// Starts the server so many times.
///
/// # Errors
/// When it does not start or answer.
pub(crate) async fn fresh(crema: &Crema, starts: usize) -> Result<Fresh> {
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..starts {
        let began = clock::instant();
        let server = crema.serve()?;
        let mut page = scenario::discovery();
        load::once(server.address, &mut page, |_, _| {}).await?;
        times.push((clock::instant() - began).as_secs_f64() * 1_000.0);
        if times.len() == starts {
            clock::pause(Duration::from_secs(1)).await;
            memory = process::resident(server.pid())?;
        }
        server.stop().await?;
    }
    Ok(Fresh {
        first_answer: median(&times),
        slowest: times.iter().copied().fold(0.0, f64::max),
        memory,
    })
}

/// Token checks while passwords are tried.
pub(crate) struct Storm {
    /// The token checks.
    pub(crate) checks: Window,
    /// The attempts that were looked at.
    pub(crate) attempts: Window,
}

/// Drives introspection while many clients try wrong passwords.
///
/// # Errors
/// When an answer was not the expected one.
pub(crate) async fn storm(setup: &Setup, seconds: f64) -> Result<Storm> {
    let mut askers = Scenario::Introspection
        .conversations(setup, Side::Crema, ASKERS)
        .await?;
    let mut attackers = scenario::storm(ATTACKERS);
    let length = Duration::from_secs_f64(seconds);
    let limits = Limits {
        warm_up: length / 4,
        length,
        rest: Duration::ZERO,
    };
    let (checks, attempts) = tokio::join!(
        load::drive(setup.address, &mut askers, limits),
        load::drive(setup.address, &mut attackers, limits)
    );
    let (checks, attempts) = (checks?, attempts?);
    for window in [&checks, &attempts] {
        if let Some(failure) = &window.failure {
            bail!("while passwords were tried: {failure}");
        }
    }
    Ok(Storm { checks, attempts })
}
