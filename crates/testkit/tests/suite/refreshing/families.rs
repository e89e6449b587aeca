//! What ends together, and evidence that outlives Frappe's own house-keeping.
// spec: security.md, Codes and tokens, lines 1, 3 and 4; RFC 7009 §2.1

use crema_auth::user::{self, ADMINISTRATOR};
use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn revoking_either_token_ends_both(app: &App) {
        let client = setup(app).await;
        for hint in ["", "access_token", "refresh_token", "nonsense"] {
            for refresh in [true, false] {
                let pair = tokens(app, &client, &[]).await;
                let token = if refresh { &pair.refresh_token } else { &pair.access_token };
                let params = [("token", token.as_str()), ("token_type_hint", hint)];
                let request = app.http().client_request("revoke_token", &client, &params);
                let answer = request.send().await;
                assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));
                assert!(!opens(app, &pair).await);
                assert_eq!(refused(app, &client, &pair).await, "invalid_grant");
            }
        }
    }

    async fn revoking_a_rotated_token_ends_what_came_of_it(app: &App) {
        let client = setup(app).await;
        let old = tokens(app, &client, &[]).await;
        let new = refreshed(app, &client, &old).await;
        assert_eq!(app.http().revoke(&client, &old.refresh_token).await.status, 200);
        assert!(!opens(app, &new).await);
    }

    async fn families_do_not_touch_each_other(app: &App) {
        let client = setup(app).await;
        let (one, other) = (tokens(app, &client, &[]).await, tokens(app, &client, &[]).await);
        app.http().revoke(&client, &one.access_token).await;
        assert!(opens(app, &other).await);
        let stranger = app.add_client(spec()).await;
        assert_eq!(app.http().revoke(&stranger, &other.refresh_token).await.status, 200);
        assert!(opens(app, &refreshed(app, &client, &other).await).await);
    }

    async fn a_second_use_is_recognised_after_frappe_cleared_its_rows(app: &App) {
        let client = setup(app).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let code = visitor.code(&client, &[]).await;
        let first = app.http().redeem(&client, &code, &[]).await.tokens();
        let second = refreshed(app, &client, &first).await;
        for sql in [
            r#"DELETE FROM "tabOAuth Authorization Code" WHERE validity = 'Invalid'"#,
            r#"DELETE FROM "tabOAuth Bearer Token" WHERE status = 'Revoked'"#,
        ] {
            assert_eq!(app.execute(sql, vec![]).await, 1);
        }
        app.clock.advance_seconds(11);
        assert!(opens(app, &second).await);
        assert_eq!(refused(app, &client, &first).await, "invalid_grant");
        assert!(!opens(app, &second).await);

        let code = visitor.code(&client, &[]).await;
        let pair = app.http().redeem(&client, &code, &[]).await.tokens();
        app.execute(r#"DELETE FROM "tabOAuth Authorization Code""#, vec![]).await;
        assert_eq!(app.http().redeem(&client, &code, &[]).await.error(), "invalid_grant");
        assert!(!opens(app, &pair).await);
    }

    // spec: security.md, Clients, "`Allowed Roles` is enforced … at refresh"
    async fn a_role_that_was_taken_away_stops_the_tokens(app: &App) {
        app.add_user(USER, PASSWORD, &["Sales User"]).await;
        let client = app.add_client(spec().with("allowed_roles", "Sales User")).await;
        let pair = tokens(app, &client, &[]).await;
        let ctx = app.ctx().await;
        user::remove_role(&ctx, ADMINISTRATOR, USER, "Sales User").await.unwrap();
        assert!(!opens(app, &pair).await);
        assert_eq!(refused(app, &client, &pair).await, "invalid_grant");
    }

    async fn refresh_tokens_are_for_clients_that_may_use_them(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let spec = spec()
            .grant_types("authorization_code client_credentials")
            .with("user", USER);
        let client = app.add_client(spec).await;
        let pair = tokens(app, &client, &[("scope", "openid offline_access")]).await;
        assert_eq!(pair.refresh_token, "");

        let params = [("grant_type", "client_credentials"), ("scope", "openid all")];
        let answer = app.http().token(&client, &params).await;
        let json = answer.json();
        assert!(json.get("refresh_token").is_none() && json.get("id_token").is_none(), "{json}");
        let own = answer.tokens();
        assert!(opens(app, &own).await);
        assert_eq!(app.http().introspect(&client, &own.access_token).await.json()["username"], USER);
        app.http().revoke(&client, &own.access_token).await;
        assert!(!opens(app, &own).await);
    }
}
