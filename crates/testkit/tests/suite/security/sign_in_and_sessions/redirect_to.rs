//! `redirect-to`.

use crema_testkit::{App, Visitor};
use url::Url;

use crate::security::scene::{self, PASSWORD, USER};

/// Where a browser at `/login` goes that gets this `Location`.
fn followed(app: &App, location: &str) -> Url {
    Url::parse(&app.url("/login"))
        .unwrap()
        .join(location)
        .unwrap()
}

fn assert_stays(app: &App, what: &str, location: &str) {
    let at = followed(app, location);
    assert_eq!(
        at.origin().ascii_serialization(),
        app.issuer(),
        "{what} -> {location}"
    );
    assert!(
        !location.starts_with("//") && !location.contains('\\'),
        "{what} -> {location}"
    );
}

async fn by_post(visitor: &mut Visitor, to: &str) -> String {
    let form = [("usr", USER), ("pwd", PASSWORD), ("redirect-to", to)];
    let answer = visitor.post("/login", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

async fn by_get(visitor: &mut Visitor, to: &str) -> String {
    let request = visitor.http().get("/login").query(&[("redirect-to", to)]);
    let answer = visitor.send(request.header("Accept", "text/html")).await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

async fn by_sign_out(app: &App, to: &str) -> Option<String> {
    let mut visitor = scene::signed_in(app).await;
    let request = visitor
        .http()
        .get("/api/method/logout")
        .query(&[("redirect-to", to)]);
    let answer = visitor.send(request.header("Accept", "text/html")).await;
    assert!(!visitor.cookies.contains_key("sid"));
    answer.location().map(str::to_owned)
}

// spec: security.md, Sign-in and sessions, line 6
#[tokio::test]
async fn redirect_to_goes_to_paths_of_this_site_only() {
    let app = scene::start().await;
    let issuer = app.issuer();
    let bare = issuer.trim_start_matches("http:").to_owned();
    let foreign = [
        "https://evil.example/".to_owned(),
        "http://evil.example/".to_owned(),
        "//evil.example/".to_owned(),
        "///evil.example/".to_owned(),
        "/\\evil.example/".to_owned(),
        "\\\\evil.example/".to_owned(),
        "\\/evil.example".to_owned(),
        "/\t/evil.example/".to_owned(),
        "/\n/evil.example/".to_owned(),
        "\t//evil.example/".to_owned(),
        " //evil.example/".to_owned(),
        "/.//evil.example/".to_owned(),
        "/x/..//evil.example/".to_owned(),
        "/%2e%2e//evil.example".to_owned(),
        "https:evil.example".to_owned(),
        "https:/evil.example".to_owned(),
        "evil.example".to_owned(),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        format!("{issuer}.evil.example/"),
        format!("{issuer}@evil.example/"),
        format!("{issuer}:80/"),
        issuer.replace("http://", "http://user:pw@"),
        issuer.replace("http://", "https://"),
        bare,
        "?x=y".to_owned(),
        "#x".to_owned(),
        String::new(),
        "\u{ff0f}\u{ff0f}evil.example".to_owned(),
        "/\u{2028}/evil.example".to_owned(),
    ];
    let mut visitor = scene::signed_in(&app).await;
    for to in &foreign {
        assert_stays(&app, to, &by_post(&mut app.visitor(), to).await);
        assert_stays(&app, to, &by_get(&mut visitor, to).await);
        if let Some(location) = by_sign_out(&app, to).await {
            assert_stays(&app, to, &location);
        }
    }
    for (to, path) in [
        ("/me", "/me"),
        (
            "/a/b?c=d%20e&f=https://g.example/",
            "/a/b?c=d%20e&f=https://g.example/",
        ),
        (&format!("{issuer}/me?x=1"), "/me?x=1"),
    ] {
        assert_eq!(by_post(&mut app.visitor(), to).await, path);
        assert_eq!(by_get(&mut visitor, to).await, path);
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 6: nothing is split off the header
#[tokio::test]
async fn redirect_to_writes_no_other_header() {
    let app = scene::start().await;
    for to in [
        "/x\r\nSet-Cookie: sid=evil",
        "/x%0d%0aSet-Cookie:%20sid=evil",
        "/x\u{0}y",
    ] {
        let request = app.http().post("/login").header("Accept", "text/html");
        let form = [("usr", USER), ("pwd", PASSWORD), ("redirect-to", to)];
        let answer = request.form(&form).send().await;
        let planted = answer
            .cookies()
            .into_iter()
            .any(|cookie| cookie.value == "evil");
        assert!(!planted, "{answer:?}");
        assert!(answer.status == 303 || answer.status == 400);
    }
    app.close().await;
}
