//! Attacks on the resource server by people and credentials that may do a little.

mod credentials;
mod fetched;
mod kept_keys;
mod lab;
mod links;
mod long_texts;

use crema_testkit::{App, Engine, Request, Response};
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery-9";
const ADMINISTRATOR: &str = "Administrator";
const MANAGER: &str = "manager@example.com";
const SELLER: &str = "seller@example.com";
const OTHER: &str = "other@example.com";
const LEAD: &str = "lead@example.com";
const WHO: &str = "/api/method/frappe.auth.get_logged_user";

/// A site with the app and these people.
struct Scene {
    app: App,
}

/// Somebody with a session of theirs or a key.
struct Person<'a> {
    app: &'a App,
    header: (&'static str, String),
}

impl Scene {
    async fn start() -> Scene {
        Scene::on(Engine::Sqlite).await
    }

    async fn on(engine: Engine) -> Scene {
        let app = App::start(engine).await;
        lab::install(&app).await;
        app.set_password(ADMINISTRATOR, PASSWORD).await;
        for (user, roles) in [
            (MANAGER, &["System Manager", "Sales User"][..]),
            (SELLER, &["Sales User"]),
            (OTHER, &["Sales User"]),
            (LEAD, &["Sales User", "Sales Manager"]),
        ] {
            app.add_user(user, PASSWORD, roles).await;
        }
        Scene { app }
    }

    async fn by(&self, user: &str) -> Person<'_> {
        let visitor = self.app.signed_in(user, PASSWORD).await;
        Person {
            app: &self.app,
            header: ("Cookie", format!("sid={}", visitor.sid())),
        }
    }

    /// Somebody by an API key that opens this.
    async fn key(&self, user: &str, scopes: &str) -> Person<'_> {
        let administrator = self.by(ADMINISTRATOR).await;
        let body = json!({"title": "narrow", "user": user, "scopes": scopes});
        let made = administrator.make("API Key", &body).await;
        let part = |name: &str| made[name].as_str().unwrap().to_owned();
        let pair = format!("token {}:{}", part("api_key"), part("api_secret"));
        Person {
            app: &self.app,
            header: ("Authorization", pair),
        }
    }
}

impl Person<'_> {
    fn request(&self, method: &str, path: &str) -> Request {
        let (name, value) = &self.header;
        self.app.http().request(method, path).header(name, value)
    }

    async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await
    }

    async fn post(&self, doctype: &str, body: &Value) -> Response {
        let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
        self.request("POST", &path).json(body).send().await
    }

    async fn put(&self, doctype: &str, name: &str, body: &Value) -> Response {
        let path = format!("/api/resource/{doctype}/{name}").replace(' ', "%20");
        self.request("PUT", &path).json(body).send().await
    }

    /// Makes a document and gives it as the answer shows it.
    async fn make(&self, doctype: &str, body: &Value) -> Value {
        let answer = self.post(doctype, body).await;
        assert_eq!(answer.status, 200, "{doctype}: {}", answer.text());
        answer.json()["data"].clone()
    }
}

/// That the user may not.
fn assert_forbidden(answer: &Response) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.member("exc_type"), "PermissionError");
}
