//! How long tokens live.

use crema_testkit::{App, ClientSpec, TestClient, Tokens};

use crate::security::scene::{self, REDIRECT, is_alive};

const DAY: u64 = 86_400;

async fn refresh(app: &App, client: &TestClient, tokens: &Tokens) -> Option<Tokens> {
    let answer = app.http().refresh(client, &tokens.refresh_token).await;
    match answer.status {
        200 => Some(answer.tokens()),
        _ => {
            assert_eq!(answer.error(), "invalid_grant");
            None
        }
    }
}

// spec: security.md, Codes and tokens, line 3: access tokens live 3600 s
#[tokio::test]
async fn access_tokens_live_an_hour_unless_the_client_says_otherwise() {
    let app = scene::start().await;
    let usual = scene::confidential(&app).await;
    let short = ClientSpec::new(REDIRECT).with("access_token_lifetime", "120");
    let short = app.add_client(short).await;
    for (client, life) in [(&usual, 3600), (&short, 120)] {
        let tokens = scene::tokens(&app, client, "openid").await;
        assert_eq!(tokens.expires_in, life);
        app.clock.advance_seconds(u64::try_from(life).unwrap() - 1);
        assert!(is_alive(&app.http(), &tokens.access_token).await);
        assert_eq!(app.http().userinfo(&tokens.access_token).await.status, 200);
        app.clock.advance_seconds(1);
        assert!(!is_alive(&app.http(), &tokens.access_token).await);
        let userinfo = app.http().userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, 401);
        let challenge = userinfo.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: refresh tokens 30 days sliding
#[tokio::test]
async fn an_unused_refresh_token_lives_thirty_days() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    app.clock.advance_seconds(30 * DAY - 1);
    let tokens = refresh(&app, &client, &tokens).await.expect("sliding");
    app.clock.advance_seconds(30 * DAY);
    assert!(refresh(&app, &client, &tokens).await.is_none());
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: 90 days at most
#[tokio::test]
async fn a_family_ends_after_ninety_days_however_much_it_is_used() {
    let app = scene::start().await;
    for spec in [
        ClientSpec::new(REDIRECT),
        ClientSpec::new(REDIRECT).with("refresh_rotation", "0"),
    ] {
        let client = app.add_client(spec).await;
        let mut tokens = scene::tokens(&app, &client, "openid").await;
        for _ in 0..3 {
            app.clock.advance_seconds(29 * DAY);
            tokens = refresh(&app, &client, &tokens).await.expect("sliding");
        }
        app.clock.advance_seconds(3 * DAY - 1);
        tokens = refresh(&app, &client, &tokens).await.expect("the last one");
        app.clock.advance_seconds(1);
        assert!(refresh(&app, &client, &tokens).await.is_none());
        let about = app.http().introspect(&client, &tokens.refresh_token).await;
        assert_eq!(about.json(), serde_json::json!({"active": false}));
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 3: settable
#[tokio::test]
async fn refresh_lifetimes_are_settable_per_site_and_client() {
    let app = scene::start().await;
    app.set_settings(
        "OAuth Settings",
        &[
            ("refresh_token_lifetime", "7200"),
            ("refresh_token_absolute_lifetime", "10000"),
        ],
    )
    .await;
    let of_site = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &of_site, "openid").await;
    app.clock.advance_seconds(7199);
    let tokens = refresh(&app, &of_site, &tokens).await.unwrap();
    app.clock.advance_seconds(10_000 - 7199);
    assert!(refresh(&app, &of_site, &tokens).await.is_none());

    let own = ClientSpec::new(REDIRECT)
        .with("refresh_token_lifetime", "4000")
        .with("refresh_token_absolute_lifetime", "5000");
    let own = app.add_client(own).await;
    let tokens = scene::tokens(&app, &own, "openid").await;
    app.clock.advance_seconds(3999);
    let tokens = refresh(&app, &own, &tokens).await.unwrap();
    app.clock.advance_seconds(1001);
    assert!(refresh(&app, &own, &tokens).await.is_none());
    app.close().await;
}
