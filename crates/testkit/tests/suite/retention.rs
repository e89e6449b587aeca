//! What leaves the database by itself: each kind of row at its time and not before, a few at a
//! time while requests are answered, and nothing that still proves something.
// spec: security.md, Codes and tokens, line 3: spent hashes stay until the family expires
// spec: security.md, Audit, line 1: retention settable

use std::collections::BTreeMap;
use std::sync::Arc;

use crema_auth::retention::{self, Kind, Sweep};
use crema_auth::{Ctx, Provider};
use crema_store::{Sql, Statement, StoreError};
use crema_testkit::app::START;
use crema_testkit::{App, ClientSpec, Engine, TestClient, Tokens, for_each_engine};

const USER: &str = "user@example.com";
const PASSWORD: &str = "secret";
const CALLBACK: &str = "https://client.example/cb";

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Rows stay so long after they are due.
const SLACK: i64 = 10 * MINUTE;

const TABLES: [(&str, &str); 8] = [
    ("codes", "tabOAuth Authorization Code"),
    ("tokens", "tabOAuth Bearer Token"),
    ("families", "__oauth_family"),
    ("spent", "__oauth_spent"),
    ("sessions", "tabSessions"),
    ("handles", "__login_handle"),
    ("failures", "__failure"),
    ("entries", "tabActivity Log"),
];

async fn setup(app: &App) -> TestClient {
    app.add_user(USER, PASSWORD, &[]).await;
    let spec = ClientSpec::new(CALLBACK)
        .grant_types("authorization_code refresh_token client_credentials")
        .with("user", USER);
    app.add_client(spec).await
}

fn ctx(provider: &Arc<Provider>) -> Ctx {
    let address = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let issuer = "https://trust.localhost".to_owned();
    Ctx::new(Arc::clone(provider), address, "test", issuer)
}

/// Removes all that is due of that kind. Gives the size of every batch.
async fn sweep(provider: &Arc<Provider>, kind: Kind) -> Vec<u64> {
    let mut sweep = Sweep::new(kind);
    let mut batches = Vec::new();
    loop {
        let batch = sweep.batch(&ctx(provider)).await.unwrap();
        batches.push(batch.removed);
        if !batch.more {
            return batches;
        }
    }
}

async fn sweep_all(app: &App) {
    let provider = app.server().provider().await;
    for kind in Kind::ALL {
        sweep(&provider, kind).await;
    }
}

async fn counts(app: &App) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for (short, table) in TABLES {
        let sql = format!(r#"SELECT COUNT(*) FROM "{table}""#);
        counts.insert(short, app.count(&sql, vec![]).await);
    }
    counts
}

/// The rows that were taken away between the two counts.
fn gone(
    before: &BTreeMap<&'static str, i64>,
    after: &BTreeMap<&'static str, i64>,
) -> Vec<(&'static str, i64)> {
    let changed = |(table, count): (&&'static str, &i64)| (*table, count - after[table]);
    let changes = before.iter().map(changed);
    changes.filter(|(_, change)| *change != 0).collect()
}

async fn tokens(app: &App, client: &TestClient) -> (String, Tokens) {
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let code = visitor.code(client, &[]).await;
    let tokens = app.http().redeem(client, &code, &[]).await.tokens();
    (code, tokens)
}

/// Rows of one table that were due long ago, each at a moment of its own.
async fn old_tokens(app: &App, count: i64) {
    let first = START.minus_seconds(400 * DAY).micros();
    for begin in (0..count).step_by(500) {
        let rows: Vec<String> = (begin..count.min(begin + 500))
            .map(|number| {
                let end = first + number;
                let refresh_end = if number % 2 == 0 { 0 } else { end };
                format!("('old-{number}', 'c', 'u', 'Revoked', {end}, {refresh_end}, 'old-{number}', 'f-{number}')")
            })
            .collect();
        let sql = format!(
            r#"INSERT INTO "tabOAuth Bearer Token" (name, client, "user", status, expires_at,
            refresh_expires_at, access_token, family) VALUES {}"#,
            rows.join(", ")
        );
        app.execute(&sql, vec![]).await;
    }
}

