//! Between the server and its database: connections that break in the middle, a database that is
//! stopped, silent or slow, and comes back.

use std::time::{Duration, Instant};

use crema_testkit::{Engine, engines};
use tokio::task::JoinSet;

use crate::exchange::{Outcome, until};
use crate::harness::Server;
use crate::load::{Client, Load, Pair, code_in};
use crate::place::{Place, kind};
use crate::proxy::{Cut, Proxy};
use crate::{records, report, rounds, side_by_side};

/// How long the site waits for its database, seconds. What hangs is given up after three times
/// that.
const TIMEOUT: u32 = 2;
/// How many connections it has at most.
const CONNECTIONS: u32 = 6;
/// No request takes longer than this, with a machine under load in mind.
const NO_HANG: Duration = Duration::from_secs(30);

struct Stage {
    place: Place,
    proxy: Proxy,
    server: Server,
    client: Client,
}

impl Stage {
    async fn new(engine: Engine) -> Stage {
        let place = Place::new(engine);
        let proxy = Proxy::to(place.database_port()).await;
        place.wait_so_long(TIMEOUT, CONNECTIONS);
        place.reach_through(proxy.port);
        let server = place.bench.serve_with(&[], "warn");
        let scene = place.scene(&server).await;
        let client = Client::new(server.address, &scene);
        Stage {
            place,
            proxy,
            server,
            client,
        }
    }

    /// What every caller sees while the database is away: quickly, and in the shape of its
    /// endpoint, that it should come again.
    async fn everything_is_unavailable(&self, pair: &Pair) {
        let client = &self.client;
        let began = Instant::now();
        // Side by side: each waits for the database as long as it may.
        let answers = tokio::join!(
            client.introspect(&pair.access),
            client.refresh(&pair.refresh),
            client.machine_token(),
            client.revoke(&pair.refresh),
            client.redeem("a-code"),
        );
        for outcome in [answers.0, answers.1, answers.2, answers.3, answers.4] {
            outcome.answer().is_temporarily_unavailable();
        }
        let userinfo = "/api/method/frappe.integrations.oauth2.openid_profile";
        let userinfo = client.http.get(userinfo).bearer(&pair.access);
        let login = client.http.post("/api/method/login");
        let login = login.form(&[("usr", crate::place::USER), ("pwd", "wrong")]);
        let me = client.http.get("/me").header("Accept", "text/html");
        let me = me.header("Cookie", &client.scene.cookie);
        let answers = tokio::join!(
            client.send(&userinfo),
            client.send(&login),
            client.get("/.well-known/openid-configuration"),
            client.authorize(),
            client.send(&me),
            client.get("/healthz"),
        );
        for outcome in [answers.0, answers.1, answers.2] {
            outcome.answer().is_temporarily_unavailable();
        }
        for outcome in [answers.3, answers.4] {
            outcome.answer().is_unavailable_page();
        }
        assert_eq!(answers.5.answer().status, 200);
        assert!(began.elapsed() < NO_HANG, "{:?}", began.elapsed());
    }

    /// Prepares something and does it while the commit is cut off. Where a write that the server
    /// makes on its own was hit instead, once more.
    async fn cut_off<T>(
        &self,
        cut: Cut,
        prepare: impl AsyncFn() -> T,
        act: impl AsyncFn(&T) -> Outcome,
    ) -> T {
        for _ in 0..20 {
            let subject = prepare().await;
            self.proxy.cut_once(cut);
            let answer = act(&subject).await.answer();
            if answer.status != 200 {
                answer.is_temporarily_unavailable();
                return subject;
            }
        }
        panic!("{cut:?} never hit")
    }

    /// The database is back: without a restart, everything works again.
    async fn recovers(&self) {
        let began = Instant::now();
        // More at a time than there are connections: none is left that does not work.
        until("recovery", async || {
            let mut requests = JoinSet::new();
            for _ in 0..2 * CONNECTIONS {
                let client = self.client.clone();
                requests.spawn(async move { client.machine_token().await });
            }
            let outcomes = requests.join_all().await;
            let well = |outcome: &Outcome| matches!(outcome, Outcome::Answer(answer) if answer.status == 200);
            outcomes.iter().all(well)
        })
        .await;
        assert!(began.elapsed() < NO_HANG, "{:?}", began.elapsed());
        let pair = self.client.pair().await;
        assert!(self.client.is_active(&pair.access).await);
    }

