//! The chapters *Troubleshooting* and *CORS and CSRF Configuration* of the "OAuth2 Setup and
//! Operations Guide": every symptom, and that the answer says what to do about it; every
//! configuration as it is written there, and the requests that it is for.

mod configuration;
mod cors;
mod symptoms;

use crema_testkit::{App, ClientSpec, Response, TestClient, Tokens};

const USER: &str = "user@example.com";
const PASSWORD: &str = "SecurePass123";
const CALLBACK: &str = "app.trust://oauth2redirect";

/// The site of the guide, its user, and its client.
async fn site() -> (App, TestClient) {
    let app = App::builder().site("trust.jossoor.org").build().await;
    app.add_user(USER, PASSWORD, &["Sales User"]).await;
    let client = ClientSpec::public(CALLBACK)
        .with("app_name", "Mobile App")
        .scopes("all openid todo:read")
        .grant_types("authorization_code password refresh_token")
        .with("allowed_roles", "Sales User, Sales Manager, System Manager");
    let client = app.add_client(client).await;
    (app, client)
}

/// Example 1 of the guide.
async fn tokens(app: &App, client: &TestClient, scope: &str) -> Tokens {
    let params = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", PASSWORD),
        ("scope", scope),
    ];
    app.http().token(client, &params).await.tokens()
}

/// The answer is of that status and says all of these words.
fn assert_says(what: &str, answer: &Response, status: u16, words: &[&str]) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{what}: {text}");
    for word in words {
        let header = answer.header("www-authenticate").unwrap_or_default();
        let said = text.contains(word) || header.contains(word);
        assert!(said, "{what}: nothing about {word:?}: {header} {text}");
    }
}
