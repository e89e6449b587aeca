//! From a registration to tokens and on, as the client and its user go.

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::visitor::Redirect;
use crema_testkit::{App, Engine, for_each_engine};
use serde_json::json;

use super::{PASSWORD, USER, client, confidential, public, refused, registered};

for_each_engine! {
    // spec: RFC 8252 §7.3; security.md, Clients, line 2; Authorization endpoint, line 2
    async fn a_tool_goes_from_registration_to_refreshed_tokens(app: &App) {
        let http = app.http();
        app.add_user(USER, PASSWORD, &["Report Manager"]).await;
        let information = registered(&http, &public()).await;
        // The port is drawn when the tool runs.
        let tool = client(&information, "http://127.0.0.1:51764/cb");
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let params = tool.authorization(&[("scope", "openid email")]);
        let params: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = visitor.authorize(&params).await;
        assert_eq!(page.title().as_deref(), Some("Confirm Access"), "{}", page.text());
        let answer = visitor.decide(&page, "allow").await;
        let redirect = Redirect::of(&answer);
        assert_eq!(redirect.uri, "http://127.0.0.1:51764/cb");
        assert_eq!((redirect.param("state"), redirect.param("iss")), ("a state", app.issuer().as_str()));
        let tokens = http.redeem(&tool, redirect.param("code"), &[]).await.tokens();
        assert_eq!(tokens.scope, "openid email");
        assert_eq!(http.userinfo(&tokens.access_token).await.json()["email"], USER);
        let refreshed = http.refresh(&tool, &tokens.refresh_token).await.tokens();
        assert_eq!(http.userinfo(&refreshed.access_token).await.status, 200);
        assert_eq!(http.userinfo(&tokens.access_token).await.status, 401);
        // It learns about its own tokens only (security.md, Codes and tokens).
        assert_eq!(http.introspect(&tool, &refreshed.access_token).await.json()["active"], true);
        assert_eq!(http.revoke(&tool, &refreshed.refresh_token).await.status, 200);
        assert_eq!(http.userinfo(&refreshed.access_token).await.status, 401);
    }

    // spec: security.md, Clients, line 1, "dynamically registered ones only their registered method"
    async fn a_server_proves_itself_by_its_method_only(app: &App) {
        let http = app.http();
        app.add_user(USER, PASSWORD, &["Report Manager"]).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        for (name, method, other) in [
            ("client_secret_basic", AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost),
            ("client_secret_post", AuthMethod::ClientSecretPost, AuthMethod::ClientSecretBasic),
        ] {
            let information = registered(&http, &confidential(name)).await;
            let shop = client(&information, "https://shop.example/cb");
            assert_eq!(shop.auth_method, method);
            let code = visitor.code(&shop, &[("scope", "openid")]).await;
            for wrong in [other, AuthMethod::None] {
                let answer = http.redeem(&shop.by(wrong), &code, &[]).await;
                refused(&answer, 401, "invalid_client");
            }
            let tokens = http.redeem(&shop, &code, &[]).await.tokens();
            assert!(tokens.id_token.is_some());
            let answer = http.refresh(&shop.by(other), &tokens.refresh_token).await;
            refused(&answer, 401, "invalid_client");
            assert_eq!(http.refresh(&shop, &tokens.refresh_token).await.status, 200);
        }
    }
}

// spec: security.md, Authorization endpoint, line 2; Clients, line 2
#[tokio::test]
async fn what_was_not_registered_is_refused() {
    let app = App::start(Engine::Sqlite).await;
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
    let mut metadata = public();
    metadata["redirect_uris"] = json!(["http://127.0.0.1:80/cb", "com.example.tool:/cb"]);
    metadata["grant_types"] = json!(["authorization_code"]);
    let information = registered(&app.http(), &metadata).await;
    let tool = client(&information, "http://127.0.0.1:9/cb");
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for uri in [
        "",
        "http://localhost:9/cb",
        "http://127.0.0.1:9/cb/",
        "https://127.0.0.1:9/cb",
        "com.example.tool:/other",
    ] {
        let params = tool.authorization(&[("redirect_uri", uri)]);
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = visitor.authorize(&params).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{uri}");
    }
    let without = visitor
        .grant(
            &tool,
            &[("code_challenge", ""), ("code_challenge_method", "")],
        )
        .await;
    assert_eq!(without.param("error"), "invalid_request", "PKCE is needed");
    let code = visitor
        .code(&tool, &[("redirect_uri", "com.example.tool:/cb")])
        .await;
    let own = [("redirect_uri", "com.example.tool:/cb")];
    let tokens = app.http().redeem(&tool, &code, &own).await.tokens();
    assert_eq!(tokens.refresh_token, "", "it asked for none");
    app.close().await;
}
