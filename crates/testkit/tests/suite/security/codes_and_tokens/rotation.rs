//! Refreshing: rotation, reuse, ownership, shrinking scopes.

use crema_store::Value;
use crema_testkit::{App, ClientSpec, Response, TestClient, for_each_engine};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER, is_alive};

fn assert_not_valid(answer: &Response) {
    let seen = (answer.status, answer.error());
    assert_eq!(seen, (400, "invalid_grant".to_owned()), "{}", answer.text());
}

/// Past every grace window.
fn later(app: &App) {
    app.clock.advance_seconds(60);
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 3: every refresh rotates, the old access token dies
    async fn every_refresh_gives_a_new_pair_and_ends_the_old_one(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let http = app.http();
        let mut tokens = scene::tokens(app, &client, "openid").await;
        for _ in 0..4 {
            let next = http.refresh(&client, &tokens.refresh_token).await.tokens();
            assert_ne!(next.access_token, tokens.access_token);
            assert_ne!(next.refresh_token, tokens.refresh_token);
            assert!(next.id_token.is_some());
            assert!(!is_alive(&http, &tokens.access_token).await);
            assert!(is_alive(&http, &next.access_token).await);
            tokens = next;
            later(app);
        }
        let live = app.count(
            "SELECT count(*) FROM \"tabOAuth Bearer Token\" WHERE status = 'Active'", vec![]).await;
        assert_eq!(live, 1, "there is never a second live pair in a family");
    }

    // spec: security.md, Codes and tokens, line 3: reuse revokes the whole family
    async fn a_second_use_after_the_grace_window_ends_the_family(app: &App) {
        scene::add_user(app).await;
        let client = scene::public(app).await;
        let http = app.http();
        let second = app.second_server().await;
        let stolen = scene::tokens(app, &client, "openid").await;
        let mut newest = http.refresh(&client, &stolen.refresh_token).await.tokens();
        later(app);
        newest = http.refresh(&client, &newest.refresh_token).await.tokens();
        let other = scene::tokens(app, &client, "openid").await;
        later(app);
        assert_not_valid(&second.http().refresh(&client, &stolen.refresh_token).await);
        for http in [&http, &second.http()] {
            assert!(!is_alive(http, &newest.access_token).await);
            assert!(is_alive(http, &other.access_token).await, "another family");
        }
        assert_not_valid(&http.refresh(&client, &newest.refresh_token).await);
        let reuse = scene::audit(app, "Refresh Reuse").await;
        assert_eq!(reuse.len(), 1);
        assert_eq!(reuse[0].text(0).unwrap(), "Failed");
        assert_eq!(reuse[0].text(2).unwrap(), client.client_id);
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 3: the hashes outlive Frappe's rows
    async fn reuse_is_recognised_although_frappes_rows_are_cleared(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let tokens = scene::tokens(app, &client, "openid").await;
        let newest = app.http().refresh(&client, &tokens.refresh_token).await.tokens();
        scene::force(app, "DELETE FROM \"tabOAuth Bearer Token\" WHERE status = ?",
            vec!["Revoked".into()]).await;
        later(app);
        assert_not_valid(&app.http().refresh(&client, &tokens.refresh_token).await);
        assert!(!is_alive(&app.http(), &newest.access_token).await);
        assert_eq!(scene::audit(app, "Refresh Reuse").await.len(), 1);
    }

    // spec: security.md, Codes and tokens, line 3: a refresh belongs to its client, and only the
    // owning, authenticated client revokes by a replay
    async fn another_clients_attempt_neither_burns_nor_revokes(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let others = [scene::confidential(app).await, scene::public(app).await];
        let mut guesser = client.clone();
        guesser.client_secret = Some("wrong".to_owned());
        let http = app.http();
        let tokens = scene::tokens(app, &client, "openid").await;
        for other in &others {
            assert_not_valid(&http.refresh(other, &tokens.refresh_token).await);
        }
        assert_eq!(http.refresh(&guesser, &tokens.refresh_token).await.status, 401);
        let next = http.refresh(&client, &tokens.refresh_token).await.tokens();
        later(app);
        for other in &others {
            assert_not_valid(&http.refresh(other, &tokens.refresh_token).await);
        }
        assert_eq!(http.refresh(&guesser, &tokens.refresh_token).await.status, 401);
        assert!(is_alive(&http, &next.access_token).await);
        assert_eq!(http.refresh(&client, &next.refresh_token).await.status, 200);
        assert!(scene::audit(app, "Refresh Reuse").await.is_empty());
    }
}

async fn narrow(app: &App, client: &TestClient, token: &str, scope: &str) -> Response {
    let params = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("scope", scope),
    ];
    app.http().token(client, &params).await
}

