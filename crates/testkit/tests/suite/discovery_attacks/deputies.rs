//! Tokens for one part of a site, shown to another; calls that are not what their path says.

use crema_testkit::ClientSpec;
use crema_testkit::flow::method;

use super::*;

const WHO: &str = "frappe.auth.get_logged_user";

async fn token(app: &App, resource: &str) -> String {
    let client = app
        .add_client(ClientSpec::new(CALLBACK).scopes("all"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let asked = [("scope", "all"), ("resource", resource)];
    let code = visitor.code(&client, &asked).await;
    app.http()
        .redeem(&client, &code, &[])
        .await
        .tokens()
        .access_token
}

/// Requests that some reader could take for one of the API.
fn disguised() -> Vec<String> {
    let who = method(WHO);
    let mut paths = vec![
        format!("/mcp?cmd={WHO}"),
        format!("/mcp/?cmd={WHO}"),
        format!("/?cmd={WHO}"),
        format!("//?cmd={WHO}"),
        format!("/mcp/..{who}"),
        format!("/mcp/%2e%2e{who}"),
        format!("/mcp/..%2f{}", &who[1..]),
        format!("/mcp/.{who}"),
        format!("/mcp{who}"),
        format!("/{who}"),
        format!("/mcp;{who}"),
        format!("/mcp%2f..{who}"),
        format!("/mcp\\..{who}"),
        format!("/mcp/../mcp/..{who}"),
        format!("{who}?x=/mcp"),
        format!("{who}/mcp"),
        format!("{who}/../../../mcp"),
        format!("http://mcp{who}"),
    ];
    for prefix in ["/api/v1/method", "/api/v2/method"] {
        paths.push(format!("{prefix}/{WHO}"));
    }
    paths
}

// spec: RFC 8707 §2; standards.md, U, "RS M validate audience"
#[tokio::test]
async fn a_token_for_the_tools_opens_the_api_under_no_disguise() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    app.set_settings(SETTINGS, &[("enable_mcp", "1")]).await;
    let token = token(app, &format!("{}/mcp", app.issuer())).await;
    for path in disguised() {
        for verb in ["GET", "POST"] {
            let request = app.http().request(verb, &path).bearer(&token);
            let request = request.form(&[("cmd", WHO)]);
            let answer = request.header("Accept", "application/json").send().await;
            assert!(!answer.text().contains(USER), "{verb} {path}");
            assert!(answer.status >= 300 && answer.status < 500, "{verb} {path}");
        }
    }
    // Headers by which proxies and frameworks name another path or method count for nothing.
    for (name, value) in [
        ("X-Original-URL", "/mcp"),
        ("X-Rewrite-URL", "/mcp"),
        ("X-Forwarded-Prefix", "/mcp"),
        ("X-HTTP-Method-Override", "POST"),
        ("X-Frappe-CMD", "mcp"),
    ] {
        let request = app.http().get(&method(WHO)).bearer(&token);
        assert_eq!(
            request.header(name, value).send().await.status,
            401,
            "{name}"
        );
    }
    world.app.close().await;
}

#[tokio::test]
async fn a_token_for_the_api_opens_the_tools_under_no_disguise() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    app.set_settings(SETTINGS, &[("enable_mcp", "1")]).await;
    let token = token(app, &format!("{}/api", app.issuer())).await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for path in [
        "/mcp",
        "/mcp/",
        "//mcp",
        "/./mcp",
        "/api/../mcp",
        "/api/%2e%2e/mcp",
        "/api/..%2fmcp",
        "/%6dcp",
        "/mcp?x=/api",
        "/api/mcp",
        "/api//mcp",
        "/MCP",
        "/api/method/../../mcp",
    ] {
        let answer = app
            .http()
            .post(path)
            .bearer(&token)
            .json(&call)
            .send()
            .await;
        assert!(!answer.text().contains("list_documents"), "{path}");
        assert!(
            answer.status >= 300 && answer.status < 500,
            "{path} {}",
            answer.status
        );
    }
    world.app.close().await;
}

#[tokio::test]
async fn a_token_for_one_site_is_nothing_at_another() {
    let world = World::new(Engine::Sqlite).await;
    let mut app = world.app;
    app.add_site("other.localhost").await;
    let resource = app.issuer();
    let token = token(&app, &resource).await;
    let other = app.http_of("other.localhost");
    for (name, value) in [
        ("X-Forwarded-Host", app.site().to_owned()),
        ("X-Frappe-Site-Name", app.site().to_owned()),
        ("Forwarded", format!("host={}", app.site())),
    ] {
        let request = other.get(&method(WHO)).bearer(&token);
        let answer = request.header(name, &value).send().await;
        // The header that Frappe knows chooses a site among those of the bench, for who may.
        let is_there = answer.status == 200 && name == "X-Frappe-Site-Name";
        assert!(answer.status == 401 || is_there, "{name} {}", answer.status);
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, CSRF; Inputs, outputs, network, "`/mcp` checks Origin"
#[tokio::test]
async fn a_page_elsewhere_gets_nothing_out_of_a_browser() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    app.set_settings(SETTINGS, &[("enable_mcp", "1")]).await;
    let mut visitor = world.user().await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for origin in [
        "null",
        "https://evil.example",
        "",
        "https://app.example:443",
        "file://",
    ] {
        for kind in [
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            let post = app.http().post("/mcp").header("Origin", origin);
            let post = post.header("Content-Type", kind).body(call.to_string());
            let answer = visitor.send(post).await;
            assert!(matches!(answer.status, 401 | 403), "{origin} {kind}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            assert_eq!(answer.header("set-cookie"), None);
        }
        // Whoever can register needs no browser for it, and reads nothing through one.
        let post = app.http().post(REGISTER).header("Origin", origin);
        let answer = visitor.send(post.json(&metadata(json!({})))).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
        for verb in ["PUT", "DELETE", "GET"] {
            let asked = app.http().request("OPTIONS", REGISTER);
            let asked = asked.header("Origin", origin);
            let asked = asked.header("Access-Control-Request-Method", verb);
            let answer = asked.send().await;
            for name in ["origin", "methods", "headers", "credentials"] {
                let name = format!("access-control-allow-{name}");
                assert_eq!(answer.header(&name), None, "{origin} {verb}");
            }
            assert_eq!(answer.header("access-control-max-age"), None);
        }
        let document = app.http().get("/.well-known/oauth-authorization-server");
        let answer = visitor.send(document.header("Origin", origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Client" WHERE owner <> 'Guest'"#;
    assert_eq!(app.count(sql, vec![]).await, 0, "a session plays no role");
    world.app.close().await;
}
