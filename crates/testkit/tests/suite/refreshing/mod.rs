//! Refresh tokens over time: the grace window, sliding and absolute ends, rotation switched off,
//! scopes and resources that shrink, families that end as a whole.

mod families;
mod grace;
mod lifetimes;
mod machine;
mod narrowing;

use crema_testkit::{App, ClientSpec, TestClient, Tokens};

const USER: &str = "user@example.com";
const PASSWORD: &str = "secret";
const CALLBACK: &str = "https://client.example/cb";
const DAY: u64 = 86_400;

fn spec() -> ClientSpec {
    ClientSpec::new(CALLBACK)
}

async fn setup(app: &App) -> TestClient {
    app.add_user(USER, PASSWORD, &[]).await;
    app.add_client(spec()).await
}

/// Tokens that came through a browser.
async fn tokens(app: &App, client: &TestClient, request: &[(&str, &str)]) -> Tokens {
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let code = visitor.code(client, request).await;
    app.http().redeem(client, &code, &[]).await.tokens()
}

/// Whether the access token opens anything.
async fn opens(app: &App, tokens: &Tokens) -> bool {
    match app.http().logged_user(&tokens.access_token).await.status {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

/// A refresh that has to succeed.
async fn refreshed(app: &App, client: &TestClient, old: &Tokens) -> Tokens {
    let answer = app.http().refresh(client, &old.refresh_token).await;
    answer.tokens()
}

/// The error of a refresh; empty when it succeeds.
async fn refused(app: &App, client: &TestClient, old: &Tokens) -> String {
    let answer = app.http().refresh(client, &old.refresh_token).await;
    answer.error()
}

/// The error of a refresh with more parameters.
async fn refused_with(
    app: &App,
    client: &TestClient,
    old: &Tokens,
    more: &[(&str, &str)],
) -> String {
    refresh_with(app, client, old, more).await.error()
}

async fn refresh_with(
    app: &App,
    client: &TestClient,
    old: &Tokens,
    more: &[(&str, &str)],
) -> crema_testkit::Response {
    let mut params = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", old.refresh_token.as_str()),
    ];
    params.extend(more);
    app.http().token(client, &params).await
}
