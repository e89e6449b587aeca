//! Registration only for those who bring a token that an administrator made (RFC 7591 §3).

use crema_auth::register::initial;
use crema_testkit::{App, Engine, Http, for_each_engine};
use serde_json::json;

use super::{PASSWORD, SETTINGS, USER, clients, public, refused, registration};

const REQUIRED: [(&str, &str); 2] = [
    ("initial_access_token_required", "1"),
    ("registration_limit", "1000"),
];

async fn token(app: &App, uses: Option<u32>, expires_in: Option<i64>) -> initial::NewToken {
    let ctx = app.ctx().await;
    initial::add(&ctx, "Administrator", uses, expires_in)
        .await
        .unwrap()
}

async fn register(http: &Http, token: &str) -> u16 {
    let answer = registration(http, &public()).bearer(token).send().await;
    if answer.status != 201 {
        refused(&answer, 401, "invalid_token");
    }
    answer.status
}

for_each_engine! {
    // spec: standards.md, I, "initial access token optional policy"
    async fn who_brings_none_or_a_wrong_one_is_refused(app: &App) {
        let http = app.http();
        app.set_settings(SETTINGS, &REQUIRED).await;
        let before = clients(app).await;
        refused(&registration(&http, &public()).send().await, 401, "invalid_token");
        assert_eq!(register(&http, "nosuch").await, 401);
        let basic = registration(&http, &public()).basic("a", "b").send().await;
        refused(&basic, 401, "invalid_token");
        assert_eq!(clients(app).await, before);

        let good = token(app, None, Some(60)).await;
        for _ in 0..3 {
            assert_eq!(register(&http, good.token.expose()).await, 201);
        }
        assert_eq!(clients(app).await, before + 3);
        // A registration that is refused costs no use.
        let once = token(app, Some(1), None).await;
        let bad = registration(&http, &json!({})).bearer(once.token.expose()).send().await;
        refused(&bad, 400, "invalid_client_metadata");
        assert_eq!(register(&http, once.token.expose()).await, 201);
        assert_eq!(register(&http, once.token.expose()).await, 401);

        app.clock.advance_seconds(60);
        assert_eq!(register(&http, good.token.expose()).await, 401, "expired");
        let revoked = token(app, None, None).await;
        initial::revoke(&app.ctx().await, "Administrator", &revoked.name).await.unwrap();
        assert_eq!(register(&http, revoked.token.expose()).await, 401);
        let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Authentication'
            AND status = 'Failed' AND content LIKE '%initial_access_token%'"#;
        assert!(app.count(sql, vec![]).await > 0);
        let listed = initial::list(&app.ctx().await).await.unwrap();
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|one| !one.active), "{listed:?}");
        assert!(listed.iter().any(|one| one.uses_left == Some(0)));
    }

    // The use of a token is counted in the transaction of the registration.
    async fn a_token_for_three_gives_three_clients_whoever_asks_at_once(app: &App) {
        app.set_settings(SETTINGS, &REQUIRED).await;
        let second = app.second_server().await;
        let three = token(app, Some(3), None).await;
        let before = clients(app).await;
        let mut tasks = Vec::new();
        for number in 0..12 {
            let http = if number % 2 == 0 { app.http() } else { second.http() };
            let token = three.token.expose().clone();
            tasks.push(tokio::spawn(async move { register(&http, &token).await }));
        }
        let mut admitted = 0;
        for task in tasks {
            admitted += i64::from(task.await.unwrap() == 201);
        }
        assert_eq!(admitted, 3);
        assert_eq!(clients(app).await, before + 3);
        let sql = r#"SELECT uses_left FROM "tabRegistration Access Token" WHERE name = ?"#;
        assert_eq!(app.count(sql, vec![three.name.as_str().into()]).await, 0);
        second.stop().await;
    }
}

// spec: http.md, Resource server, "a bad or undecodable header is 401"
#[tokio::test]
async fn where_none_is_needed_a_bad_one_is_refused_all_the_same() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    assert_eq!(register(&http, "nosuch").await, 401);
    let once = token(&app, Some(1), None).await;
    assert_eq!(register(&http, once.token.expose()).await, 201);
    assert_eq!(register(&http, once.token.expose()).await, 401);
    for header in ["Bearer", "Bearer a b", "token a:b", "", "Negotiate x"] {
        let request = registration(&http, &public()).header("Authorization", header);
        refused(&request.send().await, 401, "invalid_token");
    }
    app.close().await;
}

// spec: doctypes.md, "OAuth records are for System Managers"
#[tokio::test]
async fn system_managers_see_the_tokens_and_never_what_they_are() {
    let app = App::start(Engine::Sqlite).await;
    let made = token(&app, Some(2), None).await;
    app.add_user(USER, PASSWORD, &["System Manager"]).await;
    app.add_user("plain@example.com", PASSWORD, &["Report Manager"])
        .await;
    let path = "/api/resource/Registration%20Access%20Token";
    let mut manager = app.signed_in(USER, PASSWORD).await;
    let all = format!("{path}?fields=[%22*%22]");
    let request = manager.http().get(&all);
    let listed = manager.send(request).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let row = &listed.json()["data"][0];
    assert_eq!(
        (&row["purpose"], &row["uses_left"]),
        (&json!("Initial"), &json!(2))
    );
    let hash = crema_crypto::hash_hex(made.token.expose());
    assert!(
        !listed.text().contains(&hash) && !listed.text().contains(made.token.expose().as_str())
    );
    let request = manager
        .http()
        .request("DELETE", &format!("{path}/{}", made.name));
    let csrf = manager.csrf_token().await;
    let gone = manager
        .send(request.header("X-Frappe-CSRF-Token", &csrf))
        .await;
    assert_eq!(gone.status, 202, "{}", gone.text());
    assert_eq!(register(&app.http(), made.token.expose()).await, 401);
    let mut plain = app.signed_in("plain@example.com", PASSWORD).await;
    let request = plain.http().get(path);
    assert_eq!(plain.send(request).await.status, 403);
    app.close().await;
}
