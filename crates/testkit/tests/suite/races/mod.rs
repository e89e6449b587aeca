//! What happens at the same moment: a code is redeemed once, a family has one living pair, and
//! nothing lives on after an end that was acknowledged, whoever was quicker.

mod codes;
mod documents;
mod endings;
mod processes;
mod refreshes;
mod sign_ins;

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_testkit::{App, ClientSpec, Http, Response, TestClient, Tokens};
use tokio::sync::Barrier;

/// The user of these tests.
const USER: &str = "user@example.com";
/// Their password.
const PASSWORD: &str = "secret";

const CALLBACK: &str = "https://client.example/cb";

/// Runs `count` requests that begin together. Gives what each of them came to.
async fn together<T, F>(count: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let (barrier, work) = (Arc::clone(&barrier), work(index));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// A client that may do all that is raced here, and a user.
async fn setup(app: &App) -> TestClient {
    // Old passwords are tried on purpose here.
    let no_lockout = [("allow_consecutive_login_attempts", "0")];
    app.set_settings("System Settings", &no_lockout).await;
    app.add_user(USER, PASSWORD, &[]).await;
    app.add_client(spec()).await
}

fn spec() -> ClientSpec {
    ClientSpec::new(CALLBACK).grant_types("authorization_code refresh_token password")
}

/// Tokens of a sign-in of their own.
async fn tokens(http: &Http, client: &TestClient, user: &str, password: &str) -> Tokens {
    let params = [
        ("grant_type", "password"),
        ("username", user),
        ("password", password),
    ];
    http.token(client, &params).await.tokens()
}

async fn refresh(http: Http, client: TestClient, token: String) -> Response {
    http.refresh(&client, &token).await
}

/// The number of access tokens that the database holds for alive.
async fn active(app: &App) -> i64 {
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Bearer Token" WHERE status = 'Active'"#;
    app.count(sql, vec![]).await
}

/// The number of families that could be refreshed.
async fn refreshable(app: &App) -> i64 {
    let sql = r#"SELECT COUNT(*) FROM "__oauth_family"
        WHERE refresh_token IS NOT NULL AND revoked_at IS NULL"#;
    app.count(sql, vec![]).await
}

/// Nothing is alive: not in the database, and nothing that was answered.
async fn assert_nothing_lives(app: &App, client: &TestClient, answers: &[Response]) {
    assert_eq!((active(app).await, refreshable(app).await), (0, 0));
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        assert_dead(app, client, &answer.tokens()).await;
    }
}

async fn assert_dead(app: &App, client: &TestClient, tokens: &Tokens) {
    let http = app.http();
    assert_eq!(http.logged_user(&tokens.access_token).await.status, 401);
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let about = http.introspect(client, token).await;
        assert_eq!(about.text(), r#"{"active":false}"#);
    }
    let refreshed = http.refresh(client, &tokens.refresh_token).await;
    assert_eq!(refreshed.error(), "invalid_grant");
}

/// Every answer that succeeded carries the same pair, and that pair is the one living pair of
/// the site. Gives it.
async fn the_one_pair(app: &App, answers: &[Response]) -> Tokens {
    let pairs: Vec<Tokens> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(Response::tokens)
        .collect();
    let first = pairs.first().expect("nobody succeeded").clone();
    for pair in &pairs {
        assert_eq!(pair.access_token, first.access_token);
        assert_eq!(pair.refresh_token, first.refresh_token);
        assert_eq!(pair.scope, first.scope);
        // What remains, when the clock does not stand.
        assert!((pair.expires_in - first.expires_in).abs() <= 10);
    }
    let rows = app
        .rows(
            r#"SELECT access_token, refresh_token FROM "tabOAuth Bearer Token"
            WHERE status = 'Active'"#,
            vec![],
        )
        .await;
    assert_eq!(rows.len(), 1, "living pairs");
    assert_eq!(rows[0].text(0).unwrap(), hash_hex(&first.access_token));
    assert_eq!(rows[0].text(1).unwrap(), hash_hex(&first.refresh_token));
    let families = app
        .rows(
            r#"SELECT refresh_token FROM "__oauth_family" WHERE revoked_at IS NULL"#,
            vec![],
        )
        .await;
    assert_eq!(families.len(), 1);
    assert_eq!(families[0].text(0).unwrap(), hash_hex(&first.refresh_token));
    first
}
