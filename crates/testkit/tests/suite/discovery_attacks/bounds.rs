//! What strangers can fill, and whom they can keep waiting.

use super::*;

/// As many documents as are kept, and more.
const MANY: usize = 700;

// Who is refused for asking too much pushes nobody's document out of memory.
#[tokio::test]
async fn what_is_refused_leaves_nothing_in_memory() {
    let world = World::new(Engine::Sqlite).await;
    let limit = [("registration_limit", "3")];
    world.app.set_settings(SETTINGS, &limit).await;
    assert_eq!(world.knows(ADDRESS).await.status, 302);
    for number in 0..MANY {
        let id = format!("https://app.example/{number}");
        let answer = world.knows(&id).await;
        assert_eq!(
            answer.status,
            if number < 2 { 400 } else { 429 },
            "{number}"
        );
    }
    assert_eq!(world.site.requests(), 3);
    assert_eq!(world.knows(ADDRESS).await.status, 302, "it is still there");
    assert_eq!(world.site.requests(), 3);
    world.app.close().await;
}

#[tokio::test]
async fn members_without_measure_are_refused() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let long = "x".repeat(100_000);
    let many: Vec<String> = (0..2000)
        .map(|n| format!("https://shop.example/{n}"))
        .collect();
    let mut tagged = json!({});
    for number in 0..2000 {
        tagged[format!("client_name#x-{number}")] = json!("name");
    }
    for changes in [
        json!({"client_name": long}),
        json!({"scope": long}),
        json!({"scope": "a ".repeat(20_000)}),
        json!({"software_id": long}),
        json!({"contacts": [long]}),
        json!({"contacts": vec!["a@b.example"; 5000]}),
        json!({"redirect_uris": many}),
        json!({"redirect_uris": [format!("https://shop.example/{long}")]}),
        json!({"post_logout_redirect_uris": many}),
        json!({"grant_types": vec!["authorization_code"; 5000]}),
        json!({"tos_uri": format!("https://shop.example/{long}")}),
        tagged,
    ] {
        let answer = http.post(REGISTER).json(&metadata(changes)).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.body.len() < 1000, "what was sent is not sent back");
    }
    let deep = format!(
        "{{\"jwks\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let wide = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
    for (body, status) in [
        (deep, 400),
        (wide, 413),
        ("[".repeat(1000), 400),
        ("\"\\ud800\"".to_owned(), 400),
    ] {
        let request = http
            .post(REGISTER)
            .header("Content-Type", "application/json");
        let answer = request.body(body).send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Client""#;
    assert_eq!(world.app.count(sql, vec![]).await, 0);
    world.app.close().await;
}

// Who waits for a slow document and goes away makes room for the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_holds_up_nobody() {
    use crema_testkit::outgoing::Piece;
    let world = World::new(Engine::Sqlite).await;
    world.site.answer(PATH, Reply::pieces(vec![Piece::Silence]));
    let mut waiting = Vec::new();
    for _ in 0..30 {
        let mut visitor = world.app.visitor();
        waiting.push(tokio::spawn(async move {
            authorize(&mut visitor, &described(), &[]).await
        }));
    }
    world.site.under_way(1).await;
    for one in &waiting {
        one.abort();
    }
    // Another document is read meanwhile, and this one when it is there.
    let other = "https://app.example/other.json";
    let at = json!({"client_id": other});
    world.site.answer("/other.json", Reply::json(&document(at)));
    assert_eq!(world.knows(other).await.status, 302);
    world.site.answer(PATH, Reply::json(&document(json!({}))));
    loop {
        let answer = world.knows(ADDRESS).await;
        if answer.status == 302 {
            break;
        }
        // The failure of those who came first counts for a while.
        world.app.clock.advance_seconds(31);
    }
    world.app.close().await;
}
