//! Errors have a kind, tell no secrets, and lost connections are replaced.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crema_store::{Database, Sql, StoreError, Value, params};
use support::{Engine, INSERT, VALUE, insert, value, with_counters};
use tokio::sync::Barrier;

on_every_engine!(
    text_with_u0000_is_refused,
    wrong_number_of_values,
    errors_have_their_kind_and_no_values,
);

async fn write(
    database: &Database,
    sql: &'static Sql,
    values: Vec<Value>,
) -> Result<u64, StoreError> {
    database
        .write(move |tx| {
            let values = values.clone();
            Box::pin(async move { tx.execute(sql, values).await })
        })
        .await
}

async fn text_with_u0000_is_refused(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let refused = support::insert(&database, "a\0b", 1).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
}

async fn wrong_number_of_values(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    for values in [params![], params!["a", "b"]] {
        let refused = database.row(&support::VALUE, values).await;
        assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
    }
}

async fn errors_have_their_kind_and_no_values(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let secret = "s3cr3t' for key 'x";
    support::insert(&database, secret, 1).await.unwrap();
    let twice = support::insert(&database, secret, 1).await.unwrap_err();
    assert!(twice.is_unique_violation(), "{twice:?}");
    let absent = write(
        &database,
        &support::INSERT,
        params![secret.repeat(2), None::<i64>],
    )
    .await;
    let absent = absent.unwrap_err();
    assert!(
        matches!(&absent, StoreError::NotNull { column } if column.contains("value")),
        "{absent:?}"
    );
    let mistyped = write(&database, &support::INSERT, params!["x", secret]).await;
    if engine == Engine::Sqlite {
        assert_eq!(mistyped, Ok(1), "SQLite stores text in an integer column");
    }
    static NO_TABLE: Sql = Sql::new(r#"SELECT "a" FROM "nowhere" WHERE "b" = ?"#);
    let schema = database.row(&NO_TABLE, params![secret]).await.unwrap_err();
    assert!(
        matches!(&schema, StoreError::Schema(text) if text.contains("nowhere")),
        "{schema:?}"
    );
    static NO_COLUMN: Sql = Sql::new(r#"SELECT "missing" FROM "counter" WHERE "name" = ?"#);
    let column = database.row(&NO_COLUMN, params![secret]).await.unwrap_err();
    assert!(
        matches!(&column, StoreError::Schema(text) if text.contains("missing")),
        "{column:?}"
    );
    for error in [
        Some(twice),
        Some(absent),
        mistyped.err(),
        Some(schema),
        Some(column),
    ] {
        let Some(error) = error else { continue };
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
    let row = database
        .row(&support::NAMES, params![])
        .await
        .unwrap()
        .unwrap();
    assert!(!format!("{row:?}").contains("s3cr3t"));
}

/// All connections are ended by the administrator, between two statements and inside of an
/// operation.
async fn lost_connections(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    insert(&database, "a", 1).await.unwrap();
    let kill = async || end_connections(&place).await;
    kill().await;
    assert_eq!(value(&database, "a").await, Some(1));
    kill().await;
    assert_eq!(insert(&database, "b", 1).await, Ok(1));
    let attempts = Arc::new(AtomicU32::new(0));
    let (waiting, killed) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let operation = {
        let (attempts, waiting, killed) = (attempts.clone(), waiting.clone(), killed.clone());
        database.write(move |tx| {
            let (attempts, waiting, killed) = (attempts.clone(), waiting.clone(), killed.clone());
            Box::pin(async move {
                tx.execute(&INSERT, params!["c", 1]).await?;
                if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
                    waiting.wait().await;
                    killed.wait().await;
                }
                tx.execute(&INSERT, params!["d", 1]).await
            })
        })
    };
    let killer = async {
        waiting.wait().await;
        kill().await;
        killed.wait().await;
    };
    let (result, ()) = tokio::join!(operation, killer);
    assert_eq!(result, Ok::<_, StoreError>(1));
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    assert_eq!(value(&database, "c").await, Some(1));
}

async fn end_connections(place: &support::TestDatabase) {
    use crema_store::DatabaseConfig;
    let administrator = place.engine().administrator().unwrap();
    let (DatabaseConfig::MariaDb(own) | DatabaseConfig::Postgres(own)) = place.config() else {
        panic!("a server is meant")
    };
    let text = match place.engine() {
        Engine::MariaDb => format!("KILL USER '{}'", own.user),
        _ => format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'",
            own.database
        ),
    };
    let server = Database::open(&administrator).unwrap();
    server.execute_ddl(&text).await.unwrap();
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_connections_on_mariadb() {
    lost_connections(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_connections_on_postgres() {
    lost_connections(Engine::Postgres).await;
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable() {
    use crema_store::DatabaseConfig;
    for engine in [Engine::MariaDb, Engine::Postgres] {
        let place = support::TestDatabase::new(engine);
        let mut config = place.config().clone();
        if let DatabaseConfig::MariaDb(server) | DatabaseConfig::Postgres(server) = &mut config {
            server.password = crema_store::Password::new("wrong-password");
        }
        let database = Database::open(&config).unwrap();
        let refused = database.row(&VALUE, params!["a"]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        let shown = format!("{refused:?} {refused} {config:?} {database:?}");
        assert!(!shown.contains("wrong-password"), "{shown}");
    }
}

/// spec: security.md, Inputs, outputs, network: TLS to remote databases. The private servers
/// have no certificate that anybody would trust; falling back to plain text would go unseen.
#[tokio::test]
async fn verified_tls_does_not_fall_back() {
    use crema_store::{DatabaseConfig, Tls};
    for engine in [Engine::MariaDb, Engine::Postgres] {
        let place = support::TestDatabase::new(engine);
        let mut config = place.config().clone();
        if let DatabaseConfig::MariaDb(server) | DatabaseConfig::Postgres(server) = &mut config {
            server.tls = Tls::Verified { authorities: None };
        }
        let database = Database::open(&config).unwrap();
        let refused = database.row(&VALUE, params!["a"]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
}
