//! Several server processes on one database, compared with a model.
//!
//! Four `crema serve` (on SQLite one) share a bench and a database behind a round-robin proxy.
//! Actors sign in and out, authorize, redeem, refresh, replay, revoke and introspect at random
//! while administrators change users and clients from yet other processes. Every answer is
//! compared with a model of what was acknowledged: nothing that was ended may work again,
//! wherever it is asked for, and nothing may end that nobody ended.
//!
//! Groups own a user and clients that nobody else touches. In some groups one actor does one
//! thing after the other, and the model knows every answer; in others several race, and the
//! model allows what could have been first (`time.rs`).
//!
//! ```text
//! CREMA_MODEL_SECONDS=300 CREMA_MODEL_SEED=1 cargo test -p crema --test model -- --nocapture
//! ```
//! A seed repeats the choices of each actor, not how the processes were scheduled.
// spec: security.md, Codes and tokens, lines 3 and 4: one living pair, ended is ended everywhere
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed; test programs may look at their \
              environment and tell what they did"
)]

mod actor;
mod admin;
mod cluster;
mod dice;
mod grants;
mod group;
mod looks;
mod rules;
mod time;
mod visits;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crema_crypto::{Entropy as _, SystemEntropy};
use crema_testkit::{App, Engine, Http, engines};
use serde_json::json;
use tokio::task::JoinSet;

use crate::actor::{Actor, UNAVAILABLE};
use crate::cluster::Cluster;
use crate::dice::Dice;
use crate::group::{Group, Run};

/// How long a run lasts unless `CREMA_MODEL_SECONDS` says otherwise.
const SECONDS: u64 = 6;
/// Each actor does at least so much, however slow the machine is.
const STEPS: usize = 40;
/// Groups in which one actor does everything.
const EXACT_GROUPS: usize = 3;
/// Groups in which several race.
const SHARED_GROUPS: usize = 2;
/// How many race in each of them, besides the administrator.
const RACERS: usize = 3;
/// How many families are looked at again at the end.
const LOOKED_AT: usize = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number")),
    )
}

fn chance() -> u64 {
    let mut bytes = [0; 4];
    SystemEntropy.fill(&mut bytes);
    u32::from_ne_bytes(bytes).into()
}

/// How a run differs from the usual one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    None,
    /// Tokens that were ended are brought back behind the servers' backs.
    Revive,
    /// Tokens are lost.
    Lose,
}

