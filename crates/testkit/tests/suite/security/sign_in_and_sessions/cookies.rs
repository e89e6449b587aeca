//! Sessions and the cookie that names them.

use crema_testkit::flow::claims;
use crema_testkit::{App, Cookie, Response, Visitor, for_each_engine};

use crate::security::scene::{self, PASSWORD, USER};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

async fn is_signed_in(visitor: &mut Visitor) -> bool {
    let request = visitor.http().get(WHO);
    match visitor.send(request).await.status {
        200 => true,
        401 => false,
        other => panic!("status {other}"),
    }
}

fn with_sid(app: &App, sid: &str) -> Visitor {
    let mut visitor = app.visitor();
    visitor.cookies.insert("sid".to_owned(), sid.to_owned());
    visitor
}

for_each_engine! {
    // spec: security.md, Sign-in and sessions, line 4: a new sid at every login, the old one dies
    async fn every_login_makes_a_new_session_and_ends_the_browsers_old_one(app: &App) {
        scene::add_user(app).await;
        app.add_user("other@example.com", PASSWORD, &["Report Manager"]).await;
        let mut elsewhere = scene::signed_in(app).await;
        // What a login page was opened with is no session afterwards either.
        let planted = "a".repeat(56);
        let mut visitor = with_sid(app, &planted);
        visitor.login(USER, PASSWORD).await;
        let first = visitor.sid().to_owned();
        assert_ne!(first, planted);
        visitor.login(USER, PASSWORD).await;
        let second = visitor.sid().to_owned();
        assert_ne!(second, first);
        visitor.login("other@example.com", PASSWORD).await;
        for dead in [&planted, &first, &second] {
            assert!(!is_signed_in(&mut with_sid(app, dead)).await);
        }
        assert!(is_signed_in(&mut visitor).await);
        assert!(is_signed_in(&mut elsewhere).await, "another browser's session lives on");
        // A failed attempt ends nothing.
        let before = visitor.sid().to_owned();
        assert_eq!(visitor.try_login(USER, "wrong").await.status, 401);
        assert!(is_signed_in(&mut with_sid(app, &before)).await);
    }

    // spec: security.md, Sign-in and sessions, line 4: idle and absolute expiry
    async fn sessions_end_when_idle_and_at_last_in_any_case(app: &App) {
        scene::add_user(app).await;
        app.set_settings("System Settings", &[
            ("session_expiry", "06:00"), ("session_absolute_expiry", "24:00"),
        ]).await;
        let second = app.second_server().await;
        let mut idle = scene::signed_in(app).await;
        let mut used = scene::signed_in(app).await;
        app.clock.advance_seconds(6 * 3600 - 1);
        assert!(is_signed_in(&mut used).await);
        app.clock.advance_seconds(1);
        assert!(!is_signed_in(&mut idle).await);
        assert!(is_signed_in(&mut used.at(second.http())).await);
        // A use is written down within ten minutes.
        app.clock.advance_seconds(5 * 3600);
        assert!(is_signed_in(&mut used).await);
        app.clock.advance_seconds(6 * 3600);
        assert!(!is_signed_in(&mut used.at(second.http())).await);
        let mut steady = scene::signed_in(app).await;
        for _ in 0..23 {
            app.clock.advance_seconds(3600);
            assert!(is_signed_in(&mut steady).await);
        }
        app.clock.advance_seconds(3600);
        assert!(!is_signed_in(&mut steady).await, "the absolute end");
        second.stop().await;
    }
}

fn sid_cookie(response: &Response) -> Cookie {
    response.cookie("sid").expect("no sid")
}

