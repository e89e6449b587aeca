//! What goes in comes out, on every database.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod support;

use crema_store::{Database, Sql, StoreError, Value, params};
use support::{Engine, TestDatabase, with_counters};

on_every_engine!(
    every_type_comes_back,
    null_into_every_type,
    null_comes_first_and_values_later,
    extremes,
    equality_is_exact,
    expressions_have_types,
    upserts,
    patterns,
);

/// Frappe's column types, a value for each, and what comes back.
fn types() -> Vec<(&'static str, Value, Value)> {
    let same = |kind, value: Value| (kind, value.clone(), value);
    let text = "a'b\"c\\d é 漢字 🔑";
    vec![
        same("varchar(140)", text.into()),
        same("char(10)", "0123456789".into()),
        same("text", text.into()),
        same("longtext", text.repeat(10_000).into()),
        same("int", (-5).into()),
        same("bigint", i64::MAX.into()),
        same("smallint", 32_767.into()),
        same("tinyint", (-128).into()),
        ("tinyint", true.into(), Value::Int(1)),
        same("double", 0.1.into()),
        ("double", 7.into(), Value::Real(7.0)),
        same("decimal(21,9)", (-12_345.678_9).into()),
        ("decimal(21,9)", 5.into(), Value::Real(5.0)),
        ("decimal(21,9)", "5.25".into(), Value::Real(5.25)),
        same("datetime(6)", Value::DateTime(1_700_000_000_123_456)),
        same("datetime(6)", Value::DateTime(0)),
        (
            "datetime(6)",
            "2024-02-29 23:59:59.000001".into(),
            Value::DateTime(1_709_251_199_000_001),
        ),
        same("date", "2024-02-29".into()),
        same("time(6)", "23:59:59.000001".into()),
        same("blob", vec![0_u8, 1, 255].into()),
        same("longblob", vec![7_u8; 100_000].into()),
    ]
}

async fn with_types(engine: Engine) -> (TestDatabase, Database) {
    let place = TestDatabase::new(engine);
    let database = place.open();
    let dialect = engine.dialect();
    let columns: Vec<String> = types()
        .iter()
        .enumerate()
        .map(|(index, (kind, _, _))| format!("\"c{index}\" {}", dialect.column_type(kind)))
        .collect();
    let options = dialect.table_options();
    let text = format!(
        r#"CREATE TABLE "typed" ("name" varchar(140) PRIMARY KEY, {}){options}"#,
        columns.join(", ")
    );
    database.execute_ddl(&text).await.unwrap();
    (place, database)
}

/// One insert with a parameter for each column. Leaked: statements are constants.
fn insert_all() -> &'static Sql {
    let names: Vec<String> = (0..types().len())
        .map(|index| format!("\"c{index}\""))
        .collect();
    let text = format!(
        r#"INSERT INTO "typed" ("name", {}) VALUES (?{})"#,
        names.join(", "),
        ", ?".repeat(names.len())
    );
    leak(text)
}

fn leak(text: String) -> &'static Sql {
    Box::leak(Box::new(Sql::new(Box::leak(text.into_boxed_str()))))
}

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

