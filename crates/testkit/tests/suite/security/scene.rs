//! What most of these tests begin with: a user, clients, a flow, and a look at the audit trail.

use std::collections::BTreeMap;

use crema_document::row::{self, RowHead};
use crema_document::{Clock, version};
use crema_store::{Row, Value};
use crema_testkit::flow::method;
use crema_testkit::{
    App, ClientSpec, Engine, Http, Request, Response, TestClient, Tokens, Visitor,
};

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

/// The client's usual authorization request, changed.
pub(super) async fn authorize(
    visitor: &mut Visitor,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> Response {
    let params = client.authorization(changes);
    let pairs: Vec<_> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.authorize(&pairs).await
}

/// Whether this is the page that asks for consent.
pub(super) fn asks(response: &Response) -> bool {
    response.status == 200 && response.form_action("allow").is_some()
}

/// Whether this leads to the sign-in page.
pub(super) fn leads_to_login(response: &Response) -> bool {
    let location = response.location().unwrap_or_default();
    response.status == 302 && location.starts_with("/login?")
}

/// The parameters of a response in `response_mode=form_post`, and where they are sent.
pub(super) fn posted(response: &Response) -> (String, BTreeMap<String, String>) {
    let text = response.text();
    let (_, form) = text
        .split_once("<form id=\"form_post\"")
        .unwrap_or_else(|| panic!("no form: {text}"));
    let (form, _) = form.split_once("</form>").unwrap();
    let (_, action) = form.split_once("action=\"").unwrap();
    let (action, _) = action.split_once('"').unwrap();
    let names = form.split("<input type=\"hidden\" name=\"").skip(1);
    let names = names.map(|rest| rest.split('"').next().unwrap());
    let params = names.map(|name| (name.to_owned(), response.hidden_field(name).unwrap()));
    (action.to_owned(), params.collect())
}

/// Goes to the sign-in page that an answer leads to, signs in as [`USER`] with its form, and goes
/// on to where that leads.
pub(super) async fn sign_in_and_return(visitor: &mut Visitor, answer: &Response) -> Response {
    assert!(leads_to_login(answer), "{answer:?}");
    let form = visitor.get(answer.location().unwrap()).await;
    assert_eq!(form.status, 200, "the form is shown: {form:?}");
    let to = form.hidden_field("redirect-to").expect("the way back");
    let params = [
        ("usr", USER),
        ("pwd", PASSWORD),
        ("redirect-to", to.as_str()),
    ];
    let signed_in = visitor.post("/login", &params).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    visitor.get(signed_in.location().unwrap()).await
}

/// The clock's seconds.
pub(super) fn now(app: &App) -> i64 {
    app.clock.now().seconds()
}

/// Every value of every table, as text.
pub(super) async fn dump(app: &App) -> String {
    let mut dump = String::new();
    for table in app.database().await.tables().await.unwrap() {
        let rows = app
            .rows(&format!("SELECT * FROM \"{table}\""), vec![])
            .await;
        for value in rows.iter().flat_map(|row| row.values()) {
            match value {
                Value::Text(text) => dump.push_str(text),
                Value::Bytes(bytes) => dump.push_str(&String::from_utf8_lossy(bytes)),
                other => dump.push_str(&format!("{other:?}")),
            }
            dump.push('\n');
        }
    }
    dump
}

/// A Social Login Key with that Base URL.
pub(super) async fn insert_social_login_key(app: &App, name: &str, base_url: &str) {
    let provider = app.server().provider().await;
    let head = RowHead::new(
        name,
        "Administrator",
        provider.site().local(app.clock.now()),
    );
    let base_url = base_url.to_owned();
    let inserted = provider.database().write(move |tx| {
        let (head, base_url) = (head.clone(), base_url.clone());
        Box::pin(async move {
            let columns = vec![
                ("provider_name", Value::from(head.name.as_str())),
                ("enable_social_login", Value::from(1)),
                ("base_url", Value::from(base_url.as_str())),
            ];
            row::insert(tx, "Social Login Key", &head, columns).await
        })
    });
    inserted.await.expect("the key was not made");
    bump(app).await;
}
