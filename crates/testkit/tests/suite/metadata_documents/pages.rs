//! What users are shown before they allow anything.

use super::*;

/// The consent page for a document like this.
async fn page(world: &World, changes: Value, request: &[(&str, &str)]) -> String {
    world.describe(changes);
    world.app.clock.advance_seconds(300);
    let page = authorize(&mut world.user().await, request).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.text()
}

// spec: standards.md U, "show client host on consent"; "S warn on localhost-only redirect"
#[tokio::test]
async fn the_page_names_the_host_that_is_certain_and_the_one_that_gets_the_answer() {
    let world = World::new(Engine::Sqlite).await;
    let html = page(
        &world,
        json!({"redirect_uris": ["https://login.acme.example/cb"]}),
        &[("redirect_uri", "https://login.acme.example/cb")],
    )
    .await;
    assert!(html.contains("described at <bdi class=\"host\" dir=\"ltr\">app.example</bdi>"));
    assert!(html.contains("<bdi class=\"host\" dir=\"ltr\">login.acme.example</bdi>"));
    assert!(html.contains("<bdi>Acme Notes</bdi> wants to access"));
    assert!(html.contains("only what it says about itself"));
    assert!(!html.contains("any program"), "{html}");
    assert!(!html.contains("registered itself"));

    let loopback = [("redirect_uri", "http://127.0.0.1:53682/cb")];
    let html = page(&world, json!({"redirect_uris": [LOOPBACK]}), &loopback).await;
    assert!(html.contains("any program can pass itself off as this app"));
    assert!(html.contains(">127.0.0.1:53682<"));
    let own = [("redirect_uri", "com.acme.notes:/cb")];
    let html = page(&world, json!({"redirect_uris": [own[0].1]}), &own).await;
    assert!(html.contains("a program on your own device"), "{html}");
    world.close().await;
}

// spec: security.md, Authorization endpoint, "Everything shown is escaped"
#[tokio::test]
async fn hostile_words_are_shown_as_words() {
    let world = World::new(Engine::Sqlite).await;
    let hostile = json!({
        "client_name": "<script>alert(1)</script>\"'&",
        "client_uri": "https://app.example/?<script>\"'&",
        "tos_uri": "https://app.example/\"onmouseover=\"alert(1)",
    });
    let html = page(&world, hostile, &[]).await;
    assert!(!html.contains("<script>"));
    assert!(html.contains("&#60;script&#62;alert(1)"), "{html}");
    assert!(!html.contains("\"onmouseover"));
    world.close().await;
}

/// Of an app that nobody has allowed anything the sign-in page tells nothing.
#[tokio::test]
async fn the_sign_in_page_names_only_apps_that_somebody_let_in() {
    let world = World::new(Engine::Sqlite).await;
    let sign_in = async || {
        let mut visitor = world.app.visitor();
        let answer = authorize(&mut visitor, &[]).await;
        let login = answer.location().unwrap().to_owned();
        visitor.get(&login).await.text()
    };
    assert!(!sign_in().await.contains("Acme Notes"));
    world.user().await.code(&client(), &[]).await;
    assert!(sign_in().await.contains("Acme Notes"));
    world.close().await;
}
