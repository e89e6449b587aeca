//! `security.md`, section Audit.

use crema_auth::client;
use crema_auth::retention::{Kind, Sweep};
use crema_store::{Row, Value};
use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, TestClient, VERIFIER, for_each_engine};
use serde_json::Value as Json;

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

/// What one row of the trail says.
#[derive(Debug)]
struct Entry {
    status: String,
    user: String,
    reference: String,
    address: String,
    content: Json,
}

impl Entry {
    fn of(row: &Row) -> Entry {
        let text = |index| row.opt_text(index).unwrap().unwrap_or_default().to_owned();
        Entry {
            status: text(0),
            user: text(1),
            reference: text(2),
            address: text(3),
            content: serde_json::from_str(&text(4)).unwrap(),
        }
    }

    fn is(&self, status: &str, user: &str, reference: &str) -> bool {
        self.status == status && self.user == user && self.reference == reference
    }
}

/// The rows with that operation; each has a time, which is the clock's in the site's zone.
async fn entries(app: &App, operation: &str) -> Vec<Entry> {
    let rows = scene::audit(app, operation).await;
    for row in &rows {
        let zone = app.server().provider().await.site().time_zone().clone();
        let local = crema_document::LocalTime::from_micros(row.datetime(6).unwrap());
        assert!(zone.timestamp(local) <= app.ctx().await.now);
        assert!(!row.text(5).unwrap().is_empty(), "a sentence for people");
    }
    rows.iter().map(Entry::of).collect()
}

/// The one entry that is new.
async fn only(app: &App, operation: &str, status: &str, user: &str, reference: &str) -> Entry {
    let mut found = entries(app, operation).await;
    found.retain(|entry| entry.is(status, user, reference));
    assert_eq!(found.len(), 1, "{operation}: {found:?}");
    let entry = found.remove(0);
    assert_eq!(entry.address, "203.0.113.7", "{operation}");
    entry
}

/// The address that all of this comes from.
const FROM: (&str, &str) = ("X-Forwarded-For", "203.0.113.7");

async fn token(app: &App, client: &TestClient, params: &[(&str, &str)]) -> crema_testkit::Response {
    let request = app.http().client_request("get_token", client, params);
    request.header(FROM.0, FROM.1).send().await
}

async fn login(app: &App, usr: &str, pwd: &str) -> crema_testkit::Response {
    let request = app.http().post("/api/method/login").header(FROM.0, FROM.1);
    request.form(&[("usr", usr), ("pwd", pwd)]).send().await
}

