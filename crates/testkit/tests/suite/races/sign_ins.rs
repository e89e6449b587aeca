//! People who sign in at several devices at once.

use crema_testkit::flow::jose_header;
use crema_testkit::{App, for_each_engine};

use super::*;

/// The password as a Frappe site keeps it: passlib's PBKDF2, 1000 rounds.
const OF_FRAPPE: &str =
    "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8";

async fn set_hash(app: &App) {
    let sql = r#"UPDATE "__Auth" SET password = ? WHERE doctype = 'User' AND name = ?"#;
    let changed = app.execute(sql, vec![OF_FRAPPE.into(), USER.into()]).await;
    assert_eq!(changed, 1);
}

for_each_engine! {
    // spec: security.md, Sign-in and sessions, "upgraded at the next login": by one of them, and
    // the others are no less right
    async fn a_hash_is_upgraded_under_everybody(app: &App) {
        let client = setup(app).await;
        for _ in 0..4 {
            set_hash(app).await;
            let answers = together(8, |index| {
                let (http, client) = (app.http(), client.clone());
                let mut visitor = app.visitor();
                async move {
                    match index % 2 {
                        0 => visitor.try_login(USER, PASSWORD).await.status,
                        _ => {
                            tokens(&http, &client, USER, PASSWORD).await;
                            200
                        }
                    }
                }
            })
            .await;
            assert_eq!(answers, [200; 8]);
        }
        let sql = r#"SELECT password FROM "__Auth" WHERE doctype = 'User' AND name = ?"#;
        let rows = app.rows(sql, vec![USER.into()]).await;
        assert!(rows[0].text(0).unwrap().starts_with("$argon2id$"));
    }

    // spec: http.md, ID token, "keys in JWKS, made when first needed"
    async fn the_first_tokens_are_signed_with_one_key(app: &App) {
        let client = setup(app).await;
        let second = app.second_server().await;
        // As a client from Frappe's table would be: nobody has made a key for it.
        let sql = r#"UPDATE "tabOAuth Client" SET id_token_signed_response_alg = 'ES256'"#;
        app.execute(sql, vec![]).await;
        app.change_client(&client, &[("app_name", "Another Name")]).await;
        let servers = [app.http(), second.http()];
        let kids = together(12, |index| {
            let (http, client) = (servers[index % 2].clone(), client.clone());
            async move {
                let id_token = tokens(&http, &client, USER, PASSWORD).await.id_token.unwrap();
                jose_header(&id_token)["kid"].as_str().unwrap().to_owned()
            }
        })
        .await;
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        let sql = r#"SELECT COUNT(*) FROM "tabSigning Key" WHERE algorithm = 'ES256'"#;
        assert_eq!(app.count(sql, vec![]).await, 1);
        second.stop().await;
    }
}
