//! Which other origins may read answers.

use crema_testkit::flow::method;
use crema_testkit::{App, Request, Response};
use serde_json::json;

use crate::security::scene;

const ORIGIN: &str = "https://app.example";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const OPEN: [&str; 4] = [
    "get_token",
    "revoke_token",
    "introspect_token",
    "openid_profile",
];

fn assert_closed(what: &str, answer: &Response) {
    for (name, value) in &answer.headers {
        let cors = name.to_lowercase().starts_with("access-control-");
        assert!(!cors, "{what}: {name}: {value}");
    }
}

fn assert_open(what: &str, answer: &Response, origin: &str, credentials: bool) {
    assert_eq!(answer.headers_named(ALLOW_ORIGIN), [origin], "{what}");
    let allowed = answer.headers_named(ALLOW_CREDENTIALS);
    assert_eq!(allowed == ["true"], credentials, "{what}: {allowed:?}");
    assert!(credentials || allowed.is_empty());
    assert!(!(origin == "*" && credentials));
}

fn preflight(app: &App, path: &str, origin: &str) -> Request {
    app.http()
        .request("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization")
}

/// Everything that can be asked for, with a GET and a POST.
fn everything() -> Vec<String> {
    let names = [
        "authorize",
        "approve",
        "get_token",
        "revoke_token",
        "introspect_token",
        "openid_profile",
    ];
    let mut paths: Vec<_> = names.into_iter().map(method).collect();
    for path in [
        "/",
        "/login",
        "/me",
        "/app",
        "/nothing",
        "/api/method/login",
        "/api/method/logout",
        WHO,
        "/api/method/none",
    ] {
        paths.push(path.to_owned());
    }
    paths
}

