//! What strangers say about themselves, on the page that asks for consent.

use crema_testkit::{App, Engine};
use serde_json::json;

use super::{PASSWORD, USER, client, public, refused, registered, registration};

// spec: security.md, Authorization endpoint, "Everything shown is escaped"; standards.md, I, "escape names"
#[tokio::test]
async fn hostile_names_and_addresses_stay_text() {
    let app = App::start(Engine::Sqlite).await;
    app.add_user(USER, PASSWORD, &["Report Manager"]).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "{{ 7 * 7 }} ${7*7} &lt;b&gt;",
        "</title><svg onload=alert(1)>",
    ] {
        let mut metadata = public();
        metadata["client_name"] = json!(name);
        metadata["client_uri"] = json!("https://evil.example/\"><script>alert(2)</script>");
        metadata["policy_uri"] = json!("https://evil.example/'onclick='alert(3)");
        metadata["tos_uri"] = json!("https://evil.example/?a=<b>&c=\"d\"");
        metadata["logo_uri"] = json!("https://evil.example/<svg>");
        let information = registered(&app.http(), &metadata).await;
        assert_eq!(information["client_name"], name);
        let tool = client(&information, "http://127.0.0.1:9/cb");
        let params = tool.authorization(&[]);
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let page = visitor.authorize(&params).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let text = page.text();
        for markup in [
            "<script>alert",
            "<img src=x",
            "<svg",
            "\"><script",
            "' onmouseover='",
            "'onclick='",
        ] {
            assert!(!text.contains(markup), "{markup} of {name}");
        }
        assert!(text.contains("127.0.0.1"), "where it leads");
        assert!(text.contains("This app registered itself."), "{text}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"));
        app.clock.advance_seconds(60);
    }
    app.close().await;
}

// A name cannot turn around the words that stand beside it.
#[tokio::test]
async fn names_cannot_rearrange_the_page() {
    let app = App::start(Engine::Sqlite).await;
    for name in [
        "Bank\u{202e}knaB",
        "a\u{2066}b",
        "line\nbreak",
        "a\u{200f}b",
    ] {
        let mut metadata = public();
        metadata["client_name"] = json!(name);
        let answer = registration(&app.http(), &metadata).send().await;
        refused(&answer, 400, "invalid_client_metadata");
    }
    app.close().await;
}
