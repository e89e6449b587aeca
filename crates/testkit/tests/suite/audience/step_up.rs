//! From nothing to a written document, guided by refusals alone.
// spec: standards.md, U, "403 `insufficient_scope` + scope → step-up flow"; U2, "scope accumulates
// in step-up"; http.md, register_client, "Registered clients may ask for the scopes"

use crema_testkit::{Redirect, Visitor, for_each_engine};

use super::*;

/// Authorizes for what a challenge named; whether the user was asked.
async fn authorize(
    app: &App,
    visitor: &mut Visitor,
    client: &TestClient,
    params: &[(&str, &str)],
) -> (Tokens, bool) {
    let all = client.authorization(params);
    let all: Vec<_> = all
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let page = visitor.authorize(&all).await;
    let asked = page.status == 200;
    if asked {
        assert_eq!(page.title().as_deref(), Some("Confirm Access"));
    }
    let answer = match asked {
        true => visitor.decide(&page, "allow").await,
        false => page,
    };
    let redirect = Redirect::of(&answer);
    let tokens = app
        .http()
        .redeem(client, redirect.param("code"), &[])
        .await
        .tokens();
    (tokens, asked)
}

for_each_engine! {
    async fn a_client_reads_challenges_and_asks_for_more(app: &App) {
        prepare(app).await;
        let listed = [("registration_scopes", "openid offline_access todo:read todo:create")];
        app.set_settings("OAuth Settings", &listed).await;
        let spec = ClientSpec::public(CALLBACK).scopes("openid").dynamically_registered();
        let client = app.add_client(spec).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let new = json!({"description": "Water the plants"});

        let refused = app.http().get(TODOS).send().await;
        let first = scope(&refused).unwrap().to_owned();
        assert_eq!(first, "todo:read");
        let (tokens, asked) = authorize(app, &mut visitor, &client, &[("scope", &first)]).await;
        assert!(asked && tokens.scope == first);
        assert!(opens(app, TODOS, &tokens.access_token).await);

        let write = app.http().post(TODOS).bearer(&tokens.access_token).json(&new);
        let refused = write.send().await;
        assert_eq!(refused.status, 403);
        assert_eq!(parameter(challenge(&refused), "error"), Some("insufficient_scope"));
        assert_eq!(scope(&refused), Some("todo:create"));
        let union = format!("{first} {}", scope(&refused).unwrap());
        let (tokens, asked) = authorize(app, &mut visitor, &client, &[("scope", &union)]).await;
        assert!(asked, "more than was allowed before");
        assert_eq!(tokens.scope, union);
        let write = app.http().post(TODOS).bearer(&tokens.access_token).json(&new);
        assert_eq!(write.send().await.status, 200);
        assert!(opens(app, TODOS, &tokens.access_token).await);

        // What the administrator did not list is neither named nor granted.
        let removed = app.http().request("DELETE", "/api/resource/ToDo/x");
        let refused = removed.bearer(&tokens.access_token).send().await;
        assert_eq!((refused.status, scope(&refused)), (403, None));
        let redirect = visitor.grant(&client, &[("scope", "todo:delete")]).await;
        assert_eq!(redirect.param("error"), "invalid_scope");
        // Nor is what is no longer listed.
        app.set_settings("OAuth Settings", &[("registration_scopes", "openid")]).await;
        let refused = app.http().get(TODOS).send().await;
        assert_eq!(scope(&refused), None);
        let redirect = visitor.grant(&client, &[("scope", &first)]).await;
        assert_eq!(redirect.param("error"), "invalid_scope");
    }
}

#[tokio::test]
async fn an_mcp_client_steps_up_from_tool_to_tool() {
    let app = site().await;
    let listed = "openid offline_access todo:read todo:create";
    let settings = [("registration_scopes", listed)];
    app.set_settings("OAuth Settings", &settings).await;
    let spec = ClientSpec::public(CALLBACK)
        .scopes("openid")
        .dynamically_registered();
    let client = app.add_client(spec).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let resource = format!("{}/mcp", app.issuer());

    let refused = app.http().post("/mcp").json(&json!({})).send().await;
    let first = scope(&refused).unwrap().to_owned();
    assert_eq!(first, "openid offline_access todo:read");
    let request = [("scope", first.as_str()), ("resource", &resource)];
    let (tokens, asked) = authorize(&app, &mut visitor, &client, &request).await;
    assert!(asked && opens_mcp(&app, &tokens.access_token).await);
    assert!(!opens(&app, TODOS, &tokens.access_token).await);

    let create = json!({"name": "create_document", "arguments":
        {"doctype": "ToDo", "values": {"description": "Water the plants"}}});
    let refused = mcp(&app, &tokens.access_token, "tools/call", create.clone()).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", app.issuer());
    assert_eq!(
        parameter(challenge(&refused), "resource_metadata"),
        Some(metadata.as_str())
    );
    // Clients of this revision ask for what is named and nothing else.
    let more = scope(&refused).unwrap().to_owned();
    assert_eq!(more, "openid offline_access todo:read todo:create");
    let request = [("scope", more.as_str()), ("resource", &resource)];
    let (tokens, asked) = authorize(&app, &mut visitor, &client, &request).await;
    assert!(asked);
    let made = mcp(&app, &tokens.access_token, "tools/call", create).await;
    assert_eq!(
        made.json()["result"]["isError"],
        json!(false),
        "{}",
        made.text()
    );

    // What no client may ask for is not named, not even with what the token has.
    let delete = json!({"name": "delete_document", "arguments": {"doctype": "ToDo", "name": "x"}});
    let refused = mcp(&app, &tokens.access_token, "tools/call", delete).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(scope(&refused), None);
    app.close().await;
}

// From 2026-07-28 on clients add to what they have.
#[tokio::test]
async fn clients_that_accumulate_are_told_what_is_missing_alone() {
    let app = site().await;
    let client = app
        .add_client(ClientSpec::new(CALLBACK).scopes("openid todo:*"))
        .await;
    let token = tokens(&app, &client, &[("scope", "openid todo:read")])
        .await
        .access_token;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": "create_document", "_meta": meta, "arguments":
        {"doctype": "ToDo", "values": {"description": "Water the plants"}}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let post = app.http().post("/mcp").bearer(&token).json(&body);
    let post = post.header("MCP-Protocol-Version", "2026-07-28");
    let post = post
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", "create_document");
    let refused = post.send().await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(scope(&refused), Some("todo:create"));
    app.close().await;
}
