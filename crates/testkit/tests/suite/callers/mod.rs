//! Who sends a request: every form of credentials, their order, and how each is refused.

mod forms;
mod generate;
mod order;
mod reach;
mod records;
mod sources;

use crema_auth::api_key::{self, NewApiKey, NewPair};
use crema_auth::caller::{self, Caller};
use crema_auth::session;
use crema_testkit::{App, Request, Response, Visitor};

const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";
const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const GENERATE: &str = "/api/method/frappe.core.doctype.user.user.generate_keys";

/// Somebody who has just signed in.
async fn just_signed_in(app: &App, user: &str) -> Caller {
    let ctx = app.ctx().await;
    let found = ctx.user(user).await.unwrap().unwrap();
    let new = session::start(&ctx, &found, None).await.unwrap();
    let session = session::resolve(&ctx, new.sid.expose()).await.unwrap();
    let caller = caller::identify(&ctx, "/", None, None, session.as_ref()).await;
    caller.unwrap()
}

/// The pair of a User record.
async fn pair(app: &App, user: &str) -> NewPair {
    let administrator = just_signed_in(app, "Administrator").await;
    let ctx = app.ctx().await;
    api_key::generate(&ctx, &administrator, user).await.unwrap()
}

/// A key of our own, for everything, without an end.
fn new_key(user: &str, scopes: &str) -> NewApiKey {
    NewApiKey {
        title: "Nightly export".to_owned(),
        user: user.to_owned(),
        scopes: scopes.to_owned(),
        expires_at: None,
        restrict_ip: String::new(),
        enabled: true,
    }
}

async fn key(app: &App, new: NewApiKey) -> NewPair {
    let administrator = just_signed_in(app, "Administrator").await;
    let ctx = app.ctx().await;
    api_key::create(&ctx, &administrator, new).await.unwrap()
}

fn token(pair: &NewPair) -> String {
    format!("token {}:{}", pair.api_key, pair.api_secret.expose())
}

fn with(app: &App, authorization: &str) -> Request {
    app.http().get(WHO).header("Authorization", authorization)
}

/// Who the server says it is, or the status.
async fn who(app: &App, authorization: &str) -> String {
    let response = with(app, authorization).send().await;
    match response.status {
        200 => response.member("message"),
        status => status.to_string(),
    }
}

/// A question or an order of a signed-in program.
async fn ask(visitor: &mut Visitor, path: &str) -> Response {
    let request = visitor.http().get(path);
    visitor.send(request).await
}

async fn post(visitor: &mut Visitor, path: &str, form: &[(&str, &str)]) -> Response {
    let request = visitor.http().post(path).form(form);
    visitor.send(request).await
}

/// 401 as keys are refused: no cookie.
fn assert_refused(response: &Response, message: &str) {
    assert_unauthorized(response, message);
    assert!(response.cookies().is_empty());
}

/// 401 without the error of a token: only the way to one is named.
fn assert_unauthorized(response: &Response, message: &str) {
    assert_eq!(response.status, 401, "{}", response.text());
    assert_eq!(response.json()["exc_type"], "AuthenticationError");
    let challenge = response.header("WWW-Authenticate").unwrap();
    assert!(challenge.starts_with("Bearer resource_metadata=\""));
    assert!(!challenge.contains("error="), "{challenge}");
    assert!(response.text().contains(message), "{}", response.text());
}
