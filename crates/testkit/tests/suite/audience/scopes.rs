//! A registered scope covers what is narrower.
// spec: http.md, Resource server, "Scopes on resources"; authorize, "scopes that the client does
// not have"

use crema_testkit::for_each_engine;

use super::*;

for_each_engine! {
    async fn every_grant_gives_the_narrow_scope_that_was_asked_for(app: &App) {
        prepare(app).await;
        let grants = "authorization_code refresh_token password client_credentials";
        let spec = ClientSpec::new(CALLBACK).with("user", USER).grant_types(grants);
        let client = app.add_client(spec.scopes("openid all")).await;
        let http = app.http();
        let password = [
            ("grant_type", "password"), ("username", USER), ("password", PASSWORD), ("scope", "todo:read"),
        ];
        let credentials = [("grant_type", "client_credentials"), ("scope", "todo:read")];
        for got in [
            tokens(app, &client, &[("scope", "todo:read")]).await,
            http.token(&client, &password).await.tokens(),
            http.token(&client, &credentials).await.tokens(),
        ] {
            assert_eq!(got.scope, "todo:read");
            assert!(opens(app, TODOS, &got.access_token).await);
            let note = get(app, "/api/resource/Note", &got.access_token).await;
            assert_eq!((note.status, scope(&note)), (403, Some("note:read")));
        }
        // With `openid` what nothing covers is dropped, without it that is an error.
        let some = tokens(app, &client, &[("scope", "openid todo:* todo:fly ToDo:read method:")]).await;
        assert_eq!(some.scope, "openid todo:*");
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        for scope in ["todo:fly", "todo:read nothing", "method:", "a:b:read"] {
            let redirect = visitor.grant(&client, &[("scope", scope)]).await;
            assert_eq!(redirect.param("error"), "invalid_scope", "{scope}");
        }
    }
}

#[tokio::test]
async fn no_narrow_scope_covers_a_wider_one() {
    let app = site().await;
    let client = app
        .add_client(ClientSpec::new(CALLBACK).scopes("todo:* note:read method:a.b"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for scope in [
        "all",
        "note:*",
        "note:write",
        "todo_list:read",
        "method:a",
        "openid:read",
    ] {
        let redirect = visitor.grant(&client, &[("scope", scope)]).await;
        assert_eq!(redirect.param("error"), "invalid_scope", "{scope}");
    }
    let verbs = "todo:read todo:write todo:create todo:delete";
    assert_eq!(
        tokens(&app, &client, &[("scope", verbs)]).await.scope,
        verbs
    );
    app.close().await;
}