static ALL_TYPED: Sql = Sql::new(r#"SELECT * FROM "typed" WHERE "name" = ?"#);

async fn every_type_comes_back(engine: Engine) {
    let (_place, database) = with_types(engine).await;
    let mut values = params!["row"];
    values.extend(types().into_iter().map(|(_, given, _)| given));
    assert_eq!(write(&database, insert_all(), values).await, Ok(1));
    let row = database
        .row(&ALL_TYPED, params!["row"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.columns()[1], "c0");
    for (index, (kind, _, expected)) in types().into_iter().enumerate() {
        let found = row.get(index + 1);
        assert!(
            *found == expected,
            "{kind}: {found:?} instead of {expected:?}"
        );
    }
}

async fn null_into_every_type(engine: Engine) {
    let (_place, database) = with_types(engine).await;
    let mut values = params!["row"];
    values.resize(types().len() + 1, Value::Null);
    assert_eq!(write(&database, insert_all(), values).await, Ok(1));
    let row = database
        .row(&ALL_TYPED, params!["row"])
        .await
        .unwrap()
        .unwrap();
    for (index, (kind, _, _)) in types().into_iter().enumerate() {
        assert_eq!(*row.get(index + 1), Value::Null, "{kind}");
        assert_eq!(row.opt_text(index + 1), Ok(None));
        assert!(matches!(row.text(index + 1), Err(StoreError::Decode(_))));
    }
}

/// The first value of a parameter must not decide its type for the later ones.
async fn null_comes_first_and_values_later(engine: Engine) {
    let (_place, database) = with_types(engine).await;
    let mut nulls = params!["null"];
    nulls.resize(types().len() + 1, Value::Null);
    write(&database, insert_all(), nulls).await.unwrap();
    let mut values = params!["row"];
    values.extend(types().into_iter().map(|(_, given, _)| given));
    write(&database, insert_all(), values).await.unwrap();
    let row = database
        .row(&ALL_TYPED, params!["row"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*row.get(5), Value::Int(-5));
}

async fn extremes(engine: Engine) {
    let (_place, database) = with_types(engine).await;
    let bigint = leak(r#"INSERT INTO "typed" ("name", "c5") VALUES (?, ?)"#.to_owned());
    let moment = leak(r#"INSERT INTO "typed" ("name", "c14") VALUES (?, ?)"#.to_owned());
    let name = leak(r#"INSERT INTO "typed" ("name", "c0") VALUES (?, ?)"#.to_owned());
    write(&database, bigint, params!["min", i64::MIN])
        .await
        .unwrap();
    let row = database
        .row(&ALL_TYPED, params!["min"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.int(6), Ok(i64::MIN));
    // 1000-01-01 (the first year MariaDB promises) and the last microsecond of 9999
    for micros in [-30_610_224_000_000_000, 253_402_300_799_999_999] {
        let key = micros.to_string();
        write(&database, moment, params![&key, Value::DateTime(micros)])
            .await
            .unwrap();
        let row = database
            .row(&ALL_TYPED, params![&key])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.datetime(15), Ok(micros));
    }
    let beyond = write(&database, moment, params!["no", Value::DateTime(i64::MAX)]).await;
    assert!(matches!(beyond, Err(StoreError::Other(_))), "{beyond:?}");
    let longest = "é".repeat(140);
    write(&database, name, params!["long", &longest])
        .await
        .unwrap();
    let row = database
        .row(&ALL_TYPED, params!["long"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.text(1), Ok(longest.as_str()));
    if engine != Engine::Sqlite {
        let too_long = write(&database, name, params!["longer", "é".repeat(141)]).await;
        assert!(
            matches!(too_long, Err(StoreError::TooLong { .. })),
            "{too_long:?}"
        );
        let int = leak(r#"INSERT INTO "typed" ("name", "c4") VALUES (?, ?)"#.to_owned());
        let too_big = write(&database, int, params!["big", 1_i64 << 40]).await;
        assert!(
            matches!(too_big, Err(StoreError::TooLong { .. })),
            "{too_big:?}"
        );
    }
}

/// spec: security.md, Codes and tokens: lookups are exact and case-sensitive on every database
async fn equality_is_exact(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let names = [
        "abc",
        "ABC",
        "abc ",
        " abc",
        "äbc",
        "abc\t",
        "ａbc",
        "a\u{308}bc",
    ];
    for (value, name) in names.iter().enumerate() {
        let value = i64::try_from(value).unwrap();
        assert_eq!(
            support::insert(&database, name, value).await,
            Ok(1),
            "{name:?}"
        );
    }
    for (value, name) in names.iter().enumerate() {
        let found = support::value(&database, name).await;
        assert_eq!(found, i64::try_from(value).ok(), "{name:?}");
    }
    for other in ["Abc", "abc  ", "", "ab", "ABC "] {
        assert_eq!(support::value(&database, other).await, None, "{other:?}");
    }
    // Also between bound values, and between a column and an expression.
    static BOUND: Sql =
        Sql::new(r#"SELECT COUNT(*) FROM "counter" WHERE "name" = ? AND "name" || ' ' = ? || ' '"#);
    let row = database
        .row(&BOUND, params!["abc", "abc"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.int(0), Ok(1));
    let row = database
        .row(&BOUND, params!["abc", "ABC"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.int(0), Ok(0));
    // Sorted by code point.
    let rows = database.rows(&support::NAMES, params![]).await.unwrap();
    let sorted: Vec<&str> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(sorted, expected);
}

async fn expressions_have_types(engine: Engine) {
    let (_place, database) = with_types(engine).await;
    let insert = leak(r#"INSERT INTO "typed" ("name", "c4", "c14") VALUES (?, ?, ?)"#.to_owned());
    for (name, int) in [("a", 2), ("b", 3)] {
        let values = params![name, int, Value::DateTime(i64::from(int) * 1_000_000)];
        write(&database, insert, values).await.unwrap();
    }
    static FOLDED: Sql = Sql::new(
        r#"SELECT COUNT(*), SUM("c4"), MAX("c14"), MIN("name"), AVG("c4"), "name" = 'a', NULL
           FROM "typed" GROUP BY "name" = 'a' ORDER BY 4"#,
    );
    let rows = database.rows(&FOLDED, params![]).await.unwrap();
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!(row.int(0), Ok(1));
    assert_eq!(row.int(1), Ok(2));
    assert_eq!(row.datetime(2), Ok(2_000_000));
    assert_eq!(row.text(3), Ok("a"));
    assert_eq!(row.real(4), Ok(2.0));
    assert_eq!(row.bool(5), Ok(true));
    assert_eq!(row.opt_int(6), Ok(None));
    static COMPARED: Sql =
        Sql::new(r#"SELECT "name" FROM "typed" WHERE "c14" > ? AND "c14" <= ? LIMIT ?"#);
    let values = params![Value::DateTime(2_000_000), Value::DateTime(3_000_000), 5];
    let rows = database.rows(&COMPARED, values).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text(0), Ok("b"));
}

async fn upserts(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    static UPSERT: Sql = Sql::new(
        r#"INSERT INTO "counter" ("name", "value") VALUES (?, ?)
           ON CONFLICT ("name") DO UPDATE SET "value" = "counter"."value" + excluded."value""#,
    );
    static UNLESS_THERE: Sql = Sql::new(
        r#"INSERT INTO "counter" ("name", "value") VALUES (?, ?) ON CONFLICT ("name") DO NOTHING"#,
    );
    write(&database, &UPSERT, params!["a", 1]).await.unwrap();
    write(&database, &UPSERT, params!["a", 2]).await.unwrap();
    assert_eq!(support::value(&database, "a").await, Some(3));
    write(&database, &UNLESS_THERE, params!["a", 9])
        .await
        .unwrap();
    write(&database, &UNLESS_THERE, params!["b", 9])
        .await
        .unwrap();
    assert_eq!(support::value(&database, "a").await, Some(3));
    assert_eq!(support::value(&database, "b").await, Some(9));
}

async fn patterns(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    for name in ["Administrator", "50%", "500", "a_b", "axb", "wow!"] {
        support::insert(&database, name, 1).await.unwrap();
    }
    let like = engine.dialect().like(r#""name""#, "?");
    let sql = leak(format!(
        r#"SELECT "name" FROM "counter" WHERE {like} ORDER BY "name""#
    ));
    let found = async |pattern: &str| -> Vec<String> {
        let pattern = crema_store::Dialect::fold(pattern);
        let rows = database.rows(sql, params![pattern]).await.unwrap();
        rows.iter()
            .map(|row| row.text(0).unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("%ADMIN%").await, ["Administrator"]);
    assert_eq!(found("50%").await, ["50%", "500"]);
    let literal = crema_store::Dialect::escape_like("50%");
    assert_eq!(found(&literal).await, ["50%"]);
    assert_eq!(
        found(&crema_store::Dialect::escape_like("a_b")).await,
        ["a_b"]
    );
    assert_eq!(
        found(&crema_store::Dialect::escape_like("wow!")).await,
        ["wow!"]
    );
}
