//! Schema statements, the catalogue, changes of columns, and administration.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod support;

use crema_store::{
    Column, ColumnChange, Database, DatabaseConfig, Index, Password, ServerDatabase, Sql,
    StoreError, Value, create_server_database, drop_server_database, params,
};
use support::{Engine, TestDatabase, with_counters};

on_every_engine!(
    the_catalogue_tells_what_was_created,
    columns_are_altered,
    statements_survive_a_changed_table,
    every_statement_is_prepared,
    a_failing_schema_statement,
);

/// Frappe's types. Each must come out of the catalogue in the spelling that it went in with:
/// that is how a difference is recognised.
const TYPES: &[&str] = &[
    "varchar(140)",
    "char(10)",
    "text",
    "longtext",
    "int(11)",
    "int",
    "bigint(20)",
    "smallint",
    "tinyint(4)",
    "double",
    "decimal(21,9)",
    "datetime(6)",
    "date",
    "time(6)",
    "blob",
    "longblob",
    "json",
];

async fn the_catalogue_tells_what_was_created(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let dialect = database.dialect();
    assert_eq!(dialect, engine.dialect());
    assert_eq!(database.tables().await.unwrap(), Vec::<String>::new());
    assert_eq!(database.columns("tabA Table").await.unwrap(), vec![]);
    let typed = TYPES.iter().enumerate();
    let typed = typed.map(|(index, kind)| format!("\"c{index}\" {}", dialect.column_type(kind)));
    let text = format!(
        r#"CREATE TABLE "tabA Table" ("name" varchar(140) PRIMARY KEY, {},
            "owner" varchar(140) NOT NULL DEFAULT {}, "flag" {} NOT NULL DEFAULT 0,
            "nothing" varchar(10) DEFAULT NULL, "amount" {} NOT NULL DEFAULT -1.5){};
        CREATE TABLE "__other" ("a" varchar(20), "b" varchar(20), PRIMARY KEY ("a", "b")){};
        CREATE UNIQUE INDEX "owner_flag" ON "tabA Table" ("owner", "flag");
        CREATE INDEX "flag_index" ON "tabA Table" ("flag")"#,
        typed.collect::<Vec<_>>().join(", "),
        dialect.literal("it's a \\ \"test\""),
        dialect.column_type("tinyint"),
        dialect.column_type("double"),
        dialect.table_options(),
        dialect.table_options(),
    );
    database.execute_ddl(&text).await.unwrap();
    assert_eq!(database.tables().await.unwrap(), ["__other", "tabA Table"]);

    let columns = database.columns("tabA Table").await.unwrap();
    for (index, kind) in TYPES.iter().enumerate() {
        let column = columns.get(index + 1).unwrap();
        assert_eq!(column.name, format!("c{index}"));
        assert_eq!(column.column_type, dialect.column_type(kind), "{kind}");
        assert!(column.nullable && !column.primary_key && column.default.is_none());
    }
    let of = |name: &str| columns.iter().find(|column| column.name == name).unwrap();
    let name = Column {
        name: "name".to_owned(),
        column_type: "varchar(140)".to_owned(),
        length: Some(140),
        nullable: false,
        default: None,
        primary_key: true,
    };
    assert_eq!(*of("name"), name);
    assert_eq!(of("owner").default.as_deref(), Some("it's a \\ \"test\""));
    assert!(!of("owner").nullable);
    assert_eq!(of("flag").default.as_deref(), Some("0"));
    assert_eq!(of("nothing").default, None);
    let amount = of("amount").default.clone().unwrap();
    assert_eq!(amount.trim_matches(['(', ')']), "-1.5");
    assert_eq!(of("c2").length, None);

    let index = |name: &str, columns: &[&str], unique| Index {
        name: name.to_owned(),
        columns: columns.iter().map(ToString::to_string).collect(),
        unique,
    };
    assert_eq!(
        database.indexes("tabA Table").await.unwrap(),
        [
            index("flag_index", &["flag"], false),
            index("owner_flag", &["owner", "flag"], true),
        ]
    );
    assert_eq!(database.indexes("__other").await.unwrap(), vec![]);
    assert_eq!(database.indexes("nowhere").await.unwrap(), vec![]);
}

