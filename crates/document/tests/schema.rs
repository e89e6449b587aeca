//! Tables follow definitions, on every database.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod support;

use crema_document::row::{self, RowHead};
use crema_document::schema::{self, Change};
use crema_document::{LocalTime, TimeZone};
use crema_store::{Database, Dialect, Sql, StoreError, Value, params};
use support::{Engine, NOW, TestDatabase, registry, with_tables, write};

on_every_engine!(
    everything_is_made_and_a_second_run_does_nothing,
    an_older_shape_is_brought_up_to_date_and_keeps_its_data,
    sessions_without_names_stay_and_new_ones_have_them,
    two_runs_at_once_do_no_harm,
    names_and_tokens_are_compared_byte_for_byte,
    every_statement_fits,
    long_texts_from_outside_are_kept,
    an_index_that_cannot_be_made_is_reported,
);

fn local() -> LocalTime {
    TimeZone::utc().local(NOW)
}

// spec: doctypes.md, tables; databases.md, schema
async fn everything_is_made_and_a_second_run_does_nothing(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let tables = registry().tables();
    let planned = schema::pending(&database, &registry()).await.unwrap();
    let made = schema::sync(&database, &registry()).await.unwrap();
    assert_eq!(made, planned);
    assert_eq!(made.len(), tables.len());
    let live = database.tables().await.unwrap();
    for table in &tables {
        assert!(live.contains(&table.name), "{}", table.name);
        let columns = database.columns(&table.name).await.unwrap();
        assert_eq!(columns.len(), table.columns.len(), "{}", table.name);
    }
    assert_eq!(schema::sync(&database, &registry()).await.unwrap(), []);
    // Also for a process that has just started.
    assert_eq!(schema::sync(&place.open(), &registry()).await.unwrap(), []);
}

static OLD_CLIENT: Sql = Sql::new(
    r#"SELECT "app_name", "client_uri", "enabled", "refresh_grace_seconds", "response_type",
    "of_an_app" FROM "tabOAuth Client" WHERE "name" = ?"#,
);

/// A table as an earlier version made it: fewer columns, a short one, no index, and a column
/// that is not ours.
async fn make_old_client(database: &Database) {
    let dialect = database.dialect();
    let datetime = dialect.column_type("datetime(6)");
    let table = format!(
        r#"CREATE TABLE "tabOAuth Client" ("name" varchar(140) NOT NULL, "creation" {datetime},
        "modified" {datetime}, "modified_by" varchar(140), "owner" varchar(140),
        "docstatus" smallint NOT NULL DEFAULT 0, "idx" smallint NOT NULL DEFAULT 0,
        "app_name" varchar(140), "client_uri" varchar(30) NOT NULL DEFAULT 'x',
        "of_an_app" varchar(20), PRIMARY KEY ("name")){}"#,
        dialect.table_options()
    );
    database.execute_ddl(&table).await.unwrap();
    write(database, |tx| {
        Box::pin(async move {
            let columns = vec![
                ("app_name", Value::from("Old")),
                ("client_uri", Value::from("https://old.example")),
                ("of_an_app", Value::from("kept")),
            ];
            row::insert(
                tx,
                "OAuth Client",
                &RowHead::new("old", "Administrator", local()),
                columns,
            )
            .await
        })
    })
    .await
    .unwrap();
}

async fn an_older_shape_is_brought_up_to_date_and_keeps_its_data(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    make_old_client(&database).await;
    let changes = schema::sync(&database, &registry()).await.unwrap();
    let client = "tabOAuth Client";
    let added = |name: &str| {
        changes.contains(&Change::AddColumn {
            table: client.to_owned(),
            column: name.to_owned(),
        })
    };
    assert!(added("enabled") && added("last_used") && !added("app_name"));
    assert!(changes.iter().any(|change| matches!(
        change,
        Change::CreateIndex { table, columns, .. } if table == client && columns == &["creation"]
    )));
    let widened: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::WidenColumn { table, column, .. } if table == client => Some(column.as_str()),
            _ => None,
        })
        .collect();
    match engine.dialect() {
        // Types have no width there.
        Dialect::Sqlite => assert!(widened.is_empty()),
        _ => assert_eq!(widened, ["idx", "client_uri"]),
    }
    let found = database
        .row(&OLD_CLIENT, params!["old"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.text(0).unwrap(), "Old");
    assert_eq!(found.text(1).unwrap(), "https://old.example");
    assert!(
        found.bool(2).unwrap(),
        "enabled is the default of older rows"
    );
    assert_eq!(found.int(3).unwrap(), -1);
    assert_eq!(found.text(4).unwrap(), "Code");
    assert_eq!(found.text(5).unwrap(), "kept", "nothing is dropped");
    assert_eq!(schema::sync(&database, &registry()).await.unwrap(), []);
}

