//! The bootstrap over HTTP, and that what it makes works as the guide says.

use crema_testkit::{App, ClientSpec, Engine, for_each_engine};
use serde_json::{Value, json};

use super::{
    BOSS, DESK, Mobile, PASSWORD, SUE, client_id, message, password_grant, refused, start,
};

const METHOD: &str = "/api/method/crm.setup.oauth_bootstrap.bootstrap_site";
const SITE: &str = "trust.localhost";
const ADMIN: &str = "Administrator";

fn bootstrapped(client_id: &str) -> Value {
    json!({
        "ok": true,
        "site": SITE,
        "client_id": client_id,
        "redirect_uris": [
            "app.trust://oauth2redirect",
            format!("https://{SITE}/oauth/callback"),
        ],
        "grant_types": ["authorization_code", "password", "refresh_token"],
        "message": "OAuth Client configured successfully",
    })
}

for_each_engine! {
    // spec: crm.md, Bootstrap
    async fn a_system_manager_bootstraps_as_often_as_he_likes(engine: Engine) {
        let app = start(engine).await;
        let id = client_id(&app).await;
        let boss = Mobile::of(&app, BOSS).await;
        let changes = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'"#;
        let before = app.count(changes, vec![]).await;
        let result = message(&boss.send(METHOD, json!({})).await);
        assert_eq!(result, bootstrapped(&id));
        // A public client has no secret to show.
        let result = message(&boss.send(METHOD, json!({"print_client_secret": 1})).await);
        assert_eq!(result, bootstrapped(&id));
        assert_eq!(app.count(changes, vec![]).await, before, "nothing was to be changed");

        // What was changed by hand is put right; what managers decide stays.
        app.execute(r#"UPDATE "tabOAuth Client" SET redirect_uris = 'https://x.example/cb'"#, vec![])
            .await;
        message(&boss.send(METHOD, json!({})).await);
        let row = app.rows(r#"SELECT redirect_uris, enabled FROM "tabOAuth Client""#, vec![]).await;
        assert!(row[0].text(0).unwrap().contains("app.trust://oauth2redirect"));
        app.close().await;
    }

    // spec: crm.md, Bootstrap: idempotent, and safe to run in parallel
    async fn of_many_at_once_one_makes_the_client(engine: Engine) {
        let app = start(engine).await;
        let second = app.second_server().await;
        app.set_password(ADMIN, PASSWORD).await;
        let mut admin = app.signed_in(ADMIN, PASSWORD).await;
        let csrf_token = admin.csrf_token().await;
        let cookies = admin.cookie_header();
        app.execute(r#"DELETE FROM "tabOAuth Client""#, vec![]).await;
        let mut racers = tokio::task::JoinSet::new();
        for number in 0..8 {
            let http = if number % 2 == 0 { app.http() } else { second.http() };
            let form = [("generate_user_keys", "1"), ("csrf_token", csrf_token.as_str())];
            let request = http.post(METHOD).form(&form).header("Cookie", &cookies);
            racers.spawn(request.send());
        }
        let results: Vec<Value> = racers.join_all().await.iter().map(message).collect();
        let id = client_id(&app).await;
        assert!(results.iter().all(|result| result["client_id"] == id.as_str()), "{results:?}");
        let key = &results[0]["user_keys"][SUE]["api_key"];
        let sues = || results.iter().map(|result| &result["user_keys"][SUE]);
        assert!(sues().all(|pair| pair["api_key"] == *key), "{results:?}");
        assert_eq!(sues().filter(|pair| pair["api_secret"].is_string()).count(), 1);
        second.stop().await;
        app.close().await;
    }

    // spec: crm.md, "the patch `crm.patches.v1_0.ensure_mobile_oauth_and_tokens` (`migrate`)"
    async fn the_patch_runs_once_on_sites_that_had_the_app(engine: Engine) {
        let app = start(engine).await;
        let ran = r#"SELECT COUNT(*) FROM "tabPatch Log"
            WHERE patch = 'crm.patches.v1_0.ensure_mobile_oauth_and_tokens'"#;
        assert_eq!(app.count(ran, vec![]).await, 1, "installing does what it does");
        app.execute(r#"DELETE FROM "tabPatch Log" WHERE patch LIKE 'crm.%'"#, vec![]).await;
        app.execute(r#"DELETE FROM "tabOAuth Client""#, vec![]).await;
        let ctx = app.ctx().await;
        let done = crema_auth::apps::patches(&ctx).await.unwrap();
        assert!(done[0].contains("ensure_mobile_oauth_and_tokens"), "{done:?}");
        client_id(&app).await;
        assert_eq!(crema_auth::apps::patches(&ctx).await.unwrap(), Vec::<String>::new());
        assert_eq!(app.count(ran, vec![]).await, 1);
        app.close().await;
    }

    // spec: crm.md, "`user_keys` (per user: api_key, and the secret only on first generation)"
    async fn user_keys_are_drawn_once(engine: Engine) {
        let app = start(engine).await;
        app.set_password(ADMIN, PASSWORD).await;
        let mut admin = app.signed_in(ADMIN, PASSWORD).await;
        let csrf_token = admin.csrf_token().await;
        let form = [("generate_user_keys", "1"), ("csrf_token", csrf_token.as_str())];
        let first = message(&admin.post(METHOD, &form).await)["user_keys"].clone();
        let names: Vec<_> = first.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, [BOSS, super::LEAD, SUE, super::TOM]);
        let pair = |part: &str| first[SUE][part].as_str().unwrap().to_owned();
        let key = format!("token {}:{}", pair("api_key"), pair("api_secret"));
        let home = app.http().get("/api/method/crm.api.mobile_api.home_tasks");
        message(&home.header("Authorization", &key).send().await);
        let again = message(&admin.post(METHOD, &form).await)["user_keys"].clone();
        assert_eq!(again[SUE], json!({"api_key": pair("api_key")}));
        // Who lacks a role of somebody makes no key for them.
        let boss = Mobile::of(&app, BOSS).await;
        let result = message(&boss.send(METHOD, json!({"generate_user_keys": 1})).await);
        assert!(result["user_keys"][SUE]["error"].is_string(), "{result}");
        assert!(result["user_keys"][BOSS]["api_key"].is_string(), "{result}");
        app.clock.advance(std::time::Duration::from_secs(601));
        let stale = boss.send(METHOD, json!({"generate_user_keys": 1})).await;
        refused(&stale, 403, "PermissionError", "Sign in again");
        app.close().await;
    }
}

#[tokio::test]
async fn nobody_else_bootstraps() {
    let app = start(Engine::Sqlite).await;
    assert_eq!(app.http().post(METHOD).send().await.status, 401);
    let sue = Mobile::of(&app, SUE).await;
    refused(
        &sue.send(METHOD, json!({})).await,
        403,
        "PermissionError",
        "System Manager",
    );
    let narrow = Mobile::with_scope(&app, BOSS, "crm_task:*").await;
    let answer = narrow.send(METHOD, json!({})).await;
    let scope = "method:crm.setup.oauth_bootstrap.bootstrap_site";
    refused(&answer, 403, "PermissionError", scope);
    let named = Mobile::with_scope(&app, BOSS, scope).await;
    message(&named.send(METHOD, json!({})).await);
    app.close().await;
}

/// A stranger's client of the same name is not taken for ours.
#[tokio::test]
async fn a_client_that_registered_itself_is_never_adopted() {
    let app = App::builder().build().await;
    let spec = ClientSpec::public("https://evil.example/cb").with("app_name", "Mobile App");
    let stranger = app.add_client(spec.dynamically_registered()).await;
    app.install_app("crm").await;
    let ids = app.rows(
        r#"SELECT client_id FROM "tabOAuth Client" WHERE dynamically_registered = 0"#,
        vec![],
    );
    let ids = ids.await;
    assert_eq!(ids.len(), 1);
    assert_ne!(ids[0].text(0).unwrap(), stranger.client_id);
    app.close().await;
}

// spec: crm.md, "Settings for it in site config under `crm_oauth`"
#[tokio::test]
async fn the_configuration_says_what_is_made() {
    let app = App::builder()
        .config(
            "crm_oauth",
            json!({
                "OAUTH_APP_NAME": "Field App",
                "DEFAULT_REDIRECT_URIS": ["com.example.field://cb"],
                "DEFAULT_SCOPES": "openid crm_task:*",
                "ALLOWED_ROLES": ["Sales User"],
            }),
        )
        .build()
        .await;
    app.install_app("crm").await;
    let sql = r#"SELECT app_name, redirect_uris, scopes FROM "tabOAuth Client""#;
    let row = &app.rows(sql, vec![]).await[0];
    assert_eq!(row.text(0).unwrap(), "Field App");
    assert_eq!(row.text(1).unwrap(), "com.example.field://cb");
    assert_eq!(row.text(2).unwrap(), "openid crm_task:*");
    let roles = r#"SELECT role FROM "tabOAuth Client Role""#;
    assert_eq!(
        app.rows(roles, vec![]).await[0].text(0).unwrap(),
        "Sales User"
    );
    app.add_user(BOSS, PASSWORD, &["System Manager"]).await;
    app.set_config("crm_oauth", json!({"DEFAULT_SCOPES": 5}));
    let boss = Mobile::with_scope(&app, BOSS, "all").await;
    let answer = boss.send(METHOD, json!({})).await;
    refused(&answer, 417, "ValidationError", "DEFAULT_SCOPES");
    app.close().await;
}

/// The guide's chapter 7: password grant, the API, refresh, PKCE with the deep link.
#[tokio::test]
async fn the_flows_of_the_guide_work() {
    let app = start(Engine::Sqlite).await;
    let answer = password_grant(&app, SUE, "all openid").await;
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let tokens = answer.tokens();
    let home = app
        .http()
        .get("/api/method/crm.api.mobile_api.home_tasks?limit=5");
    let home = home.bearer(&tokens.access_token).send().await;
    assert_eq!(message(&home), json!({"today": [], "limit": 5}));
    let id = client_id(&app).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
        ("client_id", id.as_str()),
    ];
    let token = crema_testkit::flow::method("get_token");
    assert_eq!(app.http().post(&token).form(&form).send().await.status, 200);
    // Somebody without one of the three roles is not let in.
    assert_ne!(password_grant(&app, DESK, "all").await.status, 200);

    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let mut sue = app.signed_in(SUE, PASSWORD).await;
    let back = sue
        .authorize_and_allow(&[
            ("client_id", &id),
            ("response_type", "code"),
            ("redirect_uri", "app.trust://oauth2redirect"),
            ("scope", "all openid"),
            ("state", "random_state_token"),
            ("code_challenge", &crema_testkit::flow::challenge(verifier)),
            ("code_challenge_method", "S256"),
        ])
        .await;
    let back = crema_testkit::Redirect::of(&back);
    assert_eq!(back.param("state"), "random_state_token");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", back.param("code")),
        ("redirect_uri", "app.trust://oauth2redirect"),
        ("client_id", id.as_str()),
        ("code_verifier", verifier),
    ];
    assert_eq!(app.http().post(&token).form(&form).send().await.status, 200);
    app.close().await;
}
