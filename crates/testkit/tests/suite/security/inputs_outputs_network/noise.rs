//! Nonsense from everywhere: no input gives a 500.

use crema_testkit::flow::method;
use crema_testkit::{App, Request, Response, TestClient};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::security::scene;

const ENDPOINTS: [&str; 6] = [
    "authorize",
    "approve",
    "get_token",
    "revoke_token",
    "introspect_token",
    "openid_profile",
];

const NAMES: [&str; 36] = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "claims",
    "acr_values",
    "ui_locales",
    "resource",
    "request",
    "request_uri",
    "login_handle",
    "decision",
    "csrf_token",
    "cmd",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "username",
    "password",
    "token",
    "token_type_hint",
    "usr",
    "pwd",
    "redirect-to",
    "client_assertion",
];

/// Values that mean something somewhere, and values that break something somewhere.
const VALUES: [&str; 60] = [
    "",
    "0",
    "-1",
    "1",
    "99999999999999999999",
    "1e9",
    "NaN",
    "null",
    "true",
    "code",
    "token",
    "id_token",
    "code id_token token",
    "none",
    "none login",
    "login",
    "consent",
    "query",
    "fragment",
    "form_post",
    "S256",
    "plain",
    "openid",
    "all",
    "openid email profile",
    "  ",
    "\t",
    "authorization_code",
    "refresh_token",
    "password",
    "client_credentials",
    "implicit",
    "https://client.example/cb",
    "https://evil.example/",
    "http://127.0.0.1:1/cb",
    "javascript:1",
    "//x",
    "/",
    "/me",
    "\\",
    "'",
    "\"",
    "<script>",
    "%",
    "_",
    "%00",
    "%zz",
    "\u{e9}\u{1f600}",
    "\u{202e}",
    "\r\n",
    "\r\nX: y",
    "{",
    "{}",
    "[]",
    "{\"id_token\":{\"sub\":{\"value\":1}}}",
    "frappe.integrations.oauth2.get_token",
    "login",
    "logout",
    "user@example.com",
    "allow",
];

#[derive(Debug, Clone)]
struct Noise {
    verb: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Body,
    headers: Vec<(&'static str, String)>,
    known_client: bool,
    signed_in: bool,
}

#[derive(Debug, Clone)]
enum Body {
    None,
    Form(Vec<(&'static str, String)>),
    Json(serde_json::Value),
    Bytes(&'static str, Vec<u8>),
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => proptest::sample::select(&VALUES[..]).prop_map(str::to_owned),
        2 => "[ -~]{0,60}",
        1 => "\\PC{0,40}",
        1 => proptest::collection::vec(any::<char>(), 0..20).prop_map(|all| all.into_iter().collect()),
        1 => (0..12_000_usize).prop_map(|length| "a".repeat(length)),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    proptest::collection::vec((proptest::sample::select(&NAMES[..]), value()), 0..10)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        value().prop_map(serde_json::Value::from),
    ];
    let inner = leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::vec((proptest::sample::select(&NAMES[..]), inner), 0..4)
                .prop_map(|members| members
                    .into_iter()
                    .map(|(n, v)| (n.to_owned(), v))
                    .collect()),
        ]
    });
    proptest::collection::vec((proptest::sample::select(&NAMES[..]), inner), 0..8).prop_map(
        |members| {
            members
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v))
                .collect()
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let media_types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
    ];
    prop_oneof![
        2 => Just(Body::None),
        5 => pairs().prop_map(Body::Form),
        2 => json().prop_map(Body::Json),
        2 => (proptest::sample::select(media_types.to_vec()), proptest::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(media_type, bytes)| Body::Bytes(media_type, bytes)),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = [
        "Authorization",
        "Cookie",
        "Accept",
        "Origin",
        "Referer",
        "Sec-Fetch-Site",
        "User-Agent",
        "Accept-Language",
        "X-Frappe-CSRF-Token",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Frappe-Site-Name",
        "Content-Type",
        "If-None-Match",
        "Access-Control-Request-Method",
        "Expect",
        "Range",
    ];
    let values = prop_oneof![
        "[ -~]{0,80}",
        Just("Basic eDp5".to_owned()),
        Just("Bearer x".to_owned()),
        Just("sid=Guest; user_id=Administrator".to_owned()),
        Just("text/html".to_owned()),
        Just("null".to_owned()),
    ];
    proptest::collection::vec((proptest::sample::select(names.to_vec()), values), 0..4)
}

