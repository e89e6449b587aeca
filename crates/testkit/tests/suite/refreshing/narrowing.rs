//! Scope and resource can only shrink.
// spec: RFC 6749 §6; RFC 8707 §2.2; security.md, "scope can only shrink"

use crema_testkit::for_each_engine;
use serde_json::json;

use super::*;

for_each_engine! {
    async fn a_scope_that_was_dropped_does_not_come_back(app: &App) {
        let client = setup(app).await;
        let wide = tokens(app, &client, &[("scope", "openid profile email all")]).await;
        assert_eq!(wide.scope, "openid profile email all");
        let narrow = refresh_with(app, &client, &wide, &[("scope", "email openid")]).await.tokens();
        assert_eq!(narrow.scope, "email openid");
        let about = app.http().userinfo(&narrow.access_token).await.json();
        assert_eq!(about["email"], USER);
        assert!(about["name"].is_null() && about["roles"].is_null(), "{about}");

        for scope in ["all", "openid all", "openid profile", "unknown"] {
            let error = refused_with(app, &client, &narrow, &[("scope", scope)]).await;
            assert_eq!(error, "invalid_scope", "{scope}");
        }
        // A refused request uses nothing up.
        let same = refreshed(app, &client, &narrow).await;
        assert_eq!(same.scope, "email openid");
        let without = refresh_with(app, &client, &same, &[("scope", "email")]).await.tokens();
        assert_eq!(without.id_token, None);
        assert_eq!(app.http().userinfo(&without.access_token).await.status, 403);
    }

    async fn a_resource_is_one_of_those_that_were_granted(app: &App) {
        let client = setup(app).await;
        let issuer = app.issuer();
        let (mcp, api) = (format!("{issuer}/mcp"), format!("{issuer}/api"));
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let request = [("resource", mcp.as_str()), ("resource", api.as_str())];
        let code = visitor.code(&client, &request).await;
        let both = app.http().redeem(&client, &code, &[]).await.tokens();
        let audience = async |tokens: &Tokens| {
            app.http().introspect(&client, &tokens.access_token).await.json()["aud"].clone()
        };
        assert_eq!(audience(&both).await, json!([mcp, api]));

        let one = refresh_with(app, &client, &both, &[("resource", &mcp)]).await.tokens();
        assert_eq!(audience(&one).await, json!(mcp));
        let elsewhere = "https://elsewhere.example/";
        for resource in [elsewhere, &issuer, "not a uri", "/relative", &format!("{mcp}#a")] {
            let error = refused_with(app, &client, &one, &[("resource", resource)]).await;
            assert_eq!(error, "invalid_target", "{resource}");
        }
        // What was granted is the authorization's, not that of the last token.
        let other = refresh_with(app, &client, &one, &[("resource", &api)]).await.tokens();
        assert_eq!(audience(&other).await, json!(api));
    }

    // spec: http.md, authorize, "a bare origin matches with or without `/`"
    async fn a_bare_origin_is_one_resource(app: &App) {
        let client = setup(app).await;
        let bare = app.issuer();
        let old = tokens(app, &client, &[("resource", &format!("{bare}/"))]).await;
        let new = refresh_with(app, &client, &old, &[("resource", &bare)]).await.tokens();
        let about = app.http().introspect(&client, &new.access_token).await.json();
        assert_eq!(about["aud"], json!(bare));
    }

    async fn a_grant_without_resource_can_be_narrowed_to_one(app: &App) {
        let client = setup(app).await;
        let mcp = format!("{}/mcp", app.issuer());
        let old = tokens(app, &client, &[]).await;
        let about = app.http().introspect(&client, &old.access_token).await.json();
        assert_eq!(about["aud"], json!(client.client_id));
        let new = refresh_with(app, &client, &old, &[("resource", &mcp)]).await.tokens();
        let about = app.http().introspect(&client, &new.access_token).await.json();
        assert_eq!(about["aud"], json!(mcp));
    }
}
