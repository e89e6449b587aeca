//! People who sign in at several devices at once.

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
}
