//! Requests that another site makes a browser send.

use crema_testkit::flow::method;
use crema_testkit::{App, Request, Visitor};
use serde_json::json;

use crate::security::scene::{self, PASSWORD, USER};

/// Any method that takes a POST of a session.
const WHO: &str = "/api/method/frappe.auth.get_logged_user";

const CROSS_SITE: [(&str, &str); 6] = [
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"),
    ("Sec-Fetch-Site", "nonsense"),
    ("Origin", "https://evil.example"),
    ("Origin", "http://trust.localhost.evil.example"),
    ("Origin", "http://trust.localhost"),
];

/// The statuses of a POST with these headers, by that visitor's session.
async fn post(visitor: &mut Visitor, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = visitor.http().post(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    visitor.send(request).await.status
}

// spec: security.md, Sign-in and sessions, line 5: before a page handed out a token
#[tokio::test]
async fn a_session_that_never_saw_a_page_needs_no_token_but_no_other_site_either() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    let own = app.issuer();
    for fine in [
        vec![],
        vec![("Sec-Fetch-Site", "same-origin")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Origin", own.as_str())],
        vec![("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    ] {
        assert_eq!(post(&mut visitor, WHO, &fine).await, 200, "{fine:?}");
    }
    for bad in CROSS_SITE {
        assert_eq!(post(&mut visitor, WHO, &[bad]).await, 400, "{bad:?}");
    }
    assert_eq!(post(&mut visitor, WHO, &[("Origin", "null")]).await, 400);
    // The browser's own word about the site counts before the origin.
    let both = [("Sec-Fetch-Site", "cross-site"), ("Origin", own.as_str())];
    assert_eq!(post(&mut visitor, WHO, &both).await, 400);
    for verb in ["PUT", "DELETE", "PATCH"] {
        let request = visitor
            .http()
            .request(verb, WHO)
            .header("Sec-Fetch-Site", "cross-site");
        assert_eq!(visitor.send(request).await.status, 400, "{verb}");
    }
    let get = visitor
        .http()
        .get(WHO)
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(
        visitor.send(get).await.status,
        200,
        "a safe method changes nothing"
    );
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: once a page has handed one out
#[tokio::test]
async fn a_session_whose_page_has_a_token_needs_it() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    let mut other = scene::signed_in(&app).await;
    let token = visitor.csrf_token().await;
    let of_other = other.csrf_token().await;
    let header = "X-Frappe-CSRF-Token";
    assert_eq!(post(&mut visitor, WHO, &[]).await, 400);
    assert_eq!(
        post(&mut visitor, WHO, &[("Sec-Fetch-Site", "same-origin")]).await,
        400
    );
    for wrong in [
        "",
        "x",
        &of_other,
        &token.to_uppercase(),
        &token[1..],
        "undefined",
    ] {
        assert_eq!(
            post(&mut visitor, WHO, &[(header, wrong)]).await,
            400,
            "{wrong}"
        );
    }
    assert_eq!(post(&mut visitor, WHO, &[(header, &token)]).await, 200);
    let form = visitor
        .http()
        .post(WHO)
        .form(&[("csrf_token", token.as_str())]);
    assert_eq!(visitor.send(form).await.status, 200);
    let body = visitor.http().post(WHO).json(&json!({"csrf_token": token}));
    assert_eq!(visitor.send(body).await.status, 200);
    let query = visitor
        .http()
        .post(WHO)
        .query(&[("csrf_token", token.as_str())]);
    assert_eq!(visitor.send(query).await.status, 400, "not in the address");
    // Another process knows as well, and a new session has another token.
    let second = app.second_server().await;
    let mut there = visitor.at(second.http());
    assert_eq!(post(&mut there, WHO, &[]).await, 400);
    assert_eq!(post(&mut there, WHO, &[(header, &token)]).await, 200);
    visitor.login(USER, PASSWORD).await;
    assert_ne!(visitor.csrf_token().await, token);
    assert_eq!(post(&mut visitor, WHO, &[(header, &token)]).await, 400);
    second.stop().await;
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: header-authenticated requests need none
#[tokio::test]
async fn a_request_with_a_token_in_its_header_needs_no_csrf_token() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let mut visitor = scene::signed_in(&app).await;
    visitor.csrf_token().await;
    for path in [WHO.to_owned(), method("openid_profile")] {
        let request = visitor.http().post(&path).bearer(&tokens.access_token);
        let request = request.header("Origin", "https://evil.example");
        assert_eq!(visitor.send(request).await.status, 200, "{path}");
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: exempt by default
#[tokio::test]
async fn token_revoke_introspect_and_post_authorize_are_exempt() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    visitor.csrf_token().await;
    let code = visitor.code(&client, &[]).await;
    let cross_site = |request: Request| request.header("Sec-Fetch-Site", "cross-site");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", scene::REDIRECT),
    ];
    let redeem = app.http().client_request("get_token", &client, &form);
    let tokens = visitor.send(cross_site(redeem)).await.tokens();
    for endpoint in ["introspect_token", "revoke_token"] {
        let form = [("token", tokens.access_token.as_str())];
        let request = app.http().client_request(endpoint, &client, &form);
        assert_eq!(
            visitor.send(cross_site(request)).await.status,
            200,
            "{endpoint}"
        );
    }
    let authorize = app
        .http()
        .post(&method("authorize"))
        .form(&[("client_id", "x")]);
    assert_eq!(visitor.send(cross_site(authorize)).await.status, 303);
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: whole origins are compared
#[tokio::test]
async fn allowed_referrers_are_whole_origins() {
    let app = App::builder()
        .config(
            "allowed_referrers",
            json!(["https://partner.example", "http://lan.example:8080/x"]),
        )
        .build()
        .await;
    scene::add_user(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    for (name, value) in [
        ("Origin", "https://partner.example"),
        ("Referer", "https://partner.example/any/page?x=y"),
        ("Origin", "http://lan.example:8080"),
    ] {
        let headers = [("Sec-Fetch-Site", "cross-site"), (name, value)];
        assert_eq!(post(&mut visitor, WHO, &headers).await, 200, "{value}");
    }
    for (name, value) in [
        ("Origin", "https://partner.example.evil.example"),
        ("Origin", "https://evil-partner.example"),
        ("Origin", "https://partner.example:8443"),
        ("Origin", "http://partner.example"),
        ("Origin", "https://sub.partner.example"),
        ("Origin", "http://lan.example"),
        ("Referer", "https://evil.example/https://partner.example/"),
        ("Referer", "https://partner.example@evil.example/"),
        ("Referer", "https://partner.example.evil.example/"),
    ] {
        let headers = [("Sec-Fetch-Site", "cross-site"), (name, value)];
        assert_eq!(post(&mut visitor, WHO, &headers).await, 400, "{value}");
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: what `ignore_csrf: 1` covers and what never
#[tokio::test]
async fn ignore_csrf_never_covers_approve_and_sign_out() {
    let app = App::builder().config("ignore_csrf", 1).build().await;
    scene::add_user(&app).await;
    let client = scene::confidential(&app).await;
    for with_page in [false, true] {
        let mut visitor = scene::signed_in(&app).await;
        if with_page {
            visitor.csrf_token().await;
        }
        let cross_site = [("Sec-Fetch-Site", "cross-site")];
        assert_eq!(post(&mut visitor, WHO, &cross_site).await, 200);
        for sign_out in [
            "/api/method/logout",
            "/api/method/web_logout",
            "/api/v2/method/logout",
            "/?cmd=logout",
        ] {
            assert_eq!(
                post(&mut visitor, sign_out, &cross_site).await,
                400,
                "{sign_out}"
            );
        }
        let params = client.authorization(&[]);
        let pairs: Vec<_> = params
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let approve = visitor.http().post(&method("approve")).form(&pairs);
        assert_eq!(visitor.send(approve).await.status, 400);
        assert_eq!(post(&mut visitor, WHO, &[]).await, 200, "still signed in");
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: paths that a site names
#[tokio::test]
async fn ignore_csrf_can_name_paths() {
    let app = App::builder()
        .config("ignore_csrf", json!(["/api/method/ping"]))
        .build()
        .await;
    scene::add_user(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    visitor.csrf_token().await;
    assert_eq!(post(&mut visitor, "/api/method/ping", &[]).await, 200);
    assert_eq!(post(&mut visitor, WHO, &[]).await, 400);
    assert_eq!(post(&mut visitor, "/api/method/ping/x", &[]).await, 404);
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: cross-site POSTs to login are refused
#[tokio::test]
async fn another_site_signs_nobody_in() {
    let app = scene::start().await;
    for path in [
        "/api/method/login",
        "/api/v2/method/login",
        "/login",
        "/?cmd=login",
    ] {
        for (name, value) in CROSS_SITE {
            let request = app.http().post(path).header(name, value);
            let answer = request
                .form(&[("usr", USER), ("pwd", PASSWORD)])
                .send()
                .await;
            assert_eq!(answer.status, 400, "{path} {name}: {value}");
            assert!(answer.cookies().is_empty());
        }
        let own = app
            .http()
            .post(path)
            .header("Sec-Fetch-Site", "same-origin");
        let own = own.form(&[("usr", USER), ("pwd", PASSWORD)]).send().await;
        assert!(own.cookie("sid").is_some(), "{path}: {}", own.text());
        let nowhere = app.http().post(path).header("Origin", "null");
        let nowhere = nowhere.header("Sec-Fetch-Site", "cross-site");
        let nowhere = nowhere
            .form(&[("usr", USER), ("pwd", PASSWORD)])
            .send()
            .await;
        assert!(nowhere.cookies().is_empty(), "{path}");
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: same-origin means the same scheme as well
#[tokio::test]
async fn over_https_an_http_page_of_the_same_host_is_another_origin() {
    let app = App::builder()
        .config("host_name", "https://trust.localhost")
        .build()
        .await;
    scene::add_user(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let http_page = app.issuer();
    for origin in [http_page.as_str(), "null", "http://trust.localhost"] {
        assert_eq!(
            post(&mut visitor, WHO, &[("Origin", origin)]).await,
            400,
            "{origin}"
        );
        let login = app
            .http()
            .post("/api/method/login")
            .header("Origin", origin);
        let login = login.form(&[("usr", USER), ("pwd", PASSWORD)]).send().await;
        assert!(login.cookies().is_empty(), "{origin}");
    }
    assert_eq!(
        post(&mut visitor, WHO, &[("Origin", "https://trust.localhost")]).await,
        200
    );
    app.close().await;
}