async fn columns_are_altered(engine: Engine) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let dialect = database.dialect();
    let text = format!(
        r#"CREATE TABLE "tabT" ("name" varchar(140) PRIMARY KEY, "a" varchar(10) UNIQUE,
            "b" {} NOT NULL DEFAULT 7, "c" varchar(10) DEFAULT 'x'){};
        CREATE INDEX "b_index" ON "tabT" ("b")"#,
        dialect.column_type("int"),
        dialect.table_options(),
    );
    database.execute_ddl(&text).await.unwrap();
    static INSERT: Sql = Sql::new(r#"INSERT INTO "tabT" ("name", "a", "b") VALUES (?, ?, ?)"#);
    static SELECT: Sql = Sql::new(r#"SELECT "a", "b", "c" FROM "tabT" WHERE "name" = ?"#);
    let insert = async |name: &'static str, a: &'static str, b: i64| {
        database
            .write(move |tx| {
                Box::pin(async move { tx.execute(&INSERT, params![name, a, b]).await })
            })
            .await
    };
    assert_eq!(insert("one", "first", 1).await, Ok(1));
    let indexes_before = database.indexes("tabT").await.unwrap().len();
    let changes = [
        ("a", "varchar(255)", true, None),
        ("b", "bigint", false, Some("8")),
        ("c", "text", true, None),
    ];
    for (column, column_type, nullable, default) in changes {
        let change = ColumnChange {
            table: "tabT",
            column,
            column_type,
            nullable,
            default,
        };
        database.alter_column(&change).await.unwrap();
        // And once more, as a second migration would.
        database.alter_column(&change).await.unwrap();
        let columns = database.columns("tabT").await.unwrap();
        let column = columns.iter().find(|found| found.name == column).unwrap();
        assert_eq!(column.column_type, dialect.column_type(column_type));
        assert_eq!(column.nullable, nullable);
        assert_eq!(column.default.as_deref(), default);
    }
    let row = database
        .row(&SELECT, params!["one"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.values(),
        [Value::from("first"), Value::Int(1), Value::from("x")]
    );
    assert_eq!(insert("two", "second", 1 << 40).await, Ok(1));
    let twice = insert("three", "first", 1).await;
    assert!(twice.is_err_and(|error| error.is_unique_violation()));
    let twice = insert("one", "third", 1).await;
    assert!(twice.is_err_and(|error| error.is_unique_violation()));
    assert_eq!(
        database.indexes("tabT").await.unwrap().len(),
        indexes_before
    );
    let missing = ColumnChange {
        table: "tabT",
        column: "missing",
        column_type: "text",
        nullable: true,
        default: None,
    };
    let missing = database.alter_column(&missing).await;
    assert!(matches!(missing, Err(StoreError::Schema(_))), "{missing:?}");
}

/// Connections hold prepared statements; a migration elsewhere must not break them.
async fn statements_survive_a_changed_table(engine: Engine) {
    let (place, database) = with_counters(engine).await;
    static ALL: Sql = Sql::new(r#"SELECT * FROM "counter" WHERE "name" = ?"#);
    support::insert(&database, "a", 1).await.unwrap();
    let row = database.row(&ALL, params!["a"]).await.unwrap().unwrap();
    assert_eq!(row.columns(), ["name", "value"]);
    let migration = place.open();
    let text = format!(
        r#"ALTER TABLE "counter" ADD COLUMN "note" {}"#,
        engine.dialect().column_type("text")
    );
    migration.execute_ddl(&text).await.unwrap();
    let change = ColumnChange {
        table: "counter",
        column: "value",
        column_type: "varchar(100)",
        nullable: true,
        default: None,
    };
    migration.alter_column(&change).await.unwrap();
    let row = database.row(&ALL, params!["a"]).await.unwrap().unwrap();
    assert_eq!(row.columns(), ["name", "value", "note"]);
    assert_eq!(row.text(1), Ok("1"));
    let in_transaction = database
        .write(|tx| Box::pin(async move { tx.row(&ALL, params!["a"]).await }))
        .await;
    assert_eq!(in_transaction.unwrap().unwrap().text(1), Ok("1"));
}

async fn every_statement_is_prepared(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    assert_eq!(support::ALL.len(), 7);
    for sql in support::ALL {
        assert_eq!(database.prepare_check(sql).await, Ok(()), "{sql:?}");
    }
    static MISSPELT: [Sql; 4] = [
        Sql::new(r#"SELECT "nmae" FROM "counter""#),
        Sql::new(r#"SELECT "name" FROM "conuter""#),
        Sql::new(r#"INSERT INTO "counter" ("nmae") VALUES (?)"#),
        Sql::new(r#"SELECT "name" FROM "counter" WHERE"#),
    ];
    for sql in &MISSPELT {
        let found = database.prepare_check(sql).await;
        assert!(
            matches!(found, Err(StoreError::Schema(_))),
            "{sql:?}: {found:?}"
        );
    }
}

async fn a_failing_schema_statement(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let twice = database
        .execute_ddl(r#"CREATE TABLE "counter" ("name" varchar(140) PRIMARY KEY)"#)
        .await;
    assert!(twice.is_err(), "{twice:?}");
    assert_eq!(support::insert(&database, "a", 1).await, Ok(1));
}

/// A site's own user sees nothing of another site.
async fn administration(engine: Engine) {
    let administrator = engine.administrator().unwrap();
    let one = TestDatabase::new(engine);
    let two = TestDatabase::new(engine);
    let mut foreign = one.config().clone();
    let (
        DatabaseConfig::MariaDb(to) | DatabaseConfig::Postgres(to),
        DatabaseConfig::MariaDb(from) | DatabaseConfig::Postgres(from),
    ) = (&mut foreign, two.config())
    else {
        unreachable!("servers are meant")
    };
    to.database.clone_from(&from.database);
    let name = from.database.clone();
    let refused = Database::open(&foreign).unwrap().tables().await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );

    let password = Password::new("long-enough-password");
    let database = |name: &str, user: &str| ServerDatabase {
        name: name.to_owned(),
        user: user.to_owned(),
        user_host: "%".to_owned(),
    };
    let create = async |name: &str, user: &str| {
        create_server_database(&administrator, &database(name, user), &password).await
    };
    let free = format!("{name}_x");
    let other = format!("{name}_y");
    // What exists is not touched, and nothing is left behind.
    let taken = create(&name, &other).await;
    assert!(
        matches!(taken, Err(StoreError::AlreadyExists(_))),
        "{taken:?}"
    );
    let taken = create(&other, &name).await;
    assert!(
        matches!(taken, Err(StoreError::AlreadyExists(_))),
        "{taken:?}"
    );
    assert_eq!(create(&other, &other).await, Ok(()));
    for _ in 0..2 {
        drop_server_database(&administrator, &database(&other, &other))
            .await
            .unwrap();
    }
    assert_eq!(two.open().tables().await, Ok(vec![]));

    for name in ["", "a-b", "a\"b", "a'b", "a b", &"a".repeat(64)] {
        let refused = create(name, "u").await;
        assert!(
            matches!(refused, Err(StoreError::Other(_))),
            "{name}: {refused:?}"
        );
    }
    for password in ["short", "with'quote-long-enough", "with\\backslash-long"] {
        let password = Password::new(password);
        let refused =
            create_server_database(&administrator, &database(&free, &free), &password).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn administration_of_mariadb() {
    administration(Engine::MariaDb).await;
}

#[tokio::test]
async fn administration_of_postgres() {
    administration(Engine::Postgres).await;
}
