//! `run`: every scenario on every data set.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum as _};

use crate::compare::{self, Plan};
use crate::crema::{self, Crema, Server};
use crate::data;
use crate::engine::Engine;
use crate::report;
use crate::scenario::{self, Scenario, Setup};
use crate::site::Site;

/// Measure.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Stored tokens; a data set for each number.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "200000,5000000"
    )]
    tokens: Vec<u64>,
    /// Scenarios; all when left out.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// Length of one window.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    seconds: f64,
    /// Pairs of windows for each scenario.
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    rounds: u32,
    /// Connections at once.
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    connections: u64,
    #[command(flatten)]
    place: Place,
}

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The program; without it a release build is made.
    #[arg(long, value_name = "PATH")]
    crema: Option<PathBuf>,
    /// Keep the data sets in this folder, and use those that are there.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// What builds the program.
    #[arg(long, env = "CARGO", default_value = "cargo", hide = true)]
    cargo: String,
}

/// A folder for the data sets that goes away unless it was named.
pub(crate) enum Folder {
    /// It stays.
    Kept(PathBuf),
    /// It goes.
    Passing(tempfile::TempDir),
}

impl Folder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Folder::Kept(path) => path,
            Folder::Passing(folder) => folder.path(),
        }
    }
}

impl Place {
    /// The program.
    ///
    /// # Errors
    /// When it cannot be built.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match &self.crema {
            Some(path) => path
                .canonicalize()
                .with_context(|| format!("there is no {}", path.display())),
            None => crema::build(&self.cargo),
        }
    }

    /// The folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn folder(&self) -> Result<Folder> {
        Ok(match &self.keep {
            Some(path) => {
                std::fs::create_dir_all(path)?;
                Folder::Kept(path.canonicalize()?)
            }
            None => Folder::Passing(tempfile::Builder::new().prefix("crema-bench").tempdir()?),
        })
    }
}

impl Run {
    /// Measures and prints.
    ///
    /// # Errors
    /// When anything fails: figures of a run with errors mean nothing.
    pub(crate) async fn run(&self) -> Result<()> {
        let program = self.place.program()?;
        let folder = self.place.folder()?;
        let scenarios = if self.scenario.is_empty() {
            Scenario::value_variants()
        } else {
            &self.scenario
        };
        let plan = Plan::new(self.rounds, self.seconds, self.connections);
        for tokens in &self.tokens {
            let engine = Engine::Sqlite;
            let bench = folder.path().join(format!("{}-{tokens}", engine.name()));
            let crema = Crema::new(&program, &bench);
            let site = Site::open(&crema, &engine, *tokens).await?;
            data::freshen(&site.database, *tokens).await?;
            let (server, setup) = start(&crema, site).await?;
            let mut rows = Vec::new();
            for scenario in scenarios {
                eprintln!("{} tokens, {}", tokens, scenario.name());
                if *scenario == Scenario::Userinfo {
                    data::freshen(&setup.site.database, *tokens).await?;
                }
                rows.push(compare::compare(*scenario, &setup, &server, plan).await?);
            }
            server.stop().await?;
            println!(
                "\n{} tokens on {}\n\n{}",
                tokens,
                engine.name(),
                report::comparisons(&rows)
            );
        }
        Ok(())
    }
}

/// Starts the server of a site and signs the user in.
async fn start(crema: &Crema, site: Site) -> Result<(Server, Setup)> {
    let server = crema.serve()?;
    let cookie = scenario::sign_in(server.address).await?;
    let setup = Setup {
        site,
        address: server.address,
        cookie,
    };
    Ok((server, setup))
}
