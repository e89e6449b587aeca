//! Rows that somebody else holds: a lock that is not given back in time, and a deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crema_store::{Database, Sql, StoreError, params};
use crema_testkit::{Engine, engines};
use tokio::sync::Barrier;

use crate::exchange::until;
use crate::load::{Client, Pair};
use crate::place::{Place, kind};
use crate::{records, report, rounds, side_by_side};

/// How long the site waits for a lock, seconds.
const TIMEOUT: u32 = 2;
const NO_HANG: Duration = Duration::from_secs(20);

static HOLD_FAMILIES: Sql =
    Sql::new(r#"UPDATE "__oauth_family" SET claims = claims WHERE revoked_at IS NULL"#);
static FAMILIES: Sql = Sql::new(r#"SELECT name FROM "__oauth_family""#);
static FREE_FAMILIES: Sql = Sql::new(r#"SELECT name FROM "__oauth_family" FOR UPDATE SKIP LOCKED"#);
static HOLD_TOKENS: Sql =
    Sql::new(r#"UPDATE "tabOAuth Bearer Token" SET claims = claims WHERE status = 'Active'"#);

/// Another program's transaction holds all families for longer than the server waits.
async fn locked(place: &Place, client: &Client) {
    let pair = client.pair().await;
    let database = Database::open(&place.config()).unwrap();
    let (held, done) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let other = {
        let (held, done) = (Arc::clone(&held), Arc::clone(&done));
        database.write(move |tx| {
            let (held, done) = (Arc::clone(&held), Arc::clone(&done));
            Box::pin(async move {
                tx.execute(&HOLD_FAMILIES, params![]).await?;
                held.wait().await;
                done.wait().await;
                Ok::<_, StoreError>(())
            })
        })
    };
    let requests = async {
        held.wait().await;
        let began = Instant::now();
        let (refresh, revoke, introspect) = tokio::join!(
            client.refresh(&pair.refresh),
            client.revoke(&pair.refresh),
            client.introspect(&pair.access),
        );
        refresh.answer().is_temporarily_unavailable();
        revoke.answer().is_temporarily_unavailable();
        // Who only reads does not wait for anybody.
        assert_eq!(introspect.answer().member("active"), true);
        assert!(began.elapsed() < NO_HANG, "{:?}", began.elapsed());
        done.wait().await;
    };
    let (other, ()) = tokio::join!(other, requests);
    other.unwrap();
    let next = Pair::of(&client.refresh(&pair.refresh).await.answer());
    assert!(client.is_active(&next.access).await);
    database.close().await;
}

/// Another program takes the same rows in the other order: the database ends one of the two, and
/// the request succeeds whichever it was.
async fn deadlocked(place: &Place, client: &Client) {
    let pair = client.pair().await;
    let database = Database::open(&place.config()).unwrap();
    let (held, wanted) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let attempts = Arc::new(AtomicU32::new(0));
    let other = {
        let (held, wanted) = (Arc::clone(&held), Arc::clone(&wanted));
        database.write(move |tx| {
            let (held, wanted) = (Arc::clone(&held), Arc::clone(&wanted));
            let again = attempts.fetch_add(1, Ordering::SeqCst) > 0;
            Box::pin(async move {
                // A refresh takes the family first and its token next.
                tx.execute(&HOLD_TOKENS, params![]).await?;
                if !again {
                    held.wait().await;
                    wanted.wait().await;
                }
                tx.execute(&HOLD_FAMILIES, params![]).await?;
                Ok::<_, StoreError>(())
            })
        })
    };
    let request = async {
        held.wait().await;
        client.refresh(&pair.refresh).await
    };
    let look = async {
        until("the refresh holds its family", async || {
            holds_a_family(&database).await
        })
        .await;
        wanted.wait().await;
    };
    let (other, refreshed, ()) = tokio::join!(other, request, look);
    other.unwrap();
    let next = Pair::of(&refreshed.answer());
    assert!(client.is_active(&next.access).await);
    assert!(!client.is_active(&pair.access).await);
    database.close().await;
}

/// Whether somebody has locked a family.
async fn holds_a_family(database: &Database) -> bool {
    let all = database.rows(&FAMILIES, params![]).await.unwrap().len();
    let free = database.write(|tx| {
        Box::pin(async move {
            let rows = tx.rows(&FREE_FAMILIES, params![]).await?;
            Ok::<_, StoreError>(rows.len())
        })
    });
    free.await.unwrap() < all
}

fn held_by_others(engine: Engine) {
    engines::run(async {
        let place = Place::new(engine);
        place.wait_so_long(TIMEOUT, 6);
        let server = place.bench.serve_with(&[], "warn");
        let client = Client::new(server.address, &place.scene(&server).await);
        for round in 0..rounds(1) {
            let began = Instant::now();
            for _ in 0..3 {
                deadlocked(&place, &client).await;
            }
            locked(&place, &client).await;
            let took = began.elapsed();
            report(&format!(
                "{}: locks, round {}, {took:.1?}",
                kind(engine),
                round + 1
            ));
        }
        records::check(&place).await;
        server.stop();
    });
}

/// Another process, the shell of SQLite say, holds the one lock of the file.
fn held_by_another_process() {
    engines::run(async {
        let place = Place::new(Engine::Sqlite);
        let server = place.bench.serve_with(&[], "warn");
        let client = Client::new(server.address, &place.scene(&server).await);
        let pair = client.pair().await;
        let database = Database::open(&place.config()).unwrap();
        let (held, holds) = std::sync::mpsc::channel();
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let is_done = Arc::new(std::sync::Mutex::new(is_done));
        let other = {
            let database = database.clone();
            tokio::spawn(async move {
                let done: Result<(), StoreError> = database
                    .write(move |tx| {
                        let (held, is_done) = (held.clone(), Arc::clone(&is_done));
                        Box::pin(async move {
                            tx.execute(&HOLD_FAMILIES, params![]).await?;
                            held.send(()).unwrap();
                            // This is the other process's own thread for writing.
                            is_done.lock().unwrap().recv().unwrap();
                            Ok(())
                        })
                    })
                    .await;
                done.unwrap();
            })
        };
        tokio::task::spawn_blocking(move || holds.recv().unwrap())
            .await
            .unwrap();
        let began = Instant::now();
        let (refresh, introspect) = tokio::join!(
            client.refresh(&pair.refresh),
            client.introspect(&pair.access)
        );
        refresh.answer().is_temporarily_unavailable();
        assert_eq!(introspect.answer().member("active"), true);
        let took = began.elapsed();
        assert!(took < NO_HANG, "{took:?}");
        done.send(()).unwrap();
        other.await.unwrap();
        let next = Pair::of(&client.refresh(&pair.refresh).await.answer());
        assert!(client.is_active(&next.access).await);
        report(&format!("sqlite: lock, {took:.1?}"));
        database.close().await;
        records::check(&place).await;
        server.stop();
    });
}

#[test]
fn held() {
    side_by_side(&Engine::ALL, |engine| match engine {
        Engine::Sqlite => held_by_another_process(),
        _ => held_by_others(engine),
    });
}
