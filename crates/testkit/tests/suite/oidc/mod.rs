//! OpenID Connect at the authorization endpoint: who is asked for what, and how the answer
//! travels.

mod claims;
mod consent;
mod hints;
mod prompt;
mod reauthentication;
mod responses;
mod state;

use crema_document::Clock as _;
use crema_testkit::{
    App, ClientSpec, Engine, Redirect, Response, TestClient, Tokens, Visitor, flow,
};
use serde_json::Value;

const USER: &str = "user@example.com";
const OTHER: &str = "other@example.com";
const PASSWORD: &str = "secret";
const CALLBACK: &str = "https://client.example/cb";

/// A site with two users.
async fn app() -> App {
    let app = App::start(Engine::Sqlite).await;
    for user in [USER, OTHER] {
        app.add_user(user, PASSWORD, &["Sales User"]).await;
    }
    app
}

fn spec() -> ClientSpec {
    ClientSpec::new(CALLBACK)
}

/// A client that may be sent tokens through the browser.
fn implicit() -> ClientSpec {
    spec().grant_types("authorization_code refresh_token implicit")
}

/// Sends the client's usual request, changed.
async fn ask(visitor: &mut Visitor, client: &TestClient, changes: &[(&str, &str)]) -> Response {
    visitor.ask(client, changes).await
}

/// Whether this is the consent page.
fn asks(response: &Response) -> bool {
    response.status == 200 && response.form_action("allow").is_some()
}

/// The error that the client is sent, with `state` and `iss` in their places.
#[track_caller]
fn error(app: &App, response: &Response) -> String {
    let redirect = Redirect::of(response);
    assert_eq!(redirect.param("state"), "a state");
    assert_eq!(redirect.param("iss"), app.issuer());
    assert!(!redirect.params.contains_key("code"));
    redirect.param("error").to_owned()
}

/// The code that the client is sent.
#[track_caller]
fn code(app: &App, response: &Response) -> String {
    let redirect = Redirect::of(response);
    assert_eq!(redirect.param("error"), "");
    assert_eq!(redirect.param("state"), "a state");
    assert_eq!(redirect.param("iss"), app.issuer());
    assert!(!redirect.param("code").is_empty(), "{redirect:?}");
    redirect.param("code").to_owned()
}

/// Goes to the sign-in page that the answer leads to, which has to show its form, signs in a
/// second later, and comes back.
async fn sign_in(app: &App, visitor: &mut Visitor, response: &Response, user: &str) -> Response {
    let back = visitor.sent_to_login(response);
    let page = visitor.get(response.location().unwrap()).await;
    assert_eq!(page.status, 200, "{:?}", page.location());
    assert!(
        page.text().contains("id=\"login_email\""),
        "{}",
        page.text()
    );
    assert_eq!(
        page.hidden_field("redirect-to"),
        back.strip_prefix(&app.issuer()).map(str::to_owned)
    );
    app.clock.advance_seconds(1);
    let back = page.hidden_field("redirect-to").unwrap();
    let form = [("usr", user), ("pwd", PASSWORD), ("redirect-to", &back)];
    let answer = visitor
        .post(&page.form_action("login_email").unwrap(), &form)
        .await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, Some(back.as_str()))
    );
    visitor.get(&back).await
}

/// Allows, so that a consent is stored. Gives the tokens.
async fn allow(
    app: &App,
    visitor: &mut Visitor,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> Tokens {
    let code = visitor.code(client, changes).await;
    app.http().redeem(client, &code, &[]).await.tokens()
}

/// The claims of the ID token that came with a code.
async fn id_token(app: &App, client: &TestClient, response: &Response) -> Value {
    let code = code(app, response);
    let tokens = app.http().redeem(client, &code, &[]).await.tokens();
    flow::claims(&tokens.id_token.unwrap())
}

fn now(app: &App) -> i64 {
    app.clock.now().seconds()
}
