//! Words of strangers that are made to be read wrongly.

use super::*;

/// Nothing of these can be seen.
const UNSEEN: [&str; 6] = [
    "\u{200b}",
    "\u{3164}\u{3164}",
    "\u{200d}\u{200c}",
    "\u{2800}",
    "\u{feff}",
    "\u{e0041}\u{e0042}",
];

#[tokio::test]
async fn an_app_whose_name_cannot_be_seen_is_unnamed() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let mut visitor = world.user().await;
    for name in UNSEEN {
        let asked = http
            .post(REGISTER)
            .json(&metadata(json!({"client_name": name})));
        let answer = asked.send().await;
        if answer.status == 400 {
            continue;
        }
        let page = authorize(&mut visitor, &client(&answer.json()), &[]).await;
        assert_eq!(page.status, 200);
        let text = page.text();
        assert!(text.contains("shop.example"), "{name:?}");
        assert!(!text.contains(name), "{name:?}");
        world
            .site
            .answer(PATH, Reply::json(&document(json!({"client_name": name}))));
        world.app.clock.advance_seconds(301);
        let page = authorize(&mut visitor, &described(), &[]).await;
        let text = page.text();
        assert!(
            text.contains(HOST) && !text.contains(name),
            "{name:?} {text}"
        );
    }
    world.app.close().await;
}

#[tokio::test]
async fn links_of_strangers_lead_to_pages_only() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    for member in [
        "client_uri",
        "logo_uri",
        "tos_uri",
        "policy_uri",
        "tos_uri#de",
    ] {
        for link in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "//evil.example/",
            "/api/method/logout",
            "https://",
            "https://trusted.example@evil.example/",
            "file:///etc/passwd",
            "blob:https://app.example/x",
        ] {
            let changes = json!({member: link});
            let answer = http
                .post(REGISTER)
                .json(&metadata(changes.clone()))
                .send()
                .await;
            assert_eq!(answer.error(), "invalid_client_metadata", "{member} {link}");
            world.site.answer(PATH, Reply::json(&document(changes)));
            world.app.clock.advance_seconds(31);
            let answer = world.knows(ADDRESS).await;
            assert_eq!(
                (answer.status, answer.location()),
                (400, None),
                "{member} {link}"
            );
        }
    }
    for uri in [
        "javascript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "https://app.example@evil.example/",
        "https://app.example\\@evil.example/",
        "https://app.example%2eevil.example/",
        "http://app.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "https://app.example/cb#",
        "https://*.example/cb",
        "//app.example/cb",
        "view-source:https://app.example/",
        "intent:x",
        "https:app.example/cb",
    ] {
        let changes = json!({"redirect_uris": [CALLBACK, uri]});
        let answer = http
            .post(REGISTER)
            .json(&metadata(changes.clone()))
            .send()
            .await;
        assert_eq!(answer.error(), "invalid_redirect_uri", "{uri}");
        world.site.answer(PATH, Reply::json(&document(changes)));
        world.app.clock.advance_seconds(31);
        let answer = world.knows(ADDRESS).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{uri}");
    }
    world.app.close().await;
}

/// The document changes while the user reads the page.
#[tokio::test]
async fn the_answer_goes_where_the_page_said_or_nowhere() {
    let world = World::new(Engine::Sqlite).await;
    let mut visitor = world.user().await;
    let page = authorize(&mut visitor, &described(), &[]).await;
    assert!(page.text().contains(HOST));
    let elsewhere = json!({"redirect_uris": ["https://evil.example/cb"]});
    world.site.answer(PATH, Reply::json(&document(elsewhere)));
    world.app.clock.advance_seconds(301);
    let answer = visitor.decide(&page, "allow").await;
    assert_eq!((answer.status, answer.location()), (400, None));
    let consents = r#"SELECT COUNT(*) FROM "tabOAuth Consent""#;
    assert_eq!(world.app.count(consents, vec![]).await, 0);
    world.app.close().await;
}
