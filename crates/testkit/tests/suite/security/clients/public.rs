//! Clients without a secret.

use crema_auth::Failure;
use crema_auth::client::{self, ClientFields, NewClient};
use crema_auth::user::ADMINISTRATOR;
use crema_protocol::client_rules::AuthMethod;
use crema_testkit::{App, ClientSpec, Redirect, VERIFIER, challenge};

use crate::security::scene::{self, REDIRECT, call};

fn registration(method: AuthMethod, algorithm: &str) -> ClientFields {
    ClientFields::new()
        .with("app_name", "Test Client")
        .with("redirect_uris", REDIRECT)
        .with("scopes", "all openid")
        .with("token_endpoint_auth_method", method.label())
        .with("id_token_signed_response_alg", algorithm)
}

async fn create(app: &App, fields: ClientFields) -> Result<String, Failure> {
    let ctx = app.ctx().await;
    let new = NewClient {
        fields,
        dynamically_registered: false,
    };
    let made = client::create(&ctx, ADMINISTRATOR, new).await?;
    Ok(made.client_id)
}

// spec: security.md, Clients, line 2
#[tokio::test]
async fn public_clients_send_their_client_id_and_nothing_else() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::public(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let id = client.client_id.as_str();
    for endpoint in ["get_token", "revoke_token", "introspect_token"] {
        let params = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh_token.as_str()),
            ("token", tokens.access_token.as_str()),
        ];
        let by_basic = call(&http, endpoint, &params).basic(id, "anything");
        let by_basic = by_basic.send().await;
        assert_eq!(
            (by_basic.status, by_basic.error().as_str()),
            (401, "invalid_client")
        );
        let mut with_secret = params.to_vec();
        with_secret.extend([("client_id", id), ("client_secret", "anything")]);
        let by_post = call(&http, endpoint, &with_secret).send().await;
        assert_eq!(
            (by_post.status, by_post.error().as_str()),
            (401, "invalid_client")
        );
    }
    assert!(scene::is_alive(&http, &tokens.access_token).await);
    assert_eq!(
        http.refresh(&client, &tokens.refresh_token).await.status,
        200
    );
    app.close().await;
}

// spec: security.md, Clients, line 2
#[tokio::test]
async fn public_clients_must_use_pkce_with_s256() {
    let app = scene::start().await;
    let client = scene::public(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let s256 = challenge(VERIFIER);
    for changes in [
        vec![("code_challenge", ""), ("code_challenge_method", "")],
        vec![
            ("code_challenge", VERIFIER),
            ("code_challenge_method", "plain"),
        ],
        // Without a method it is `plain`.
        vec![
            ("code_challenge", s256.as_str()),
            ("code_challenge_method", ""),
        ],
        vec![("code_challenge_method", "S512")],
        vec![("code_challenge", "short")],
        vec![("code_challenge", "")],
    ] {
        let redirect = visitor.grant(&client, &changes).await;
        assert_eq!(redirect.param("error"), "invalid_request", "{changes:?}");
        assert_eq!(redirect.param("code"), "");
    }
    let lower = [("code_challenge_method", "s256")];
    let code = visitor.code(&client, &lower).await;
    let answer = app.http().redeem(&client, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    app.close().await;
}

// spec: security.md, Clients, line 2: the switch `require_pkce` is on by default, audited when off
#[tokio::test]
async fn leaving_out_pkce_is_a_switch_and_every_use_of_it_is_written_down() {
    let app = scene::start().await;
    let spec = ClientSpec::public(REDIRECT).with("require_pkce", "0");
    let client = app.add_client(spec).await;
    let changes = scene::audit(&app, "Client Changed").await;
    let switched_off = |content: &str| {
        let content: serde_json::Value = serde_json::from_str(content).unwrap();
        content["require_pkce"] == "0"
    };
    let change = changes
        .iter()
        .find(|row| switched_off(row.text(4).unwrap()));
    assert_eq!(change.unwrap().text(2).unwrap(), client.client_id);

    let mut visitor = scene::signed_in(&app).await;
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = visitor.code(&client, &none).await;
    let tokens = app
        .http()
        .redeem(&client, &code, &[("code_verifier", "")])
        .await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let uses = scene::audit(&app, "Legacy Switch").await;
    assert_eq!(uses.len(), 1);
    assert_eq!(uses[0].text(2).unwrap(), client.client_id);
    assert!(uses[0].text(4).unwrap().contains("PKCE"), "{:?}", uses[0]);
    // Even then `plain` is another switch.
    let plain = [
        ("code_challenge", VERIFIER),
        ("code_challenge_method", "plain"),
    ];
    let redirect: Redirect = visitor.grant(&client, &plain).await;
    assert_eq!(redirect.param("error"), "invalid_request");
    app.close().await;
}

// spec: security.md, Clients, line 2: no HS256 ID tokens
#[tokio::test]
async fn public_clients_cannot_have_hs256_id_tokens() {
    let app = scene::start().await;
    let refused = create(&app, registration(AuthMethod::None, "HS256")).await;
    assert!(
        matches!(refused, Err(Failure::Validation(_))),
        "{refused:?}"
    );

    let ctx = app.ctx().await;
    let confidential = create(&app, registration(AuthMethod::ClientSecretBasic, "HS256"));
    let confidential = confidential.await.unwrap();
    let becomes = ClientFields::new().with("token_endpoint_auth_method", AuthMethod::None.label());
    let refused = client::update(&ctx, ADMINISTRATOR, &confidential, becomes).await;
    assert!(matches!(refused, Err(Failure::Validation(_))));
    let public = create(&app, registration(AuthMethod::None, "RS256"))
        .await
        .unwrap();
    let becomes = ClientFields::new().with("id_token_signed_response_alg", "HS256");
    let refused = client::update(&ctx, ADMINISTRATOR, &public, becomes).await;
    assert!(matches!(refused, Err(Failure::Validation(_))));
    app.close().await;
}

// spec: security.md, Clients, line 2
#[tokio::test]
async fn a_client_that_becomes_public_loses_its_secret_for_good() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).with("id_token_signed_response_alg", "RS256");
    let client = app.add_client(spec).await;
    let method = "token_endpoint_auth_method";
    app.change_client(&client, &[(method, AuthMethod::None.label())])
        .await;
    assert_eq!(app.http().revoke(&client, "none").await.status, 401);
    assert_eq!(
        app.http()
            .revoke(&client.by(AuthMethod::None), "none")
            .await
            .status,
        200
    );
    app.change_client(&client, &[(method, AuthMethod::ClientSecretBasic.label())])
        .await;
    assert_eq!(app.http().revoke(&client, "none").await.status, 401);
    assert_eq!(
        app.http()
            .revoke(&client.by(AuthMethod::None), "none")
            .await
            .status,
        401
    );
    app.close().await;
}

// spec: security.md, Clients, line 2; RFC 6749 §4.4
#[tokio::test]
async fn public_clients_never_act_for_themselves() {
    let app = scene::start().await;
    let client = scene::public(&app).await;
    // As somebody with the database might have set it.
    scene::force(
        &app,
        "UPDATE \"tabOAuth Client\" SET grant_types = ?, \"user\" = ? WHERE name = ?",
        vec![
            "authorization_code client_credentials".into(),
            scene::USER.into(),
            client.client_id.as_str().into(),
        ],
    )
    .await;
    let answer = app
        .http()
        .token(&client, &[("grant_type", "client_credentials")])
        .await;
    assert_eq!(answer.error(), "unauthorized_client", "{}", answer.text());
    app.close().await;
}
