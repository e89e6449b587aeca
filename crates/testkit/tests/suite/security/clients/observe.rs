//! `Observe`: three things pass, and nothing else.

use crema_auth::client;
use crema_protocol::client_rules::AuthMethod;
use crema_testkit::{ClientSpec, VERIFIER};

use crate::security::scene::{self, REDIRECT, call};

fn observed() -> ClientSpec {
    ClientSpec::new(REDIRECT).with("enforcement", "Observe")
}

// spec: security.md, Clients, line 5
#[tokio::test]
async fn observe_lets_absent_client_authentication_pass_and_writes_it_down() {
    let app = scene::start().await;
    let client = app.add_client(observed()).await;
    let code = scene::code(&app, &client, "openid").await;
    let bare = client.by(AuthMethod::None);
    let tokens = app
        .http()
        .redeem(&bare, &code, &[("code_verifier", "")])
        .await
        .tokens();
    let refreshed = app
        .http()
        .refresh(&bare, &tokens.refresh_token)
        .await
        .tokens();
    assert_eq!(
        app.http()
            .revoke(&bare, &refreshed.access_token)
            .await
            .status,
        200
    );
    assert!(!scene::is_alive(&app.http(), &refreshed.access_token).await);
    let rows = scene::audit(&app, "OAuth Observe").await;
    assert_eq!(rows.len(), 1, "counted per minute and address");
    let content: serde_json::Value = serde_json::from_str(rows[0].text(4).unwrap()).unwrap();
    assert_eq!(content["violation"], "client_authentication_absent");
    assert_eq!(content["count"], 3);
    let report = client::report(&app.ctx().await).await.unwrap();
    assert!(report.iter().any(|row| row.client_id == client.client_id));
    app.close().await;
}

// spec: security.md, Clients, line 5
#[tokio::test]
async fn observe_never_lets_wrong_credentials_pass() {
    let app = scene::start().await;
    let http = app.http();
    let client = app.add_client(observed()).await;
    let code = scene::code(&app, &client, "openid").await;
    let mut wrong = client.clone();
    wrong.client_secret = Some("wrong".to_owned());
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let refused = http.redeem(&wrong.by(method), &code, &[]).await;
        assert_eq!(
            (refused.status, refused.error().as_str()),
            (401, "invalid_client")
        );
    }
    let empty = call(&http, "revoke_token", &[("token", "x")]).basic(&client.client_id, "");
    assert_eq!(empty.send().await.status, 401);
    let unknown = [("token", "x"), ("client_id", "unknown")];
    assert_eq!(
        call(&http, "revoke_token", &unknown).send().await.status,
        401
    );
    // A wrong attempt burns nothing.
    let answer = http.redeem(&client, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    app.close().await;
}

// spec: security.md, Clients, line 5
#[tokio::test]
async fn observe_lets_absent_pkce_pass_but_no_wrong_verifier() {
    let app = scene::start().await;
    let spec = ClientSpec::public(REDIRECT).with("enforcement", "Observe");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = visitor.code(&client, &none).await;
    let tokens = app
        .http()
        .redeem(&client, &code, &[("code_verifier", "")])
        .await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let rows = scene::audit(&app, "OAuth Observe").await;
    assert!(rows[0].text(4).unwrap().contains("pkce_absent"));

    let code = visitor.code(&client, &[]).await;
    let wrong = VERIFIER.replace('d', "e");
    let refused = app
        .http()
        .redeem(&client, &code, &[("code_verifier", &wrong)])
        .await;
    assert_eq!(refused.error(), "invalid_grant");
    let code = visitor.code(&client, &[]).await;
    let refused = app
        .http()
        .redeem(&client, &code, &[("code_verifier", "")])
        .await;
    assert_eq!(refused.error(), "invalid_grant");
    let plain = [
        ("code_challenge", VERIFIER),
        ("code_challenge_method", "plain"),
    ];
    let redirect = visitor.grant(&client, &plain).await;
    assert_eq!(redirect.param("error"), "invalid_request");
    app.close().await;
}

// spec: security.md, Clients, line 5
#[tokio::test]
async fn observe_lets_another_method_pass_with_the_right_secret() {
    let app = scene::start().await;
    let client = app
        .add_client(observed().with("strict_client_auth", "1"))
        .await;
    let by_post = client.by(AuthMethod::ClientSecretPost);
    assert_eq!(app.http().revoke(&by_post, "x").await.status, 200);
    let rows = scene::audit(&app, "OAuth Observe").await;
    assert!(rows[0].text(4).unwrap().contains("other_method"));
    let mut wrong = by_post;
    wrong.client_secret = Some("wrong".to_owned());
    assert_eq!(app.http().revoke(&wrong, "x").await.status, 401);
    app.close().await;
}

// spec: security.md, Clients, line 5: nothing else passes
#[tokio::test]
async fn observe_relaxes_neither_redirect_uris_nor_scopes_nor_who_may_look() {
    let app = scene::start().await;
    let http = app.http();
    let spec = observed()
        .grant_types("authorization_code refresh_token client_credentials")
        .with("user", scene::USER);
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let elsewhere = [
        ("client_id", client.client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", "https://evil.example/cb"),
    ];
    let refused = visitor.authorize(&elsewhere).await;
    assert_eq!((refused.status, refused.location()), (400, None));
    let redirect = visitor.grant(&client, &[("scope", "admin")]).await;
    assert_eq!(redirect.param("error"), "invalid_scope");
    let redirect = visitor.grant(&client, &[("response_type", "token")]).await;
    assert_eq!(redirect.param("error"), "unauthorized_client");
    // Who proved nothing sees nothing and does not act as the client's user.
    let bare = client.by(AuthMethod::None);
    assert_eq!(http.introspect(&bare, "x").await.status, 401);
    let own = [("grant_type", "client_credentials"), ("scope", "all")];
    assert_eq!(http.token(&bare, &own).await.error(), "invalid_client");
    assert_eq!(http.token(&client, &own).await.status, 200);
    let code = visitor.code(&client, &[]).await;
    let other = http.redeem(
        &client,
        &code,
        &[("redirect_uri", "https://evil.example/cb")],
    );
    assert_eq!(other.await.error(), "invalid_grant");
    app.close().await;
}

// spec: security.md, Clients, line 5: new clients enforce
#[tokio::test]
async fn new_clients_enforce() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let shown = client::show(&app.ctx().await, &client.client_id)
        .await
        .unwrap();
    assert_eq!(shown["enforcement"], "Enforce");
    let bare = client.by(AuthMethod::None);
    assert_eq!(app.http().revoke(&bare, "x").await.status, 401);
    app.close().await;
}
