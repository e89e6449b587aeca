//! Less than what was granted, for the tokens of one answer.
// spec: RFC 8707 §2.2; standards.md, N, "token request ⊆ granted set", "refresh may narrow, N
// widen"; RFC 6749 §6

use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn a_narrowed_resource_counts_for_that_token_and_comes_back(app: &App) {
        prepare(app).await;
        let client = app.add_client(ClientSpec::new(CALLBACK)).await;
        let issuer = app.issuer();
        let (mcp, api) = (format!("{issuer}/mcp"), format!("{issuer}/api"));
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let request = [("resource", mcp.as_str()), ("resource", api.as_str())];
        let places = async |token: &Tokens| {
            let token = &token.access_token;
            (opens_mcp(app, token).await, opens(app, WHO, token).await)
        };
        let code = visitor.code(&client, &request).await;
        let first = app.http().redeem(&client, &code, &[("resource", &mcp)]).await.tokens();
        assert_eq!(places(&first).await, (true, false));
        // A part of what was granted is granted.
        let part = format!("{api}/method/");
        let second = refresh(app, &client, &first, &[("resource", &part)]).await.tokens();
        assert_eq!(places(&second).await, (false, true));
        assert!(!opens(app, TODOS, &second.access_token).await);
        let third = refresh(app, &client, &second, &[]).await.tokens();
        assert_eq!(places(&third).await, (true, true));
        for wider in [issuer.as_str(), "https://elsewhere.example", "mcp"] {
            let refused = refresh(app, &client, &third, &[("resource", wider)]).await;
            assert_eq!(refused.error(), "invalid_target", "{wider}");
        }
        let code = visitor.code(&client, &request).await;
        let wider = app.http().redeem(&client, &code, &[("resource", &issuer)]).await;
        assert_eq!((wider.status, wider.error().as_str()), (400, "invalid_target"));
    }

    async fn a_narrowed_scope_is_narrow_for_good(app: &App) {
        prepare(app).await;
        let client = app.add_client(ClientSpec::new(CALLBACK).scopes("openid all todo:*")).await;
        let wide = tokens(app, &client, &[("scope", "openid all")]).await;
        let narrow = refresh(app, &client, &wide, &[("scope", "todo:read todo:write openid")]).await;
        let narrow = narrow.tokens();
        assert_eq!(narrow.scope, "todo:read todo:write openid");
        assert!(opens(app, TODOS, &narrow.access_token).await);
        assert_eq!(get(app, "/api/resource/Note", &narrow.access_token).await.status, 403);
        for scope in ["all", "todo:*", "note:read", "todo:delete", "email"] {
            let refused = refresh(app, &client, &narrow, &[("scope", scope)]).await;
            assert_eq!(refused.error(), "invalid_scope", "{scope}");
        }
        let read = refresh(app, &client, &narrow, &[("scope", "todo:read")]).await.tokens();
        assert!(opens(app, TODOS, &read.access_token).await);
        let write = app.http().post(TODOS).bearer(&read.access_token);
        assert_eq!(write.json(&json!({"description": "x"})).send().await.status, 403);
    }
}