    async fn end(self) {
        records::check(&self.place).await;
        self.server.stop();
    }
}

/// A connection that breaks within a transaction: another one does the work.
async fn broken_in_a_transaction(stage: &Stage) {
    let (client, proxy) = (&stage.client, &stage.proxy);
    let cuts = proxy.cuts();
    let code = client.code().await;
    proxy.cut_once(Cut::InTransaction);
    let mut pair = Pair::of(&client.redeem(&code).await.answer());
    proxy.cut_once(Cut::InTransaction);
    pair = Pair::of(&client.refresh(&pair.refresh).await.answer());
    proxy.cut_once(Cut::InTransaction);
    assert_eq!(client.revoke(&pair.access).await.answer().status, 200);
    proxy.cut_once(Cut::InTransaction);
    assert_eq!(client.machine_token().await.answer().status, 200);
    proxy.cut_once(Cut::InTransaction);
    code_in(&client.authorize().await.answer());
    assert_eq!(proxy.cuts() - cuts, 5);
}

/// The order to commit is lost on its way: the request fails, nothing has happened, and it may
/// be sent again.
async fn lost_before_the_commit(stage: &Stage) {
    let client = &stage.client;
    let cut = Cut::BeforeCommit;
    let code = stage
        .cut_off(
            cut,
            async || client.code().await,
            async |code| client.redeem(code).await,
        )
        .await;
    Pair::of(&client.redeem(&code).await.answer());
    let pair = stage
        .cut_off(
            cut,
            async || client.pair().await,
            async |pair| client.refresh(&pair.refresh).await,
        )
        .await;
    assert!(client.is_active(&pair.access).await, "nothing has happened");
    Pair::of(&client.refresh(&pair.refresh).await.answer());
    assert!(!client.is_active(&pair.access).await);
    let pair = stage
        .cut_off(
            cut,
            async || client.pair().await,
            async |pair| client.revoke(&pair.refresh).await,
        )
        .await;
    assert!(client.is_active(&pair.access).await, "nothing has happened");
}

/// The commit happens and its answer is lost: nobody does it a second time on his own, and a
/// client that asks again finds it done once.
async fn lost_after_the_commit(stage: &Stage) {
    let client = &stage.client;
    let cut = Cut::AfterCommit;
    let pair = stage
        .cut_off(
            cut,
            async || client.pair().await,
            async |pair| client.refresh(&pair.refresh).await,
        )
        .await;
    assert!(!client.is_active(&pair.access).await, "it has happened");
    let next = Pair::of(&client.refresh(&pair.refresh).await.answer());
    assert!(client.is_active(&next.access).await);
    // The one successor there is, however often it is asked for.
    let again = Pair::of(&client.refresh(&pair.refresh).await.answer());
    assert_eq!(again, next);
    let pair = stage
        .cut_off(
            cut,
            async || client.pair().await,
            async |pair| client.revoke(&pair.refresh).await,
        )
        .await;
    assert!(!client.is_active(&pair.access).await, "it has happened");
    assert_eq!(client.revoke(&pair.refresh).await.answer().status, 200);
    // A code has been used up then, and a second use ends what nobody has received.
    let code = stage
        .cut_off(
            cut,
            async || client.code().await,
            async |code| client.redeem(code).await,
        )
        .await;
    let refused = client.redeem(&code).await.answer();
    assert_eq!(refused.text("error"), "invalid_grant");
}

/// All connections end at once, as at a restart that nobody notices, and a database that answers
/// late is just late.
async fn dropped_and_slow(stage: &Stage) {
    let (client, proxy) = (&stage.client, &stage.proxy);
    for _ in 0..3 {
        let mut pair = client.pair().await;
        proxy.drop_all();
        assert!(client.is_active(&pair.access).await);
        proxy.drop_all();
        pair = Pair::of(&client.refresh(&pair.refresh).await.answer());
        assert!(client.is_active(&pair.access).await);
    }
    proxy.delay(Duration::from_millis(30));
    let pair = client.pair().await;
    assert!(client.is_active(&pair.access).await);
    proxy.delay(Duration::ZERO);
}

