//! What a transaction promises, on every database.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crema_store::{Database, Dialect, Row, Sql, Statement, StoreError, params};
use futures_util::future::join_all;
use support::{
    COMPARE_AND_SET, DELETE, Engine, INSERT, LOCKED, NAMES, SET, VALUE, insert, value,
    with_counters,
};
use tokio::sync::Barrier;

on_every_engine!(
    affected_rows,
    an_error_rolls_back,
    nothing_works_after_a_failed_statement,
    a_panic_rolls_back,
    one_of_fifty_wins,
    read_modify_write_under_a_lock,
    unique_keys_decide_races,
    others_see_what_is_committed,
    a_read_sees_one_state,
    a_read_cannot_write,
    rows_outside_of_a_transaction_only_read,
    a_dropped_write_is_whole_or_nothing,
    dynamic_statements,
    rows_one_by_one,
    an_emptied_table_belongs_to_who_emptied_it,
    closed_is_closed,
);

async fn affected_rows(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    insert(&database, "a", 1).await.unwrap();
    insert(&database, "b", 1).await.unwrap();
    static ADD: Sql = Sql::new(r#"UPDATE "counter" SET "value" = "value" + ?"#);
    let counts = database
        .write(|tx| {
            Box::pin(async move {
                Ok::<_, StoreError>([
                    tx.execute(&COMPARE_AND_SET, params![2, "a", 1]).await?,
                    // Lost: the value has been changed.
                    tx.execute(&COMPARE_AND_SET, params![2, "a", 1]).await?,
                    // Matched, but the value was the same before.
                    tx.execute(&SET, params![2, "a"]).await?,
                    tx.execute(&ADD, params![1]).await?,
                    tx.execute(&DELETE, params!["nobody"]).await?,
                    tx.execute(&DELETE, params!["b"]).await?,
                ])
            })
        })
        .await;
    assert_eq!(counts, Ok([1, 0, 1, 2, 0, 1]));
}

#[derive(Debug, PartialEq)]
enum OwnError {
    Changed(&'static str),
    Store(StoreError),
}

impl From<StoreError> for OwnError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn an_error_rolls_back(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let result: Result<(), OwnError> = database
        .write(|tx| {
            Box::pin(async move {
                tx.execute(&INSERT, params!["a", 1]).await?;
                // The operation sees its own changes.
                assert!(tx.row(&VALUE, params!["a"]).await?.is_some());
                Err(OwnError::Changed("my mind"))
            })
        })
        .await;
    assert_eq!(result, Err(OwnError::Changed("my mind")));
    assert_eq!(value(&database, "a").await, None);
}

/// Also when the operation swallows the error: nobody commits half of what was meant.
async fn nothing_works_after_a_failed_statement(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    insert(&database, "taken", 1).await.unwrap();
    let result: Result<(), StoreError> = database
        .write(|tx| {
            Box::pin(async move {
                tx.execute(&INSERT, params!["a", 1]).await?;
                let failed = tx.execute(&INSERT, params!["taken", 1]).await;
                assert!(failed.is_err_and(|error| error.is_unique_violation()));
                let next = tx.execute(&INSERT, params!["b", 1]).await;
                assert!(next.is_err_and(|error| error.is_unique_violation()));
                Ok(())
            })
        })
        .await;
    assert!(result.is_err_and(|error| error.is_unique_violation()));
    assert_eq!(value(&database, "a").await, None);
    assert_eq!(insert(&database, "after", 1).await, Ok(1));
}

async fn a_panic_rolls_back(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let other = database.clone();
    let task = tokio::spawn(async move {
        let _: Result<(), StoreError> = other
            .write(|tx| {
                Box::pin(async move {
                    tx.execute(&INSERT, params!["a", 1]).await?;
                    panic!("on purpose")
                })
            })
            .await;
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(insert(&database, "after", 1).await, Ok(1));
    assert_eq!(value(&database, "a").await, None);
}

/// spec: security.md, Codes and tokens: a code works once
async fn one_of_fifty_wins(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    insert(&database, "code", 0).await.unwrap();
    let attempts = (1..=50_i64).map(|runner| {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .write(move |tx| {
                    Box::pin(async move {
                        // As a redeem does: look, then decide by a conditional update.
                        let seen = tx.row(&VALUE, params!["code"]).await?.unwrap().int(0)?;
                        let won = tx
                            .execute(&COMPARE_AND_SET, params![runner, "code", 0])
                            .await?;
                        if won == 1 {
                            assert_eq!(seen, 0);
                            tx.execute(&INSERT, params![format!("token {runner}"), runner])
                                .await?;
                        } else {
                            // The loser sees who was faster.
                            let after = tx.row(&LOCKED, params!["code"]).await?.unwrap().int(0)?;
                            assert_ne!(after, 0);
                        }
                        Ok::<_, StoreError>(won)
                    })
                })
                .await
                .unwrap()
        })
    });
    let wins: u64 = join_all(attempts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    assert_eq!(wins, 1);
    assert_eq!(database.rows(&NAMES, params![]).await.unwrap().len(), 2);
}

async fn read_modify_write_under_a_lock(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    insert(&database, "n", 0).await.unwrap();
    let second = place.open();
    let increments = (0..40).map(|number| {
        let database = if number % 2 == 0 { &database } else { &second };
        database.write(|tx| {
            Box::pin(async move {
                let value = tx.row(&LOCKED, params!["n"]).await?.unwrap().int(0)?;
                tx.execute(&SET, params![value + 1, "n"]).await
            })
        })
    });
    for result in join_all(increments).await {
        assert_eq!(result, Ok::<_, StoreError>(1));
    }
    assert_eq!(value(&database, "n").await, Some(40));
}

async fn unique_keys_decide_races(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let attempts = (0..20).map(|number| insert(&database, "slot", number));
    let results = join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results {
        assert!(result.is_ok() || result.is_err_and(|error| error.is_unique_violation()));
    }
}

/// A second handle on the same data stands for another process.
async fn others_see_what_is_committed(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    let other = place.open();
    assert_eq!(value(&other, "a").await, None);
    for number in 0..20 {
        let name = format!("n{number}");
        insert(&database, &name, number).await.unwrap();
        assert_eq!(value(&other, &name).await, Some(number));
        insert(&other, &format!("m{number}"), number).await.unwrap();
        assert_eq!(value(&database, &format!("m{number}")).await, Some(number));
    }
}

async fn a_read_sees_one_state(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    insert(&database, "a", 1).await.unwrap();
    let config = place.config().clone();
    let seen = database
        .read(move |tx| {
            let config = config.clone();
            Box::pin(async move {
                let before = tx.rows(&NAMES, params![]).await?.len();
                // Somebody else writes meanwhile. (Waiting like this blocks the thread, so
                // that it works on SQLite, too.)
                thread::spawn(move || {
                    tokio::runtime::Runtime::new().unwrap().block_on(async {
                        let other = Database::open(&config).unwrap();
                        insert(&other, "b", 1).await.unwrap();
                        other.close().await;
                    });
                })
                .join()
                .unwrap();
                let after = tx.rows(&NAMES, params![]).await?.len();
                Ok::<_, StoreError>((before, after))
            })
        })
        .await;
    assert_eq!(seen, Ok((1, 1)));
    assert_eq!(value(&database, "b").await, Some(1));
}

async fn a_read_cannot_write(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let refused = database
        .read(|tx| Box::pin(async move { tx.execute(&INSERT, params!["a", 1]).await }))
        .await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(value(&database, "a").await, None);
    assert_eq!(insert(&database, "a", 1).await, Ok(1));
}

async fn rows_outside_of_a_transaction_only_read(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    static RETURNING: Sql =
        Sql::new(r#"INSERT INTO "counter" ("name", "value") VALUES (?, 1) RETURNING "value""#);
    let refused = database.rows(&RETURNING, params!["a"]).await;
    assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
    let returned = database
        .write(|tx| Box::pin(async move { tx.row(&RETURNING, params!["a"]).await }))
        .await;
    assert_eq!(returned.unwrap().unwrap().int(0), Ok(1));
    assert_eq!(value(&database, "a").await, Some(1));
}

async fn a_dropped_write_is_whole_or_nothing(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    for number in 0..20 {
        let database = database.clone();
        let task = tokio::spawn(async move {
            database
                .write(move |tx| {
                    Box::pin(async move {
                        tx.execute(&INSERT, params![format!("a{number}"), 1])
                            .await?;
                        tx.execute(&INSERT, params![format!("b{number}"), 1]).await
                    })
                })
                .await
                .map_err(|_: StoreError| ())
        });
        for _ in 0..number {
            tokio::task::yield_now().await;
        }
        task.abort();
        let _ = task.await;
    }
    // Later operations work and see pairs only. Those that were under way end first: closing
    // waits for them.
    assert_eq!(insert(&database, "last", 1).await, Ok(1));
    let names = database.rows(&NAMES, params![]).await.unwrap();
    let count = |letter| {
        let starts = |row: &&Row| row.text(0).unwrap().starts_with(letter);
        names.iter().filter(starts).count()
    };
    assert_eq!(count('a'), count('b'));
    database.close().await;
}

async fn dynamic_statements(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let count = database
        .write(|tx| {
            Box::pin(async move {
                let dialect = tx.dialect();
                let place = |number: usize| match dialect {
                    crema_store::Dialect::Postgres => format!("${number}"),
                    _ => "?".to_owned(),
                };
                let text = format!(
                    r#"INSERT INTO "counter" ("name", "value") VALUES ({}, {})"#,
                    place(1),
                    place(2)
                );
                let select = format!(
                    r#"SELECT "value" FROM "counter" WHERE "name" = {}"#,
                    place(1)
                );
                let insert = crema_store::Statement::new(text, params!["a", 5]);
                let count = tx.statement_execute(insert).await?;
                let select = crema_store::Statement::new(select, params!["a"]);
                let rows = tx.statement_rows(select).await?;
                assert_eq!(rows.first().unwrap().int(0), Ok(5));
                Ok::<_, StoreError>(count)
            })
        })
        .await;
    assert_eq!(count, Ok(1));
}

async fn closed_is_closed(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    let clone = database.clone();
    let (written, ()) = tokio::join!(insert(&database, "a", 1), clone.close());
    // Begun before the end, so finished, or not begun at all.
    assert!(
        matches!(written, Ok(1) | Err(StoreError::Closed)),
        "{written:?}"
    );
    assert_eq!(insert(&database, "b", 1).await, Err(StoreError::Closed));
    let read = database.row(&VALUE, params!["a"]).await;
    assert_eq!(read, Err(StoreError::Closed));
    database.close().await;
    let again = place.open();
    assert_eq!(value(&again, "a").await.is_some(), written.is_ok());
}

/// Two operations that lock two rows in opposite order, each after the other has its first.
async fn deadlock(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    insert(&database, "a", 0).await.unwrap();
    insert(&database, "b", 0).await.unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let both_have_one = Arc::new(Barrier::new(2));
    let swap = |first: &'static str, second: &'static str| {
        let (attempts, barrier) = (Arc::clone(&attempts), Arc::clone(&both_have_one));
        database.write(move |tx| {
            let (attempts, barrier) = (Arc::clone(&attempts), Arc::clone(&barrier));
            Box::pin(async move {
                let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                tx.execute(&SET, params![1, first]).await?;
                if attempt < 2 {
                    barrier.wait().await;
                }
                tx.execute(&SET, params![1, second]).await
            })
        })
    };
    let (one, two) = tokio::join!(swap("a", "b"), swap("b", "a"));
    assert_eq!((one, two), (Ok::<_, StoreError>(1), Ok::<_, StoreError>(1)));
    assert!(
        attempts.load(Ordering::SeqCst) >= 3,
        "one of them was tried again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deadlock_on_mariadb() {
    deadlock(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deadlock_on_postgres() {
    deadlock(Engine::Postgres).await;
}

async fn rows_one_by_one(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    for name in ["a", "b", "c"] {
        insert(&database, name, 1).await.unwrap();
    }
    for (wanted, enough) in [(3, usize::MAX), (2, 2)] {
        let read = database
            .read(move |tx| {
                Box::pin(async move {
                    let text = r#"SELECT "name" FROM "counter" ORDER BY "name""#;
                    let mut names = Vec::new();
                    let all = tx
                        .each_row(Statement::new(text, Vec::new()), &mut |row: Row| {
                            names.push(row.named("name").cloned());
                            names.len() < enough
                        })
                        .await;
                    assert_eq!(all.is_ok(), enough > 3);
                    assert_eq!(names.len(), wanted);
                    assert_eq!(names.first(), Some(&Some("a".into())));
                    Ok::<_, StoreError>(())
                })
            })
            .await;
        // Who did not want the rest cannot go on.
        assert_eq!(read.is_ok(), enough > 3);
    }
    assert_eq!(value(&database, "c").await, Some(1));
}

async fn an_emptied_table_belongs_to_who_emptied_it(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    insert(&database, "a", 1).await.unwrap();
    let other = database.clone();
    let waiting = Arc::new(std::sync::Mutex::new(None));
    let waits = Arc::clone(&waiting);
    database
        .write_alone(move |tx| {
            let (other, waits) = (other.clone(), Arc::clone(&waits));
            Box::pin(async move {
                tx.empty(&["counter".to_owned()]).await?;
                // On SQLite there is one writer, and it waits for nothing.
                if tx.dialect() != Dialect::Sqlite {
                    let adds = other.clone();
                    let task = tokio::spawn(async move { insert(&adds, "b", 1).await });
                    *waits.lock().unwrap() = Some(task);
                    let moment = std::time::Duration::from_millis(300);
                    let never = std::future::pending::<()>();
                    assert!(tokio::time::timeout(moment, never).await.is_err());
                    assert_eq!(value(&other, "a").await, Some(1));
                }
                tx.execute(&INSERT, params!["a", 2]).await?;
                assert_eq!(tx.rows(&NAMES, Vec::new()).await?.len(), 1);
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
    let task = waiting.lock().unwrap().take();
    if let Some(task) = task {
        task.await.unwrap().unwrap();
        assert_eq!(value(&database, "b").await, Some(1));
    }
    assert_eq!(value(&database, "a").await, Some(2));
}
