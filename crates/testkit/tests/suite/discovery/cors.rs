//! What a browser tells scripts of other origins, list by list.

use crema_testkit::flow::method;
use crema_testkit::{App, Http, Response};
use serde_json::json;

use super::{JWKS, OPENID, RESOURCE, SERVER};

const SPA: &str = "https://spa.example";
const LISTED: &str = "https://listed.example";
const HEADERS: &str =
    "Authorization, Content-Type, X-Frappe-CSRF-Token, X-Frappe-Site-Name, Mcp-Protocol-Version";
const MCP_HEADERS: &str = "Authorization, Content-Type, X-Frappe-Site-Name, \
    Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";

async fn preflight(http: &Http, path: &str, origin: &str) -> Response {
    let request = http
        .request("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type,mcp-protocol-version",
        );
    let answer = request.send().await;
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
    answer
}

/// The lists of a preflight, and what else it says.
#[track_caller]
fn assert_lists(path: &str, answer: &Response, origin: &str, methods: &str, headers: &str) {
    for (name, expected) in [
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", methods),
        ("access-control-allow-headers", headers),
        ("access-control-max-age", "86400"),
    ] {
        assert_eq!(answer.headers_named(name), [expected], "{path}: {name}");
    }
    if origin != "*" {
        assert_eq!(answer.headers_named("vary"), ["Origin"], "{path}");
    }
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert_eq!(exposed, "WWW-Authenticate, Retry-After", "{path}");
}

#[track_caller]
fn assert_closed(path: &str, answer: &Response) {
    let mut names = answer.headers.iter().map(|(name, _)| name.to_lowercase());
    assert!(
        !names.any(|name| name.starts_with("access-control-")),
        "{path}: {:?}",
        answer.headers
    );
}

fn no_credentials(answer: &Response) -> bool {
    answer.header("access-control-allow-credentials").is_none()
}

/// The endpoints that are opened to public clients, with their methods.
fn opened() -> Vec<(String, &'static str)> {
    vec![
        (method("get_token"), "POST"),
        (method("revoke_token"), "POST"),
        (method("introspect_token"), "POST"),
        (method("openid_profile"), "GET, POST"),
        (method("register_client"), "POST, GET, PUT, DELETE"),
    ]
}

// spec: http.md, CORS, "Allowed Public Client Origins … opens token, revocation, introspection,
// userinfo and registration endpoints to those origins", "exact lists"
#[tokio::test]
async fn a_preflight_names_what_the_endpoint_has() {
    let app = App::builder().build().await;
    for entry in [SPA, "https://SPA.example:443/", "spa.example", "*"] {
        let values = [("allowed_public_client_origins", entry)];
        app.set_settings("OAuth Settings", &values).await;
        for (path, methods) in opened() {
            for path in [
                path.clone(),
                format!("{path}?client_id=x"),
                format!("{path}/"),
            ] {
                let answer = preflight(&app.http(), &path, SPA).await;
                assert_lists(&path, &answer, SPA, methods, HEADERS);
                assert!(no_credentials(&answer));
            }
            let v2 = path.replace("/api/", "/api/v2/");
            let answer = preflight(&app.http(), &v2, SPA).await;
            assert_lists(&v2, &answer, SPA, methods, HEADERS);
        }
        let answer = preflight(&app.http(), "/mcp", SPA).await;
        assert_lists("/mcp", &answer, SPA, "POST, GET, DELETE", MCP_HEADERS);
        assert!(no_credentials(&answer));
        for path in [
            method("authorize"),
            method("approve"),
            "/login".to_owned(),
            "/me".to_owned(),
            "/".to_owned(),
            "/api/method/login".to_owned(),
            "/api/resource/ToDo".to_owned(),
            "/api/method/frappe.auth.get_logged_user".to_owned(),
        ] {
            assert_closed(&path, &preflight(&app.http(), &path, SPA).await);
        }
    }
    app.close().await;
}

// spec: http.md, CORS, "`/.well-known/*` is open to all"
#[tokio::test]
async fn documents_are_open_to_all_whatever_is_configured() {
    let app = App::builder()
        .config("allow_cors", json!([LISTED]))
        .config("allow_cors_for_methods", json!(["PUT"]))
        .config("allow_cors_for_headers", json!(["X-Own"]))
        .build()
        .await;
    for path in [OPENID, SERVER, RESOURCE, JWKS, "/.well-known/nothing"] {
        for origin in [SPA, LISTED, "null"] {
            let answer = preflight(&app.http(), path, origin).await;
            assert_lists(path, &answer, "*", "GET, HEAD", HEADERS);
            assert!(no_credentials(&answer));
        }
    }
    app.close().await;
}

// spec: http.md, CORS by `site_config.json`; security.md, Inputs, outputs, network, line 2
#[tokio::test]
async fn what_the_configuration_lists_is_about_what_it_opens() {
    let app = App::builder()
        .config("allow_cors", json!([LISTED]))
        .config("allow_cors_for_methods", json!(["GET", "PUT"]))
        .config("allow_cors_for_headers", json!(["X-Own"]))
        .build()
        .await;
    app.set_settings("OAuth Settings", &[("allowed_public_client_origins", SPA)])
        .await;
    for path in [method("get_token"), "/api/resource/ToDo".to_owned()] {
        let answer = preflight(&app.http(), &path, LISTED).await;
        assert_lists(&path, &answer, LISTED, "GET, PUT", "X-Own");
        assert!(!no_credentials(&answer));
    }
    let token = method("get_token");
    let answer = preflight(&app.http(), &token, SPA).await;
    assert_lists(&token, &answer, SPA, "POST", HEADERS);
    for origin in [SPA, LISTED] {
        let answer = preflight(&app.http(), "/mcp", origin).await;
        assert_lists("/mcp", &answer, origin, "POST, GET, DELETE", MCP_HEADERS);
        assert!(no_credentials(&answer), "no cookie is read there");
    }
    assert_closed(
        "/mcp",
        &preflight(&app.http(), "/mcp", "https://evil.example").await,
    );

    app.set_config("allow_cors_for_methods", serde_json::Value::Null);
    app.set_config("allow_cors_for_headers", serde_json::Value::Null);
    let answer = preflight(&app.http(), &token, LISTED).await;
    assert_lists(&token, &answer, LISTED, METHODS, HEADERS);
    app.close().await;
}

// spec: http.md, CORS: errors carry the headers too
#[tokio::test]
async fn what_is_refused_at_mcp_can_be_read() {
    let app = App::builder().build().await;
    let values = [("allowed_public_client_origins", SPA)];
    app.set_settings("OAuth Settings", &values).await;
    for method in ["POST", "GET", "DELETE"] {
        let request = app.http().request(method, "/mcp").header("Origin", SPA);
        let answer = request.send().await;
        assert!(answer.status >= 400, "{method}");
        assert_eq!(answer.headers_named("access-control-allow-origin"), [SPA]);
        assert!(no_credentials(&answer));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("WWW-Authenticate"), "{method}: {exposed}");
        let other = app.http().request(method, "/mcp");
        let other = other.header("Origin", "https://evil.example").send().await;
        assert_closed("/mcp", &other);
        assert_eq!(other.headers_named("vary"), ["Origin"], "{method}");
    }
    app.close().await;
}