static NEW_SESSION: Sql =
    Sql::new(r#"INSERT INTO "tabSessions" ("name", "user", "sid") VALUES (?, 'u', ?)"#);
static SESSIONS: Sql = Sql::new(r#"SELECT "sid", "name", "docstatus" FROM "tabSessions""#);

// spec: doctypes.md, "Columns of ours are added, never put in the place of Frappe's"
async fn sessions_without_names_stay_and_new_ones_have_them(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let dialect = database.dialect();
    let (datetime, text) = (
        dialect.column_type("datetime(6)"),
        dialect.column_type("longtext"),
    );
    // As Frappe makes it: no key, no name.
    let table = format!(
        r#"CREATE TABLE "tabSessions" ("user" varchar(255), "sid" varchar(255),
        "sessiondata" {text}, "ipaddress" varchar(16), "lastupdate" {datetime},
        "status" varchar(20)){};
        CREATE INDEX "sid" ON "tabSessions" ("sid");
        INSERT INTO "tabSessions" ("user", "sid") VALUES ('u', 'one'), ('u', 'two')"#,
        dialect.table_options()
    );
    database.execute_ddl(&table).await.unwrap();
    schema::sync(&database, &registry()).await.unwrap();
    assert_eq!(schema::sync(&database, &registry()).await.unwrap(), []);
    let begin = |name: &'static str, sid: &'static str| {
        write(&database, move |tx| {
            Box::pin(async move { tx.execute(&NEW_SESSION, params![name, sid]).await.map(drop) })
        })
    };
    begin("n1", "three").await.unwrap();
    assert!(matches!(
        begin("n1", "four").await,
        Err(StoreError::UniqueViolation { .. })
    ));
    let rows = database.rows(&SESSIONS, params![]).await.unwrap();
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| (row.text(0).unwrap(), row.opt_text(1).unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("one", None), ("three", Some("n1")), ("two", None)]);
}

async fn two_runs_at_once_do_no_harm(engine: Engine) {
    let place = TestDatabase::new(engine);
    let (one, two) = (place.open(), place.open());
    let registry = registry();
    let (first, second) =
        tokio::join!(schema::sync(&one, &registry), schema::sync(&two, &registry));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(schema::pending(&two, &registry).await.unwrap(), []);
}

static NAMES: Sql =
    Sql::new(r#"SELECT "name" FROM "tabOAuth Bearer Token" WHERE "access_token" = ?"#);

// spec: security.md, Codes and tokens: lookups are exact and case-sensitive on every database
async fn names_and_tokens_are_compared_byte_for_byte(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    let texts = ["token", "Token", "TOKEN", "token ", "tokén"];
    for text in texts {
        write(&database, move |tx| {
            Box::pin(async move {
                let columns = vec![("access_token", Value::from(text))];
                let head = RowHead::new(text, "Guest", local());
                row::insert(tx, "OAuth Bearer Token", &head, columns).await
            })
        })
        .await
        .unwrap();
    }
    for text in texts {
        let rows = database.rows(&NAMES, params![text]).await.unwrap();
        let names: Vec<_> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(names, [text]);
    }
    let again = write(&database, |tx| {
        Box::pin(async move {
            let columns = vec![("access_token", Value::from("token"))];
            row::insert(
                tx,
                "OAuth Bearer Token",
                &RowHead::new("x", "Guest", local()),
                columns,
            )
            .await
        })
    });
    assert!(again.await.unwrap_err().is_unique_violation());
}

async fn every_statement_fits(engine: Engine) {
    use crema_document::{access, apps, backup, documents, passwords, patches, singles, version};
    let (_place, database) = with_tables(engine).await;
    let own = [
        backup::ALL,
        passwords::ALL,
        patches::ALL,
        singles::ALL,
        version::ALL,
    ];
    let all = own.iter().chain(access::ALL).chain(apps::ALL);
    let all = all.chain(documents::ALL);
    for sql in all.copied().flatten() {
        let checked = database.prepare_check(sql).await;
        assert_eq!(checked, Ok(()), "{sql:?}");
    }
}

static CODE: Sql = Sql::new(
    r#"SELECT "redirect_uri_bound_to_authorization_code", "nonce", "creation"
    FROM "tabOAuth Authorization Code" WHERE "name" = ?"#,
);

// spec: doctypes.md, "Columns for outside text are text in the tables we create"
async fn long_texts_from_outside_are_kept(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    let limit = |name: &str| {
        let registry = registry();
        let doctype = registry.get("OAuth Authorization Code").unwrap();
        usize::try_from(doctype.field(name).unwrap().limit().unwrap()).unwrap()
    };
    let uri = "🦊".repeat(limit("redirect_uri_bound_to_authorization_code"));
    let nonce = "\u{fffd}".repeat(limit("nonce"));
    let (sent_uri, sent_nonce) = (uri.clone(), nonce.clone());
    write(&database, move |tx| {
        let columns = vec![
            (
                "redirect_uri_bound_to_authorization_code",
                Value::from(&sent_uri),
            ),
            ("nonce", Value::from(&sent_nonce)),
        ];
        Box::pin(async move {
            let head = RowHead::new("code", "Guest", local());
            row::insert(tx, "OAuth Authorization Code", &head, columns).await
        })
    })
    .await
    .unwrap();
    let row = database.row(&CODE, params!["code"]).await.unwrap().unwrap();
    assert_eq!(
        (row.text(0).unwrap(), row.text(1).unwrap()),
        (uri.as_str(), nonce.as_str())
    );
    assert_eq!(row.datetime(2).unwrap(), local().micros());
}

async fn an_index_that_cannot_be_made_is_reported(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let options = database.dialect().table_options();
    let table = format!(
        r#"CREATE TABLE "tabSigning Key" ("name" varchar(140) PRIMARY KEY, "slot" varchar(140)){options};
        INSERT INTO "tabSigning Key" ("name", "slot") VALUES ('a', 'RS256:1');
        INSERT INTO "tabSigning Key" ("name", "slot") VALUES ('b', 'RS256:1')"#
    );
    database.execute_ddl(&table).await.unwrap();
    let error = schema::sync(&database, &registry()).await.unwrap_err();
    assert!(
        matches!(error, StoreError::UniqueViolation { .. }),
        "{error:?}"
    );
    // What could be done is done, and the rest is still known.
    let left = schema::pending(&database, &registry()).await.unwrap();
    assert!(left.iter().any(|change| matches!(
        change,
        Change::CreateIndex { table, unique: true, .. } if table == "tabSigning Key"
    )));
}