for_each_engine! {
    // spec: security.md, Audit, line 1: logins, failures, lockouts
    async fn sign_ins_failures_lockouts_and_sign_outs_are_recorded(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        app.set_settings("System Settings", &[("allow_consecutive_login_attempts", "3")]).await;
        let answer = login(&app, USER, PASSWORD).await;
        only(&app, "Login", "Success", USER, "").await;
        for _ in 0..3 {
            login(&app, USER, "wrong").await;
        }
        let failures = only(&app, "Login", "Failed", USER, "").await;
        assert_eq!(failures.content["count"], 3, "counted per minute and address");
        let locks = entries(&app, "Lockout").await;
        assert_eq!(locks.len(), 2, "of the user and of the address");
        assert!(locks.iter().all(|entry| entry.status == "Failed"));
        app.clock.advance_seconds(61);
        login(&app, USER, "wrong").await;
        login(&app, "made-up-1@example.com", "wrong").await;
        login(&app, "made-up-2@example.com", "wrong").await;
        let failures = entries(&app, "Login").await;
        let minute: Vec<_> = failures.iter().filter(|entry| entry.status == "Failed").collect();
        assert_eq!(minute.len(), 3, "another minute, and one row for all who do not exist: {minute:?}");
        let request = app.http().post("/api/method/logout").header(FROM.0, FROM.1);
        let sid = answer.cookie("sid").unwrap().value;
        request.header("Cookie", &format!("sid={sid}")).send().await;
        only(&app, "Logout", "Success", USER, "").await;
        app.close().await;
    }

    // spec: security.md, Audit, line 1: consent, token issue, refresh, reuse, revocation
    async fn consents_tokens_reuse_and_revocations_are_recorded(engine: Engine) {
        let app = scene::start_behind_proxy(engine).await;
        let client = scene::confidential(&app).await;
        let id = client.client_id.as_str();
        let mut visitor = scene::signed_in(&app).await;
        let params = client.authorization(&[("scope", "openid")]);
        let query: Vec<_> = params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for decision in ["deny", "allow"] {
            let page = visitor.authorize(&query).await;
            let csrf = page.hidden_field("csrf_token").unwrap();
            let request = app.http().post(&page.form_action("allow").unwrap());
            let form = [("csrf_token", csrf.as_str()), ("decision", decision)];
            let answer = visitor.send(request.header(FROM.0, FROM.1).form(&form)).await;
            assert_eq!(answer.status, 302);
            if decision == "deny" {
                only(&app, "Consent", "Failed", USER, id).await;
                continue;
            }
            let consent = only(&app, "Consent", "Success", USER, id).await;
            assert_eq!(consent.content["scope"], "openid");
            let code = crema_testkit::Redirect::of(&answer).param("code").to_owned();
            let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)];
            let tokens = token(&app, &client, &form).await.tokens();
            let issued = only(&app, "Token Issued", "Success", USER, id).await;
            assert_eq!(issued.content["grant_type"], "authorization_code");

            let refresh = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh_token)];
            let refreshed = token(&app, &client, &refresh).await.tokens();
            let rows = app.rows(
                "SELECT client, \"user\", grant_type, issued_at FROM \"tabOAuth Bearer Token\"
                WHERE access_token = ?",
                vec![Value::from(crema_crypto::hash_hex(&refreshed.access_token))],
            ).await;
            assert_eq!(rows[0].text(0).unwrap(), id);
            assert_eq!(rows[0].text(1).unwrap(), USER);
            assert_eq!(rows[0].text(2).unwrap(), "refresh_token", "the row is the record");
            assert_eq!(rows[0].int(3).unwrap() / 1_000_000, scene::now(&app));

            app.clock.advance_seconds(60);
            assert_eq!(token(&app, &client, &refresh).await.status, 400);
            only(&app, "Refresh Reuse", "Failed", USER, id).await;
            assert_eq!(token(&app, &client, &form).await.status, 400);
            only(&app, "Code Reuse", "Failed", USER, id).await;
        }
        let tokens = scene::tokens(&app, &client, "openid").await;
        let request = app.http().client_request("revoke_token", &client, &[("token", &tokens.access_token)]);
        request.header(FROM.0, FROM.1).send().await;
        only(&app, "Revocation", "Success", USER, id).await;
        app.close().await;
    }
}

// spec: security.md, Audit, line 1: client and settings changes
#[tokio::test]
async fn changes_of_clients_and_settings_are_recorded() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let id = client.client_id.as_str();
    let ctx = app.ctx().await;
    app.change_client(&client, &[("skip_authorization", "1")])
        .await;
    client::rotate_secret(&ctx, "Administrator", id, 60)
        .await
        .unwrap();
    client::set_enabled(&ctx, "Administrator", id, false)
        .await
        .unwrap();
    client::delete(&ctx, "Administrator", id).await.unwrap();
    let changes = entries(&app, "Client Changed").await;
    assert_eq!(changes.len(), 5, "{changes:?}");
    assert!(
        changes
            .iter()
            .all(|entry| entry.is("Success", "Administrator", id))
    );
    assert!(
        changes
            .iter()
            .any(|entry| entry.content["skip_authorization"] == "1")
    );
    assert!(
        changes
            .iter()
            .any(|entry| entry.content["change"] == "secret rotated")
    );
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let settings = entries(&app, "Settings Changed").await;
    let last = settings.last().unwrap();
    assert_eq!(last.user, "Administrator");
    assert_eq!(last.content["settings"], "OAuth Settings");
    assert_eq!(last.content["skip_authorization"], "1");
    app.set_password(USER, "another-Password-1").await;
    assert_eq!(entries(&app, "Password Changed").await.len(), 1);
    app.close().await;
}

