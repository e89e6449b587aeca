//! Skipping consent.

use crema_testkit::{App, ClientSpec, Redirect, TestClient, Visitor};

use crate::security::scene::{self, REDIRECT, asks, authorize};

const OPENID: &[(&str, &str)] = &[("scope", "openid")];

async fn skips(visitor: &mut Visitor, client: &TestClient, changes: &[(&str, &str)]) -> bool {
    let answer = authorize(visitor, client, changes).await;
    if asks(&answer) {
        return false;
    }
    let redirect = Redirect::of(&answer);
    assert!(redirect.params.contains_key("code"), "{redirect:?}");
    true
}

fn skipping(spec: ClientSpec) -> ClientSpec {
    spec.with("skip_authorization", "1")
}

// spec: security.md, Authorization endpoint, line 7
#[tokio::test]
async fn a_clients_own_skip_never_holds_for_public_clients_on_custom_schemes_or_loopback() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    for uri in [
        "com.example.app:/cb",
        "cursor://x/cb",
        "http://127.0.0.1:1/cb",
        "http://[::1]/cb",
    ] {
        let client = app.add_client(skipping(ClientSpec::public(uri))).await;
        assert!(!skips(&mut visitor, &client, OPENID).await, "{uri}");
        let silent = [("scope", "openid"), ("prompt", "none")];
        let refused = Redirect::of(&authorize(&mut visitor, &client, &silent).await);
        assert_eq!(refused.param("error"), "consent_required");
    }
    let web = app.add_client(skipping(ClientSpec::public(REDIRECT))).await;
    assert!(skips(&mut visitor, &web, OPENID).await);
    let confidential = app
        .add_client(skipping(ClientSpec::new("http://127.0.0.1/cb")))
        .await;
    assert!(skips(&mut visitor, &confidential, OPENID).await);
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 7: not when `prompt=consent`
#[tokio::test]
async fn prompt_consent_asks_whatever_is_skipped() {
    let app = scene::start().await;
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
    let client = app.add_client(skipping(ClientSpec::new(REDIRECT))).await;
    let mut visitor = scene::signed_in(&app).await;
    assert!(skips(&mut visitor, &client, OPENID).await);
    for prompt in ["consent", "consent select_account"] {
        let changes = [("scope", "openid"), ("prompt", prompt)];
        let answer = authorize(&mut visitor, &client, &changes).await;
        assert!(
            asks(&answer) || scene::leads_to_login(&answer),
            "{answer:?}"
        );
    }
    app.close().await;
}

async fn auto(app: &App) {
    app.set_settings("OAuth Settings", &[("skip_authorization", "1")])
        .await;
}

// spec: security.md, Authorization endpoint, line 7: an active token of the same user, client, scopes
#[tokio::test]
async fn the_sites_skip_needs_an_active_token_of_the_same_user_client_and_scopes() {
    let app = scene::start().await;
    auto(&app).await;
    let client = scene::confidential(&app).await;
    let sibling = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    assert!(!skips(&mut visitor, &client, OPENID).await);
    let tokens = scene::tokens(&app, &client, "openid").await;
    // The consent that was stored on the way is not what this is about.
    scene::force(
        &app,
        "DELETE FROM \"tabOAuth Consent\" WHERE client <> ?",
        vec!["".into()],
    )
    .await;
    assert!(skips(&mut visitor, &client, OPENID).await);
    assert!(!skips(&mut visitor, &client, &[("scope", "openid all")]).await);
    assert!(!skips(&mut visitor, &sibling, OPENID).await);
    app.add_user("other@example.com", scene::PASSWORD, &["Report Manager"])
        .await;
    let mut stranger = app.signed_in("other@example.com", scene::PASSWORD).await;
    assert!(!skips(&mut stranger, &client, OPENID).await);

    app.http().revoke(&client, &tokens.access_token).await;
    assert!(!skips(&mut visitor, &client, OPENID).await);
    let _ = scene::tokens(&app, &client, "openid").await;
    scene::force(
        &app,
        "DELETE FROM \"tabOAuth Consent\" WHERE client <> ?",
        vec!["".into()],
    )
    .await;
    app.clock.advance_seconds(3599);
    assert!(skips(&mut visitor, &client, OPENID).await);
    app.clock.advance_seconds(1);
    assert!(
        !skips(&mut visitor, &client, OPENID).await,
        "an expired token is not active"
    );
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 7
#[tokio::test]
async fn the_sites_skip_never_holds_for_public_clients_on_custom_schemes_or_loopback() {
    let app = scene::start().await;
    auto(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    for uri in ["com.example.app:/cb", "http://127.0.0.1:1/cb"] {
        let client = app.add_client(ClientSpec::public(uri)).await;
        let _ = scene::tokens(&app, &client, "openid").await;
        assert!(!skips(&mut visitor, &client, OPENID).await, "{uri}");
    }
    app.close().await;
}
