//! How long a document is kept, and how often it is asked for.

use crema_testkit::outgoing::Reply;

use super::*;

/// Asks, and tells how many requests that caused.
async fn causes(world: &World) -> usize {
    let before = world.site.requests();
    world.ask(&[]).await;
    world.site.requests() - before
}

fn cached(header: &str) -> Reply {
    Reply::json(&document()).header("Cache-Control", header)
}

// spec: standards.md U, "cache by HTTP headers"
#[tokio::test]
async fn a_document_is_kept_as_its_server_says_within_bounds() {
    let bounds = [
        ("max-age=0", 60),
        ("no-store", 60),
        ("max-age=10", 60),
        ("max-age=120", 120),
        ("public, max-age=3600", 3600),
        ("max-age=31536000", 86_400),
        ("max-age=99999999999999999999", 86_400),
        ("nonsense", 300),
        ("", 300),
    ];
    let world = World::new(Engine::Sqlite).await;
    for (number, (header, seconds)) in bounds.into_iter().enumerate() {
        let id = format!("{ADDRESS}/{number}");
        let document = changed(json!({"client_id": id}));
        let mut reply = Reply::json(&document);
        if !header.is_empty() {
            reply = reply.header("Cache-Control", header);
        }
        world.site.answer(&format!("{PATH}/{number}"), reply);
        let causes = async || {
            let before = world.site.requests();
            let answer = world.ask(&[("client_id", &id)]).await;
            assert_eq!(answer.status, 302, "{header}");
            world.site.requests() - before
        };
        assert_eq!(causes().await, 1, "{header}");
        world.app.clock.advance_seconds(seconds - 1);
        assert_eq!(causes().await, 0, "{header}: kept");
        world.app.clock.advance_seconds(1);
        assert_eq!(causes().await, 1, "{header}: asked again");
    }
    world.close().await;
}

#[tokio::test]
async fn what_could_not_be_used_is_asked_for_again_soon() {
    let world = World::new(Engine::Sqlite).await;
    let failures = [
        Reply::status(404),
        Reply::status(500).header("Cache-Control", "max-age=3600"),
        Reply::document("text/html", "<html>"),
        cached("max-age=3600").header("Content-Type", "text/plain"),
        Reply::json(&changed(json!({"redirect_uris": []}))).header("Cache-Control", "max-age=99"),
    ];
    for reply in failures {
        world.site.answer(PATH, reply);
        let answer = world.ask(&[]).await;
        assert_eq!(answer.status, 400);
        world.app.clock.advance_seconds(29);
        assert_eq!(causes(&world).await, 0);
        world.app.clock.advance_seconds(1);
    }
    world.describe(json!({}));
    let answer = world.ask(&[]).await;
    assert_eq!(answer.status, 302, "mended");
    world.close().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nothing_alive() {
    let world = World::new(Engine::Sqlite).await;
    assert_eq!(causes(&world).await, 1);
    world
        .app
        .clock
        .set(crema_testkit::app::START.minus_seconds(3 * 86_400));
    assert_eq!(causes(&world).await, 1);
    world.close().await;
}

// spec: RFC 9110 §13.1.2
#[tokio::test]
async fn a_document_with_an_entity_tag_is_asked_whether_it_still_stands() {
    let world = World::new(Engine::Sqlite).await;
    let tagged = cached("max-age=60").header("ETag", "\"v1\"");
    world.site.answer(PATH, tagged);
    assert_eq!(causes(&world).await, 1);
    let unchanged = Reply::status(304).header("Cache-Control", "max-age=600");
    world.site.answer(PATH, unchanged);
    world.app.clock.advance_seconds(60);
    let answer = world.ask(&[]).await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    let asked = world.site.received().pop().unwrap().to_lowercase();
    assert!(asked.contains("if-none-match: \"v1\""), "{asked}");
    world.app.clock.advance_seconds(599);
    assert_eq!(
        causes(&world).await,
        0,
        "for as long as the second answer says"
    );

    // After a failure there is nothing to compare with.
    world.site.answer(PATH, Reply::status(503));
    world.app.clock.advance_seconds(1);
    assert_eq!(world.ask(&[]).await.status, 400);
    world.describe(json!({}));
    world.app.clock.advance_seconds(30);
    assert_eq!(world.ask(&[]).await.status, 302);
    let asked = world.site.received().pop().unwrap().to_lowercase();
    assert!(!asked.contains("if-none-match"), "{asked}");
    world.close().await;
}

#[tokio::test]
async fn not_modified_without_a_question_is_no_document() {
    let world = World::new(Engine::Sqlite).await;
    world.site.answer(PATH, Reply::status(304));
    assert_eq!(world.ask(&[]).await.status, 400);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_requests_cause_one_fetch() {
    let world = World::new(Engine::Sqlite).await;
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let mut visitor = world.app.visitor();
            tokio::spawn(async move { authorize(&mut visitor, &[]).await.status })
        })
        .collect();
    for one in asking {
        assert_eq!(one.await.unwrap(), 302);
    }
    assert_eq!(world.site.requests(), 1);
    world.close().await;
}

/// A setting that a document is read by counts at once, though its text is kept.
#[tokio::test]
async fn settings_count_at_once() {
    let world = World::new(Engine::Sqlite).await;
    let own = "acme-notes:/cb";
    world.describe(json!({"redirect_uris": [own]}));
    assert_eq!(world.ask(&[("redirect_uri", own)]).await.status, 400);
    let allow = async |schemes: &str| {
        let setting = [("allowed_redirect_schemes", schemes)];
        world.app.set_settings("OAuth Settings", &setting).await;
    };
    allow("acme-notes").await;
    assert_eq!(world.ask(&[("redirect_uri", own)]).await.status, 302);
    allow("cursor").await;
    assert_eq!(world.ask(&[("redirect_uri", own)]).await.status, 400);
    assert_eq!(world.site.requests(), 1);
    world.close().await;
}

// spec: http.md, register_client, "Rate limit per address"
#[tokio::test]
async fn one_address_makes_the_server_look_only_so_often() {
    let world = World::new(Engine::Sqlite).await;
    let setting = [("registration_limit", "5")];
    world.app.set_settings("OAuth Settings", &setting).await;
    assert_eq!(causes(&world).await, 1);
    for number in 0..20 {
        let id = format!("https://app.example/{number}");
        let answer = world.ask(&[("client_id", &id)]).await;
        if number >= 4 {
            assert_eq!(answer.status, 429, "{}", answer.text());
            assert!(answer.header("Retry-After").is_some());
        } else {
            assert_eq!(answer.status, 400);
        }
        assert_eq!(answer.location(), None);
    }
    assert_eq!(world.site.requests(), 5);
    assert_eq!(
        world.ask(&[]).await.status,
        302,
        "what is known needs no look"
    );
    world.app.clock.advance_seconds(61);
    let answer = world.ask(&[("client_id", "https://app.example/7")]).await;
    assert_eq!(answer.status, 400, "a minute later");
    world.close().await;
}
