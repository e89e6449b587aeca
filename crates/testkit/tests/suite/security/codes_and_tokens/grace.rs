//! The grace window: a lost answer or two racing tabs do no harm.

use crema_crypto::{SystemEntropy, generate_encryption_key};
use crema_testkit::{App, ClientSpec, Response, TestClient, for_each_engine};

use crate::security::scene::{self, REDIRECT, is_alive};

fn assert_not_valid(answer: &Response) {
    let seen = (answer.status, answer.error());
    assert_eq!(seen, (400, "invalid_grant".to_owned()), "{}", answer.text());
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 3: the identical successor pair is answered again
    async fn within_the_window_the_same_request_gives_the_same_pair(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        let old = scene::tokens(app, &client, "openid email").await;
        let first = app.http().refresh(&client, &old.refresh_token).await.tokens();
        assert_eq!(first.expires_in, 3600);
        app.clock.advance_seconds(4);
        let again = app.http().refresh(&client, &old.refresh_token).await.tokens();
        app.clock.advance_seconds(5);
        let elsewhere = second.http().refresh(&client, &old.refresh_token).await.tokens();
        for (repeated, remaining) in [(&again, 3596), (&elsewhere, 3591)] {
            assert_eq!(repeated.access_token, first.access_token);
            assert_eq!(repeated.refresh_token, first.refresh_token);
            assert_eq!(repeated.scope, first.scope);
            assert_eq!(repeated.expires_in, remaining, "what remains");
        }
        assert!(!is_alive(&app.http(), &old.access_token).await);
        assert!(is_alive(&app.http(), &first.access_token).await);
        let active = "SELECT count(*) FROM \"tabOAuth Bearer Token\" WHERE status = 'Active'";
        assert_eq!(app.count(active, vec![]).await, 1, "never a second live pair");
        assert!(scene::audit(app, "Refresh Reuse").await.is_empty());

        // At its end the window is over.
        app.clock.advance_seconds(1);
        assert_not_valid(&second.http().refresh(&client, &old.refresh_token).await);
        assert!(!is_alive(&app.http(), &first.access_token).await);
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 3: only while the successor has not been used
    async fn once_the_successor_was_redeemed_a_replay_ends_the_family(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let old = scene::tokens(app, &client, "openid").await;
        let first = app.http().refresh(&client, &old.refresh_token).await.tokens();
        // An access token is not what "used" means.
        assert!(is_alive(&app.http(), &first.access_token).await);
        assert_eq!(app.http().refresh(&client, &old.refresh_token).await.status, 200);
        let newest = app.http().refresh(&client, &first.refresh_token).await.tokens();
        assert_not_valid(&app.http().refresh(&client, &old.refresh_token).await);
        assert!(!is_alive(&app.http(), &newest.access_token).await);
        assert_not_valid(&app.http().refresh(&client, &newest.refresh_token).await);
        assert_eq!(scene::audit(app, "Refresh Reuse").await.len(), 1);
    }

    // spec: security.md, Codes and tokens, line 3: a replay needs the same client, scope, resource
    async fn a_replay_with_another_scope_or_resource_is_refused_without_revocation(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let old = scene::tokens(app, &client, "openid email").await;
        let issuer = app.issuer();
        let send = async |more: &[(&str, &str)]| {
            let mut params = vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", old.refresh_token.as_str()),
            ];
            params.extend_from_slice(more);
            app.http().token(&client, &params).await
        };
        let first = send(&[("scope", "openid")]).await.tokens();
        assert_not_valid(&send(&[]).await);
        assert_not_valid(&send(&[("scope", "openid email")]).await);
        assert_not_valid(&send(&[("scope", "openid"), ("resource", &issuer)]).await);
        let again = send(&[("scope", "openid")]).await.tokens();
        assert_eq!(again.access_token, first.access_token);
        assert_eq!(again.scope, "openid");
        assert!(is_alive(&app.http(), &first.access_token).await);
        assert_eq!(app.http().refresh(&client, &first.refresh_token).await.status, 200);
    }
}

async fn pair_again(app: &App, client: &TestClient, token: &str) -> Response {
    app.http().refresh(client, token).await
}

