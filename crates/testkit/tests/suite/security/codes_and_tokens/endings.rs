//! What makes tokens, codes and sessions stop at the next request, at every process.

use crema_auth::{client, session, user};
use crema_testkit::{App, ClientSpec, Server, TestClient, Tokens, Visitor, for_each_engine};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER, is_alive};

/// Everything that somebody can have.
struct Belongings {
    client: TestClient,
    tokens: Tokens,
    code: String,
    visitor: Visitor,
}

async fn belongings(app: &App) -> Belongings {
    app.add_role("Auditor", true).await;
    user::add_role(&app.ctx().await, "Administrator", USER, "Auditor")
        .await
        .unwrap();
    let spec = ClientSpec::new(REDIRECT).with("allowed_roles", "Auditor");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(app).await;
    let code = visitor.code(&client, &[]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let code = visitor.code(&client, &[]).await;
    Belongings {
        client,
        tokens,
        code,
        visitor,
    }
}

impl Belongings {
    /// Whether tokens and session live, as that process sees it.
    async fn live(&self, server: &Server) -> (bool, bool) {
        let http = server.http();
        let alive = is_alive(&http, &self.tokens.access_token).await;
        let userinfo = http.userinfo(&self.tokens.access_token).await.status == 200;
        assert_eq!(alive, userinfo);
        let mut visitor = self.visitor.at(http);
        let who = visitor
            .http()
            .get("/api/method/frappe.auth.get_logged_user");
        let session = visitor.send(who).await.status == 200;
        (alive, session)
    }

    async fn assert_tokens_dead(&self, server: &Server) {
        let http = server.http();
        assert!(!is_alive(&http, &self.tokens.access_token).await);
        let refused = http.refresh(&self.client, &self.tokens.refresh_token).await;
        assert!(matches!(refused.status, 400 | 401), "{}", refused.text());
        let refused = http.redeem(&self.client, &self.code, &[]).await;
        assert!(matches!(refused.status, 400 | 401), "{}", refused.text());
    }
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 4: disabled users
    async fn a_disabled_user_has_nothing_left_at_the_next_request(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        assert_eq!(has.live(&second).await, (true, true));
        user::disable(&app.ctx().await, "Administrator", USER).await.unwrap();
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, false));
            has.assert_tokens_dead(server).await;
        }
        let about = second.http().introspect(&has.client, &has.tokens.access_token).await;
        assert_eq!(about.json(), serde_json::json!({"active": false}));
        // Being enabled again brings nothing back.
        user::enable(&app.ctx().await, "Administrator", USER).await.unwrap();
        assert_eq!(has.live(&second).await, (false, false));
        has.assert_tokens_dead(&second).await;
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: disabled by hand, in the Desk of a Frappe, say
    async fn a_user_disabled_in_the_database_is_disabled(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        assert_eq!(has.live(&second).await, (true, true));
        scene::force(app, "UPDATE \"tabUser\" SET enabled = 0 WHERE name = ?", vec![USER.into()]).await;
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, false));
            has.assert_tokens_dead(server).await;
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: users who lost the role
    async fn a_lost_role_ends_the_tokens_that_needed_it(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        user::remove_role(&app.ctx().await, "Administrator", USER, "Auditor").await.unwrap();
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, true), "the session needs no such role");
            has.assert_tokens_dead(server).await;
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: changed passwords sign out everywhere
    async fn a_changed_password_signs_out_everywhere(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        app.set_password(USER, "another-Password-1").await;
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, false));
            has.assert_tokens_dead(server).await;
        }
        let mut visitor = second.visitor();
        assert_eq!(visitor.try_login(USER, PASSWORD).await.status, 401);
        visitor.login(USER, "another-Password-1").await;
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: disabled and deleted clients
    async fn a_disabled_or_deleted_client_has_nothing_left(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        let id = has.client.client_id.clone();
        client::set_enabled(&app.ctx().await, "Administrator", &id, false).await.unwrap();
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, true));
            has.assert_tokens_dead(server).await;
            let mut visitor = has.visitor.at(server.http());
            let answer = scene::authorize(&mut visitor, &has.client, &[]).await;
            assert_eq!((answer.status, answer.location()), (400, None));
        }
        let has = belongings(app).await;
        client::delete(&app.ctx().await, "Administrator", &has.client.client_id).await.unwrap();
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (false, true));
            has.assert_tokens_dead(server).await;
        }
        second.stop().await;
    }

    // spec: security.md, Codes and tokens, line 4: sessions
    async fn an_ended_session_has_ended_everywhere(app: &App) {
        scene::add_user(app).await;
        let second = app.second_server().await;
        let has = belongings(app).await;
        session::end_all(&app.ctx().await, "Administrator", USER).await.unwrap();
        for server in [app.server(), &second] {
            assert_eq!(has.live(server).await, (true, false), "tokens are not sessions");
        }
        second.stop().await;
    }
}