/// Runs the actors. Gives what was wrong.
async fn agrees(engine: Engine, processes: usize, sabotage: Sabotage) -> Option<String> {
    let seed = number("CREMA_MODEL_SEED").unwrap_or_else(chance);
    let seconds = number("CREMA_MODEL_SECONDS").unwrap_or(SECONDS);
    let app = App::builder()
        .engine(engine)
        .real_time()
        // The proxy says where a request comes from.
        .config("trusted_proxies", json!(["127.0.0.1"]))
        .build()
        .await;
    let no_lockout = [("allow_consecutive_login_attempts", "0")];
    app.set_settings("System Settings", &no_lockout).await;
    let app = Arc::new(app);
    let mut cluster = Cluster::start(app.bench().root(), processes).await;
    let http = Http::new(cluster.address, app.site());
    let run = Arc::new(Run::new(seed));
    let mut groups = Vec::new();
    for number in 0..EXACT_GROUPS + SHARED_GROUPS {
        let name = format!("group{number}");
        groups.push(Arc::new(Group::create(&app, &http, &name, &run).await));
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let saboteur = tokio::spawn(sabotaged(Arc::clone(&app), sabotage));
    play(&app, &groups, seed, end).await;
    saboteur.abort();
    saboteur.await.ok();
    cluster.assert_running();
    // Now nothing is under way, and the model knows every answer.
    for group in groups.iter().filter(|group| !group.stopped()) {
        let dice = Dice::new(seed, 0);
        Actor::new(group, "at the end", dice)
            .introspect_all(LOOKED_AT)
            .await;
    }
    let complaint = run.complaint().cloned();
    if complaint.is_none() {
        assert_one_living_pair(&app).await;
        report(engine, seed, &groups);
    }
    drop(cluster);
    drop(groups);
    Arc::into_inner(app).unwrap().close().await;
    complaint
}

/// Lets all actors do what they do until the time is over.
async fn play(app: &Arc<App>, groups: &[Arc<Group>], seed: u64, end: Instant) {
    let mut actors = JoinSet::new();
    let mut count = 0;
    let mut dice = || {
        count += 1;
        Dice::new(seed, count)
    };
    for (index, group) in groups.iter().enumerate() {
        if index < EXACT_GROUPS {
            let actor = Actor::new(group, "alone", dice());
            actors.spawn(act(actor, Arc::clone(app), end, Some(20)));
            continue;
        }
        let administrator = Actor::new(group, "administrator", dice());
        actors.spawn(act(administrator, Arc::clone(app), end, Some(8)));
        for racer in 0..RACERS {
            let actor = Actor::new(group, &format!("racer {racer}"), dice());
            actors.spawn(act(actor, Arc::clone(app), end, None));
        }
    }
    while let Some(ended) = actors.join_next().await {
        ended.unwrap();
    }
}

/// One step after the other, for an administrator one in so many of them a change.
async fn act(mut actor: Actor, app: Arc<App>, end: Instant, changes: Option<usize>) {
    let mut steps = 0;
    while !actor.group.stopped() && (Instant::now() < end || steps < STEPS) {
        steps += 1;
        match changes {
            Some(times) if actor.dice.one_in(times) => actor.administrate(&app).await,
            _ => actor.step().await,
        }
    }
}

/// Does what no server should do, so that the model can show that it notices.
async fn sabotaged(app: Arc<App>, sabotage: Sabotage) {
    let (from, to) = match sabotage {
        Sabotage::None => return,
        Sabotage::Revive => ("Revoked", "Active"),
        Sabotage::Lose => ("Active", "Revoked"),
    };
    loop {
        let sql = r#"UPDATE "tabOAuth Bearer Token" SET status = ? WHERE status = ?"#;
        app.execute(sql, vec![to.into(), from.into()]).await;
    }
}

/// What the rows say: one living pair in a family, and none in one that was revoked.
async fn assert_one_living_pair(app: &App) {
    let sql = r#"SELECT COUNT(*) FROM (SELECT family FROM "tabOAuth Bearer Token"
        WHERE status = 'Active' AND family IS NOT NULL
        GROUP BY family HAVING COUNT(*) > 1) doubled"#;
    assert_eq!(app.count(sql, vec![]).await, 0, "families with two pairs");
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" b
        JOIN "__oauth_family" f ON f.name = b.family
        WHERE b.status = 'Active' AND f.revoked_at IS NOT NULL"#;
    assert_eq!(
        app.count(sql, vec![]).await,
        0,
        "tokens of revoked families"
    );
}

fn report(engine: Engine, seed: u64, groups: &[Arc<Group>]) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for group in groups {
        for (what, count) in &group.world().counts {
            *counts.entry(*what).or_default() += count;
        }
    }
    let total: usize = counts.values().sum();
    println!("{engine:?}: {total} answers agree with the model, CREMA_MODEL_SEED={seed}");
    for ((name, outcome), count) in &counts {
        println!("{count:>8}  {name}: {outcome}");
    }
    let unavailable = counts
        .iter()
        .filter(|((_, outcome), _)| *outcome == UNAVAILABLE);
    let unavailable: usize = unavailable.map(|(_, count)| count).sum();
    assert!(
        unavailable * 50 <= total,
        "{unavailable} answers of {total} are 503"
    );
    // A model that sees nothing agrees with everything.
    for seen in [
        ("login", "signed in"),
        ("approve", "code"),
        ("introspect", "active"),
    ] {
        assert!(counts.contains_key(&seen), "nothing of {seen:?}");
    }
}

/// Runs the actors on that engine, and fails with what was wrong.
fn check(engine: Engine, processes: usize) {
    engines::run(async {
        if let Some(complaint) = agrees(engine, processes, Sabotage::None).await {
            panic!("{complaint}");
        }
    });
}

#[test]
fn one_process_on_sqlite() {
    check(Engine::Sqlite, 1);
}

#[test]
fn four_processes_on_mariadb() {
    check(Engine::MariaDb, 4);
}

#[test]
fn four_processes_on_postgres() {
    check(Engine::Postgres, 4);
}

#[test]
fn the_model_notices_tokens_that_come_back_and_tokens_that_are_lost() {
    for (sabotage, noticed) in [
        (Sabotage::Revive, "was accepted, and has to be dead"),
        (Sabotage::Lose, "was refused, and has to be alive"),
    ] {
        engines::run(async {
            let complaint = agrees(Engine::Sqlite, 1, sabotage).await;
            let complaint = complaint.expect("nobody noticed");
            assert!(complaint.contains(noticed), "{complaint}");
        });
    }
}
