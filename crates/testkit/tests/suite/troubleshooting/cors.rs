//! "CORS errors in browser", and the chapter on CORS: what a browser asks, and whether it would
//! let the page's script go on.

use crema_testkit::{App, Http, Request, Response};
use serde_json::{Value, json};

use super::{site, tokens};

const APP: &str = "https://app.trust.com";
const MOBILE: &str = "https://mobile.trust.com";
const STRANGER: &str = "https://evil.example";

const TOKEN: &str = "/api/method/frappe.integrations.oauth2.get_token";
const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const TODOS: &str = "/api/resource/ToDo";
const PATHS: &[&str] = &[
    TOKEN,
    WHO,
    TODOS,
    "/api/resource/ToDo/x",
    "/api/v2/document/ToDo",
    "/api/v2/document/ToDo/x",
    "/api/method/frappe.client.get_list",
];

fn preflight(http: &Http, path: &str, origin: &str, verb: &str, headers: &str) -> Request {
    http.request("OPTIONS", path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", verb)
        .header("Access-Control-Request-Headers", headers)
}

/// Whether a browser would let a script of that origin see the answer.
fn readable(answer: &Response, origin: &str, credentials: bool) -> bool {
    let allowed = answer.header("access-control-allow-origin");
    let with = answer.header("access-control-allow-credentials") == Some("true");
    match allowed {
        Some("*") => !credentials,
        Some(named) => named == origin && (with || !credentials),
        None => false,
    }
}

/// Whether a browser would send the request after this preflight.
fn sent(answer: &Response, origin: &str, verb: &str, headers: &str) -> bool {
    let list = |name: &str| answer.header(name).unwrap_or_default().to_lowercase();
    let has = |list: &str, word: &str| list.split(',').any(|item| item.trim() == word);
    let (methods, allowed) = (
        list("access-control-allow-methods"),
        list("access-control-allow-headers"),
    );
    matches!(answer.status, 200 | 204)
        && readable(answer, origin, false)
        && has(&methods, &verb.to_lowercase())
        && headers.split(',').all(|name| has(&allowed, name.trim()))
}

fn configure(app: &App, config: &Value) {
    for (key, value) in config.as_object().unwrap() {
        app.set_config(key, value.clone());
    }
}

#[tokio::test]
async fn without_configuration_no_origin_may() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    for path in PATHS {
        let asked = preflight(&app.http(), path, APP, "GET", "authorization")
            .send()
            .await;
        assert!(!sent(&asked, APP, "GET", "authorization"), "{path}");
        assert!(!readable(&asked, APP, false), "{path}");
        let request = app.http().get(path).header("Origin", APP).bearer(&token);
        assert!(!readable(&request.send().await, APP, false), "{path}");
    }
    app.close().await;
}

/// The first configuration of the chapter, as it stands.
fn everybody() -> Value {
    json!({
        "allow_cors": "*",
        "cors_allow_credentials": true,
        "allow_cors_for_methods": ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
        "allow_cors_for_headers": ["Authorization", "Content-Type", "X-Frappe-CSRF-Token"],
    })
}

// spec: http.md, "CORS by `site_config.json`"; security.md, Inputs, outputs, network, line 2
#[tokio::test]
async fn the_star() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    configure(&app, &everybody());
    for path in PATHS {
        for verb in ["GET", "POST", "PUT", "DELETE"] {
            let headers = "authorization, content-type, x-frappe-csrf-token";
            let asked = preflight(&app.http(), path, APP, verb, headers)
                .send()
                .await;
            assert!(sent(&asked, APP, verb, headers), "{path} {verb}: {asked:?}");
            assert!(
                !readable(&asked, APP, true),
                "{path}: `*` never allows credentials"
            );
            assert!(asked.header("access-control-max-age").is_some());
        }
        for (verb, headers) in [("PATCH", "authorization"), ("GET", "x-other")] {
            let asked = preflight(&app.http(), path, APP, verb, headers)
                .send()
                .await;
            assert!(!sent(&asked, APP, verb, headers), "{path} {verb} {headers}");
        }
        let request = app.http().get(path).header("Origin", APP).bearer(&token);
        let answer = request.send().await;
        assert!(readable(&answer, APP, false), "{path}: {answer:?}");
        assert!(!readable(&answer, APP, true), "{path}");
    }
    app.close().await;
}

// spec: http.md, "CORS by `site_config.json`"; security.md, Inputs, outputs, network, line 2
#[tokio::test]
async fn origins_that_are_listed() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    configure(&app, &json!({"allow_cors": [APP, MOBILE]}));
    for path in PATHS {
        for origin in [APP, MOBILE] {
            for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let headers = "authorization, content-type, x-frappe-csrf-token";
                let asked = preflight(&app.http(), path, origin, verb, headers)
                    .send()
                    .await;
                assert!(
                    sent(&asked, origin, verb, headers),
                    "{path} {verb}: {asked:?}"
                );
            }
            // Errors too: else the script would never learn that its token is dead.
            for token in [token.as_str(), "dead"] {
                let request = app.http().get(path).header("Origin", origin).bearer(token);
                let answer = request.send().await;
                assert!(readable(&answer, origin, true), "{path}: {answer:?}");
                let exposed = answer
                    .header("access-control-expose-headers")
                    .unwrap_or_default();
                assert!(exposed.contains("WWW-Authenticate"), "{path}: {exposed}");
                let vary = answer.headers_named("vary").join(", ");
                assert!(vary.contains("Origin"), "{path}: {vary}");
            }
        }
        for origin in [STRANGER, "https://app.trust.com.evil.example", "null"] {
            let asked = preflight(&app.http(), path, origin, "GET", "authorization")
                .send()
                .await;
            assert!(
                !sent(&asked, origin, "GET", "authorization"),
                "{path} {origin}"
            );
            let request = app.http().get(path).header("Origin", origin).bearer(&token);
            assert!(
                !readable(&request.send().await, origin, false),
                "{path} {origin}"
            );
        }
    }
    // Without credentials, when that is wanted; without a restart.
    configure(&app, &json!({"cors_allow_credentials": false}));
    let request = app.http().get(TODOS).header("Origin", APP).bearer(&token);
    let answer = request.send().await;
    assert!(readable(&answer, APP, false) && !readable(&answer, APP, true));
    // A single origin, as a text.
    configure(&app, &json!({"allow_cors": MOBILE}));
    let request = app
        .http()
        .get(TODOS)
        .header("Origin", MOBILE)
        .bearer(&token);
    assert!(readable(&request.send().await, MOBILE, false));
    let request = app.http().get(TODOS).header("Origin", APP).bearer(&token);
    assert!(!readable(&request.send().await, APP, false));
    app.close().await;
}
