//! What a client finds out that knows nothing but an address, whether all of it is true, and what
//! each setting changes of it.

mod advertised;
mod cors;
mod documents;
mod registering;
mod social;
mod toggles;

use crema_testkit::{App, ClientSpec, Engine, Http, Response, Server, TestClient, Visitor};
use serde_json::{Value, json};

const MANAGER: &str = "manager@example.com";
const USER: &str = "user@example.com";
const PASSWORD: &str = "correct-Horse-9";
const CALLBACK: &str = "https://client.example/cb";

const OPENID: &str = "/.well-known/openid-configuration";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const JWKS: &str = "/.well-known/jwks.json";

/// A site with two processes: a System Manager changes settings at the first, the second obeys.
struct Site {
    app: App,
    other: Server,
    manager: Visitor,
}

impl Site {
    async fn start() -> Site {
        Site::on(Engine::Sqlite).await
    }

    async fn on(engine: Engine) -> Site {
        let app = App::start(engine).await;
        app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
        app.add_user(USER, PASSWORD, &["Sales User"]).await;
        let other = app.second_server().await;
        let manager = app.signed_in(MANAGER, PASSWORD).await;
        Site {
            app,
            other,
            manager,
        }
    }

    /// The process that did not hear of a change.
    fn other(&self) -> Http {
        self.other.http()
    }

    /// A confidential client of the site's own, with a key of its own kind for ID tokens.
    async fn client_of_the_site(&self) -> TestClient {
        let spec = ClientSpec::new(CALLBACK).with("id_token_signed_response_alg", "RS256");
        self.app.add_client(spec).await
    }

    /// Changes a single over REST.
    async fn put(&mut self, single: &str, values: &Value) -> Response {
        let path = format!("/api/resource/{0}/{0}", single.replace(' ', "%20"));
        let request = self.app.http().request("PUT", &path).json(values);
        self.manager.send(request).await
    }

    /// Changes fields of OAuth Settings.
    async fn set(&mut self, values: Value) {
        let answer = self.put("OAuth Settings", &values).await;
        assert_eq!(answer.status, 200, "{values}: {}", answer.text());
    }

    /// Sets one field at the first process, looks at the second before and after.
    async fn set_one(&mut self, field: &str, value: impl Into<Value>) {
        self.set(json!({ field: value.into() })).await;
    }

    /// The document at that path of the second process; `None` for 404.
    async fn document(&self, path: &str) -> Option<Value> {
        let answer = self.other().get(path).send().await;
        match answer.status {
            200 => {
                let mut document = answer.json();
                at_first(&mut document, &self.other().origin(), &self.app.issuer());
                Some(document)
            }
            404 => None,
            other => panic!("{path}: {other} {}", answer.text()),
        }
    }

    async fn close(self) {
        self.other.stop().await;
        self.app.close().await;
    }
}

/// Two processes of these tests have two ports, and so two issuers.
fn at_first(document: &mut Value, other: &str, first: &str) {
    match document {
        Value::String(text) => *text = text.replace(other, first),
        Value::Array(list) => list.iter_mut().for_each(|one| at_first(one, other, first)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|one| at_first(one, other, first)),
        _ => {}
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter().map(|one| one.as_str().unwrap()).collect()
}
