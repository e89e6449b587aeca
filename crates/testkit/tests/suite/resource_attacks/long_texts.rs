//! Texts as long as a field takes: whoever may store them cannot keep the server from others.

use std::time::Duration;

use crema_testkit::{App, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{LEAD, MANAGER, SELLER, Scene};

const LENGTH: usize = 16_000_000;

/// Stores so many texts behind the server's back.
async fn fill(app: &App, number: usize) {
    let text = "a".repeat(LENGTH);
    for index in 0..number {
        let statement =
            r#"INSERT INTO "tabParcel" ("name", "owner", "kind", "body") VALUES (?, ?, ?, ?)"#;
        let values = crema_store::params![format!("p{index}"), MANAGER, "big", text.as_str()];
        app.execute(statement, values).await;
    }
}

async fn list(scene: &Scene, query: &[(&str, &str)]) -> Response {
    let seller = scene.by(SELLER).await;
    let request = seller.request("GET", "/api/resource/Parcel").query(query);
    request.send().await
}

// SQLite's own LIKE goes through the text once for every character of the pattern, and nothing
// can stop it: two such requests kept a server with two threads busy for a minute.
#[tokio::test]
async fn a_long_pattern_does_not_stop_the_server() {
    let scene = Scene::start().await;
    fill(&scene.app, 3).await;
    let pattern = format!("%{}b", "a".repeat(900));
    let many = format!("{}b", "%a".repeat(400));
    for pattern in [pattern, many] {
        let filters = json!([["body", "like", pattern]]).to_string();
        let query = [("filters", filters.as_str())];
        let answer = tokio::time::timeout(Duration::from_secs(60), list(&scene, &query));
        let answer = answer.await.expect("it takes less than a second");
        assert_eq!(answer.json(), json!({"data": []}));
    }
    scene.app.close().await;
}

// One page of long texts would fill the memory of the server.
#[tokio::test]
async fn a_page_of_long_texts_is_refused() {
    let scene = Scene::start().await;
    fill(&scene.app, 9).await;
    let page = list(&scene, &[("fields", r#"["body"]"#)]).await;
    assert_eq!(page.status, 417, "{}", page.status);
    assert!(page.text().contains("fewer rows"), "{}", page.text());
    let one = list(&scene, &[("fields", r#"["body"]"#), ("limit", "1")]).await;
    assert_eq!(one.status, 200);
    assert!(one.text().len() > LENGTH);
    // As a stream it is as long as it is, a few rows in memory at a time.
    let all = list(&scene, &[("fields", r#"["body"]"#), ("limit", "0")]).await;
    assert_eq!(all.status, 200);
    assert!(all.text().len() > 9 * LENGTH);
    scene.app.close().await;
}

// Sixteen lists that nobody read to the end kept everybody else from theirs for half a minute.
#[tokio::test]
async fn who_does_not_read_long_lists_keeps_nobody_from_theirs() {
    let scene = Scene::start().await;
    fill(&scene.app, 3).await;
    let seller = scene.by(SELLER).await;
    let query = [("fields", r#"["body"]"#), ("limit", "0")];
    let request = seller.request("GET", "/api/resource/Parcel").query(&query);
    let request = request.to_bytes();
    let issuer = scene.app.issuer();
    let port = issuer.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut unread = Vec::new();
    for number in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&request).await.unwrap();
        // The first two have begun to be answered.
        if number < 2 {
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
        }
        unread.push(stream);
    }
    let lead = scene.by(LEAD).await;
    let names = lead.get("/api/resource/Parcel?limit=0").await;
    assert_eq!(names.status, 200, "{}", names.text());
    assert_eq!(names.json()["data"].as_array().unwrap().len(), 3);
    drop(unread);
    scene.app.close().await;
}