/// The database is stopped while clients work, and started again.
async fn stopped(stage: &mut Stage) {
    let pair = stage.client.pair().await;
    let mut load = Load::start(&stage.client);
    load.acknowledges(30).await;
    stage.proxy.stop().await;
    stage.everything_is_unavailable(&pair).await;
    load.hears_no(8).await;
    stage.proxy.start().await;
    stage.recovers().await;
    load.acknowledges(30).await;
    let (heard_no, ledger) = (load.heard_no(), load.stop().await);
    report(&format!(
        "{}: database stopped and started: {heard_no} times 503; {}",
        kind(stage.place.engine),
        ledger.summary()
    ));
    ledger.check(&stage.client).await;
    assert!(stage.client.is_active(&pair.access).await);
}

/// The database, or the network to it, falls silent while clients work: connections stay open
/// and nothing comes. The silent connections never speak again.
async fn silent(stage: &Stage) {
    let pair = stage.client.pair().await;
    let mut load = Load::start(&stage.client);
    load.acknowledges(30).await;
    stage.proxy.fall_silent();
    stage.everything_is_unavailable(&pair).await;
    load.hears_no(8).await;
    stage.proxy.heal();
    stage.recovers().await;
    load.acknowledges(30).await;
    let (heard_no, ledger) = (load.heard_no(), load.stop().await);
    report(&format!(
        "{}: database silent: {heard_no} times 503; {}",
        kind(stage.place.engine),
        ledger.summary()
    ));
    // Their transactions may still hold locks, until the database gives them up.
    until("the silent ones are given up", async || {
        let answer = stage.client.refresh(&pair.refresh).await.answer();
        answer.status == 200
    })
    .await;
    ledger.check(&stage.client).await;
}

fn faults_of_connections(engine: Engine) {
    engines::run(async {
        let mut stage = Stage::new(engine).await;
        let rounds = rounds(1);
        for round in 0..rounds {
            let began = Instant::now();
            broken_in_a_transaction(&stage).await;
            lost_before_the_commit(&stage).await;
            lost_after_the_commit(&stage).await;
            dropped_and_slow(&stage).await;
            let cut = began.elapsed();
            stopped(&mut stage).await;
            let stopped = began.elapsed() - cut;
            silent(&stage).await;
            let silent = began.elapsed() - cut - stopped;
            report(&format!(
                "{}: connections, {} of {rounds}: cut {cut:.1?}, stopped {stopped:.1?}, \
                 silent {silent:.1?}",
                kind(engine),
                round + 1
            ));
        }
        stage.end().await;
    });
}

#[test]
fn break_and_fall_silent() {
    side_by_side(&[Engine::MariaDb, Engine::Postgres], faults_of_connections);
}

/// A server that starts while its database is away serves as soon as that is back.
#[test]
fn a_database_that_comes_later() {
    engines::run(async {
        let place = Place::new(Engine::Postgres);
        let mut proxy = Proxy::to(place.database_port()).await;
        place.wait_so_long(TIMEOUT, CONNECTIONS);
        place.reach_through(proxy.port);
        proxy.stop().await;
        let server = place.bench.serve_with(&[], "warn");
        let http = server.http(crate::harness::SITE);
        assert_eq!(http.get("/healthz").send().await.status, 200);
        assert_eq!(http.get("/login").send().await.status, 503);
        proxy.start().await;
        until("the database is found", async || {
            http.get("/login").send().await.status == 200
        })
        .await;
        server.stop();
    });
}

/// A site that is away as a whole, in maintenance or with a broken file, says so in the shape of
/// each endpoint too.
#[test]
fn a_site_that_is_away() {
    engines::run(async {
        let place = Place::new(Engine::Sqlite);
        let server = place.bench.serve_with(&[], "warn");
        let client = Client::new(server.address, &place.scene(&server).await);
        let is_away = async || {
            let refused = client.machine_token().await.answer();
            refused.is_temporarily_unavailable();
            client.authorize().await.answer().is_unavailable_page();
            assert_eq!(client.get("/healthz").await.answer().status, 200);
        };
        place
            .bench
            .run(&["set-config", "maintenance_mode", "1"])
            .ok();
        is_away().await;
        place
            .bench
            .run(&["set-config", "maintenance_mode", "0"])
            .ok();
        client.code().await;
        let file = place
            .bench
            .site_file(crate::harness::SITE, "site_config.json");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        is_away().await;
        std::fs::write(&file, &whole).unwrap();
        client.code().await;
        server.stop();
    });
}
