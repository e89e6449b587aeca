//! What a running server clears by itself.

use crema_store::{Database, DatabaseConfig, Sql, StoreError};

use crate::harness::{Bench, SITE};

static HANDLES: Sql = Sql::new(
    r#"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 250)
    SELECT COUNT(*) FROM "__login_handle", number WHERE hash = 'old ' || n"#,
);
static ADD_HANDLES: Sql = Sql::new(
    r#"INSERT INTO "__login_handle" (hash, expires_at)
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 250)
    SELECT 'old ' || n, n FROM number"#,
);

#[test]
fn rows_that_are_due_leave_a_running_server_in_batches() {
    let bench = Bench::new();
    let name = bench.json(&["show-config"])["db_name"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = bench.site_file(SITE, "db").join(format!("{name}.db"));
    let mut server = bench.serve_with(&["--housekeeping", "1"], "info,crema=debug");
    crema_testkit::engines::run(async {
        // The first request opens the site.
        let ping = server.http(SITE).get("/api/method/ping").send().await;
        assert_eq!(ping.status, 200);
        let database = Database::open(&DatabaseConfig::Sqlite { path }).unwrap();
        let added: Result<u64, StoreError> = database
            .write(|tx| Box::pin(tx.execute(&ADD_HANDLES, vec![])))
            .await;
        assert_eq!(added.unwrap(), 250);
        for rows in ["rows=100", "rows=100", "rows=50"] {
            let line = server.logged("cleared");
            assert!(
                line.contains("login handles") && line.contains(rows),
                "{line}"
            );
        }
        let left = database.row(&HANDLES, vec![]).await.unwrap().unwrap();
        assert_eq!(left.int(0).unwrap(), 0);
        database.close().await;
    });
    server.stop();
}
