//! Apps on people's own devices (RFC 8252): where they may be sent, and that people are asked.

mod asking;
mod chromium;
mod redirects;

use crema_testkit::visitor::Redirect;
use crema_testkit::{App, ClientSpec, Response, TestClient, Visitor};

const USER: &str = "user@example.com";
const PASSWORD: &str = "secret";

/// One of each kind that leads to a program on the device: as registered, as requested.
const NATIVE: &[(&str, &str)] = &[
    ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
    ("http://127.0.0.1:8080/cb", "http://127.0.0.1:8080/cb"),
    ("http://127.0.0.1:8080/cb", "http://127.0.0.1:1/cb"),
    ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
    ("http://[::1]/cb", "http://[::1]:51004/cb"),
    ("http://[::1]:8080/cb?x=1", "http://[::1]:65535/cb?x=1"),
    ("http://localhost/cb", "http://localhost:51004/cb"),
    ("http://localhost:3000", "http://localhost:51004"),
    ("com.example.app:/cb", "com.example.app:/cb"),
    ("com.example.app://oauth/cb", "com.example.app://oauth/cb"),
    (
        "cursor://anysphere.cursor-retrieval/oauth",
        "cursor://anysphere.cursor-retrieval/oauth",
    ),
    (
        "vscode://publisher.extension/cb",
        "vscode://publisher.extension/cb",
    ),
    (
        "vscode-insiders://publisher.extension/cb",
        "vscode-insiders://publisher.extension/cb",
    ),
];

async fn app() -> App {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
    app
}

fn spec(registered: &str) -> ClientSpec {
    ClientSpec::public(registered).scopes("openid all")
}

/// One with several addresses.
fn several(registered: &[&str]) -> ClientSpec {
    spec(registered[0]).with("redirect_uris", &registered.join("\n"))
}

/// The client sending people to another address.
fn at(client: &TestClient, redirect_uri: &str) -> TestClient {
    TestClient {
        redirect_uri: redirect_uri.to_owned(),
        ..client.clone()
    }
}

/// The client's usual request, changed.
async fn ask(visitor: &mut Visitor, client: &TestClient, changes: &[(&str, &str)]) -> Response {
    visitor.ask(client, changes).await
}

/// Whether the answer is the consent page.
fn asks(answer: &Response) -> bool {
    answer.status == 200 && answer.title().as_deref() == Some("Confirm Access")
}

/// The error that the client is told.
fn error(answer: &Response) -> String {
    Redirect::of(answer).param("error").to_owned()
}
