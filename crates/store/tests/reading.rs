//! Dynamic reading statements: at once and as a stream.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod support;

use crema_store::{Database, Dialect, Statement, StoreError, params};
use support::{Engine, with_counters};

on_every_engine!(
    rows_stream_in_chunks,
    a_stream_can_be_left,
    errors_come_through,
    letters_have_one_case,
);

const MANY: i64 = 3000;

/// A recursion of so many rows, of the same text everywhere.
fn numbers(up_to: i64) -> Statement {
    let text = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {up_to}) \
         SELECT i FROM n"
    );
    Statement::new(text, Vec::new())
}

async fn with_many(database: &Database) {
    database
        .write(|tx| {
            Box::pin(async move {
                for value in 0..MANY {
                    let name = format!("{value:05}");
                    tx.execute(&support::INSERT, params![name, value]).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

fn all() -> Statement {
    let text = r#"SELECT "name", "value" FROM "counter" ORDER BY "name""#;
    Statement::new(text, Vec::new())
}

async fn rows_stream_in_chunks(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    with_many(&database).await;
    let mut stream = database.stream(all()).await.unwrap();
    let (mut chunks, mut seen) = (0, 0);
    while let Some(rows) = stream.next().await {
        let rows = rows.unwrap();
        assert!(!rows.is_empty() && rows.len() <= 256);
        for row in &rows {
            assert_eq!(row.int(1).unwrap(), seen);
            assert_eq!(row.named("name").unwrap(), &format!("{seen:05}").into());
            seen += 1;
        }
        chunks += 1;
    }
    assert_eq!((seen, chunks), (MANY, 12));
    assert!(stream.next().await.is_none());
    let rows = database.statement_rows(all()).await.unwrap();
    assert_eq!(rows.len(), usize::try_from(MANY).unwrap());
}

async fn a_stream_can_be_left(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    with_many(&database).await;
    // More of them than there are places and connections: each gives its own back.
    for _ in 0..40 {
        let mut stream = database.stream(all()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().len(), 256);
    }
    if engine == Engine::Sqlite {
        // Nobody waits for the end of this one.
        for _ in 0..20 {
            let counting = Statement::new(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                 SELECT count(*) FROM n",
                Vec::new(),
            );
            drop(database.stream(counting).await.unwrap());
        }
    }
    let rows = database.statement_rows(all()).await.unwrap();
    assert_eq!(rows.len(), usize::try_from(MANY).unwrap());
}

async fn errors_come_through(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let unknown = || Statement::new(r#"SELECT "nothing" FROM "counter""#, Vec::new());
    let error = database.statement_rows(unknown()).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
    let mut stream = database.stream(unknown()).await.unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
    assert!(stream.next().await.is_none());
    let writing = || Statement::new(r#"DELETE FROM "counter""#, Vec::new());
    database.statement_rows(writing()).await.unwrap_err();
    database.stream(writing()).await.unwrap_err();
    // The connections are good for others.
    assert!(database.statement_rows(all()).await.unwrap().is_empty());
}

/// What goes on elsewhere on SQLite, because it takes long, comes whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_statement_ends() {
    let (_place, database) = with_counters(Engine::Sqlite).await;
    let rows = database.statement_rows(numbers(60_000)).await.unwrap();
    assert_eq!(rows.len(), 60_000);
    assert_eq!(rows.last().unwrap().int(0).unwrap(), 60_000);
    let short = database.statement_rows(numbers(10)).await.unwrap();
    assert_eq!(short.len(), 10);
}

async fn letters_have_one_case(engine: Engine) {
    let (_place, database) = with_counters(engine).await;
    let names = [
        "ÉCOLE",
        "straße",
        "ΣΊΣΥΦΟΣ",
        "Жизнь",
        "İstanbul",
        "ǅungla",
        "Ĳ",
        "ﬁ",
        "𐐀",
        "a%b",
    ];
    for name in names {
        support::insert(&database, name, 1).await.unwrap();
    }
    let place = match engine {
        Engine::Postgres => "$1",
        Engine::Sqlite | Engine::MariaDb => "?",
    };
    let like = engine.dialect().like(r#""name""#, place);
    let text = format!(r#"SELECT "name" FROM "counter" WHERE {like}"#);
    let cases = [
        ("éCOLE", "ÉCOLE"),
        ("STRAßE", "straße"),
        ("σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("ΣΊΣυφ%", "ΣΊΣΥΦΟΣ"),
        ("жИЗНЬ", "Жизнь"),
        ("istanbul", "İstanbul"),
        ("İSTAN%", "İstanbul"),
        ("ǆUNGLA", "ǅungla"),
        ("ĳ", "Ĳ"),
        ("ﬁ", "ﬁ"),
        ("𐐨", "𐐀"),
        ("_!%_", "a%b"),
    ];
    for (pattern, expected) in cases {
        let statement = Statement::new(&text, params![Dialect::fold(pattern)]);
        let rows = database.statement_rows(statement).await.unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(found, [expected], "{pattern}");
    }
}
