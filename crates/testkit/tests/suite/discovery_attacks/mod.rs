//! What strangers try at discovery, registration, metadata documents and `/mcp`.

mod bounds;
mod deputies;
mod identities;
mod leaks;
mod names;
mod together;
mod trust;

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::outgoing::{FakeServer, Internet, Reply};
use crema_testkit::{App, Engine, Http, Request, Response, TestClient, Visitor};
use serde_json::{Value, json};

const REGISTER: &str = "/api/method/frappe.integrations.oauth2.register_client";
const SETTINGS: &str = "OAuth Settings";
const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";
const HOST: &str = "app.example";
const PATH: &str = "/client.json";
const ADDRESS: &str = "https://app.example/client.json";
const CALLBACK: &str = "https://app.example/cb";

/// A site with a user, and a server elsewhere on which a client's document lies.
struct World {
    app: App,
    site: FakeServer,
}

impl World {
    async fn new(engine: Engine) -> World {
        let internet = Internet::new();
        let site = internet.serve(HOST).await;
        site.answer(PATH, Reply::json(&document(json!({}))));
        let builder = App::builder().engine(engine).outgoing(internet.outgoing());
        let app = builder.build().await;
        app.set_settings(SETTINGS, &[("registration_limit", "10000")])
            .await;
        app.add_user(USER, PASSWORD, &["Report Manager"]).await;
        World { app, site }
    }

    async fn user(&self) -> Visitor {
        self.app.signed_in(USER, PASSWORD).await
    }

    /// Whether a stranger who comes with this `client_id` is sent to sign in.
    async fn knows(&self, client_id: &str) -> Response {
        let own = [("client_id", client_id)];
        authorize(&mut self.app.visitor(), &described(), &own).await
    }
}

/// The usual document with other members.
fn document(changes: Value) -> Value {
    let usual = json!({
        "client_id": ADDRESS,
        "client_name": "Acme Notes",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
    });
    with(usual, changes)
}

/// What a web application registers, with other members.
fn metadata(changes: Value) -> Value {
    let usual = json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb"],
        "token_endpoint_auth_method": "none",
    });
    with(usual, changes)
}

fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// The client of the document.
fn described() -> TestClient {
    TestClient {
        client_id: ADDRESS.to_owned(),
        client_secret: None,
        redirect_uri: CALLBACK.to_owned(),
        auth_method: AuthMethod::None,
    }
}

async fn registered(http: &Http, changes: Value) -> Value {
    let answer = http.post(REGISTER).json(&metadata(changes)).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member}: {value}"))
}

/// The client of an answer to a registration.
fn client(information: &Value) -> TestClient {
    let method = text(information, "token_endpoint_auth_method");
    TestClient {
        client_id: text(information, "client_id").to_owned(),
        client_secret: information["client_secret"].as_str().map(str::to_owned),
        redirect_uri: information["redirect_uris"][0].as_str().unwrap().to_owned(),
        auth_method: AuthMethod::from_name(method).unwrap(),
    }
}

/// A request to the registration of a client, with a token.
fn management(http: &Http, method: &str, client_id: &str, token: &str) -> Request {
    let path = format!("{REGISTER}?client_id={client_id}");
    http.request(method, &path).bearer(token)
}

/// Puts other metadata in the place of what is registered.
async fn replace(http: &Http, before: &Value, changes: Value) -> Response {
    let id = text(before, "client_id");
    let token = text(before, "registration_access_token");
    let body = with(metadata(json!({"client_id": id})), changes);
    management(http, "PUT", id, token).json(&body).send().await
}

/// An authorization request of a client, changed.
async fn authorize(
    visitor: &mut Visitor,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> Response {
    visitor.ask(client, changes).await
}