// spec: security.md, Codes and tokens, line 3: scope can only shrink
#[tokio::test]
async fn scope_can_only_shrink() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid email").await;
    for more in ["openid email all", "all", "openid EMAIL", "openid roles"] {
        let refused = narrow(&app, &client, &tokens.refresh_token, more).await;
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (400, "invalid_scope"),
            "{more}"
        );
    }
    // None of that was a use.
    let less = narrow(&app, &client, &tokens.refresh_token, "openid")
        .await
        .tokens();
    assert_eq!(less.scope, "openid");
    let wider = narrow(&app, &client, &less.refresh_token, "openid email").await;
    assert_eq!(wider.error(), "invalid_scope");
    let same = app
        .http()
        .refresh(&client, &less.refresh_token)
        .await
        .tokens();
    assert_eq!(same.scope, "openid");
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: refresh tokens come with code and password only
#[tokio::test]
async fn refresh_tokens_come_with_code_and_password_grants_only() {
    let app = scene::start().await;
    let all = "authorization_code refresh_token password client_credentials implicit";
    let spec = ClientSpec::new(REDIRECT)
        .grant_types(all)
        .with("user", USER);
    let client = app.add_client(spec).await;
    let own = [
        ("grant_type", "client_credentials"),
        ("scope", "all openid"),
    ];
    let own = app.http().token(&client, &own).await;
    let own = own.tokens();
    assert_eq!((own.refresh_token.as_str(), own.id_token), ("", None));
    let password = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
        ("scope", "openid"),
    ];
    let password = app.http().token(&client, &password).await.tokens();
    assert!(!password.refresh_token.is_empty() && password.id_token.is_some());
    assert_eq!(
        app.http()
            .refresh(&client, &password.refresh_token)
            .await
            .status,
        200
    );
    let mut visitor = scene::signed_in(&app).await;
    let implicit = visitor
        .grant(&client, &[("response_type", "token"), ("scope", "all")])
        .await;
    assert!(!implicit.params.contains_key("refresh_token"));
    let access = implicit.param("access_token");
    assert_not_valid(&app.http().refresh(&client, access).await);

    let without = app
        .add_client(ClientSpec::new(REDIRECT).grant_types("authorization_code"))
        .await;
    let tokens = scene::tokens(&app, &without, "openid").await;
    assert_eq!(tokens.refresh_token, "");
    let refused = app.http().refresh(&without, "x").await;
    assert_eq!(refused.error(), "unauthorized_client");
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: the grants that are switches
#[tokio::test]
async fn grants_that_a_client_does_not_have_are_refused() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let password = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
    ];
    let refused = app.http().token(&client, &password).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (400, "unauthorized_client")
    );
    let own = app
        .http()
        .token(&client, &[("grant_type", "client_credentials")])
        .await;
    assert_eq!(own.error(), "unauthorized_client");
    let implicit = app
        .http()
        .token(&client, &[("grant_type", "implicit")])
        .await;
    assert_eq!(implicit.error(), "unsupported_grant_type");
    let mut visitor = scene::signed_in(&app).await;
    let token = visitor.grant(&client, &[("response_type", "token")]).await;
    assert_eq!(token.param("error"), "unauthorized_client");
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: rotation can be switched off per client
#[tokio::test]
async fn rotation_can_be_switched_off_per_client() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).with("refresh_rotation", "0");
    let client = app.add_client(spec).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let mut newest = tokens.clone();
    for _ in 0..3 {
        newest = app
            .http()
            .refresh(&client, &tokens.refresh_token)
            .await
            .tokens();
        assert_eq!(newest.refresh_token, tokens.refresh_token);
        assert_ne!(newest.access_token, tokens.access_token);
        later(&app);
    }
    app.http().revoke(&client, &tokens.refresh_token).await;
    assert_not_valid(&app.http().refresh(&client, &tokens.refresh_token).await);
    assert!(!is_alive(&app.http(), &newest.access_token).await);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3
#[tokio::test]
async fn what_is_no_refresh_token_gives_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let stored = crema_crypto::hash_hex(&tokens.refresh_token);
    let like = format!("{}%", &tokens.refresh_token[..5]);
    for wrong in [
        "x",
        "%",
        &like,
        &stored,
        &tokens.access_token,
        &tokens.refresh_token[1..],
    ] {
        assert_not_valid(&app.http().refresh(&client, wrong).await);
    }
    assert_eq!(
        app.http().refresh(&client, "").await.error(),
        "invalid_request"
    );
    let rows = "SELECT count(*) FROM \"tabOAuth Bearer Token\" WHERE status = ?";
    assert_eq!(app.count(rows, vec![Value::from("Active")]).await, 1);
    app.close().await;
}
