//! Documents and addresses that are not what they should be.

use crema_testkit::outgoing::{Piece, Reply};

use super::*;

/// What must never be told about an answer that is no document.
const INSIDE: &str = "internal-marker-4711";

/// The error page and the JSON answer for a document like this: both say what is wrong with it,
/// and neither leads anywhere.
async fn refused(world: &World, reply: Reply, part: &str) {
    world.site.answer(PATH, reply);
    let page = world.ask(&[]).await;
    assert_eq!((page.status, page.location()), (400, None), "{part}");
    assert_eq!(page.media_type(), "text/html");
    let request = client().authorization(&[]);
    let pairs: Vec<_> = request
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let asked = world.app.http().get(crema_testkit::visitor::AUTHORIZE);
    let answer = asked.query(&pairs).send().await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.error(), "invalid_request");
    let text = answer.member("error_description");
    assert!(text.contains(part), "{text} lacks {part}");
    assert!(text.contains("client metadata document"), "{text}");
    for told in [page.text(), answer.text()] {
        assert!(!told.contains(INSIDE), "{told}");
        assert!(!told.contains("93.184.215"), "{told}");
    }
    world.app.clock.advance_seconds(30);
}

// spec: security.md, Authorization endpoint, "No match, or unknown client: an error page/JSON 400,
// never a redirect"
#[tokio::test]
async fn a_broken_document_ends_in_an_error_page() {
    let world = World::new(Engine::Sqlite).await;
    let setting = [("registration_limit", "1000")];
    world.app.set_settings("OAuth Settings", &setting).await;
    let with = |changes: Value| Reply::json(&changed(changes));
    let body = |body: &str| Reply::document("application/json", body);
    let other = json!({"client_id": "https://app.example/other", "x": INSIDE});
    let cases = [
        (body(""), "no JSON object"),
        (body("[]"), "no JSON object"),
        (body("{\"client_id\":"), "no JSON object"),
        (body(&format!("<html>{INSIDE}</html>")), "no JSON object"),
        (body(&format!("{{\"{INSIDE}\": 1}}")), "client_id"),
        (Reply::json(&other), "client_id"),
        (with(json!({"client_id": null})), "client_id"),
        (with(json!({"client_id": 1})), "client_id"),
        (with(json!({"client_secret": INSIDE})), "client_secret"),
        (with(json!({"redirect_uris": null})), "redirect_uris"),
        (with(json!({"redirect_uris": []})), "redirect_uris"),
        (with(json!({"redirect_uris": [1]})), "redirect_uris"),
        (
            with(json!({"redirect_uris": ["http://app.example/cb"]})),
            "redirect_uris",
        ),
        (
            with(json!({"redirect_uris": ["javascript:alert(1)"]})),
            "redirect_uris",
        ),
        (
            with(json!({"token_endpoint_auth_method": "client_secret_post"})),
            "token_endpoint_auth_method",
        ),
        (
            with(json!({"token_endpoint_auth_method": "private_key_jwt"})),
            "private_key_jwt is not supported",
        ),
        (with(json!({"grant_types": ["password"]})), "grant_types"),
        (with(json!({"response_types": ["token"]})), "response_types"),
        (with(json!({"client_name": ["a"]})), "client_name"),
        (with(json!({"client_name": "x".repeat(500)})), "client_name"),
        (with(json!({"logo_uri": "javascript:alert(1)"})), "logo_uri"),
        (with(json!({"scope": "all"})), "scope"),
        (
            with(json!({"id_token_signed_response_alg": "HS256"})),
            "id_token_signed_response_alg",
        ),
        (with(json!({"filler": "x".repeat(16_384)})), "16 KiB"),
    ];
    for (reply, part) in cases {
        refused(&world, reply, part).await;
    }
    world.close().await;
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn an_answer_that_is_no_document_is_not_read() {
    let world = World::new(Engine::Sqlite).await;
    let setting = [("registration_limit", "1000")];
    world.app.set_settings("OAuth Settings", &setting).await;
    let good = || document().to_string();
    for media_type in ["text/html", "text/plain", "application/javascript", ""] {
        refused(&world, Reply::document(media_type, good()), "media type").await;
    }
    for status in [201, 204, 400, 401, 403, 404, 410, 500, 503] {
        let reply = Reply::status(status).header("X-Inside", INSIDE);
        refused(&world, reply, "status 200").await;
    }
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::redirect(status, "https://app.example/elsewhere");
        refused(&world, reply, "redirect").await;
    }
    let endless = Reply::pieces(vec![
        Piece::Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".to_vec()),
        Piece::Forever(vec![b' '; 1000]),
    ]);
    refused(&world, endless, "16 KiB").await;
    let before = world.site.requests();
    refused(&world, Reply::raw("nonsense"), "cannot").await;
    assert_eq!(world.site.requests() - before, 1);
    assert!(
        !world
            .site
            .received()
            .iter()
            .any(|head| head.contains("elsewhere")),
        "no redirect is followed"
    );
    for media_type in [
        "application/json; charset=utf-8",
        "application/oauth-client-id-metadata+json",
    ] {
        world.site.answer(PATH, Reply::document(media_type, good()));
        assert_eq!(world.ask(&[]).await.status, 302, "{media_type}");
        world.app.clock.advance_seconds(300);
    }
    world.close().await;
}

