//! API Key records over REST: several for a user, each shown once, listed and revoked.

use crema_testkit::{App, for_each_engine};
use serde_json::{Value, json};

use super::{PASSWORD, USER, WHO, ask, token, who};

const MANAGER: &str = "boss@example.com";
const KEYS: &str = "/api/resource/API%20Key";

for_each_engine! {
    // spec: http.md, Resource server; security.md, Clients, "are shown once"
    async fn a_user_has_several_keys(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
        let mut manager = app.signed_in(MANAGER, PASSWORD).await;
        let mut secrets = Vec::new();
        let mut headers = Vec::new();
        let mut names = Vec::new();
        for (title, scopes) in [("Export", "todo:read"), ("Import", "all")] {
            let new = json!({"title": title, "user": USER, "scopes": scopes, "api_secret": "mine"});
            let request = manager.http().post(KEYS).json(&new);
            let made = manager.send(request).await;
            assert_eq!(made.status, 200, "{}", made.text());
            let made = made.json()["data"].clone();
            let text = |member: &str| made[member].as_str().unwrap().to_owned();
            headers.push(format!("token {}:{}", text("api_key"), text("api_secret")));
            assert_eq!(text("api_secret").len(), 43);
            secrets.push(text("api_secret"));
            names.push(text("name"));
        }
        for header in &headers {
            assert_eq!(who(app, header).await, USER);
        }
        let mut owner = app.signed_in(USER, PASSWORD).await;
        for visitor in [&mut manager, &mut owner] {
            let list = ask(visitor, &format!("{KEYS}?fields=[\"*\"]")).await;
            assert_eq!(list.json()["data"].as_array().unwrap().len(), 2, "{}", list.text());
            let one = ask(visitor, &format!("{KEYS}/{}", names[0])).await;
            assert_eq!(one.json()["data"]["scopes"], "todo:read");
            for secret in &secrets {
                assert!(!list.text().contains(secret.as_str()));
                assert!(!one.text().contains(secret.as_str()));
            }
        }
        let removal = owner.http().request("DELETE", &format!("{KEYS}/{}", names[0]));
        assert_eq!(owner.send(removal).await.status, 202);
        assert_eq!(who(app, &headers[0]).await, "401");
        assert_eq!(who(app, &headers[1]).await, USER);
    }
}

// A key that may make keys makes none that opens more, and none at all without a sign-in.
#[tokio::test]
async fn a_key_makes_no_key() {
    let app = App::builder().build().await;
    app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
    app.add_user(USER, PASSWORD, &[]).await;
    let by_key = token(&super::pair(&app, MANAGER).await);
    let request = app.http().post(KEYS).header("Authorization", &by_key);
    let new = json!({"title": "More", "user": USER});
    let response = request.json(&new).send().await;
    assert_eq!(response.status, 403, "{}", response.text());
    let own = app.http().get(WHO).header("Authorization", &by_key);
    assert_eq!(own.send().await.member("message"), MANAGER);
    // Everybody makes keys of their own, in person.
    let mut plain = app.signed_in(USER, PASSWORD).await;
    let request = plain.http().post(KEYS).json(&new);
    assert_eq!(plain.send(request).await.status, 200);
    let client = crema_testkit::ClientSpec::new("https://client.example/cb");
    let client = app.add_client(client).await;
    let code = plain.code(&client, &[("scope", "all")]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    let request = app.http().post(KEYS).bearer(&tokens.access_token);
    assert_eq!(request.json(&new).send().await.status, 403);
    let others = json!({"title": "More", "user": MANAGER});
    let mut plain = app.signed_in(USER, PASSWORD).await;
    let request = plain.http().post(KEYS).json(&others);
    assert_eq!(plain.send(request).await.status, 403);
    let bad = json!({"title": "More", "user": USER, "scopes": "ToDo:read"});
    let mut manager = app.signed_in(MANAGER, PASSWORD).await;
    let request = manager.http().post(KEYS).json(&bad);
    let refused = manager.send(request).await;
    assert_eq!(refused.status, 417, "{}", refused.text());
    let keys: Value = ask(&mut manager, KEYS).await.json();
    assert_eq!(keys["data"].as_array().unwrap().len(), 1, "{keys}");
    app.close().await;
}
