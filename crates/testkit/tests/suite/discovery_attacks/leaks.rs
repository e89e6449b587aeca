//! Secrets of registration: where they are kept, and who is told.

use super::*;

// spec: security.md, Codes and tokens, "stored as SHA-256 only"; Inputs, outputs, network, last line
#[tokio::test]
async fn no_file_of_the_site_holds_a_secret_of_registration() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    let http = app.http();
    let ctx = app.ctx().await;
    let made = crema_auth::register::initial::add(&ctx, "Administrator", Some(5), None).await;
    let initial = made.unwrap().token;
    let post = http.post(REGISTER).bearer(initial.expose());
    let basic = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let first = post.json(&metadata(basic.clone())).send().await.json();
    let answer = replace(&http, &first, with(basic, json!({"client_name": "Other"}))).await;
    let second = answer.json();
    let mut secrets = vec![("initial", initial.expose().clone())];
    for information in [&first, &second] {
        let token = text(information, "registration_access_token");
        secrets.push(("management", token.to_owned()));
    }
    secrets.push(("client secret", text(&first, "client_secret").to_owned()));
    assert_eq!(second.get("client_secret"), None, "told once");
    // Wrong ones, which somebody may have mistyped.
    let wrong = "mistyped-registration-token-0123456789";
    management(&http, "GET", text(&first, "client_id"), wrong)
        .send()
        .await;
    http.post(REGISTER)
        .bearer(wrong)
        .json(&metadata(json!({})))
        .send()
        .await;
    secrets.push(("wrong", wrong.to_owned()));
    let mut folders = vec![app.bench().root().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for (what, secret) in &secrets {
                let secret = secret.as_bytes();
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{what} in {}", path.display());
            }
        }
    }
    assert!(files > 1);
    world.app.close().await;
}

// What somebody has put into the query of a document's address stays out of what others read.
#[tokio::test]
async fn what_went_wrong_inside_is_told_to_nobody() {
    let world = World::new(Engine::Sqlite).await;
    for reply in [
        Reply::document("application/json", "{\"secret-of-the-inside\": 1}"),
        Reply::document("text/plain", "secret-of-the-inside"),
        Reply::json(&document(
            json!({"client_id": "https://secret-of-the-inside.example/x"}),
        )),
        Reply::status(500).header("X-Secret", "secret-of-the-inside"),
        Reply::redirect(302, "https://secret-of-the-inside.example/"),
    ] {
        world.site.answer(PATH, reply);
        let answer = world.knows(ADDRESS).await;
        assert_eq!((answer.status, answer.location()), (400, None));
        assert!(
            !answer.text().contains("secret-of-the-inside"),
            "{}",
            answer.text()
        );
        world.app.clock.advance_seconds(31);
    }
    world.app.close().await;
}
