//! Tokens for one resource, scopes that cover narrower ones, and what refusals tell a client that
//! knows nothing yet.

mod challenges;
mod consents;
mod narrowing;
mod resources;
mod scopes;
mod step_up;

use crema_testkit::{App, ClientSpec, Response, TestClient, Tokens};
use serde_json::json;

const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";
const CALLBACK: &str = "https://client.example/cb";
const TODOS: &str = "/api/resource/ToDo";
const WHO: &str = "/api/method/frappe.auth.get_logged_user";

/// A site with a user who may do everything, and `/mcp` on.
async fn site() -> App {
    let app = App::builder().build().await;
    prepare(&app).await;
    app
}

async fn prepare(app: &App) {
    app.add_user(USER, PASSWORD, &["System Manager"]).await;
    app.set_settings("OAuth Settings", &[("enable_mcp", "1")])
        .await;
}

/// Tokens that came through a browser.
async fn tokens(app: &App, client: &TestClient, request: &[(&str, &str)]) -> Tokens {
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let code = visitor.code(client, request).await;
    app.http().redeem(client, &code, &[]).await.tokens()
}

/// A token request with more parameters.
async fn refresh(app: &App, client: &TestClient, old: &Tokens, more: &[(&str, &str)]) -> Response {
    let mut params = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", old.refresh_token.as_str()),
    ];
    params.extend(more);
    app.http().token(client, &params).await
}

/// Asks for a path with a token.
async fn get(app: &App, path: &str, token: &str) -> Response {
    app.http().get(path).bearer(token).send().await
}

/// Calls an MCP server with a token, in the revision of that header.
async fn mcp(app: &App, token: &str, method: &str, params: serde_json::Value) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let post = app.http().post("/mcp").bearer(token);
    let post = post.header("Accept", "application/json, text/event-stream");
    let post = post.header("MCP-Protocol-Version", "2025-11-25");
    post.json(&body).send().await
}

/// Whether the tools can be listed with a token.
async fn opens_mcp(app: &App, token: &str) -> bool {
    match mcp(app, token, "tools/list", json!({})).await.status {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

/// Whether a token opens a path.
async fn opens(app: &App, path: &str, token: &str) -> bool {
    let answer = get(app, path, token).await;
    match answer.status {
        200 => true,
        401 => {
            assert_elsewhere(app, &answer);
            false
        }
        status => panic!("{path}: {status} {}", answer.text()),
    }
}

/// The refusal of a token that is good, elsewhere.
fn assert_elsewhere(app: &App, answer: &Response) {
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(answer.member("exc_type"), "AuthenticationError");
    assert!(answer.text().contains("another resource"));
    let expected = format!(
        "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource\", \
         error=\"invalid_token\", error_description=\"The access token is for another resource.\"",
        app.issuer()
    );
    assert!(challenge(answer).starts_with(&expected), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None);
}

fn challenge(answer: &Response) -> &str {
    answer.header("WWW-Authenticate").expect("no challenge")
}

/// A parameter of a challenge.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

fn scope(answer: &Response) -> Option<&str> {
    parameter(challenge(answer), "scope")
}
