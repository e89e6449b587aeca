//! The same answer once more, for answers that were lost.
// spec: security.md, Codes and tokens, line 3

use crema_crypto::{SystemEntropy, generate_encryption_key};
use crema_testkit::{Engine, for_each_engine};

use super::*;

for_each_engine! {
    async fn a_lost_answer_is_answered_again(app: &App) {
        let client = setup(app).await;
        let old = tokens(app, &client, &[("scope", "openid all")]).await;
        let new = refreshed(app, &client, &old).await;
        for (passed, remaining) in [(0, 3600), (4, 3596), (5, 3591)] {
            app.clock.advance_seconds(passed);
            let again = refreshed(app, &client, &old).await;
            assert_eq!(again.access_token, new.access_token);
            assert_eq!(again.refresh_token, new.refresh_token);
            assert_eq!(again.scope, new.scope);
            assert_eq!(again.expires_in, remaining);
            assert!(again.id_token.is_some());
        }
        assert!(opens(app, &new).await);
        assert!(!opens(app, &old).await, "the old access token dies at rotation");

        // Ten seconds after the first: too late, and both parties are signed out.
        app.clock.advance_seconds(1);
        assert_eq!(refused(app, &client, &old).await, "invalid_grant");
        assert!(!opens(app, &new).await);
        assert_eq!(refused(app, &client, &new).await, "invalid_grant");
        let reuses = app.count(
            r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Refresh Reuse'"#,
            vec![],
        );
        assert!(reuses.await >= 1);
    }

    async fn using_the_new_access_token_does_not_close_the_window(app: &App) {
        let client = setup(app).await;
        let old = tokens(app, &client, &[]).await;
        let new = refreshed(app, &client, &old).await;
        assert!(opens(app, &new).await);
        assert_eq!(app.http().introspect(&client, &new.refresh_token).await.json()["active"], true);
        assert_eq!(refreshed(app, &client, &old).await.refresh_token, new.refresh_token);
    }

    async fn redeeming_the_successor_closes_the_window(app: &App) {
        let client = setup(app).await;
        let first = tokens(app, &client, &[]).await;
        let second = refreshed(app, &client, &first).await;
        let third = refreshed(app, &client, &second).await;
        // Within the window of the second, whose successor nobody has used.
        assert_eq!(refreshed(app, &client, &second).await.access_token, third.access_token);
        assert_eq!(refused(app, &client, &first).await, "invalid_grant");
        assert!(!opens(app, &third).await);
        assert_eq!(refused(app, &client, &third).await, "invalid_grant");
    }

    async fn another_request_is_no_replay(app: &App) {
        let client = setup(app).await;
        let resource = app.issuer();
        let old = tokens(app, &client, &[("scope", "openid all")]).await;
        let new = refreshed(app, &client, &old).await;
        for more in [("scope", "openid"), ("resource", resource.as_str())] {
            assert_eq!(refused_with(app, &client, &old, &[more]).await, "invalid_grant");
            assert!(opens(app, &new).await, "nothing is revoked");
        }
        assert_eq!(refreshed(app, &client, &old).await.access_token, new.access_token);

        let narrow = [("scope", "openid")];
        let newer = refresh_with(app, &client, &new, &narrow).await.tokens();
        assert_eq!(refused(app, &client, &new).await, "invalid_grant");
        let again = refresh_with(app, &client, &new, &narrow).await.tokens();
        assert_eq!((again.access_token, again.scope), (newer.access_token.clone(), newer.scope.clone()));
    }

    async fn only_the_owner_can_replay_or_betray(app: &App) {
        let client = setup(app).await;
        let other = app.add_client(spec()).await;
        let old = tokens(app, &client, &[]).await;
        let new = refreshed(app, &client, &old).await;
        for passed in [0, 60] {
            app.clock.advance_seconds(passed);
            assert_eq!(refused(app, &other, &old).await, "invalid_grant");
            assert_eq!(refused(app, &other, &new).await, "invalid_grant");
            let mut impostor = client.clone();
            impostor.client_secret = Some("wrong".to_owned());
            assert_eq!(refused(app, &impostor, &old).await, "invalid_client");
            assert!(opens(app, &new).await);
        }
        assert!(opens(app, &refreshed(app, &client, &new).await).await);
    }

    async fn the_window_can_be_switched_off_and_widened(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("refresh_grace_seconds", "60")]).await;
        let old = tokens(app, &client, &[]).await;
        let new = refreshed(app, &client, &old).await;
        app.clock.advance_seconds(59);
        assert_eq!(refreshed(app, &client, &old).await.access_token, new.access_token);

        app.change_client(&client, &[("refresh_grace_seconds", "0")]).await;
        assert_eq!(refused(app, &client, &old).await, "invalid_grant");
        assert!(!opens(app, &new).await);

        // -1: as the site has it.
        app.change_client(&client, &[("refresh_grace_seconds", "-1")]).await;
        app.set_settings("OAuth Settings", &[("refresh_grace_seconds", "0")]).await;
        let old = tokens(app, &client, &[]).await;
        let new = refreshed(app, &client, &old).await;
        assert_eq!(refused(app, &client, &old).await, "invalid_grant");
        assert!(!opens(app, &new).await);
    }
}

#[tokio::test]
async fn after_a_change_of_the_sites_key_nothing_is_replayed_and_nothing_is_lost() {
    let app = App::start(Engine::Sqlite).await;
    app.add_user(USER, PASSWORD, &[]).await;
    let client = app
        .add_client(ClientSpec::public(CALLBACK).scopes("all"))
        .await;
    let old = tokens(&app, &client, &[]).await;
    let new = refreshed(&app, &client, &old).await;
    let key = generate_encryption_key(&SystemEntropy);
    app.set_config("encryption_key", key.expose().as_str());
    assert_eq!(refused(&app, &client, &old).await, "invalid_grant");
    assert!(opens(&app, &new).await);
    assert!(opens(&app, &refreshed(&app, &client, &new).await).await);
    app.close().await;
}
