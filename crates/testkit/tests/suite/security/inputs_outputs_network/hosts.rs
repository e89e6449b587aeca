//! Which site a request is for, and what it believes to be called.

use crema_testkit::flow::method;
use crema_testkit::{App, Http, Redirect};
use serde_json::json;

use crate::security::scene::{self, PASSWORD, USER};

const CONFIGURATION: &str = "/.well-known/openid-configuration";

async fn status(http: &Http, host: Option<&str>) -> u16 {
    http.get(CONFIGURATION).host(host).send().await.status
}

async fn issuer(app: &App, host: &str) -> String {
    let answer = app.http().get(CONFIGURATION).host(Some(host)).send().await;
    assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    answer.member("issuer")
}

// spec: security.md, Inputs, outputs, network, line 1: only a site's own names select it
#[tokio::test]
async fn a_host_that_is_no_sites_name_is_404_whatever_is_asked() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    for host in [
        "evil.example",
        "127.0.0.1",
        "localhost",
        "",
        "xtrust.localhost",
        "trust.localhost.evil.example",
        "evil.example:80",
        "trust.localhost:99999",
        "trust.localhost:x",
        "trust.localhost:80:80",
        "trust.localhost@evil.example",
        "user@trust.localhost",
        "trust.localhost/evil",
        "trust.localhost evil.example",
        "trust.localhost,evil.example",
        "trust.localhost#",
        "trust.localhost?",
        "trust.localhost\\",
        "trust.localhost..",
        ".trust.localhost",
        "trust_localhost",
        "[::1]",
        "[trust.localhost]",
        "../trust.localhost",
        "%74rust.localhost",
    ] {
        for path in [
            CONFIGURATION,
            "/",
            "/login",
            "/assets/style.css",
            &method("authorize"),
        ] {
            let answer = http.get(path).host(Some(host)).send().await;
            assert_eq!(answer.status, 404, "{host} {path}: {}", answer.text());
            assert!(!answer.text().contains("trust.localhost\"") && answer.location().is_none());
        }
        let post = http.client_request("get_token", &client, &[("grant_type", "x")]);
        assert_eq!(post.host(Some(host)).send().await.status, 404, "{host}");
    }
    assert_eq!(status(&http, None).await, 404);
    for host in [
        "trust.localhost",
        "TRUST.localhost",
        "trust.localhost.",
        "trust.localhost:1",
    ] {
        assert_eq!(status(&http, Some(host)).await, 200, "{host}");
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 1: issuer and links
#[tokio::test]
async fn the_issuer_is_a_checked_name() {
    let app = App::builder()
        .config("domains", json!(["alias.localhost"]))
        .build()
        .await;
    scene::add_user(&app).await;
    assert_eq!(
        issuer(&app, "trust.localhost:8000").await,
        "http://trust.localhost:8000"
    );
    assert_eq!(
        issuer(&app, "TRUST.localhost").await,
        "http://trust.localhost"
    );
    assert_eq!(
        issuer(&app, "alias.localhost").await,
        "http://alias.localhost"
    );
    app.set_config("host_name", "https://sign-in.example");
    for host in ["trust.localhost:8000", "alias.localhost", "sign-in.example"] {
        assert_eq!(issuer(&app, host).await, "https://sign-in.example");
        let answer = app
            .http()
            .get(CONFIGURATION)
            .host(Some(host))
            .send()
            .await
            .json();
        for (name, value) in answer.as_object().unwrap() {
            if let Some(url) = value.as_str().filter(|text| text.contains("://")) {
                let own = url.starts_with("https://sign-in.example");
                assert!(own || name == "service_documentation", "{name}: {url}");
            }
        }
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 1
#[tokio::test]
async fn a_default_site_answers_any_host_but_does_not_take_its_name() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    app.bench()
        .set_config(None, "dns_multitenant", json!(0))
        .unwrap();
    app.bench()
        .set_config(None, "default_site", json!(app.site()))
        .unwrap();
    for host in ["10.0.0.1:8000", "evil.example"] {
        assert_eq!(issuer(&app, host).await, "http://trust.localhost");
        let http = app.http();
        let params = [
            ("client_id", client.client_id.as_str()),
            ("response_type", "x"),
        ];
        let request = http
            .get(&method("authorize"))
            .query(&params)
            .host(Some(host));
        let redirect = Redirect::of(&request.send().await);
        assert_eq!(redirect.param("iss"), "http://trust.localhost");
        let params = [
            ("client_id", client.client_id.as_str()),
            ("response_type", "code"),
        ];
        let request = http
            .get(&method("authorize"))
            .query(&params)
            .host(Some(host));
        let answer = request.send().await;
        assert!(!answer.location().unwrap().contains("evil"), "{answer:?}");
        let guest = http
            .get("/api/method/frappe.auth.get_logged_user")
            .host(Some(host));
        let challenge = guest.send().await;
        assert!(
            !challenge
                .header("www-authenticate")
                .unwrap()
                .contains("evil")
        );
    }
    // A Social Login Key that names another server does not change that.
    scene::insert_social_login_key(&app, "frappe", "https://evil.example").await;
    assert_eq!(issuer(&app, "evil.example").await, "http://trust.localhost");
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 1
#[tokio::test]
async fn a_proxy_that_names_the_site_does_not_make_its_host_a_name() {
    let app = scene::start_behind_proxy(crema_testkit::Engine::Sqlite).await;
    let request = app.http().get(CONFIGURATION).host(Some("evil.example"));
    let answer = request
        .header("X-Frappe-Site-Name", app.site())
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.member("issuer"), "http://trust.localhost");
    let other = app.http().get(CONFIGURATION).host(Some("evil.example"));
    let other = other
        .header("X-Frappe-Site-Name", "../trust.localhost")
        .send()
        .await;
    assert_eq!(other.status, 404);
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 1
#[tokio::test]
async fn a_target_with_a_host_has_to_name_the_same_host() {
    let app = scene::start().await;
    let own = app.issuer();
    let host = own.trim_start_matches("http://").to_owned();
    for (target, header, expected) in [
        (format!("{own}{CONFIGURATION}"), host.as_str(), 200),
        (
            format!("http://evil.example{CONFIGURATION}"),
            host.as_str(),
            404,
        ),
        (format!("{own}{CONFIGURATION}"), "evil.example", 404),
        (
            format!("http://evil.example{CONFIGURATION}"),
            "evil.example",
            404,
        ),
        (
            format!("http://user@{host}{CONFIGURATION}"),
            host.as_str(),
            404,
        ),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: {header}\r\nConnection: close\r\n\r\n");
        let answer = app.http().raw(head.as_bytes()).await.unwrap();
        assert_eq!(answer.status, expected, "{target} {header}");
    }
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, line 1; product.md: sites are independent
#[tokio::test]
async fn what_one_site_gave_is_nothing_at_another() {
    let mut app = scene::start().await;
    app.add_site("other.localhost").await;
    let client = scene::confidential(&app).await;
    let other = app.http_of("other.localhost");
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[("scope", "openid")]).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    assert_eq!(
        other.redeem(&client, &code, &[]).await.error(),
        "invalid_client"
    );
    assert_eq!(
        other.refresh(&client, &tokens.refresh_token).await.error(),
        "invalid_client"
    );
    assert_eq!(
        other
            .introspect(&client, &tokens.access_token)
            .await
            .error(),
        "invalid_client"
    );
    assert!(!scene::is_alive(&other, &tokens.access_token).await);
    let mut there = visitor.at(other.clone());
    let who = there.http().get("/api/method/frappe.auth.get_logged_user");
    assert_eq!(there.send(who).await.status, 401);
    assert_eq!(there.try_login(USER, PASSWORD).await.status, 401);
    let page = there
        .get(&format!(
            "{}?client_id={}",
            method("authorize"),
            client.client_id
        ))
        .await;
    assert_eq!(page.status, 400);
    app.close().await;
}
