//! Allowed Roles, and whose roles a client may have.

use crema_auth::Failure;
use crema_auth::client::{self, ClientFields, NewClient};
use crema_auth::user;
use crema_testkit::{App, ClientSpec, for_each_engine};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

for_each_engine! {
    // spec: security.md, Clients, line 4
    async fn allowed_roles_are_enforced_at_consent_password_grant_and_refresh(app: &App) {
        scene::add_user(app).await;
        app.add_role("Auditor", true).await;
        let spec = ClientSpec::new(REDIRECT)
            .with("allowed_roles", "Auditor")
            .grant_types("authorization_code refresh_token password");
        let client = app.add_client(spec).await;
        let http = app.http();
        let mut visitor = scene::signed_in(app).await;
        let password = [
            ("grant_type", "password"),
            ("username", USER),
            ("password", PASSWORD),
        ];

        // Without the role: no page, no code, no tokens.
        let redirect = visitor.grant(&client, &[("scope", "openid")]).await;
        assert_eq!(redirect.param("error"), "access_denied");
        let refused = http.token(&client, &password).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"));

        let ctx = app.ctx().await;
        user::add_role(&ctx, "Administrator", USER, "Auditor").await.unwrap();
        let code = visitor.code(&client, &[("scope", "openid")]).await;
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        let by_password = http.token(&client, &password).await.tokens();
        let pending = visitor.code(&client, &[("scope", "openid")]).await;
        let refreshed = http.refresh(&client, &tokens.refresh_token).await.tokens();

        // The role is taken away again: everything stops.
        let ctx = app.ctx().await;
        user::remove_role(&ctx, "Administrator", USER, "Auditor").await.unwrap();
        for token in [&refreshed.refresh_token, &by_password.refresh_token] {
            let refused = http.refresh(&client, token).await;
            assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"));
        }
        let refused = http.redeem(&client, &pending, &[]).await;
        assert_eq!(refused.error(), "invalid_grant");
        assert_eq!(http.token(&client, &password).await.error(), "invalid_grant");
        assert!(!scene::is_alive(&http, &refreshed.access_token).await);
    }
}

// spec: security.md, Clients, line 4
#[tokio::test]
async fn the_role_that_is_lost_between_page_and_click_counts() {
    let app = scene::start().await;
    app.add_role("Auditor", true).await;
    user::add_role(&app.ctx().await, "Administrator", USER, "Auditor")
        .await
        .unwrap();
    let spec = ClientSpec::new(REDIRECT).with("allowed_roles", "Auditor");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let params = client.authorization(&[("scope", "openid")]);
    let params: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let page = visitor.authorize(&params).await;
    assert_eq!(page.status, 200);
    user::remove_role(&app.ctx().await, "Administrator", USER, "Auditor")
        .await
        .unwrap();
    let answer = visitor.decide(&page, "allow").await;
    assert!(
        answer.location().unwrap().contains("error=access_denied"),
        "{answer:?}"
    );
    app.close().await;
}

async fn with_user(app: &App, by: &str, user: &str) -> Result<(), Failure> {
    let ctx = app.ctx().await;
    let fields = ClientFields::new()
        .with("app_name", "Machine")
        .with("scopes", "all")
        .with("grant_types", "client_credentials")
        .with("user", user);
    let new = NewClient {
        fields,
        dynamically_registered: false,
    };
    client::create(&ctx, by, new).await.map(|_| ())
}

// spec: security.md, Clients, line 6: a client's `user` never gives roles that the setter lacks
#[tokio::test]
async fn nobody_gives_a_client_a_user_with_more_roles_than_their_own() {
    let app = scene::start().await;
    let manager = "manager@example.com";
    app.add_user(manager, PASSWORD, &["System Manager"]).await;
    app.add_user("peer@example.com", PASSWORD, &["System Manager"])
        .await;
    let refused = with_user(&app, manager, USER).await;
    assert!(
        matches!(refused, Err(Failure::Permission(_))),
        "{refused:?}"
    );
    let refused = with_user(&app, manager, "Administrator").await;
    assert!(
        matches!(refused, Err(Failure::Permission(_))),
        "{refused:?}"
    );
    let refused = with_user(&app, manager, "Guest").await;
    assert!(
        matches!(refused, Err(Failure::Validation(_))),
        "{refused:?}"
    );
    with_user(&app, manager, "peer@example.com").await.unwrap();
    with_user(&app, "Administrator", USER).await.unwrap();

    // Changing it later is the same.
    let client = scene::confidential(&app).await;
    let fields = ClientFields::new().with("user", USER);
    let refused = client::update(&app.ctx().await, manager, &client.client_id, fields).await;
    assert!(matches!(refused, Err(Failure::Permission(_))));
    app.close().await;
}
