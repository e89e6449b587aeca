//! `kill -9` of the server, and of its database, in the middle of the work.
//!
//! No acknowledged token is lost, no revoked one alive, and nothing is half done.

use std::time::Instant;

use crema_testkit::{Engine, engines};

use crate::harness::Server;
use crate::load::{Client, Load};
use crate::place::{Place, kind};
use crate::servers::DatabaseServer;
use crate::{records, report, rounds, side_by_side};

fn killed_under_load(engine: Engine) {
    let place = Place::new(engine);
    let serve = || place.bench.serve_with(&[], "warn");
    engines::run(async {
        let mut server: Server = serve();
        let scene = place.scene(&server).await;
        let rounds = rounds(2);
        for round in 0..rounds {
            let began = Instant::now();
            let mut load = Load::start(&Client::new(server.address, &scene));
            // Another moment each time.
            load.acknowledges(40 + round * 53 % 160).await;
            let log = server.kill();
            let ledger = load.stop().await;
            assert!(!log.contains("ERROR"), "{log}");
            let summary = ledger.summary();
            records::check(&place).await;
            server = serve();
            ledger.check(&Client::new(server.address, &scene)).await;
            records::check(&place).await;
            report(&format!(
                "{}: kill -9 of the server, {} of {rounds}, {:.1?}: {summary}",
                kind(engine),
                round + 1,
                began.elapsed()
            ));
        }
        server.stop();
    });
}

/// The database's own server is killed, and every other time stopped, while the server goes on.
fn database_killed_under_load(engine: Engine) {
    engines::run(async {
        let mut database = DatabaseServer::new(engine).await;
        let place = Place::on(engine, Some(database.root()));
        place.wait_so_long(2, 6);
        let server = place.bench.serve_with(&[], "warn");
        let client = Client::new(server.address, &place.scene(&server).await);
        let rounds = rounds(1);
        for round in 0..rounds {
            let began = Instant::now();
            let mut load = Load::start(&client);
            load.acknowledges(40 + round * 53 % 160).await;
            let how = if round % 2 == 0 { "kill -9" } else { "stop" };
            match how {
                "stop" => database.stop(),
                _ => database.kill(),
            }
            load.hears_no(4).await;
            database.start().await;
            load.acknowledges(20).await;
            let heard_no = load.heard_no();
            let ledger = load.stop().await;
            let summary = ledger.summary();
            ledger.check(&client).await;
            records::check(&place).await;
            report(&format!(
                "{}: {how} of the database, {} of {rounds}, {:.1?}: {heard_no} times 503; {summary}",
                kind(engine),
                round + 1,
                began.elapsed()
            ));
        }
        server.stop();
        drop(place);
    });
}

#[test]
fn databases() {
    side_by_side(
        &[Engine::MariaDb, Engine::Postgres],
        database_killed_under_load,
    );
}

#[test]
fn sqlite() {
    killed_under_load(Engine::Sqlite);
}

#[test]
fn mariadb() {
    killed_under_load(Engine::MariaDb);
}

#[test]
fn postgres() {
    killed_under_load(Engine::Postgres);
}
