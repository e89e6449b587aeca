//! `generate_keys`: for whom, by whom, and that the secret is shown once.

use crema_testkit::{App, ClientSpec, Response, Visitor, for_each_engine};

use super::{GENERATE, PASSWORD, USER, ask, pair, post, token, who};

const MANAGER: &str = "boss@example.com";

async fn generate(visitor: &mut Visitor, user: &str) -> Response {
    post(visitor, GENERATE, &[("user", user)]).await
}

fn assert_forbidden(response: &Response) {
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(response.json()["exc_type"], "PermissionError");
    assert_eq!(response.header("WWW-Authenticate"), None);
}

for_each_engine! {
    // spec: http.md, Resource server, "`generate_keys` … System Manager only, secret shown once"
    async fn a_system_manager_gives_somebody_a_pair(app: &App) {
        app.add_user(USER, PASSWORD, &["Sales User"]).await;
        app.add_user(MANAGER, PASSWORD, &["System Manager", "Sales User"]).await;
        let mut manager = app.signed_in(MANAGER, PASSWORD).await;
        let response = generate(&mut manager, USER).await;
        assert_eq!(response.status, 200, "{}", response.text());
        assert!(response.header("Cache-Control").unwrap().contains("no-store"));
        let message = &response.json()["message"];
        let secret = message["api_secret"].as_str().unwrap();
        let both = format!("token {}:{secret}", message["api_key"].as_str().unwrap());
        assert_eq!(who(app, &both).await, USER);
        let path = format!("/api/resource/User/{USER}");
        assert!(!ask(&mut manager, &path).await.text().contains(secret));
        let again = generate(&mut manager, USER).await;
        assert_eq!(again.status, 200);
        assert_eq!(who(app, &both).await, "401");
    }
}

// spec: security.md, Clients, "`generate_keys` never give roles that the person setting them
// lacks"; "API keys … need an `auth_time` of less than 10 minutes"
#[tokio::test]
async fn who_may_not_is_told_so() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &["Sales User"]).await;
    app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
    let guest = app.http().post(GENERATE).form(&[("user", USER)]);
    assert_eq!(guest.send().await.status, 401);
    let mut plain = app.signed_in(USER, PASSWORD).await;
    assert_forbidden(&generate(&mut plain, USER).await);
    let mut manager = app.signed_in(MANAGER, PASSWORD).await;
    assert_forbidden(&generate(&mut manager, USER).await);
    assert_forbidden(&generate(&mut manager, "Administrator").await);
    assert_eq!(
        generate(&mut manager, "nobody@example.com").await.status,
        404
    );
    assert_eq!(generate(&mut manager, MANAGER).await.status, 200);
    app.clock.advance_seconds(600);
    let late = generate(&mut manager, MANAGER).await;
    assert_forbidden(&late);
    assert!(late.text().contains("Sign in again"), "{}", late.text());
    // A key proves nobody's presence.
    let by_key = token(&pair(&app, "Administrator").await);
    let request = app.http().post(GENERATE).header("Authorization", &by_key);
    assert_forbidden(&request.form(&[("user", USER)]).send().await);
    app.close().await;
}

// A pair opens everything, so a token that does not must not get one.
#[tokio::test]
async fn a_narrow_token_gets_no_wide_key() {
    let app = App::builder().build().await;
    app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
    let scope = "method:frappe.core.doctype.user.user.generate_keys";
    let spec = ClientSpec::new("https://client.example/cb");
    let client = app.add_client(spec.scopes(&format!("all {scope}"))).await;
    for (scope, status) in [(scope, 403), ("all", 200)] {
        let mut visitor = app.signed_in(MANAGER, PASSWORD).await;
        let code = visitor.code(&client, &[("scope", scope)]).await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        let request = app.http().post(GENERATE).bearer(&tokens.access_token);
        let response = request.form(&[("user", MANAGER)]).send().await;
        assert_eq!(response.status, status, "{}", response.text());
    }
    app.close().await;
}