// spec: security.md, Sign-in and sessions, line 4: HttpOnly, SameSite=Lax
#[tokio::test]
async fn the_sid_cookie_is_for_this_host_only_and_not_for_scripts() {
    let app = scene::start().await;
    let mut visitor = app.visitor();
    let answer = visitor.login(USER, PASSWORD).await;
    let page = visitor.get("/me").await;
    let form = [("usr", USER), ("pwd", PASSWORD)];
    let by_form = app.visitor().post("/login", &form).await;
    for response in [&answer, &page, &by_form] {
        let sid = sid_cookie(response);
        assert_eq!(sid.attribute("HttpOnly"), Some(""));
        assert_eq!(sid.attribute("SameSite"), Some("Lax"));
        assert_eq!(sid.attribute("Path"), Some("/"));
        assert_eq!(sid.attribute("Domain"), None);
        assert_eq!(sid.attribute("Secure"), None, "plain http");
        assert!(sid.value.len() * 4 >= 224, "{}", sid.value);
        assert_eq!(
            response
                .headers_named("set-cookie")
                .iter()
                .filter(|c| c.starts_with("sid="))
                .count(),
            1
        );
    }
    assert_ne!(sid_cookie(&answer).value, sid_cookie(&by_form).value);
    // Guests get none.
    let mut guest = app.visitor();
    for path in [
        "/",
        "/login",
        "/api/method/ping",
        "/.well-known/openid-configuration",
        "/nothing",
    ] {
        assert!(guest.get(path).await.cookies().is_empty(), "{path}");
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 4: `Secure` and the rules of `__Host-` over https
#[tokio::test]
async fn cookies_are_secure_over_https() {
    let proxied = App::builder()
        .config("trusted_proxies", serde_json::json!(["127.0.0.1"]))
        .build()
        .await;
    let named = App::builder()
        .config("host_name", "https://trust.localhost")
        .build()
        .await;
    for (app, https) in [(&proxied, Some("https")), (&named, None)] {
        scene::add_user(app).await;
        let request = app.http().post("/api/method/login");
        let request = match https {
            Some(proto) => request.header("X-Forwarded-Proto", proto),
            None => request,
        };
        let answer = request
            .form(&[("usr", USER), ("pwd", PASSWORD)])
            .send()
            .await;
        assert_eq!(answer.status, 200);
        assert!(answer.cookies().len() >= 5);
        for cookie in answer.cookies() {
            assert_eq!(cookie.attribute("Secure"), Some(""), "{cookie:?}");
            assert_eq!(cookie.attribute("Path"), Some("/"));
            assert_eq!(cookie.attribute("Domain"), None);
        }
        assert!(answer.header("strict-transport-security").is_some());
    }
    proxied.close().await;
    named.close().await;
}

// spec: security.md, Sign-in and sessions, line 4: never taken from a URL or body
#[tokio::test]
async fn a_sid_counts_in_the_cookie_only() {
    let app = scene::start().await;
    let visitor = scene::signed_in(&app).await;
    let sid = visitor.sid().to_owned();
    let http = app.http();
    let form = [("sid", sid.as_str())];
    for request in [
        http.get(WHO).query(&form),
        http.post(WHO).form(&form),
        http.post(WHO).json(&serde_json::json!({"sid": sid})),
        http.get(WHO).header("X-Frappe-Sid", &sid),
        http.get(WHO).header("sid", &sid),
        http.get(WHO)
            .header("Cookie", &format!("SID={sid}; xsid={sid}; sid2={sid}")),
        http.get(WHO)
            .header("Cookie", &format!("x=\"; sid={sid}x\"")),
        http.get(WHO).bearer(&sid),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.cookies().is_empty());
    }
    let page = http
        .get("/me")
        .query(&form)
        .header("Accept", "text/html")
        .send()
        .await;
    assert!(page.location().unwrap().starts_with("/login"));
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: the `sid` claim is neither cookie nor hash
#[tokio::test]
async fn the_sid_claim_opens_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[("scope", "openid")]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let claim = claims(&tokens.id_token.unwrap())["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let sid = visitor.sid().to_owned();
    assert!(!claim.is_empty());
    assert_ne!(claim, sid);
    assert_ne!(claim, crema_crypto::hash_hex(&sid));
    assert!(!is_signed_in(&mut with_sid(&app, &claim)).await);
    assert!(!is_signed_in(&mut with_sid(&app, &crema_crypto::hash_hex(&sid))).await);
    let other = scene::tokens(&app, &client, "openid").await;
    assert_ne!(
        claims(&other.id_token.unwrap())["sid"],
        claim.as_str(),
        "one for each session"
    );
    app.close().await;
}
