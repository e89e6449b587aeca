//! `run`: every scenario on every data set of every engine.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum as _};

use crate::clock;
use crate::compare::{self, Plan};
use crate::crema::{Crema, Server};
use crate::data;
use crate::engine::Engine;
use crate::extras;
use crate::machine;
use crate::place::Place;
use crate::process;
use crate::report::{self, Figures, Set};
use crate::retention;
use crate::scenario::{self, Scenario, Setup};
use crate::servers::DbServer;
use crate::site::Site;

/// Connections at which the spread of latencies is judged.
const CROWD: u64 = 64;
/// Scenarios that are compared between the smallest and the largest data set.
const GROWTH: &[Scenario] = &[
    Scenario::Introspection,
    Scenario::Userinfo,
    Scenario::UnknownToken,
    Scenario::Refresh,
    Scenario::CodeIssue,
    Scenario::CodeFlow,
    Scenario::ClientCredentials,
    Scenario::Document,
    Scenario::List,
];

/// Measure, and print tables.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Databases; `all` for each that is installed.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "sqlite",
        value_parser = engines)]
    engine: Vec<Engines>,
    /// Stored tokens; a data set for each number. Without it 200000 and 5000000.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    tokens: Vec<u64>,
    /// Only these scenarios, and nothing but them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    scenario: Vec<Scenario>,
    /// Length of one window; 2 without it.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Pairs of windows for each scenario; 5 without it.
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// Connections at once; 16 without it.
    #[arg(long, value_name = "COUNT")]
    connections: Option<u64>,
    /// Few tokens, short windows: whether everything works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// Write the page of figures; its notes are kept.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// One value of `--engine`.
#[derive(Debug, Clone)]
struct Engines(&'static [Engine]);

fn engines(text: &str) -> Result<Engines, String> {
    if text == "all" {
        return Ok(Engines(Engine::value_variants()));
    }
    let all = Engine::value_variants();
    let found = all.iter().find(|engine| engine.name() == text);
    let found = found.ok_or("sqlite, mariadb, postgres or all")?;
    Ok(Engines(std::slice::from_ref(found)))
}

/// How much is done.
struct Amount {
    tokens: Vec<u64>,
    scenarios: Vec<Scenario>,
    plan: Plan,
    /// Also what is no scenario: many connections, starts, memory, passwords.
    extras: bool,
    crowd: Plan,
    storm_seconds: f64,
    starts: usize,
}

impl Run {
    fn amount(&self) -> Amount {
        let (tokens, seconds, rounds, connections) = match self.quick {
            true => (vec![2_000], 0.15, 1, 4),
            false => (vec![200_000, 5_000_000], 2.0, 5, 16),
        };
        let seconds = self.seconds.unwrap_or(seconds);
        let rounds = self.rounds.unwrap_or(rounds);
        let given = |all: &[u64]| (!all.is_empty()).then(|| all.to_vec());
        let scenarios = match self.scenario.as_slice() {
            [] => Scenario::value_variants(),
            some => some,
        };
        Amount {
            tokens: given(&self.tokens).unwrap_or(tokens),
            scenarios: scenarios.to_vec(),
            plan: Plan::new(rounds, seconds, self.connections.unwrap_or(connections)),
            extras: self.scenario.is_empty(),
            crowd: Plan::new(rounds.min(3), seconds, CROWD),
            storm_seconds: seconds * f64::from(rounds),
            starts: if self.quick { 1 } else { 7 },
        }
    }

    /// Measures and prints.
    ///
    /// # Errors
    /// When anything fails: figures of a run with errors mean nothing.
    pub(crate) async fn run(&self) -> Result<()> {
        let program = self.place.program()?;
        let folder = self.place.folder()?;
        let amount = self.amount();
        let mut figures = Figures {
            command: command(),
            ended: String::new(),
            machine: machine::describe(&Crema::new(&program, folder.path())),
            sets: Vec::new(),
            missing: Vec::new(),
            growth: Vec::new(),
        };
        for engine in self.engine.iter().flat_map(|engines| engines.0) {
            for tokens in &amount.tokens {
                let bench = folder.path().join(format!("{}-{tokens}", engine.name()));
                let crema = Crema::new(&program, &bench);
                match measure(&crema, *engine, *tokens, &amount).await? {
                    Some(set) => {
                        let table = report::comparisons(&set.rows);
                        println!("\n{tokens} tokens on {}\n\n{table}", engine.name());
                        if !set.crowd.is_empty() {
                            println!("{}", report::comparisons(&set.crowd));
                        }
                        figures.sets.push(set);
                    }
                    None if figures.missing.contains(&engine.name()) => {}
                    None => {
                        println!("\n{}: not installed", engine.name());
                        figures.missing.push(engine.name());
                    }
                }
            }
        }
        if amount.extras {
            figures.growth = growth(&program, folder.path(), &figures, &amount).await?;
            if figures.base().is_some() {
                println!("\n{}", report::targets(&figures));
            }
        }
        figures.ended = clock::date_time(clock::unix_micros())
            .chars()
            .take(16)
            .chain(" UTC".chars())
            .collect();
        if let Some(path) = &self.write {
            report::write(path, &figures)?;
        }
        Ok(())
    }
}

/// How this run was started, as one would type it, without places of this machine.
fn command() -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut shown = String::from("cargo run --release -p crema-bench --");
    let mut skip = false;
    for arg in &args {
        let is_place = ["--keep", "--crema"]
            .iter()
            .any(|option| arg.starts_with(option));
        if !skip && !is_place {
            shown.push(' ');
            shown.push_str(arg);
        }
        // The value may stand behind a blank.
        skip = is_place && !arg.contains('=');
    }
    shown
}