/// Nobody is asked about an address that can be none.
// spec: draft-ietf-oauth-client-id-metadata-document §3, Client Identifier
#[tokio::test]
async fn an_address_has_one_spelling() {
    let world = World::new(Engine::Sqlite).await;
    for id in [
        "https://app.example",
        "https://app.example/",
        "http://app.example/oauth/client.json",
        "HTTPS://app.example/oauth/client.json",
        "https://APP.example/oauth/client.json",
        "https://app.example:443/oauth/client.json",
        "https://app.example/oauth/../oauth/client.json",
        "https://app.example/oauth/%2e/client.json",
        "https://user@app.example/oauth/client.json",
        "https://app.example/oauth/client.json#",
        "https://app.example\\oauth\\client.json",
    ] {
        let answer = world.ask(&[("client_id", id)]).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{id}");
        assert!(answer.text().contains("client metadata document"), "{id}");
    }
    assert_eq!(world.site.connections(), 0);
    assert_eq!(world.internet.lookups(HOST), 0);
    world.close().await;
}

/// What is inside stays unknown: an address that may not be asked and one that does not answer
/// look the same.
#[tokio::test]
async fn what_is_inside_is_told_to_nobody() {
    let world = World::new(Engine::Sqlite).await;
    let inside = world.internet.inside().await;
    let within = "10.0.0.7".parse().unwrap();
    world.internet.connect_at(within, &inside);
    world.internet.name("intranet.example", vec![vec![within]]);
    let nowhere = world.internet.public_address();
    world.internet.name("silent.example", vec![vec![nowhere]]);
    let mut texts = Vec::new();
    for host in [
        "intranet.example",
        "silent.example",
        "unknown.example",
        "10.0.0.7",
    ] {
        let id = format!("https://{host}/client.json");
        let request = [("client_id", id.as_str())];
        let answer = world.ask(&request).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{host}");
        texts.push(answer.text().replace(host, "HOST"));
    }
    let shown = |text: &String| {
        let at = text.find("cannot be used").expect(text);
        text[at..at + 120].to_owned()
    };
    assert!(texts.iter().all(|text| shown(text) == shown(&texts[0])));
    assert_eq!(inside.connections(), 0);
    world.close().await;
}

/// On a developer's machine a document may come without TLS.
// spec: security.md, "https only outside developer mode"
#[tokio::test]
async fn a_developers_document_may_come_without_tls() {
    let internet = crema_testkit::outgoing::Internet::new();
    let site = internet.inside().await;
    let address = site.url(PATH);
    site.answer(PATH, Reply::json(&changed(json!({"client_id": address}))));
    for (mode, status) in [(0, 400), (1, 302)] {
        let builder = App::builder().config("developer_mode", mode);
        let app = builder.outgoing(internet.outgoing()).build().await;
        let request = [("client_id", address.as_str())];
        let answer = authorize(&mut app.visitor(), &request).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        app.close().await;
    }
    assert_eq!(site.requests(), 1);
}
