//! What every contract test uses: a table, some statements, one test per engine.

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

use crema_store::{Database, StoreError, statements};
pub use databases::{Engine, TestDatabase};

/// Makes a test of each function for each engine: `sqlite::name`, `maria_db::name`, ….
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
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$name($crate::support::Engine::$engine).await;
                }
            )*
        }
    };
}

statements! {
    /// A new counter.
    pub INSERT = r#"INSERT INTO "counter" ("name", "value") VALUES (?, ?)"#;
    /// The value of a counter.
    pub VALUE = r#"SELECT "value" FROM "counter" WHERE "name" = ?"#;
    /// The value of a counter, locked.
    pub LOCKED = r#"SELECT "value" FROM "counter" WHERE "name" = ? {lock}"#;
    /// Sets a counter.
    pub SET = r#"UPDATE "counter" SET "value" = ? WHERE "name" = ?"#;
    /// Sets a counter if it has not been changed.
    pub COMPARE_AND_SET = r#"UPDATE "counter" SET "value" = ? WHERE "name" = ? AND "value" = ?"#;
    /// Removes a counter.
    pub DELETE = r#"DELETE FROM "counter" WHERE "name" = ?"#;
    /// The names of all counters.
    pub NAMES = r#"SELECT "name" FROM "counter" ORDER BY "name""#;
}

/// A database with the table `counter`.
pub async fn with_counters(engine: Engine) -> (TestDatabase, Database) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let options = engine.dialect().table_options();
    let text = format!(
        r#"CREATE TABLE "counter" ("name" varchar(140) PRIMARY KEY, "value" bigint NOT NULL){options}"#
    );
    database.execute_ddl(&text).await.unwrap();
    (place, database)
}

/// Inserts a counter.
pub async fn insert(database: &Database, name: &str, value: i64) -> Result<u64, StoreError> {
    let name = name.to_owned();
    database
        .write(move |tx| {
            let values = crema_store::params![&name, value];
            Box::pin(async move { tx.execute(&INSERT, values).await })
        })
        .await
}

/// The value of a counter.
pub async fn value(database: &Database, name: &str) -> Option<i64> {
    let row = database
        .row(&VALUE, crema_store::params![name])
        .await
        .unwrap();
    row.map(|row| row.int(0).unwrap())
}
