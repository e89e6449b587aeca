//! The CRM app over HTTP: its tasks, the mobile API, the bootstrap.

mod bootstrapping;
mod buckets;
mod callback;
mod tasks;

use crema_testkit::{App, ClientSpec, Engine, Response};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "a-good-secret-1";
/// A System Manager, a Sales Manager, two Sales Users, and somebody who is none of these.
pub(crate) const BOSS: &str = "boss@example.com";
pub(crate) const LEAD: &str = "lead@example.com";
pub(crate) const SUE: &str = "sue@example.com";
pub(crate) const TOM: &str = "tom@example.com";
pub(crate) const DESK: &str = "desk@example.com";

const PEOPLE: &[(&str, &str)] = &[
    (BOSS, "System Manager"),
    (LEAD, "Sales Manager"),
    (SUE, "Sales User"),
    (TOM, "Sales User"),
    (DESK, "Report Manager"),
];

/// The site's clock stands at 23:30 on 2026-11-20.
pub(crate) const TODAY: &str = "2026-11-20";

/// A site with the app and these people.
pub(crate) async fn start(engine: Engine) -> App {
    let app = App::start(engine).await;
    app.set_settings("System Settings", &[("time_zone", "Asia/Kolkata")])
        .await;
    app.install_app("crm").await;
    for (user, role) in PEOPLE {
        app.add_user(user, PASSWORD, &[*role]).await;
    }
    app
}

/// The id of the client that the bootstrap has made.
pub(crate) async fn client_id(app: &App) -> String {
    let sql = r#"SELECT client_id FROM "tabOAuth Client" WHERE app_name = 'Mobile App'"#;
    let rows = app.rows(sql, vec![]).await;
    assert_eq!(rows.len(), 1);
    rows[0].text(0).unwrap().to_owned()
}

/// What the password grant answers.
pub(crate) async fn password_grant(app: &App, user: &str, scope: &str) -> Response {
    let form = [
        ("grant_type", "password"),
        ("username", user),
        ("password", PASSWORD),
        ("client_id", &client_id(app).await),
        ("scope", scope),
    ];
    let request = app.http().post(&crema_testkit::flow::method("get_token"));
    request.form(&form).send().await
}

/// Somebody with an access token.
pub(crate) struct Mobile<'a> {
    app: &'a App,
    token: String,
}

impl<'a> Mobile<'a> {
    /// With the guide's client and password grant, for everything.
    pub(crate) async fn of(app: &'a App, user: &str) -> Mobile<'a> {
        let answer = password_grant(app, user, "all openid").await;
        let token = answer.tokens().access_token;
        Mobile { app, token }
    }

    /// With a client that may ask for these scopes only.
    pub(crate) async fn with_scope(app: &'a App, user: &str, scope: &str) -> Mobile<'a> {
        let spec = ClientSpec::new("https://client.example/cb")
            .scopes(scope)
            .with("skip_authorization", "1");
        let client = app.add_client(spec).await;
        let mut visitor = app.signed_in(user, PASSWORD).await;
        let code = visitor.code(&client, &[("scope", scope)]).await;
        let answer = app.http().redeem(&client, &code, &[]).await;
        let token = answer.tokens().access_token;
        Mobile { app, token }
    }

    pub(crate) async fn get(&self, method: &str, query: &[(&str, &str)]) -> Response {
        let path = format!("/api/method/crm.api.mobile_api.{method}");
        let request = self.app.http().get(&path).query(query);
        request.bearer(&self.token).send().await
    }

    pub(crate) async fn post(&self, method: &str, body: Value) -> Response {
        let path = format!("/api/method/crm.api.mobile_api.{method}");
        self.send(&path, body).await
    }

    pub(crate) async fn send(&self, path: &str, body: Value) -> Response {
        let request = self.app.http().post(path).json(&body);
        request.bearer(&self.token).send().await
    }

    /// Makes a task and gives its number.
    pub(crate) async fn task(&self, body: Value) -> i64 {
        message(&self.post("create_task", body).await)["name"]
            .as_i64()
            .unwrap()
    }
}

/// The result of a method.
pub(crate) fn message(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["message"].clone()
}

/// That a call was refused like this, in Frappe's envelope.
pub(crate) fn refused(answer: &Response, status: u16, exc_type: &str, says: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.member("exc_type"), exc_type, "{text}");
    let messages = answer.json()["_server_messages"].clone();
    assert!(
        messages.as_str().is_some_and(|said| said.contains(says)),
        "{says}: {text}"
    );
    assert!(answer.json()["exception"].is_string(), "{text}");
}

/// The titles of a list of tasks.
pub(crate) fn titles(tasks: &Value) -> Vec<&str> {
    let tasks = tasks.as_array().unwrap().iter();
    tasks.map(|task| task["title"].as_str().unwrap()).collect()
}

/// A task of the day.
pub(crate) fn task(title: &str, priority: &str) -> Value {
    json!({"title": title, "priority": priority})
}
