//! Signing out.

use crema_testkit::{Response, Visitor};

use crate::security::scene;

const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const WAYS: [&str; 5] = [
    "/api/method/logout",
    "/api/v1/method/logout",
    "/api/v2/method/logout",
    "/api/method/web_logout",
    "/?cmd=logout",
];

async fn is_signed_in(visitor: &Visitor) -> bool {
    let mut visitor = visitor.clone();
    let request = visitor.http().get(WHO);
    visitor.send(request).await.status == 200
}

async fn send(visitor: &Visitor, verb: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = visitor
        .http()
        .request(verb, path)
        .header("Cookie", &visitor.cookie_header());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await
}

// spec: security.md, Sign-in and sessions, line 5: GET logout only with Sec-Fetch-Site absent or
// same-origin
#[tokio::test]
async fn a_get_signs_out_only_when_no_other_site_caused_it() {
    let app = scene::start().await;
    for way in WAYS {
        let visitor = scene::signed_in(&app).await;
        for site in ["cross-site", "same-site", "none", "nonsense"] {
            let page = send(&visitor, "GET", way, &[("Sec-Fetch-Site", site)]).await;
            assert_eq!(page.status, 200);
            assert_eq!(page.media_type(), "text/html", "asks: {}", page.text());
            assert!(is_signed_in(&visitor).await, "{way} {site}");
        }
        for verb in ["HEAD", "PUT", "DELETE"] {
            let answer = send(&visitor, verb, way, &[]).await;
            assert!(answer.status >= 400, "{verb}");
            assert!(is_signed_in(&visitor).await);
        }
        send(&visitor, "GET", way, &[("Sec-Fetch-Site", "same-origin")]).await;
        assert!(!is_signed_in(&visitor).await);
        let sdk = scene::signed_in(&app).await;
        let answer = send(&sdk, "GET", way, &[]).await;
        assert_eq!(answer.status, 200);
        assert!(!is_signed_in(&sdk).await);
    }
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: the page that asks has a button that works
#[tokio::test]
async fn the_question_is_answered_by_a_post_with_the_token() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    let page = send(
        &visitor,
        "GET",
        WAYS[0],
        &[("Sec-Fetch-Site", "cross-site")],
    )
    .await;
    let token = page.hidden_field("csrf_token").unwrap();
    let bare = send(
        &visitor,
        "POST",
        WAYS[0],
        &[("Sec-Fetch-Site", "same-origin")],
    )
    .await;
    assert_eq!(bare.status, 400, "a page has handed out a token");
    assert!(is_signed_in(&visitor).await);
    let before = visitor.clone();
    let done = visitor.post(WAYS[0], &[("csrf_token", &token)]).await;
    assert_eq!(done.status, 200);
    assert!(!is_signed_in(&before).await);
    assert!(
        !visitor.cookies.contains_key("sid"),
        "the cookies are cleared"
    );
    app.close().await;
}

// spec: security.md, Sign-in and sessions, line 5: a POST from elsewhere
#[tokio::test]
async fn another_site_signs_nobody_out() {
    let app = scene::start().await;
    for way in WAYS {
        let visitor = scene::signed_in(&app).await;
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
        ] {
            let answer = send(&visitor, "POST", way, &[(name, value)]).await;
            assert_eq!(answer.status, 400, "{way} {value}");
            assert!(is_signed_in(&visitor).await);
        }
        let answer = send(&visitor, "POST", way, &[]).await;
        assert_eq!(answer.status, 200, "an SDK never saw a page");
        assert!(!is_signed_in(&visitor).await);
    }
    app.close().await;
}
