//! What is special about the embedded database: the writer thread and its groups.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, mpsc};

use crema_store::{Database, Sql, StoreError, params};
use futures_util::FutureExt;
use futures_util::future::join_all;
use support::{Engine, INSERT, NAMES, VALUE, insert, value, with_counters};

/// Occupies the writer until the returned sender is used, so that what is queued meanwhile
/// becomes one group.
async fn occupy(database: &Database) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let released = Mutex::new(released);
    let database = database.clone();
    tokio::spawn(async move {
        database
            .write(move |_| {
                begun.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
                Box::pin(async { Ok::<_, StoreError>(()) })
            })
            .await
    });
    // The task queues its operation, then the writer takes it.
    tokio::task::yield_now().await;
    has_begun.recv().unwrap();
    release
}

#[tokio::test]
async fn one_failing_operation_between_good_ones() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    insert(&database, "taken", 0).await.unwrap();
    let release = occupy(&database).await;
    let names: Vec<String> = (0..20)
        .map(|number| match number {
            7 => "taken".to_owned(),
            _ => format!("n{number}"),
        })
        .collect();
    let writes = join_all(names.iter().map(|name| insert(&database, name, 1)));
    let (results, ()) = tokio::join!(writes, async { release.send(()).unwrap() });
    for (name, result) in names.iter().zip(results) {
        if name == "taken" {
            assert!(result.is_err_and(|error| error.is_unique_violation()));
        } else {
            assert_eq!(result, Ok(1));
            assert_eq!(value(&place.open(), name).await, Some(1));
        }
    }
}

/// A commit fails when a deferred foreign key is violated: nobody of the group is told of
/// success.
#[tokio::test]
async fn a_failing_commit_fails_the_group() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    let text = r#"CREATE TABLE "child" ("parent" varchar(140)
        REFERENCES "counter" ("name") DEFERRABLE INITIALLY DEFERRED)"#;
    database.execute_ddl(text).await.unwrap();
    static ORPHAN: Sql = Sql::new(r#"INSERT INTO "child" ("parent") VALUES (?)"#);
    let release = occupy(&database).await;
    let orphan =
        database.write(|tx| Box::pin(async move { tx.execute(&ORPHAN, params!["nobody"]).await }));
    let (before, orphan, after, ()) = tokio::join!(
        insert(&database, "before", 1),
        orphan,
        insert(&database, "after", 1),
        async { release.send(()).unwrap() }
    );
    for result in [before, orphan, after] {
        assert!(
            matches!(result, Err(StoreError::Constraint { .. })),
            "{result:?}"
        );
    }
    assert_eq!(value(&database, "before").await, None);
    assert_eq!(insert(&database, "later", 1).await, Ok(1));
}

/// Each operation looks from outside how many others are committed while it runs: none of its
/// own group.
#[tokio::test]
async fn at_most_64_operations_share_a_commit() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    static COUNT: Sql = Sql::new(r#"SELECT COUNT(*) FROM "counter""#);
    let observer = place.open();
    let release = occupy(&database).await;
    let writes = join_all((0..100).map(|number| {
        let observer = observer.clone();
        database.write(move |tx| {
            let observer = observer.clone();
            Box::pin(async move {
                tx.execute(&INSERT, params![format!("n{number}"), 1])
                    .await?;
                let row = observer.row(&COUNT, params![]).await?;
                row.unwrap().int(0)
            })
        })
    }));
    let (seen, ()) = tokio::join!(writes, async { release.send(()).unwrap() });
    for (number, seen) in seen.into_iter().enumerate() {
        assert_eq!(seen, Ok(if number < 64 { 0 } else { 64 }), "{number}");
    }
}

#[tokio::test]
async fn an_operation_awaits_nothing_else() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    let foreign = database
        .write(|tx| {
            Box::pin(async move {
                tx.execute(&INSERT, params!["a", 1]).await?;
                tokio::task::yield_now().await;
                Ok::<_, StoreError>(())
            })
        })
        .await;
    assert!(
        matches!(&foreign, Err(StoreError::Other(text)) if text.contains("awaited something other")),
        "{foreign:?}"
    );
    assert_eq!(value(&database, "a").await, None);
    let foreign = database
        .read(|tx| {
            Box::pin(async move {
                tx.rows(&NAMES, params![]).await?;
                tokio::task::yield_now().await;
                Ok::<_, StoreError>(())
            })
        })
        .await;
    assert!(matches!(foreign, Err(StoreError::Other(_))), "{foreign:?}");
    assert_eq!(insert(&database, "a", 1).await, Ok(1));
}

