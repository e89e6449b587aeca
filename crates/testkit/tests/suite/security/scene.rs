//! What most of these tests begin with: a user, clients, a flow, and a look at the audit trail.

use crema_document::version;
use crema_store::{Row, Value};
use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Engine, Http, Request, TestClient, Tokens, Visitor};

/// A System User without special roles.
pub(super) const USER: &str = "user@example.com";
/// The password of [`USER`].
pub(super) const PASSWORD: &str = "correct-Horse-9";
/// Where the usual client is sent back to.
pub(super) const REDIRECT: &str = "https://client.example/cb";

/// The usual app with [`USER`].
pub(super) async fn start() -> App {
    let app = App::start(Engine::Sqlite).await;
    add_user(&app).await;
    app
}

/// An app behind a trusted proxy, with [`USER`]: what `X-Forwarded-For` says counts.
pub(super) async fn start_behind_proxy(engine: Engine) -> App {
    let builder = App::builder().engine(engine);
    let app = builder
        .config("trusted_proxies", serde_json::json!(["127.0.0.1"]))
        .build()
        .await;
    add_user(&app).await;
    app
}

/// Makes [`USER`].
pub(super) async fn add_user(app: &App) {
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
}

/// [`USER`] with a browser, signed in.
pub(super) async fn signed_in(app: &App) -> Visitor {
    app.signed_in(USER, PASSWORD).await
}

/// A confidential client of Frappe's kind: Basic, `all openid`.
pub(super) async fn confidential(app: &App) -> TestClient {
    app.add_client(ClientSpec::new(REDIRECT)).await
}

/// A public client.
pub(super) async fn public(app: &App) -> TestClient {
    app.add_client(ClientSpec::public(REDIRECT)).await
}

/// A code for [`USER`], who signs in for it.
pub(super) async fn code(app: &App, client: &TestClient, scope: &str) -> String {
    let mut visitor = signed_in(app).await;
    visitor.code(client, &[("scope", scope)]).await
}

/// Tokens for [`USER`], who signs in for them.
pub(super) async fn tokens(app: &App, client: &TestClient, scope: &str) -> Tokens {
    let code = code(app, client, scope).await;
    app.http().redeem(client, &code, &[]).await.tokens()
}

/// A POST to a method of `frappe.integrations.oauth2` with these parameters and nothing else.
pub(super) fn call(http: &Http, name: &str, params: &[(&str, &str)]) -> Request {
    http.post(&method(name)).form(params)
}

/// Whether the access token opens the API.
pub(super) async fn is_alive(http: &Http, access_token: &str) -> bool {
    match http.logged_user(access_token).await.status {
        200 => true,
        401 => false,
        other => panic!("status {other}"),
    }
}

/// The rows of the audit trail with that operation, the oldest first: status, user, client,
/// address, content, subject.
pub(super) async fn audit(app: &App, operation: &str) -> Vec<Row> {
    app.rows(
        "SELECT status, \"user\", reference_name, ip_address, content, subject, creation \
         FROM \"tabActivity Log\" WHERE operation = ? ORDER BY creation, name",
        vec![Value::from(operation)],
    )
    .await
}

/// Changes records as no use case does, and lets every process know.
pub(super) async fn force(app: &App, sql: &str, params: Vec<Value>) {
    assert!(app.execute(sql, params).await > 0, "{sql}");
    bump(app).await;
}

/// Tells every process that clients, users or settings have changed.
pub(super) async fn bump(app: &App) {
    let database = app.database().await;
    let bumped = database.write(|tx| Box::pin(async move { version::bump(tx).await }));
    bumped.await.expect("the version was not moved");
}