// spec: security.md, Audit, line 1: legacy switch use; product.md, rule 2
#[tokio::test]
async fn every_use_of_a_legacy_switch_is_recorded() {
    let app = scene::start_behind_proxy(crema_testkit::Engine::Sqlite).await;
    app.set_config("developer_mode", 1);
    let spec = ClientSpec::new(REDIRECT)
        .grant_types("authorization_code refresh_token implicit password")
        .with("allow_plain_pkce", "1")
        .with("skip_authorization", "1");
    let client = app.add_client(spec).await;
    let id = client.client_id.as_str();
    let mut visitor = scene::signed_in(&app).await;
    let uses = async || entries(&app, "Legacy Switch").await.len();
    let mut expected = 0;
    for changes in [
        vec![("response_type", "token")],
        vec![
            ("response_type", "id_token"),
            ("scope", "openid"),
            ("nonce", "n"),
        ],
        vec![
            ("response_type", "code id_token"),
            ("scope", "openid"),
            ("nonce", "n"),
        ],
        vec![
            ("code_challenge", VERIFIER),
            ("code_challenge_method", "plain"),
        ],
    ] {
        let redirect = visitor.grant(&client, &changes).await;
        assert!(!redirect.params.contains_key("error"), "{redirect:?}");
        expected += 1;
        assert_eq!(uses().await, expected, "{changes:?}");
    }
    let password = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
    ];
    assert_eq!(token(&app, &client, &password).await.status, 200);
    expected += 1;
    assert_eq!(uses().await, expected);
    let by_get = app.http().get(&method("get_token")).header(FROM.0, FROM.1);
    let by_get = by_get
        .basic(id, client.secret())
        .query(&password)
        .send()
        .await;
    assert_eq!(by_get.status, 200, "{}", by_get.text());
    expected += 2;
    assert_eq!(uses().await, expected, "the address and the password");
    for entry in entries(&app, "Legacy Switch").await {
        assert_eq!(
            (entry.status.as_str(), entry.reference.as_str()),
            ("Success", id)
        );
    }
    // What is strict is no news.
    let strict = scene::confidential(&app).await;
    let _ = scene::tokens(&app, &strict, "openid").await;
    assert_eq!(uses().await, expected);
    app.close().await;
}

// spec: security.md, Audit, line 1: `last_used` at most every 10 minutes
#[tokio::test]
async fn last_used_is_written_at_most_every_ten_minutes() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    // Written behind the answer: an answer tells nothing about when.
    let last_used = async || {
        for _ in 0..200 {
            let rows = app
                .rows("SELECT last_used FROM \"tabOAuth Bearer Token\"", vec![])
                .await;
            if let Some(moment) = rows[0].opt_datetime(0).unwrap() {
                return moment;
            }
            tokio::task::yield_now().await;
            app.http().get("/healthz").send().await;
        }
        panic!("never written");
    };
    assert!(scene::is_alive(&app.http(), &tokens.access_token).await);
    let first = last_used().await;
    app.clock.advance_seconds(599);
    for _ in 0..5 {
        assert!(scene::is_alive(&app.http(), &tokens.access_token).await);
    }
    assert_eq!(last_used().await, first);
    app.clock.advance_seconds(1);
    assert!(scene::is_alive(&app.http(), &tokens.access_token).await);
    let mut second = first;
    for _ in 0..200 {
        second = last_used().await;
        if second != first {
            break;
        }
        app.http().get("/healthz").send().await;
    }
    assert_eq!(second - first, 600_000_000);
    app.close().await;
}

// spec: security.md, Audit, line 1: retention settable
#[tokio::test]
async fn entries_are_kept_as_long_as_settings_say() {
    let app = scene::start().await;
    app.visitor().login(USER, PASSWORD).await;
    app.set_settings("OAuth Settings", &[("activity_log_retention_days", "30")])
        .await;
    app.clock.advance_seconds(29 * 86_400);
    clear_entries(&app).await;
    assert_eq!(entries(&app, "Login").await.len(), 1);
    app.clock.advance_seconds(2 * 86_400);
    clear_entries(&app).await;
    assert_eq!(entries(&app, "Login").await.len(), 0);
    app.close().await;
}

async fn clear_entries(app: &App) {
    let mut sweep = Sweep::new(Kind::Entries);
    while sweep.batch(&app.ctx().await).await.unwrap().more {}
}
