//! `/oauth/callback`: what came back, and nothing but a picture of it.

use crema_testkit::App;

const PATH: &str = "/oauth/callback";

// spec: crm.md, "`https://<site host>/oauth/callback` is served by a page that shows what came
// back, for testing"
#[tokio::test]
async fn the_page_shows_what_came_back() {
    let app = App::builder().build().await;
    let http = app.http();
    let markup = "<script>alert(1)</script>\"'&";
    let query = [("code", "c0de"), ("state", markup), ("<b>", "x")];
    let page = http.get(PATH).query(&query).send().await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(
        text.contains("code</code>") && text.contains("c0de</code>"),
        "{text}"
    );
    assert!(
        !text.contains("alert(1)</script>") && !text.contains("<b>"),
        "{text}"
    );
    assert!(!text.contains("<script>"), "{text}");
    assert_eq!(page.header("Cache-Control"), Some("no-store"));
    assert_eq!(page.header("Referrer-Policy"), Some("no-referrer"));
    assert_eq!(page.header("X-Frame-Options"), Some("DENY"));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(page.header("Set-Cookie").is_none());

    let posted = http
        .post(PATH)
        .form(&[("error", "access_denied")])
        .send()
        .await;
    assert!(posted.text().contains("access_denied"));
    let empty = http.get(&format!("{PATH}/")).send().await;
    assert_eq!(empty.status, 200);
    let many: Vec<(String, String)> = (0..50)
        .map(|n| (format!("p{n}"), "v".repeat(3000)))
        .collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let bounded = http.post(PATH).form(&many).send().await;
    assert!(bounded.text().len() < 50_000);
    assert_eq!(http.request("PUT", PATH).send().await.status, 405);
    assert_eq!(http.get(&format!("{PATH}?a=%ff")).send().await.status, 400);
    app.close().await;
}
