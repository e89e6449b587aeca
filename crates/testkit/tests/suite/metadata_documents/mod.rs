//! Clients whose `client_id` is the address of a document about themselves.
//!
//! The document lies on an `https` server of the test kit's own Internet, so that every request
//! to it is counted.

mod circle;
mod documents;
mod keeping;
mod pages;
mod records;
mod together;

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::outgoing::{FakeServer, Internet, Reply};
use crema_testkit::{App, Engine, TestClient, Visitor};
use serde_json::{Value, json};

const USER: &str = "user@example.com";
const OTHER: &str = "other@example.com";
const PASSWORD: &str = "secret";
const HOST: &str = "app.example";
const PATH: &str = "/oauth/client.json";
const ADDRESS: &str = "https://app.example/oauth/client.json";
const CALLBACK: &str = "https://app.example/cb";
const LOOPBACK: &str = "http://127.0.0.1/cb";

/// A site, two users of it, and a client's server elsewhere.
struct World {
    app: App,
    site: FakeServer,
    internet: Internet,
}

impl World {
    async fn new(engine: Engine) -> World {
        let internet = Internet::new();
        let site = internet.serve(HOST).await;
        site.answer(PATH, Reply::json(&document()));
        let builder = App::builder().engine(engine).outgoing(internet.outgoing());
        let app = builder.build().await;
        for user in [USER, OTHER] {
            app.add_user(user, PASSWORD, &["Report Manager"]).await;
        }
        World {
            app,
            site,
            internet,
        }
    }

    /// The document from now on, with these members changed; `null` removes one.
    fn describe(&self, changes: Value) {
        self.site.answer(PATH, Reply::json(&changed(changes)));
    }

    async fn user(&self) -> Visitor {
        self.app.signed_in(USER, PASSWORD).await
    }

    /// How many records there are, with and without a document.
    async fn records(&self) -> i64 {
        let sql = r#"SELECT COUNT(*) FROM "tabOAuth Client""#;
        self.app.count(sql, vec![]).await
    }

    /// A column of the client's only record.
    async fn column(&self, name: &str) -> String {
        let sql = format!(
            r#"SELECT {name} FROM "tabOAuth Client" WHERE metadata_document_uri = '{ADDRESS}'"#
        );
        let rows = self.app.rows(&sql, vec![]).await;
        assert_eq!(rows.len(), 1, "one record");
        rows[0].opt_text(0).unwrap().unwrap_or_default().to_owned()
    }

    /// Sets fields of the client's record as an administrator does.
    async fn set(&self, fields: &[(&str, &str)]) -> Result<(), String> {
        let name = self.column("name").await;
        let ctx = self.app.ctx().await;
        let fields = fields.iter().copied().collect();
        let set = crema_auth::client::update(&ctx, "Administrator", &name, fields).await;
        set.map(|_| ()).map_err(|failure| failure.to_string())
    }

    /// The answer to an authorization request that somebody sends without a session.
    async fn ask(&self, changes: &[(&str, &str)]) -> crema_testkit::Response {
        authorize(&mut self.app.visitor(), changes).await
    }

    async fn close(self) {
        self.app.close().await;
    }
}

/// The usual document.
fn document() -> Value {
    json!({
        "client_id": ADDRESS,
        "client_name": "Acme Notes",
        "client_uri": "https://app.example/",
        "redirect_uris": [CALLBACK, LOOPBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// The usual document with other members; `null` removes one.
fn changed(changes: Value) -> Value {
    let mut document = document();
    let members = document.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    document
}

/// The client as it knows itself.
fn client() -> TestClient {
    at(CALLBACK)
}

/// The client with another redirect URI.
fn at(redirect_uri: &str) -> TestClient {
    TestClient {
        client_id: ADDRESS.to_owned(),
        client_secret: None,
        redirect_uri: redirect_uri.to_owned(),
        auth_method: AuthMethod::None,
    }
}

/// The client's usual request, changed.
async fn authorize(visitor: &mut Visitor, changes: &[(&str, &str)]) -> crema_testkit::Response {
    visitor.ask(&client(), changes).await
}