/// Measures one data set. Gives none when the engine is not installed.
async fn measure(
    crema: &Crema,
    engine: Engine,
    tokens: u64,
    amount: &Amount,
) -> Result<Option<Set>> {
    let database = DbServer::start(engine, &crema.bench().join("server")).await?;
    let about = match (&database, engine) {
        (Some(server), _) => server.about.clone(),
        (None, Engine::Sqlite) => {
            "A file in WAL mode, `synchronous=FULL`: on disk before it is answered.".to_owned()
        }
        (None, _) => return Ok(None),
    };
    let site = Site::open(crema, engine, database.as_ref(), tokens).await?;
    let mut set = Set {
        engine: engine.name(),
        about,
        tokens,
        rows: Vec::new(),
        crowd: Vec::new(),
        fresh: None,
        storm: None,
        clearing: None,
        memory: 0,
    };
    if amount.extras {
        set.fresh = Some(extras::fresh(crema, amount.starts).await?);
    }
    let (server, setup) = start(crema, site).await?;
    for scenario in &amount.scenarios {
        let row = one(*scenario, &setup, &server, amount.plan).await?;
        set.rows.push(row);
    }
    if amount.extras {
        for scenario in &amount.scenarios {
            // Sixty-four at once are refused properly: hashing has a short queue.
            if *scenario != Scenario::Password {
                let row = one(*scenario, &setup, &server, amount.crowd).await?;
                set.crowd.push(row);
            }
        }
        eprintln!("{tokens} tokens, introspection while passwords are tried");
        set.storm = Some(extras::storm(&setup, amount.storm_seconds).await?);
        data::trim(&setup.site.database).await?;
        set.memory = process::resident(server.pid())?;
    }
    server.stop().await?;
    if amount.extras && engine == Engine::Sqlite {
        eprintln!("{tokens} tokens, while expired rows are cleared");
        set.clearing = Some(retention::clearing(crema, &setup.site, amount.plan).await?);
    }
    drop(database);
    Ok(Some(set))
}

async fn one(
    scenario: Scenario,
    setup: &Setup,
    server: &Server,
    plan: Plan,
) -> Result<compare::Comparison> {
    let tokens = setup.site.tokens;
    eprintln!(
        "{tokens} tokens, {}, {} connections",
        scenario.name(),
        plan.connections
    );
    let bearer = [
        Scenario::Userinfo,
        Scenario::Document,
        Scenario::List,
        Scenario::Mcp,
    ];
    if bearer.contains(&scenario) {
        data::freshen(&setup.site.database, tokens).await?;
    }
    compare::compare(scenario, setup, server, plan).await
}

/// Compares the smallest with the largest data set on SQLite, when there are two.
async fn growth(
    program: &Path,
    folder: &Path,
    figures: &Figures,
    amount: &Amount,
) -> Result<Vec<(Scenario, f64)>> {
    let name = Engine::Sqlite.name();
    let sets = figures.sets.iter().filter(|set| set.engine == name);
    let mut sizes: Vec<u64> = sets.map(|set| set.tokens).collect();
    sizes.sort_unstable();
    let (Some(few), Some(many)) = (sizes.first(), sizes.last()) else {
        return Ok(Vec::new());
    };
    if few == many {
        return Ok(Vec::new());
    }
    let open = async |tokens: u64| {
        let crema = Crema::new(program, &folder.join(format!("{name}-{tokens}")));
        let site = Site::open(&crema, Engine::Sqlite, None, tokens).await?;
        data::freshen(&site.database, tokens).await?;
        start(&crema, site).await
    };
    let (small_server, small) = open(*few).await?;
    let (large_server, large) = open(*many).await?;
    let mut growth = Vec::new();
    for scenario in GROWTH {
        eprintln!("{}: {few} and {many} tokens in turn", scenario.name());
        let quotient = compare::growth(*scenario, &small, &large, amount.plan).await?;
        growth.push((*scenario, quotient));
    }
    small_server.stop().await?;
    large_server.stop().await?;
    Ok(growth)
}

/// Starts the server of a site and signs the user in.
pub(crate) async fn start(crema: &Crema, site: Site) -> Result<(Server, Setup)> {
    let server = crema.serve()?;
    let cookie = scenario::sign_in(server.address).await?;
    let setup = Setup {
        site,
        address: server.address,
        cookie,
    };
    Ok((server, setup))
}