// spec: security.md, Inputs, outputs, network, line 2: nothing for origins that are not allowed
#[tokio::test]
async fn a_new_site_allows_no_origin_anywhere_but_well_known() {
    let app = scene::start().await;
    for origin in [ORIGIN, "null", "http://trust.localhost.evil.example"] {
        for path in everything() {
            for verb in ["GET", "POST"] {
                let request = app.http().request(verb, &path).header("Origin", origin);
                assert_closed(&path, &request.send().await);
            }
            assert_closed(&path, &preflight(&app, &path, origin).send().await);
        }
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 2: well-known is for everybody
#[tokio::test]
async fn well_known_documents_are_readable_from_anywhere_without_credentials() {
    let app = scene::start().await;
    for name in [
        "openid-configuration",
        "oauth-authorization-server",
        "oauth-protected-resource",
        "jwks.json",
    ] {
        let path = format!("/.well-known/{name}");
        for request in [
            app.http().get(&path),
            app.http().get(&path).header("Origin", ORIGIN),
            app.http().get(&path).header("Origin", "null"),
        ] {
            assert_open(&path, &request.send().await, "*", false);
        }
        let answer = preflight(&app, &path, ORIGIN).send().await;
        assert!(matches!(answer.status, 200 | 204));
        assert_open(&path, &answer, "*", false);
    }
    app.set_config("allow_cors", json!([ORIGIN]));
    let path = "/.well-known/openid-configuration";
    let answer = app.http().get(path).header("Origin", ORIGIN).send().await;
    assert_open(path, &answer, "*", false);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 2: Allowed Public Client Origins
#[tokio::test]
async fn public_client_origins_open_the_oauth_endpoints_and_nothing_else() {
    let app = scene::start().await;
    let origins = "https://app.example https://second.example:8443\nbare.example";
    app.set_settings(
        "OAuth Settings",
        &[("allowed_public_client_origins", origins)],
    )
    .await;
    let client = scene::public(&app).await;
    let listed = [
        ORIGIN,
        "https://second.example:8443",
        "https://bare.example",
        "http://bare.example",
    ];
    for origin in listed {
        for name in OPEN {
            let path = method(name);
            let answer = app.http().post(&path).header("Origin", origin).send().await;
            assert!(answer.status >= 400);
            assert_open(name, &answer, origin, false);
            assert!(answer.header("vary").unwrap().contains("Origin"));
            let preflight = preflight(&app, &path, origin).send().await;
            assert_open(name, &preflight, origin, false);
            assert!(preflight.header("access-control-max-age").is_some());
        }
    }
    let known = [("client_id", client.client_id.as_str()), ("token", "x")];
    let fine = scene::call(&app.http(), "revoke_token", &known).header("Origin", ORIGIN);
    let fine = fine.send().await;
    assert_eq!(fine.status, 200);
    assert_open("revocation", &fine, ORIGIN, false);
    for path in everything() {
        if OPEN.iter().any(|name| path == method(name)) {
            continue;
        }
        for verb in ["GET", "POST"] {
            let request = app.http().request(verb, &path).header("Origin", ORIGIN);
            assert_closed(&path, &request.send().await);
        }
        assert_closed(&path, &preflight(&app, &path, ORIGIN).send().await);
    }
    for origin in [
        "https://app.example.evil.example",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "https://second.example",
        "https://sub.bare.example",
        "https://bare.example:8443",
        "https://APP.example",
        "null",
        "",
    ] {
        let answer = app
            .http()
            .post(&method("get_token"))
            .header("Origin", origin);
        assert_closed(origin, &answer.send().await);
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 2: credentials never together with `*`
#[tokio::test]
async fn a_star_never_allows_credentials() {
    let app = App::builder()
        .config("allow_cors", "*")
        .config("cors_allow_credentials", true)
        .build()
        .await;
    scene::add_user(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    for path in [
        WHO.to_owned(),
        "/api/method/ping".to_owned(),
        method("openid_profile"),
    ] {
        for origin in [ORIGIN, "null", "https://evil.example"] {
            let request = visitor.http().get(&path).header("Origin", origin);
            assert_open(&path, &visitor.send(request).await, "*", false);
            assert_open(
                &path,
                &preflight(&app, &path, origin).send().await,
                "*",
                false,
            );
        }
    }
    for path in [
        method("authorize"),
        method("approve"),
        "/login".to_owned(),
        "/me".to_owned(),
    ] {
        let request = visitor.http().get(&path).header("Origin", ORIGIN);
        assert_closed(&path, &visitor.send(request).await);
        assert_closed(&path, &preflight(&app, &path, ORIGIN).send().await);
    }
    app.set_settings("OAuth Settings", &[("allowed_public_client_origins", "*")])
        .await;
    let answer = app
        .http()
        .post(&method("get_token"))
        .header("Origin", ORIGIN)
        .send()
        .await;
    assert!(answer.headers_named(ALLOW_CREDENTIALS).is_empty());
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 2
#[tokio::test]
async fn listed_origins_are_compared_as_a_whole() {
    let app = App::builder()
        .config("allow_cors", json!([ORIGIN, "https://b.example/"]))
        .build()
        .await;
    scene::add_user(&app).await;
    for origin in [ORIGIN, "https://b.example"] {
        let answer = app.http().get(WHO).header("Origin", origin).send().await;
        assert_eq!(answer.status, 401, "errors carry the headers too");
        assert_open(origin, &answer, origin, true);
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("WWW-Authenticate") && exposed.contains("Retry-After"));
    }
    for origin in [
        "https://app.example.evil.example",
        "http://app.example",
        "https://app.example:1",
        "null",
    ] {
        assert_closed(
            origin,
            &app.http().get(WHO).header("Origin", origin).send().await,
        );
    }
    for path in [method("authorize"), method("approve"), "/login".to_owned()] {
        assert_closed(
            &path,
            &app.http().get(&path).header("Origin", ORIGIN).send().await,
        );
    }
    app.set_config("cors_allow_credentials", false);
    let answer = app.http().get(WHO).header("Origin", ORIGIN).send().await;
    assert_open("without", &answer, ORIGIN, false);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 2; http.md, CORS: errors carry the headers too
#[tokio::test]
async fn what_is_wrong_with_a_body_can_be_read_as_well() {
    let app = scene::start().await;
    app.set_settings(
        "OAuth Settings",
        &[("allowed_public_client_origins", ORIGIN)],
    )
    .await;
    let too_large = app
        .http()
        .post(&method("get_token"))
        .header("Origin", ORIGIN);
    let too_large = too_large.body(vec![b'x'; 1024 * 1024 + 1]).send().await;
    assert_eq!(too_large.status, 413);
    assert_open("413", &too_large, ORIGIN, false);
    let malformed = app
        .http()
        .post(&method("get_token"))
        .header("Origin", ORIGIN);
    let malformed = malformed
        .header("Content-Type", "application/json")
        .body("{")
        .send()
        .await;
    assert_eq!(malformed.status, 400);
    assert_open("400", &malformed, ORIGIN, false);
    app.close().await;
}