#[tokio::test]
async fn operations_that_nobody_waits_for_are_left_out() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    let release = occupy(&database).await;
    // Queued by the first poll, then dropped.
    assert_eq!(insert(&database, "abandoned", 1).now_or_never(), None);
    let (next, ()) = tokio::join!(insert(&database, "next", 1), async {
        release.send(()).unwrap();
    });
    assert_eq!(next, Ok(1));
    assert_eq!(value(&database, "abandoned").await, None);
}

#[tokio::test]
async fn what_is_queued_is_done_before_the_end() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    let release = occupy(&database).await;
    let (queued, (), ()) = tokio::join!(insert(&database, "queued", 1), database.close(), async {
        release.send(()).unwrap()
    });
    assert_eq!(queued, Ok(1));
    assert_eq!(value(&place.open(), "queued").await, Some(1));
}

/// spec: security.md, Inputs, outputs, network: site files have mode 0600
#[tokio::test]
async fn files_are_private() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    insert(&database, "a", 1).await.unwrap();
    let crema_store::DatabaseConfig::Sqlite { path } = place.config() else {
        unreachable!("a file is meant")
    };
    let mut count = 0;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        count += 1;
    }
    assert_eq!(count, 3, "the file, its log and the log's index");
}

#[tokio::test]
async fn a_double_quoted_name_is_never_a_string() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    static TYPO: Sql = Sql::new(r#"SELECT "value" FROM "counter" WHERE "nmae" = "x""#);
    let refused = database.rows(&TYPO, params![]).await;
    assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_database_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    std::fs::write(
        &path,
        "this is not a database, but long enough to be looked at",
    )
    .unwrap();
    let refused = Database::open(&crema_store::DatabaseConfig::Sqlite { path });
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    let path = folder.path().join("site.db").join("below a file");
    let refused = Database::open(&crema_store::DatabaseConfig::Sqlite { path });
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn reads_go_on_while_somebody_writes() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    insert(&database, "a", 1).await.unwrap();
    let release = occupy(&database).await;
    let row = database.row(&VALUE, params!["a"]).await.unwrap();
    assert_eq!(row.unwrap().int(0), Ok(1));
    release.send(()).unwrap();
    assert_eq!(insert(&database, "b", 1).await, Ok(1));
}

/// Another process holds the file: nobody waits for it longer than the first who had to.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "measures how long callers really wait"
)]
async fn a_held_file_does_not_make_a_queue_wait_in_turn() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    let other = place.open();
    let release = occupy(&other).await;
    let began = std::time::Instant::now();
    let waiting = (0..400).map(|number| {
        let database = database.clone();
        async move { insert(&database, &number.to_string(), 1).await }
    });
    for refused in join_all(waiting).await {
        assert_eq!(refused, Err(StoreError::Busy));
    }
    // Seven groups, five seconds each.
    let waited = began.elapsed().as_secs();
    assert!(waited < 20, "{waited}");
    release.send(()).unwrap();
    assert_eq!(insert(&database, "a", 1).await, Ok(1));
}

/// The log is written back into the file while writing goes on, and begins anew: it does not grow
/// with what is written.
#[tokio::test]
async fn the_log_is_written_back_beside_the_writer() {
    let (place, database) = with_counters(Engine::Sqlite).await;
    database
        .execute_ddl(r#"CREATE TABLE "page" ("number" bigint, "text" text)"#)
        .await
        .unwrap();
    static PAGE: Sql = Sql::new(r#"INSERT INTO "page" ("number", "text") VALUES (?, ?)"#);
    let crema_store::DatabaseConfig::Sqlite { path } = place.config() else {
        unreachable!("a file is meant")
    };
    let length = |end: &str| {
        let name = format!("{}{end}", path.display());
        std::fs::metadata(name).unwrap().len()
    };
    let mut written = 0;
    let write = async |count: i64| {
        let write = database.write(move |tx| {
            Box::pin(async move {
                for number in 0..count {
                    tx.execute(&PAGE, params![number, "x".repeat(4000)]).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        write.await.unwrap();
    };
    // The log is full, then all of it is in the file, then it begins anew and stays as long.
    while length("-wal") < 20_000_000 {
        write(500).await;
        written += 500;
    }
    while length("") < written * 4000 {
        write(1).await;
        written += 1;
    }
    let full = length("-wal");
    for _ in 0..4 {
        write(500).await;
    }
    assert_eq!(length("-wal"), full);
    static COUNT: Sql = Sql::new(r#"SELECT COUNT(*) FROM "page""#);
    let row = database.row(&COUNT, params![]).await.unwrap().unwrap();
    assert_eq!(row.int(0), Ok(i64::try_from(written).unwrap() + 2000));
    database.close().await;
    assert!(!std::fs::exists(format!("{}-wal", path.display())).unwrap());
}
