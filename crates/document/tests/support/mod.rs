//! What every test of this crate's records uses: one test per engine, a database with tables,
//! a site.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "not every test program uses everything; a test says what it expects by failing"
)]

// By path, not as a dependency: `crema-testkit` depends on everything, and so these tests
// would only build when everything does.
#[path = "../../../testkit/src/databases.rs"]
mod databases;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crema_document::config::DbType;
use crema_document::{Bench, NewSite, RandomSource, Registry, SecretText, Timestamp, schema};
use crema_store::{BoxFuture, Database, DatabaseConfig, ServerConfig, StoreError, Transaction};
pub use databases::{Engine, TestDatabase};

/// The moment of every test: 2026-11-20T12:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_176_000);

/// Makes a test of each function for each engine: `sqlite::name`, `mariadb::name`, ….
#[macro_export]
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        $crate::on_every_engine!(@ sqlite Sqlite $($name)*);
        $crate::on_every_engine!(@ mariadb MariaDb $($name)*);
        $crate::on_every_engine!(@ postgres Postgres $($name)*);
    };
    (@ $module:ident $engine:ident $($name:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::support::Engine::$engine).await;
                }
            )*
        }
    };
}

/// The definitions of the program.
pub fn registry() -> Arc<Registry> {
    Registry::builtin().unwrap()
}

/// Bytes that are different at every call, but the same in every run.
pub fn random() -> Arc<dyn RandomSource> {
    let state = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
    Arc::new(move |bytes: &mut [u8]| {
        for byte in bytes {
            let next = state
                .load(Ordering::Relaxed)
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.store(next, Ordering::Relaxed);
            *byte = next.to_be_bytes()[0];
        }
    })
}

/// A database with every table.
pub async fn with_tables(engine: Engine) -> (TestDatabase, Database) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    schema::sync(&database, &registry()).await.unwrap();
    (place, database)
}

/// One transaction.
pub async fn write<T: Send + 'static>(
    database: &Database,
    operation: impl for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, StoreError>>
    + Send
    + Sync
    + 'static,
) -> Result<T, StoreError> {
    database.write(operation).await
}

/// An empty bench in a folder that goes with the returned guard.
pub fn bench() -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::create(folder.path()).unwrap();
    (folder, bench)
}

/// A site that is still to be made, in that database.
pub fn new_site(name: &str, place: &TestDatabase) -> NewSite {
    let (db_type, server) = match place.config() {
        DatabaseConfig::Sqlite { .. } => return NewSite::sqlite(name, "key"),
        DatabaseConfig::MariaDb(server) => (DbType::MariaDb, server),
        DatabaseConfig::Postgres(server) => (DbType::Postgres, server),
    };
    let ServerConfig { host, port, .. } = server;
    NewSite {
        db_type,
        db_host: Some(host.clone()),
        db_port: Some(*port),
        db_name: Some(server.database.clone()),
        db_user: Some(server.user.clone()),
        db_password: Some(SecretText::new(format!("password-of-{}", server.user))),
        ..NewSite::sqlite(name, "key")
    }
}