for_each_engine! {
    async fn every_kind_leaves_at_its_time_and_not_before(app: &App) {
        let client = setup(app).await;
        let (_, first) = tokens(app, &client).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        visitor.code(&client, &[]).await;
        let answer = app.http().refresh(&client, &first.refresh_token).await;
        assert_eq!(answer.status, 200);
        let own = [("grant_type", "client_credentials"), ("scope", "openid")];
        assert_eq!(app.http().token(&client, &own).await.status, 200);
        let again = client.authorization(&[("prompt", "login")]);
        let again: Vec<_> = again.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        visitor.authorize(&again).await;
        assert_eq!(app.visitor().try_login(USER, "wrong").await.status, 401);

        let mut present = counts(app).await;
        let entries = present["entries"];
        let of: Vec<i64> = present.values().copied().collect();
        assert!(of.iter().all(|count| *count > 0), "{present:?}");
        let retention = 30 * DAY;
        let plan = [
            // The family of the code that nobody redeemed goes with it.
            (MINUTE + SLACK, vec![("codes", 2), ("families", 1)]),
            (HOUR + SLACK, vec![("handles", 1)]),
            (DAY, vec![("failures", 2)]),
            (170 * HOUR + SLACK, vec![("sessions", 2)]),
            // That of the client itself.
            (HOUR + retention + SLACK, vec![("tokens", 1)]),
            (30 * DAY + retention + SLACK, vec![("tokens", 2)]),
            (90 * DAY + SLACK, vec![("spent", 2)]),
            (90 * DAY + retention + SLACK, vec![("families", 1)]),
            (365 * DAY + SLACK, vec![("entries", entries)]),
        ];
        for (seconds, expected) in plan {
            app.clock.set(START.plus_seconds(seconds));
            sweep_all(app).await;
            assert_eq!(gone(&present, &counts(app).await), [], "too early at {seconds}");
            app.clock.set(START.plus_seconds(seconds + 1));
            sweep_all(app).await;
            let after = counts(app).await;
            assert_eq!(gone(&present, &after), expected, "after {seconds}");
            present = after;
        }
        assert!(present.values().all(|count| *count == 0), "{present:?}");
    }

    async fn zero_days_keep_tokens_and_entries_for_ever(app: &App) {
        let client = setup(app).await;
        tokens(app, &client).await;
        let for_ever = [("token_retention_days", "0"), ("activity_log_retention_days", "0")];
        app.set_settings("OAuth Settings", &for_ever).await;
        let before = counts(app).await;
        app.clock.set(START.plus_seconds(100 * 365 * DAY));
        sweep_all(app).await;
        let after = counts(app).await;
        for kept in ["tokens", "families", "entries"] {
            assert_eq!(before[kept], after[kept], "{kept}");
        }
        assert_eq!(after["spent"] + after["sessions"] + after["codes"], 0);
    }

    // Frappe's tables may have rows of Frappe's own, in which our columns are 0.
    async fn rows_of_frappe_are_left_to_frappe(app: &App) {
        for sql in [
            r#"INSERT INTO "tabSessions" ("user", sid, status) VALUES ('u', 's', 'Active')"#,
            r#"INSERT INTO "tabOAuth Bearer Token" (name, "user", status) VALUES ('t', 'u', 'Active')"#,
            r#"INSERT INTO "tabOAuth Authorization Code" (name, "user", validity) VALUES ('c', 'u', 'Valid')"#,
        ] {
            assert_eq!(app.execute(sql, vec![]).await, 1);
        }
        app.clock.set(START.plus_seconds(10 * 365 * DAY));
        sweep_all(app).await;
        let after = counts(app).await;
        assert_eq!((after["sessions"], after["tokens"], after["codes"]), (1, 1, 1));
    }

    async fn a_second_use_is_recognised_after_its_row_has_gone(app: &App) {
        let client = setup(app).await;
        let settings = [("token_retention_days", "1"), ("refresh_token_lifetime", "86400")];
        app.set_settings("OAuth Settings", &settings).await;
        for code_again in [false, true] {
            let (code, first) = tokens(app, &client).await;
            let mut last = first.clone();
            for _ in 0..4 {
                app.clock.advance_seconds(DAY.unsigned_abs() - 60);
                last = app.http().refresh(&client, &last.refresh_token).await.tokens();
            }
            sweep_all(app).await;
            let rows = app.count(r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token""#, vec![]).await;
            assert!(rows > 0 && counts(app).await["codes"] == 0);
            let hash = crema_crypto::hash_hex(&first.refresh_token);
            let sql = r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" WHERE refresh_token = ?"#;
            assert_eq!(app.count(sql, vec![hash.into()]).await, 0);
            assert_eq!(app.http().logged_user(&last.access_token).await.status, 200);

            let answer = match code_again {
                true => app.http().redeem(&client, &code, &[]).await,
                false => app.http().refresh(&client, &first.refresh_token).await,
            };
            assert_eq!(answer.error(), "invalid_grant");
            assert_eq!(app.http().logged_user(&last.access_token).await.status, 401);
            let answer = app.http().refresh(&client, &last.refresh_token).await;
            assert_eq!(answer.error(), "invalid_grant");
        }
        let sql = r#"SELECT operation FROM "tabActivity Log"
            WHERE operation LIKE '% Reuse' ORDER BY creation"#;
        let found = app.rows(sql, vec![]).await;
        let found: Vec<_> = found.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(found, ["Refresh Reuse", "Code Reuse"]);
    }

    // A family whose access tokens outlive it stays with them, and does not hold up others.
    async fn families_stay_while_they_have_tokens(app: &App) {
        let rows: Vec<String> = (0..250)
            .map(|number| format!("('f-{number:03}', 'c', 7), ('g-{number:03}', 'c', {number})"))
            .collect();
        let sql = format!(
            r#"INSERT INTO "__oauth_family" (name, client, expires_at) VALUES {}"#,
            rows.join(", ")
        );
        app.execute(&sql, vec![]).await;
        let far = START.plus_seconds(DAY).micros();
        let rows: Vec<String> = (0..250)
            .map(|number| format!("('t-{number}', 'u', 'Active', {far}, 't-{number}', 'f-{number:03}')"))
            .collect();
        let sql = format!(
            r#"INSERT INTO "tabOAuth Bearer Token" (name, "user", status, expires_at, access_token,
            family) VALUES {}"#,
            rows.join(", ")
        );
        app.execute(&sql, vec![]).await;
        sweep_all(app).await;
        let sql = r#"SELECT COUNT(*) FROM "__oauth_family" WHERE name LIKE 'f-%'"#;
        assert_eq!(app.count(sql, vec![]).await, 250);
        // All but the one that has no moment; those beside the many of one moment may take a
        // second pass.
        sweep_all(app).await;
        let sql = r#"SELECT COUNT(*) FROM "__oauth_family" WHERE name LIKE 'g-%'"#;
        assert!(app.count(sql, vec![]).await <= 2);
    }

    async fn thousands_leave_in_batches_while_requests_are_answered(app: &App) {
        let client = setup(app).await;
        let (_, living) = tokens(app, &client).await;
        old_tokens(app, 1_400).await;
        let provider = app.server().provider().await;
        for kind in [Kind::AccessTokens, Kind::RefreshTokens] {
            let (mut passes, mut batches, mut removed) = (Sweep::new(kind), 0, 0);
            loop {
                let batch = passes.batch(&ctx(&provider)).await.unwrap();
                assert!(batch.removed <= 20);
                (batches, removed) = (batches + 1, removed + batch.removed);
                let answer = app.http().introspect(&client, &living.access_token).await;
                assert_eq!(answer.json()["active"], true);
                if !batch.more {
                    break;
                }
            }
            assert_eq!((batches, removed), (36, 700));
        }
        assert_eq!(counts(app).await["tokens"], 1);
        let answer = app.http().refresh(&client, &living.refresh_token).await;
        assert_eq!(answer.status, 200);
    }

    async fn several_processes_clear_one_database_at_once(app: &App) {
        let client = setup(app).await;
        let (_, mut living) = tokens(app, &client).await;
        old_tokens(app, 600).await;
        let second = app.second_server().await;
        let providers = [
            app.server().provider().await,
            second.provider().await,
            app.server().provider().await,
            second.provider().await,
        ];
        let sweeps: Vec<_> = providers
            .into_iter()
            .map(|provider| {
                tokio::spawn(async move {
                    let mut removed = 0;
                    for kind in [Kind::AccessTokens, Kind::RefreshTokens] {
                        removed += sweep(&provider, kind).await.iter().sum::<u64>();
                    }
                    removed
                })
            })
            .collect();
        for _ in 0..10 {
            living = app.http().refresh(&client, &living.refresh_token).await.tokens();
        }
        let mut removed = 0;
        for sweep in sweeps {
            removed += sweep.await.unwrap();
        }
        assert_eq!(removed, 600);
        assert_eq!(counts(app).await["tokens"], 11);
        second.stop().await;
    }

    async fn batches_are_found_by_an_index(app: &App) {
        old_tokens(app, 500).await;
        for sql in retention::STATEMENTS {
            let of_tokens = sql.text().contains(r#"FROM "tabOAuth Bearer Token" WHERE"#);
            let plan = plan(app, sql).await;
            let good = match app.engine() {
                Engine::Sqlite => {
                    let wrong = ["SCAN", "TEMP B-TREE"];
                    let keys = ["(name=?)", "(hash=?)", "(sid=?)"];
                    let by_key = keys.iter().any(|key| plan.contains(key));
                    wrong.iter().all(|word| !plan.contains(word))
                        && plan.contains("SEARCH")
                        && (!sql.text().starts_with("DELETE") || by_key)
                }
                Engine::Postgres => {
                    let by_key = plan.contains("= ANY");
                    plan.contains("Index")
                        && !plan.contains("Seq Scan")
                        && (!sql.text().starts_with("DELETE") || by_key)
                }
                // It decides by the number of rows, and the other tables have none.
                Engine::MariaDb => {
                    let has = |wanted: &str| plan.split_whitespace().any(|word| word == wanted);
                    let by_key = has("PRIMARY");
                    !of_tokens
                        || !has("ALL") && (!sql.text().starts_with("DELETE") || by_key)
                }
            };
            assert!(good, "{}\n{plan}", sql.text());
        }
    }
}

/// How the database would run a statement.
async fn plan(app: &App, sql: &Sql) -> String {
    let mut parts = sql.text().split(" IN (");
    let mut text = parts.next().unwrap().to_owned();
    let moment = if text.contains("creation") {
        "'2020-01-01 00:00:00'"
    } else {
        "1577836800000000"
    };
    // Of clients, moments of ours stand beside those of the site's clock.
    text = text.replace("_at > ?", "_at > 1577836800000000");
    text = text.replace("LIMIT ?", "LIMIT 100").replace('?', moment);
    for part in parts {
        text.push_str(" IN (");
        text.push_str(&part.replace('?', "'key'"));
    }
    let explain = match app.engine() {
        Engine::Sqlite => "EXPLAIN QUERY PLAN",
        _ => "EXPLAIN",
    };
    let text = format!("{explain} {text}");
    let engine = app.engine();
    let database = app.database().await;
    let rows = database.write(move |tx| {
        let text = text.clone();
        Box::pin(async move {
            if engine == Engine::Postgres {
                // It reads small tables from end to end, whatever indexes they have.
                let off = Statement::new("SET LOCAL enable_seqscan = off", vec![]);
                tx.statement_execute(off).await?;
            }
            tx.statement_rows(Statement::new(text, vec![])).await
        })
    });
    let rows: Result<Vec<_>, StoreError> = rows.await;
    // SQLite and MariaDB answer in columns, of which the texts matter.
    let columns = 0..10;
    let mut plan = String::new();
    for row in &rows.unwrap() {
        for text in columns.clone().filter_map(|index| row.text(index).ok()) {
            plan.push_str(text);
            plan.push(' ');
        }
        plan.push('\n');
    }
    plan
}
