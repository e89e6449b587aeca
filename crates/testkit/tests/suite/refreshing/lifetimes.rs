//! When codes, access tokens and refresh tokens end by themselves.
// spec: security.md, Codes and tokens, lines 1 and 3

use crema_document::Clock as _;
use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn a_code_lives_sixty_seconds(app: &App) {
        let client = setup(app).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&client, &[]).await;
        app.clock.advance_seconds(59);
        assert_eq!(app.http().redeem(&client, &code, &[]).await.status, 200);
        let code = visitor.code(&client, &[]).await;
        app.clock.advance_seconds(60);
        assert_eq!(app.http().redeem(&client, &code, &[]).await.error(), "invalid_grant");
    }

    async fn an_access_token_lives_an_hour(app: &App) {
        let client = setup(app).await;
        let old = tokens(app, &client, &[]).await;
        assert_eq!(old.expires_in, 3600);
        app.clock.advance_seconds(3599);
        assert!(opens(app, &old).await);
        app.clock.advance_seconds(1);
        let answer = app.http().logged_user(&old.access_token).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        let about = app.http().introspect(&client, &old.access_token).await;
        assert_eq!(about.text(), r#"{"active":false}"#);
        assert!(opens(app, &refreshed(app, &client, &old).await).await);
    }

    async fn an_unused_refresh_token_lives_thirty_days(app: &App) {
        let client = setup(app).await;
        let old = tokens(app, &client, &[]).await;
        app.clock.advance_seconds(30 * DAY - 1);
        let new = refreshed(app, &client, &old).await;
        app.clock.advance_seconds(30 * DAY);
        assert_eq!(refused(app, &client, &new).await, "invalid_grant");
        assert_eq!(app.http().introspect(&client, &new.refresh_token).await.json()["active"], false);
    }

    async fn a_family_lives_ninety_days(app: &App) {
        let client = setup(app).await;
        let end = app.clock.now().seconds() + 90 * 86_400;
        let mut pair = tokens(app, &client, &[]).await;
        for _ in 0..3 {
            app.clock.advance_seconds(29 * DAY);
            pair = refreshed(app, &client, &pair).await;
        }
        let about = app.http().introspect(&client, &pair.refresh_token).await;
        assert_eq!(about.json()["exp"], end);
        app.clock.advance_seconds(3 * DAY - 1);
        pair = refreshed(app, &client, &pair).await;
        app.clock.advance_seconds(1);
        assert_eq!(refused(app, &client, &pair).await, "invalid_grant");
    }

    async fn a_client_has_lifetimes_of_its_own(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let of_site = [
            ("access_token_lifetime", "1800"),
            ("refresh_token_lifetime", "4000"),
            ("refresh_token_absolute_lifetime", "6000"),
        ];
        app.set_settings("OAuth Settings", &of_site).await;
        let of_client = spec()
            .with("access_token_lifetime", "60")
            .with("refresh_token_lifetime", "300")
            .with("refresh_token_absolute_lifetime", "500");
        for (spec, access, sliding, absolute) in
            [(spec(), 1800, 4000, 6000), (of_client, 60, 300, 500)]
        {
            let client = app.add_client(spec).await;
            let start = app.clock.now().seconds();
            let old = tokens(app, &client, &[]).await;
            assert_eq!(old.expires_in, access);
            let exp = async |tokens: &Tokens| {
                let about = app.http().introspect(&client, &tokens.refresh_token).await;
                about.json()["exp"].as_i64().unwrap() - start
            };
            assert_eq!(exp(&old).await, sliding);
            app.clock.advance_seconds(u64::try_from(sliding).unwrap() - 1);
            let new = refreshed(app, &client, &old).await;
            assert_eq!(exp(&new).await, absolute);
            app.clock.advance_seconds(u64::try_from(absolute - sliding).unwrap() + 1);
            assert_eq!(refused(app, &client, &new).await, "invalid_grant");
        }
    }

    // spec: security.md, "Rotation can be switched off per client"
    async fn without_rotation_the_token_stays_and_slides(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("refresh_rotation", "0")]).await;
        let first = tokens(app, &client, &[("scope", "openid")]).await;
        let second = refreshed(app, &client, &first).await;
        assert_eq!(second.refresh_token, first.refresh_token);
        assert_ne!(second.access_token, first.access_token);
        assert!(second.id_token.is_some());
        assert!(opens(app, &first).await && opens(app, &second).await);

        for _ in 0..3 {
            app.clock.advance_seconds(29 * DAY);
            assert!(opens(app, &refreshed(app, &client, &first).await).await);
        }
        app.clock.advance_seconds(3 * DAY);
        assert_eq!(refused(app, &client, &first).await, "invalid_grant");
    }

    async fn rotation_can_be_switched_on_again(app: &App) {
        let client = setup(app).await;
        app.change_client(&client, &[("refresh_rotation", "0")]).await;
        let first = tokens(app, &client, &[]).await;
        let second = refreshed(app, &client, &first).await;
        app.change_client(&client, &[("refresh_rotation", "1")]).await;
        let third = refreshed(app, &client, &first).await;
        assert_ne!(third.refresh_token, first.refresh_token);
        app.clock.advance_seconds(11);
        assert_eq!(refused(app, &client, &first).await, "invalid_grant");
        for tokens in [&second, &third] {
            assert!(!opens(app, tokens).await, "the family ends as a whole");
        }
    }
}
