//! Who comes in, and that nothing is read before.

use super::*;

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

fn challenge(answer: &Response) -> &str {
    let challenge = answer.header("WWW-Authenticate").unwrap();
    let metadata = "/.well-known/oauth-protected-resource/mcp\"";
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains(metadata),
        "{challenge}"
    );
    challenge
}

// spec: security.md, Inputs, outputs, network; standards.md, U, "M 401 challenge"
#[tokio::test]
async fn without_good_credentials_there_is_a_challenge_and_nothing_else() {
    let app = site(&[]).await;
    let http = app.http();
    let bodies = [LIST, "{", "[", "", "null"];
    for (body, authorization) in bodies.into_iter().zip([
        None,
        Some("Bearer unknown"),
        Some("Bearer"),
        Some("token a:b"),
        Some("Basic %%%"),
    ]) {
        for method in ["POST", "GET", "DELETE", "PUT"] {
            let mut asked = http.request(method, "/mcp").body(body);
            if let Some(authorization) = authorization {
                asked = asked.header("Authorization", authorization);
            }
            let answer = asked.header("Content-Type", "text/plain").send().await;
            assert_eq!(answer.status, 401, "{method} {authorization:?}");
            assert_eq!(answer.header("Content-Type"), Some("application/json"));
            assert_eq!(
                answer.json()["error"]["data"]["exc_type"],
                "AuthenticationError"
            );
            if authorization.is_none_or(|sent| sent.starts_with("Bearer")) {
                let said = challenge(&answer);
                assert_eq!(said.contains("error="), authorization.is_some(), "{said}");
            }
        }
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, "Tokens are accepted in the Authorization header only"
#[tokio::test]
async fn cookies_and_queries_open_nothing() {
    let app = site(&["System Manager"]).await;
    let token = token(&app, "all", None).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for path in ["/mcp", &format!("/mcp?access_token={token}")] {
        let post = app
            .http()
            .post(path)
            .header("Content-Type", "application/json");
        let answer = visitor.send(post.body(LIST)).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        challenge(&answer);
        assert_eq!(answer.header("Set-Cookie"), None);
    }
    app.close().await;
}

#[tokio::test]
async fn it_is_off_until_it_is_switched_on_and_at_once_in_every_process() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let token = token(&app, "all", None).await;
    let second = app.second_server().await;
    let list = |http: crema_testkit::Http| {
        let post = http.post("/mcp").header("Content-Type", "application/json");
        post.bearer(&token).body(LIST).send()
    };
    for on in [false, true, false, true] {
        switch(&app, on).await;
        for http in [second.http(), app.http()] {
            let expected = if on { 200 } else { 404 };
            assert_eq!(list(http.clone()).await.status, expected);
            let nobody = http.post("/mcp").body("{").send().await;
            assert_eq!(nobody.status, if on { 401 } else { 404 });
        }
    }
    second.stop().await;
    app.close().await;
}

// spec: security.md, Inputs, outputs, network, "`/mcp` checks Origin"
#[tokio::test]
async fn pages_of_other_origins_are_turned_away() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let from = |origin: &str| {
        let post = who.post().header("Origin", origin);
        let post = post.header("Content-Type", "application/json");
        post.body(LIST).send()
    };
    let own = app.http().origin();
    assert_eq!(from(&own).await.status, 200);
    for origin in ["https://evil.example", "null", "", "https://app.example"] {
        let answer = from(origin).await;
        assert_eq!((answer.status, code(&answer)), (403, -32600), "{origin}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
    }
    let twice = who.post().header("Origin", &own).header("Origin", &own);
    assert_eq!(twice.body(LIST).send().await.status, 403);
    app.set_config("allow_cors", json!(["https://app.example"]));
    let answer = from("https://app.example").await;
    assert_eq!(answer.status, 200);
    let allowed = answer.header("Access-Control-Allow-Origin");
    assert_eq!(allowed, Some("https://app.example"));
    app.set_config("allow_cors", Value::Null);
    assert_eq!(from("https://app.example").await.status, 403);
    let listed = [("allowed_public_client_origins", "https://page.example")];
    app.set_settings("OAuth Settings", &listed).await;
    assert_eq!(from("https://page.example").await.status, 200);
    assert_eq!(from("https://app.example").await.status, 403);
    app.close().await;
}

// spec: standards.md, U, "RS M validate audience"
#[tokio::test]
async fn a_token_for_the_tools_opens_them_alone() {
    let app = site(&["System Manager"]).await;
    let http = app.http();
    for (resource, tools, data) in [
        (Some(http.url("/mcp")), true, false),
        (Some(http.url("/api")), false, true),
        (Some(http.origin()), true, true),
        (None, true, true),
    ] {
        let token = token(&app, "all", resource.as_deref()).await;
        let who = Assistant::new(&app, &format!("Bearer {token}"));
        let answer = who.ask("tools/list", json!({})).await;
        assert_eq!(answer.status, if tools { 200 } else { 401 }, "{resource:?}");
        if !tools {
            assert!(challenge(&answer).contains("error=\"invalid_token\""));
        }
        let list = http.get("/api/resource/ToDo").bearer(&token).send().await;
        assert_eq!(list.status, if data { 200 } else { 401 }, "{resource:?}");
    }
    app.close().await;
}

#[tokio::test]
async fn one_post_of_json_is_one_message() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    for method in ["GET", "DELETE", "PUT", "PATCH", "HEAD"] {
        let asked = app.http().request(method, "/mcp");
        let answer = asked
            .header("Authorization", &who.authorization)
            .send()
            .await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("Allow"), Some("POST"));
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let post = who.post().header("Content-Type", media_type);
        assert_eq!(post.body(LIST).send().await.status, 415, "{media_type}");
    }
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("text/event-stream, Application/JSON;q=0.5", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
    ] {
        let post = app.http().post("/mcp").header("Accept", accept);
        let post = post.header("Authorization", &who.authorization);
        let post = post.header("Content-Type", "application/json; charset=utf-8");
        let answer = post.body(LIST).send().await;
        assert_eq!(answer.status, status, "{accept}");
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
    }
    app.close().await;
}

#[tokio::test]
async fn each_request_is_judged_by_its_own_credentials() {
    let app = site(&[]).await;
    let (name, header) = key(&app, "all").await;
    let who = Assistant::new(&app, &header);
    assert_eq!(who.ask("tools/list", json!({})).await.status, 200);
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let path = format!("/api/resource/API%20Key/{name}");
    let removed = visitor.send(app.http().request("DELETE", &path)).await;
    assert_eq!(removed.status, 202, "{}", removed.text());
    assert_eq!(who.ask("tools/list", json!({})).await.status, 401);
    let who = Assistant::with(&app, "all").await;
    assert_eq!(who.ask("tools/list", json!({})).await.status, 200);
    app.clock.advance_seconds(3601);
    assert_eq!(who.ask("tools/list", json!({})).await.status, 401);
    app.close().await;
}

#[tokio::test]
async fn guessing_keys_is_slowed_down() {
    let app = site(&[]).await;
    let (_, header) = key(&app, "all").await;
    let (known, _) = header.split_once(':').unwrap();
    let guesser = Assistant::new(&app, &format!("{known}:wrong"));
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(guesser.ask("tools/list", json!({})).await);
    }
    assert_eq!(answers[0].status, 401);
    let last = answers.last().unwrap();
    assert_eq!((last.status, code(last)), (429, -32600));
    assert!(last.header("Retry-After").is_some());
    app.close().await;
}