// spec: security.md, Codes and tokens, line 3: default 10 s, 0 switches it off
#[tokio::test]
async fn the_window_is_settable_per_site_and_client_and_zero_switches_it_off() {
    let app = scene::start().await;
    let off = app
        .add_client(ClientSpec::new(REDIRECT).with("refresh_grace_seconds", "0"))
        .await;
    let old = scene::tokens(&app, &off, "openid").await;
    let first = pair_again(&app, &off, &old.refresh_token).await.tokens();
    assert_not_valid(&pair_again(&app, &off, &old.refresh_token).await);
    assert!(!is_alive(&app.http(), &first.access_token).await);

    let wide = app
        .add_client(ClientSpec::new(REDIRECT).with("refresh_grace_seconds", "120"))
        .await;
    let old = scene::tokens(&app, &wide, "openid").await;
    let first = pair_again(&app, &wide, &old.refresh_token).await.tokens();
    app.clock.advance_seconds(119);
    assert_eq!(
        pair_again(&app, &wide, &old.refresh_token)
            .await
            .tokens()
            .access_token,
        first.access_token
    );

    let usual = scene::confidential(&app).await;
    app.set_settings("OAuth Settings", &[("refresh_grace_seconds", "0")])
        .await;
    let old = scene::tokens(&app, &usual, "openid").await;
    let first = pair_again(&app, &usual, &old.refresh_token).await.tokens();
    assert_not_valid(&pair_again(&app, &usual, &old.refresh_token).await);
    assert!(!is_alive(&app.http(), &first.access_token).await);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: revoked pairs do not come back
#[tokio::test]
async fn a_revoked_successor_does_not_come_back() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let old = scene::tokens(&app, &client, "openid").await;
    let first = pair_again(&app, &client, &old.refresh_token).await.tokens();
    app.http().revoke(&client, &first.refresh_token).await;
    assert_not_valid(&pair_again(&app, &client, &old.refresh_token).await);
    assert!(!is_alive(&app.http(), &first.access_token).await);

    // Nor does it for somebody who may no longer have it.
    let old = scene::tokens(&app, &client, "openid").await;
    let first = pair_again(&app, &client, &old.refresh_token).await.tokens();
    crema_auth::user::disable(&app.ctx().await, "Administrator", scene::USER)
        .await
        .unwrap();
    assert_not_valid(&pair_again(&app, &client, &old.refresh_token).await);
    assert!(!is_alive(&app.http(), &first.access_token).await);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: the family remembers which derivation key it used
#[tokio::test]
async fn another_key_of_the_site_cannot_repeat_the_pair_but_does_no_harm() {
    let app = scene::start().await;
    // Without a secret, and without signed tokens: both would need the old key.
    let client = app
        .add_client(ClientSpec::public(REDIRECT).scopes("all"))
        .await;
    let old = scene::tokens(&app, &client, "all").await;
    let first = pair_again(&app, &client, &old.refresh_token).await.tokens();
    let key = generate_encryption_key(&SystemEntropy);
    app.set_config("encryption_key", key.expose().as_str());
    assert_not_valid(&pair_again(&app, &client, &old.refresh_token).await);
    assert!(is_alive(&app.http(), &first.access_token).await);
    let next = pair_again(&app, &client, &first.refresh_token)
        .await
        .tokens();
    assert!(is_alive(&app.http(), &next.access_token).await);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: derived from the presented token under a key of the
// site
#[tokio::test]
async fn the_pair_is_derived_under_a_key_of_the_site() {
    let mut pairs = Vec::new();
    for other_key in [false, false, true] {
        // The same randomness everywhere, so the same tokens are drawn.
        let app = App::builder().seed(7).build().await;
        scene::add_user(&app).await;
        let client = app
            .add_client(ClientSpec::public(REDIRECT).scopes("all"))
            .await;
        let old = scene::tokens(&app, &client, "all").await;
        if other_key {
            let key = generate_encryption_key(&SystemEntropy);
            app.set_config("encryption_key", key.expose().as_str());
        }
        let next = pair_again(&app, &client, &old.refresh_token).await.tokens();
        assert_ne!(next.access_token, next.refresh_token);
        pairs.push((old.refresh_token, next.access_token, next.refresh_token));
        app.close().await;
    }
    assert_eq!(pairs[0], pairs[1]);
    assert_eq!(pairs[0].0, pairs[2].0);
    assert_ne!(pairs[0].1, pairs[2].1);
    assert_ne!(pairs[0].2, pairs[2].2);
}
