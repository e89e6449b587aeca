//! Revocation.

use crema_testkit::{App, TestClient, for_each_engine};

use crate::security::scene::{self, is_alive};

async fn revoke(app: &App, client: &TestClient, token: &str, hint: &str) -> (u16, String) {
    let params = [("token", token), ("token_type_hint", hint)];
    let answer = app
        .http()
        .client_request("revoke_token", client, &params)
        .send()
        .await;
    (answer.status, answer.text())
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 6; http.md, revoke_token
    async fn both_kinds_are_revoked_whatever_the_hint_and_everywhere(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        for hint in ["", "access_token", "refresh_token", "nonsense"] {
            for by_refresh in [false, true] {
                let old = scene::tokens(app, &client, "openid").await;
                let tokens = app.http().refresh(&client, &old.refresh_token).await.tokens();
                assert!(is_alive(&second.http(), &tokens.access_token).await);
                let token = if by_refresh { &tokens.refresh_token } else { &tokens.access_token };
                assert_eq!(revoke(app, &client, token, hint).await, (200, "{}".to_owned()));
                for http in [app.http(), second.http()] {
                    assert!(!is_alive(&http, &tokens.access_token).await, "{hint}");
                    let refused = http.refresh(&client, &tokens.refresh_token).await;
                    assert_eq!(refused.error(), "invalid_grant", "{hint}");
                }
            }
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 6: another client's token answers 200, does nothing
    async fn another_clients_token_is_left_alone_with_the_same_answer(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let others = [scene::confidential(app).await, scene::public(app).await];
        let old = scene::tokens(app, &client, "openid").await;
        let tokens = app.http().refresh(&client, &old.refresh_token).await.tokens();
        for other in &others {
            for token in [
                &tokens.access_token, &tokens.refresh_token, &old.refresh_token, &old.access_token,
                &"unknown".to_owned(),
            ] {
                assert_eq!(revoke(app, other, token, "").await, (200, "{}".to_owned()));
            }
        }
        assert!(is_alive(&app.http(), &tokens.access_token).await);
        assert_eq!(app.http().refresh(&client, &tokens.refresh_token).await.status, 200);
        assert!(scene::audit(app, "Revocation").await.is_empty());
    }
}

// spec: security.md, Codes and tokens, line 6
#[tokio::test]
async fn a_rotated_refresh_token_revokes_its_family_too() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let old = scene::tokens(&app, &client, "openid").await;
    let tokens = app
        .http()
        .refresh(&client, &old.refresh_token)
        .await
        .tokens();
    app.clock.advance_seconds(3600);
    assert_eq!(revoke(&app, &client, &old.refresh_token, "").await.0, 200);
    let refused = app.http().refresh(&client, &tokens.refresh_token).await;
    assert_eq!(refused.error(), "invalid_grant");
    // Twice is no error, and neither is what was never there.
    assert_eq!(
        revoke(&app, &client, &tokens.refresh_token, "").await.0,
        200
    );
    let none = app
        .http()
        .client_request("revoke_token", &client, &[])
        .send()
        .await;
    assert_eq!(
        (none.status, none.error().as_str()),
        (400, "invalid_request")
    );
    app.close().await;
}
