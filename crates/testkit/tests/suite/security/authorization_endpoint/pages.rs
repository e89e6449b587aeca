//! What the pages send along, and what they show.

use crema_testkit::{ClientSpec, Response, for_each_engine};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER};

fn assert_headers(what: &str, response: &Response) {
    let policy = response.header("content-security-policy");
    let policy = policy.unwrap_or_else(|| panic!("{what}: no policy"));
    let directive = |name: &str| {
        let found = policy.split(';').map(str::trim);
        found
            .filter_map(|one| one.split_once(' '))
            .find(|(known, _)| *known == name)
    };
    assert_eq!(
        directive("frame-ancestors").map(|(_, v)| v),
        Some("'none'"),
        "{what}: {policy}"
    );
    assert_eq!(
        directive("default-src").map(|(_, v)| v),
        Some("'none'"),
        "{what}: {policy}"
    );
    assert_eq!(
        directive("script-src").map(|(_, v)| v),
        Some("'self'"),
        "{what}: {policy}"
    );
    assert_eq!(
        directive("base-uri").map(|(_, v)| v),
        Some("'none'"),
        "{what}: {policy}"
    );
    // Browsers apply it to the redirect after Allow.
    assert!(!policy.contains("form-action"), "{what}: {policy}");
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(response.header("x-frame-options"), Some("DENY"), "{what}");
    assert_eq!(
        response.header("referrer-policy"),
        Some("no-referrer"),
        "{what}"
    );
    assert_eq!(
        response.header("x-content-type-options"),
        Some("nosniff"),
        "{what}"
    );
    let cache = response.header("cache-control").unwrap();
    assert!(cache.contains("no-store"), "{what}: {cache}");
    assert_no_inline_script(what, &response.text());
}

fn assert_no_inline_script(what: &str, html: &str) {
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains(" src=\"/assets/"), "{what}: {tag}");
        assert!(rest.starts_with("</script>"), "{what}: {rest}");
    }
    let lower = html.to_lowercase();
    for inline in [
        " onclick=",
        " onload=",
        " onerror=",
        " onsubmit=",
        "javascript:",
        " style=",
    ] {
        assert!(!lower.contains(inline), "{what}: {inline}");
    }
}

// spec: security.md, Authorization endpoint, line 6: the pages' headers
#[tokio::test]
async fn every_page_forbids_framing_inline_scripts_referrers_and_storing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let mut guest = app.visitor();
    let consent = scene::authorize(&mut visitor, &client, &[]).await;
    assert!(scene::asks(&consent));
    assert_headers("consent", &consent);
    assert_headers("allow", &visitor.decide(&consent, "allow").await);
    let to_login = scene::authorize(&mut guest, &client, &[]).await;
    assert_headers("to login", &to_login);
    assert_headers("login", &guest.get(to_login.location().unwrap()).await);
    let failed = guest
        .post("/login", &[("usr", USER), ("pwd", "wrong")])
        .await;
    assert_eq!(failed.status, 401);
    assert_headers("failed login", &failed);
    assert_headers("me", &visitor.get("/me").await);
    let form_post = [("response_mode", "form_post")];
    let form_post = scene::authorize(&mut visitor, &client, &form_post).await;
    let form_post = visitor.decide(&form_post, "allow").await;
    assert_headers("form_post", &form_post);
    assert!(
        form_post.text().contains("type=\"submit\""),
        "a button for those without scripts"
    );
    let unknown = guest.authorize(&[("client_id", "unknown")]).await;
    assert_eq!(unknown.status, 400);
    assert_headers("error", &unknown);
    assert_headers("no page", &guest.get("/nothing").await);
    let logout = visitor
        .http()
        .get("/api/method/logout")
        .header("Accept", "text/html");
    let logout = visitor
        .send(logout.header("Sec-Fetch-Site", "cross-site"))
        .await;
    assert_headers("sign out?", &logout);
    app.close().await;
}

for_each_engine! {
    // spec: security.md, Authorization endpoint, line 6: everything shown is escaped
    async fn what_clients_and_users_say_about_themselves_is_text(app: &App) {
        let evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;{{7*7}}";
        app.create_user(crema_auth::user::NewUser {
            email: USER.to_owned(),
            first_name: Some(evil.to_owned()),
            password: Some(PASSWORD.to_owned().into()),
            roles: vec!["Report Manager".to_owned()],
            ..Default::default()
        }).await;
        let spec = ClientSpec::new(REDIRECT)
            .with("app_name", evil)
            .with("client_uri", "https://client.example/\"><script>alert(3)</script>")
            .scopes("all openid <b>scope</b>");
        let client = app.add_client(spec).await;
        let mut visitor = scene::signed_in(app).await;
        let changes = [("state", evil), ("login_hint", evil), ("ui_locales", evil)];
        let consent = scene::authorize(&mut visitor, &client, &changes).await;
        assert!(scene::asks(&consent), "{}", consent.text());
        let mut guest = app.visitor();
        let login = scene::authorize(&mut guest, &client, &changes).await;
        let login = guest.get(login.location().unwrap()).await;
        let failed = guest.post("/login", &[("usr", evil), ("pwd", "x"), ("redirect-to", evil)]).await;
        let mut form_post = changes.to_vec();
        form_post.push(("response_mode", "form_post"));
        let form_post = scene::authorize(&mut visitor, &client, &form_post).await;
        let form_post = visitor.decide(&form_post, "allow").await;
        let me = visitor.get("/me").await;
        let host = app.http().get("/").header("Accept", "text/html");
        let host = host.host(Some("<script>alert(4)</script>")).send().await;
        for (what, page) in [
            ("consent", consent), ("login", login), ("failed", failed),
            ("form_post", form_post), ("me", me), ("host", host),
        ] {
            let text = page.text();
            assert_no_inline_script(what, &text.replace("onerror=alert(2)&#62;", ""));
            for tag in ["<script>", "<img", "<b>"] {
                assert!(!text.contains(tag), "{what}: {tag}\n{text}");
            }
        }
    }
}

// spec: security.md, Authorization endpoint, line 6: name, URI and redirect host are shown
#[tokio::test]
async fn the_consent_page_shows_who_asks_and_where_it_leads() {
    let app = scene::start().await;
    let spec = ClientSpec::new("https://xn--bcher-kva.example:8443/cb")
        .with("app_name", "Books & More")
        .with("client_uri", "https://books.example/about");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let page = scene::authorize(&mut visitor, &client, &[]).await.text();
    for shown in [
        "Books &#38; More",
        "https://books.example/about",
        "xn--bcher-kva.example:8443",
        USER,
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    // A custom scheme is shown as what it is, with a warning.
    let native = ClientSpec::public("com.example.app:/cb").dynamically_registered();
    let native = app.add_client(native).await;
    let page = scene::authorize(&mut visitor, &native, &[]).await.text();
    assert!(page.contains("com.example.app:"), "{page}");
    assert!(page.contains("notice-warning"), "{page}");
    app.close().await;
}
