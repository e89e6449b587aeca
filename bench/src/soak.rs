//! `soak`: a mixture of everything for long, and what becomes of the memory.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::crema::Crema;
use crate::data;
use crate::engine::Engine;
use crate::load::{self, Conversation, Limits};
use crate::place::Place;
use crate::process;
use crate::report::{self, Table};
use crate::run;
use crate::scenario::{Scenario, Setup, Side};
use crate::servers::DbServer;
use crate::site::Site;

/// Who talks: connections of each scenario.
const MIX: &[(Scenario, u64)] = &[
    (Scenario::Introspection, 5),
    (Scenario::Userinfo, 3),
    (Scenario::UnknownToken, 1),
    (Scenario::Refresh, 1),
    (Scenario::RefreshOpenid, 1),
    (Scenario::CodeFlow, 1),
    (Scenario::Password, 1),
    (Scenario::ClientCredentials, 1),
    (Scenario::Discovery, 1),
    (Scenario::LoginPage, 1),
];
/// What the memory may be after an hour, in bytes.
const MOST: u64 = 60_000_000;

/// Drive a mixture of all scenarios for long, and print the memory every minute.
#[derive(Args, Debug)]
pub(crate) struct Soak {
    /// How long.
    #[arg(long, value_name = "MINUTES", default_value_t = 60.0)]
    minutes: f64,
    /// Time between two lines.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    every: f64,
    /// Rest of each connection after a unit of work. Without any, an hour leaves tens of millions
    /// of tokens behind.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5)]
    rest: u64,
    /// Stored tokens.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000)]
    tokens: u64,
    /// Database.
    #[arg(long, value_name = "NAME", default_value = "sqlite")]
    engine: Engine,
    #[command(flatten)]
    place: Place,
}

impl Soak {
    /// Drives and prints.
    ///
    /// # Errors
    /// When an answer is not the expected one, or the memory is above the target at the end.
    pub(crate) async fn run(&self) -> Result<()> {
        let program = self.place.program()?;
        let folder = self.place.folder()?;
        let name = format!("{}-{}", self.engine.name(), self.tokens);
        let crema = Crema::new(&program, &folder.path().join(name));
        let database = DbServer::start(self.engine, &crema.bench().join("server")).await?;
        if database.is_none() && self.engine != Engine::Sqlite {
            bail!("{} is not installed", self.engine.name());
        }
        let site = Site::open(&crema, self.engine, database.as_ref(), self.tokens).await?;
        let (server, setup) = run::start(&crema, site).await?;
        let done = self.drive(&setup, server.pid()).await;
        server.stop().await?;
        data::trim(&setup.site.database).await?;
        drop(database);
        let memory = done?;
        println!(
            "memory at the end: {} MB (target: at most {} MB)",
            report::megabytes(memory),
            report::megabytes(MOST)
        );
        Ok(())
    }

    async fn drive(&self, setup: &Setup, pid: u32) -> Result<u64> {
        let mut all: Vec<Box<dyn Conversation>> = Vec::new();
        for (scenario, count) in MIX {
            all.extend(scenario.conversations(setup, Side::Crema, *count).await?);
        }
        let limits = Limits {
            warm_up: Duration::ZERO,
            length: Duration::from_secs_f64(self.every),
            rest: Duration::from_millis(self.rest),
        };
        println!("{}", columns().to_string().trim_end());
        let mut seconds = 0.0;
        loop {
            let window = load::drive(setup.address, &mut all, limits).await?;
            if let Some(failure) = &window.failure {
                bail!("{} units failed, the first: {failure}", window.failures);
            }
            seconds += window.seconds;
            let memory = process::resident(pid)?;
            let (p50, p99) = report::quantiles(&window.latencies);
            let mut table = columns();
            table.row(vec![
                format!("{:.1}", seconds / 60.0),
                report::rate(window.rate()),
                report::millis(p50),
                report::millis(p99),
                report::megabytes(memory),
            ]);
            println!("{}", table.to_string().lines().last().unwrap_or_default());
            if seconds >= self.minutes * 60.0 {
                return Ok(memory);
            }
        }
    }
}

fn columns() -> Table {
    Table::new(&["minute  ", "units/s ", "p50 ms  ", "p99 ms  ", "memory MB"])
}