fn path() -> impl Strategy<Value = String> {
    let mut known: Vec<String> = ENDPOINTS.iter().map(|name| method(name)).collect();
    for path in [
        "/",
        "/login",
        "/me",
        "/app",
        "/api/method/login",
        "/api/method/logout",
        "/api/method/web_logout",
        "/api/method/ping",
        "/api/method/version",
        "/api/method/frappe.auth.get_logged_user",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/x/y",
        "/.well-known/jwks.json",
        "/healthz",
        "/readyz",
        "/assets/x",
        "/api/v2/method/login",
        "/api/method/",
        "/api//method//x",
        "/%2e%2e/%2e%2e/etc",
    ] {
        known.push(path.to_owned());
    }
    prop_oneof![8 => proptest::sample::select(known), 1 => "/[!-\"$->@-~]{0,40}"]
}

fn noise() -> impl Strategy<Value = Noise> {
    let verbs = [
        "GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "X",
    ];
    let verb = proptest::sample::select(verbs.to_vec());
    (
        verb,
        path(),
        pairs(),
        body(),
        headers(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(verb, path, query, body, headers, known_client, signed_in)| Noise {
                verb,
                path,
                query,
                body,
                headers,
                known_client,
                signed_in,
            },
        )
}

fn request(app: &App, noise: &Noise, client: &TestClient, cookie: &str) -> Request {
    let own = [
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.secret()),
    ];
    let pairs = |pairs: &[(&'static str, String)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let mut request = app.http().request(noise.verb, &noise.path);
    let mut query = pairs(&noise.query);
    let mut form = match &noise.body {
        Body::Form(form) => pairs(form),
        _ => Vec::new(),
    };
    if noise.known_client {
        let target = if noise.verb == "GET" {
            &mut query
        } else {
            &mut form
        };
        target.retain(|(name, _)| !name.starts_with("client_"));
        target.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let borrowed = |pairs: &[(String, String)]| -> Vec<(String, String)> { pairs.to_vec() };
    let query = borrowed(&query);
    let query: Vec<_> = query
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    if !noise.path.contains('?') && (noise.verb == "GET" || noise.query.len() > 7) {
        request = request.query(&query);
    }
    for (name, value) in &noise.headers {
        request = request.header(name, value);
    }
    if noise.signed_in {
        request = request.header("Cookie", cookie);
    }
    match &noise.body {
        Body::None => request,
        Body::Form(_) => {
            let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            request.form(&form)
        }
        Body::Json(value) => request.json(value),
        Body::Bytes(media_type, bytes) => request
            .header("Content-Type", media_type)
            .body(bytes.clone()),
    }
}

fn assert_civil(noise: &Noise, answer: &Response) {
    // The one thing that is not there: no input may make more than this of it.
    assert!(
        answer.status < 500,
        "{}: {}\n{noise:?}",
        answer.status,
        answer.text()
    );
    for sign in [
        "Traceback",
        "panicked",
        "stack backtrace",
        "SELECT ",
        "INSERT ",
        "rusqlite",
        "sqlx",
    ] {
        assert!(
            !answer.text().contains(sign),
            "{sign}: {}\n{noise:?}",
            answer.text()
        );
    }
}

// spec: security.md, Inputs, outputs, network, line 3: no input gives a 500
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_input_gives_a_500() {
    let app = scene::start().await;
    // Wrong guesses are part of the noise.
    app.set_settings(
        "System Settings",
        &[("allow_consecutive_login_attempts", "0")],
    )
    .await;
    let client = scene::confidential(&app).await;
    let visitor = scene::signed_in(&app).await;
    let cookie = visitor.cookie_header();
    let mut runner = TestRunner::deterministic();
    let strategy = noise();
    for _ in 0..1500 {
        let noise = strategy.new_tree(&mut runner).unwrap().current();
        let bytes = request(&app, &noise, &client, &cookie).to_bytes();
        if let Some(answer) = app.http().raw(&bytes).await {
            assert_civil(&noise, &answer);
        }
    }
    assert_eq!(app.http().get("/healthz").send().await.status, 200);
    app.close().await;
}
