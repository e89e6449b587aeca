//! Clients that register themselves (RFC 7591), manage what they registered (RFC 7592), are
//! limited, and go when nobody uses them.

mod answers;
mod circle;
mod consent;
mod initial;
mod limit;
mod manage;
mod unused;

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::{App, Http, Request, Response, TestClient};
use serde_json::{Value, json};

const REGISTER: &str = "/api/method/frappe.integrations.oauth2.register_client";
const USER: &str = "user@example.com";
const PASSWORD: &str = "secret";
const SETTINGS: &str = "OAuth Settings";

/// What a command-line tool registers.
fn public() -> Value {
    json!({
        "client_name": "Tool",
        "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    })
}

/// What a web server registers.
fn confidential(method: &str) -> Value {
    json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb"],
        "token_endpoint_auth_method": method,
    })
}

/// A registration on its way.
fn registration(http: &Http, metadata: &Value) -> Request {
    http.post(REGISTER).json(metadata)
}

/// Registers; gives the client information.
async fn registered(http: &Http, metadata: &Value) -> Value {
    let answer = registration(http, metadata).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member}: {value}"))
}

/// The client of an answer, sending people to this address.
fn client(information: &Value, redirect_uri: &str) -> TestClient {
    let method = text(information, "token_endpoint_auth_method");
    TestClient {
        client_id: text(information, "client_id").to_owned(),
        client_secret: information["client_secret"].as_str().map(str::to_owned),
        redirect_uri: redirect_uri.to_owned(),
        auth_method: AuthMethod::from_name(method).unwrap(),
    }
}

/// A request to the registration of an answer, with its token; also at another process.
fn management(http: &Http, method: &str, information: &Value) -> Request {
    let uri = text(information, "registration_client_uri");
    let path = uri.find("/api/").unwrap_or_else(|| panic!("{uri}"));
    http.request(method, &uri[path..])
        .bearer(text(information, "registration_access_token"))
}

fn refused(answer: &Response, status: u16, error: &str) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (status, error),
        "{}",
        answer.text()
    );
}

async fn clients(app: &App) -> i64 {
    app.count(r#"SELECT COUNT(*) FROM "tabOAuth Client""#, vec![])
        .await
}
