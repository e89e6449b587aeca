//! `X-Forwarded-*`.

use crema_testkit::{App, Engine};

use crate::security::scene::{self, PASSWORD, USER};

async fn login_address(app: &App, forwarded: &[&str]) -> String {
    let mut request = app.http().post("/api/method/login");
    for value in forwarded {
        request = request.header("X-Forwarded-For", value);
    }
    let answer = request
        .form(&[("usr", USER), ("pwd", PASSWORD)])
        .send()
        .await;
    assert_eq!(answer.status, 200);
    app.clock.advance_seconds(1);
    let rows = scene::audit(app, "Login").await;
    rows.last().unwrap().text(3).unwrap().to_owned()
}

async fn issuer(app: &App, headers: &[(&str, &str)]) -> String {
    let mut request = app.http().get("/.well-known/openid-configuration");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await;
    assert_eq!(answer.status, 200);
    let hsts = answer.header("strict-transport-security").is_some();
    let issuer = answer.member("issuer");
    assert_eq!(hsts, issuer.starts_with("https://"));
    issuer
}

const HEADERS: [(&str, &str); 8] = [
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Real-IP", "203.0.113.7"),
    ("Forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
    ("X-Original-URL", "/me"),
    ("X-Frappe-Site-Name", "other.localhost"),
];

// spec: security.md, Sign-in and sessions, line 4: only from configured proxies
#[tokio::test]
async fn forwarded_headers_say_nothing_when_no_proxy_is_configured() {
    let mut app = scene::start().await;
    app.add_site("other.localhost").await;
    assert_eq!(issuer(&app, &HEADERS).await, app.issuer());
    assert_eq!(login_address(&app, &["203.0.113.7"]).await, "127.0.0.1");
    // Nor when the proxy is somebody else.
    app.set_config(
        "trusted_proxies",
        serde_json::json!(["192.0.2.0/24", "::1"]),
    );
    assert_eq!(issuer(&app, &HEADERS).await, app.issuer());
    assert_eq!(login_address(&app, &["203.0.113.7"]).await, "127.0.0.1");
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 4
#[tokio::test]
async fn behind_a_proxy_the_last_address_that_is_no_proxy_counts() {
    let app = scene::start_behind_proxy(Engine::Sqlite).await;
    app.set_config(
        "trusted_proxies",
        serde_json::json!(["127.0.0.0/8", "192.0.2.1"]),
    );
    for (forwarded, address) in [
        (vec!["203.0.113.7"], "203.0.113.7"),
        // What stands before it was written by the sender.
        (vec!["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (vec!["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (vec!["203.0.113.7, 192.0.2.1"], "203.0.113.7"),
        (
            vec!["198.51.100.1, 203.0.113.7, 192.0.2.1, 127.0.0.5"],
            "203.0.113.7",
        ),
        (vec!["203.0.113.7, nonsense"], "127.0.0.1"),
        (vec![""], "127.0.0.1"),
        (vec![], "127.0.0.1"),
        (vec!["2001:db8::7"], "2001:db8::7"),
        (vec!["::ffff:203.0.113.9"], "203.0.113.9"),
    ] {
        assert_eq!(
            login_address(&app, &forwarded).await,
            address,
            "{forwarded:?}"
        );
    }
    let https = app.issuer().replace("http://", "https://");
    assert_eq!(issuer(&app, &[("X-Forwarded-Proto", "https")]).await, https);
    // A host name does not come from there.
    assert_eq!(
        issuer(&app, &[("X-Forwarded-Host", "evil.example")]).await,
        app.issuer()
    );
    app.close().await;
}
