//! Client secrets: strength, storage, rotation.

use std::collections::HashSet;

use crema_auth::client;
use crema_auth::user::ADMINISTRATOR;
use crema_store::Value;
use crema_testkit::{App, TestClient, for_each_engine};

use crate::security::scene;

async fn rotate(app: &App, client: &TestClient, overlap_seconds: i64) -> TestClient {
    let ctx = app.ctx().await;
    let secret = client::rotate_secret(&ctx, ADMINISTRATOR, &client.client_id, overlap_seconds);
    let secret = secret.await.unwrap().expose().clone();
    TestClient {
        client_secret: Some(secret),
        ..client.clone()
    }
}

async fn counts(app: &App, client: &TestClient) -> bool {
    match app.http().revoke(client, "none").await.status {
        200 => true,
        401 => false,
        other => panic!("status {other}"),
    }
}

// spec: security.md, Clients, line 3: at least 256 bits
#[tokio::test]
async fn secrets_have_256_bits_and_are_never_the_same() {
    let app = scene::start().await;
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let client = scene::confidential(&app).await;
        let secret = client.secret().to_owned();
        assert!(
            secret.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{secret}"
        );
        // 43 characters of 62 kinds are 256 bits.
        assert!(secret.len() >= 43, "{secret}");
        assert!(seen.insert(secret));
        assert!(seen.insert(client.client_id));
    }
    app.close().await;
}

for_each_engine! {
    // spec: security.md, Clients, line 3: shown once, stored encrypted
    async fn a_secret_is_stored_encrypted_and_never_shown_again(app: &App) {
        let client = scene::confidential(app).await;
        let rotated = rotate(app, &client, 3600).await;
        assert_ne!(rotated.secret(), client.secret());
        let shown = client::show(&app.ctx().await, &client.client_id).await.unwrap();
        let shown = serde_json::to_string(&shown).unwrap();
        let row = app.rows(
            "SELECT client_secret FROM \"tabOAuth Client\" WHERE name = ?",
            vec![Value::from(client.client_id.as_str())],
        ).await;
        let column = row[0].opt_text(0).unwrap().unwrap_or_default().to_owned();
        let stored = app.rows(
            "SELECT password, encrypted FROM \"__Auth\" WHERE fieldname = 'client_secret'",
            vec![],
        ).await;
        assert_eq!(stored.len(), 2, "the current and the previous one");
        for row in &stored {
            assert_eq!(row.int(1).unwrap(), 1);
            assert!(row.text(0).unwrap().starts_with("gAAAA"), "a Fernet token");
        }
        for secret in [client.secret(), rotated.secret()] {
            let texts = stored.iter().map(|row| row.text(0).unwrap());
            for text in texts.chain([shown.as_str(), column.as_str()]) {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert!(counts(app, &rotated).await);
    }

    // spec: security.md, Clients, line 3: rotation keeps the previous secret for an overlap
    async fn a_rotated_secret_counts_until_the_overlap_ends(app: &App) {
        let first = scene::confidential(app).await;
        let second = rotate(app, &first, 3600).await;
        assert!(counts(app, &first).await && counts(app, &second).await);
        let other = app.second_server().await;
        assert_eq!(other.http().revoke(&first, "none").await.status, 200);
        app.clock.advance_seconds(3599);
        assert!(counts(app, &first).await);
        app.clock.advance_seconds(1);
        assert!(!counts(app, &first).await);
        assert_eq!(other.http().revoke(&first, "none").await.status, 401);
        assert!(counts(app, &second).await);

        // Without an overlap everything before ends at once.
        let third = rotate(app, &second, 3600).await;
        assert!(counts(app, &second).await);
        let fourth = rotate(app, &third, 0).await;
        assert!(!counts(app, &second).await);
        assert!(!counts(app, &third).await);
        assert!(counts(app, &fourth).await);
        assert_eq!(other.http().revoke(&third, "none").await.status, 401);
        other.stop().await;
    }
}
