//! The audit trail: what is written, how failures are counted, and that no secret is in it.
//!
//! spec: security.md, Audit
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use crema_auth::audit::{self, Entry, Operation, Status};
use crema_auth::client::{self, ClientFields};
use crema_auth::login::{self, LoginOutcome, LoginRequest};
use crema_auth::retention::Kind;
use crema_auth::{keys, session, settings, user};
use crema_crypto::{Secret, SigningAlgorithm, hash_hex};
use crema_store::{Row, Sql, params};
use records_common::{PASSWORD, TestSite};
use serde_json::Value as Json;

static ALL: Sql = Sql::new(
    r#"SELECT operation, status, "user", reference_doctype, reference_name, ip_address, subject,
    content, creation, owner FROM "tabActivity Log" ORDER BY creation, operation"#,
);
static OF: Sql = Sql::new(
    r#"SELECT status, "user", content, reference_name FROM "tabActivity Log"
    WHERE operation = ? ORDER BY creation, "user", reference_name"#,
);

fn content(row: &Row, column: usize) -> Json {
    serde_json::from_str(row.text(column).unwrap()).unwrap()
}

async fn sign_in(site: &TestSite, usr: &str, pwd: &str) -> LoginOutcome {
    let request = LoginRequest {
        usr: usr.to_owned(),
        pwd: pwd.into(),
        previous_sid: None,
    };
    login::login(&site.ctx(), &request).await.unwrap()
}

on_every_database! {
    async fn everything_that_matters_is_written_and_nothing_secret(site: TestSite) {
        let mut secrets = vec![PASSWORD.to_owned()];
        let name = site.user("user@example.com", &["Sales User"]).await;
        let LoginOutcome::SignedIn(signed_in) = sign_in(&site, &name, PASSWORD).await else {
            panic!("refused")
        };
        let sid = signed_in.session.sid.expose().clone();
        let ctx = site.ctx();
        let session = session::resolve(&ctx, &sid).await.unwrap().unwrap();
        secrets.push(session::csrf_token(&ctx, &session).await.unwrap().expose().clone());
        session::end(&ctx, &session).await.unwrap();
        secrets.extend([hash_hex(&sid), sid]);
        for _ in 0..11 {
            sign_in(&site, &name, "wrong-password").await;
        }
        secrets.push("wrong-password".to_owned());
        let fields = ClientFields::new()
            .with("app_name", "Web App")
            .with("redirect_uris", "https://app.example/cb");
        let made = site.client(fields).await.unwrap();
        secrets.push(made.client_secret.unwrap().expose().clone());
        let rotated = client::rotate_secret(&ctx, "Administrator", &made.client_id, 60).await;
        secrets.push(rotated.unwrap().expose().clone());
        client::set_enabled(&ctx, "Administrator", &made.client_id, false).await.unwrap();
        client::delete(&ctx, "Administrator", &made.client_id).await.unwrap();
        let new = Secret::from("a-new-password");
        user::set_password(&ctx, "Administrator", &name, &new).await.unwrap();
        secrets.push("a-new-password".to_owned());
        user::add_role(&ctx, "Administrator", &name, "Sales Manager").await.unwrap();
        user::disable(&ctx, "Administrator", &name).await.unwrap();
        keys::rotate(&ctx, "Administrator", Some(SigningAlgorithm::EdDSA), true).await.unwrap();
        let values = vec![("access_token_lifetime".to_owned(), Some("600".to_owned()))];
        settings::set(&ctx, "Administrator", "OAuth Settings", &values).await.unwrap();

        let rows = site.rows(&ALL, params![]).await;
        let count = |operation: &str, status: &str| {
            let fits = |row: &&Row| {
                row.text(0).unwrap() == operation && row.text(1).unwrap() == status
            };
            rows.iter().filter(fits).count()
        };
        assert_eq!(count("Login", "Success"), 1);
        assert_eq!(count("Login", "Failed"), 1, "one row for eleven attempts of a minute");
        assert_eq!(count("Logout", "Success"), 1);
        assert_eq!(count("Lockout", "Failed"), 2, "the user and the address");
        assert_eq!(count("Client Changed", "Success"), 4);
        assert_eq!(count("Password Changed", "Success"), 1);
        assert_eq!(count("User Changed", "Success"), 3);
        assert_eq!(count("Settings Changed", "Success"), 1);
        // For the client's RS256 and by hand.
        assert_eq!(count("Key Rotated", "Success"), 2);
        for row in &rows {
            assert_eq!(row.text(5).unwrap(), "192.0.2.1");
            assert!(row.opt_datetime(8).unwrap().is_some());
            assert!(!row.text(6).unwrap().is_empty());
            for column in [2, 3, 4, 6, 7, 9] {
                let text = row.opt_text(column).unwrap().unwrap_or_default();
                for secret in &secrets {
                    assert!(!text.contains(secret.as_str()), "a secret in column {column}");
                }
            }
        }
        let changed = rows.iter().find(|row| row.text(0).unwrap() == "Client Changed").unwrap();
        assert_eq!(changed.text(2).unwrap(), "Administrator");
        assert_eq!(changed.text(3).unwrap(), "OAuth Client");
        assert_eq!(changed.text(4).unwrap(), made.client_id);
    }

    async fn failures_are_counted_per_minute_address_and_known_record(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let fields = ClientFields::new()
            .with("app_name", "Web App")
            .with("redirect_uris", "https://app.example/cb");
        let made = site.client(fields).await.unwrap();
        for _ in 0..3 {
            audit::failure(&site.ctx(), Operation::Login, &name).await.unwrap();
        }
        for usr in ["nobody@example.com", "my password", "'; DROP TABLE", "x\0"] {
            audit::failure(&site.ctx(), Operation::Login, usr).await.unwrap();
        }
        let rows = site.rows(&OF, params!["Login"]).await;
        let mut counts: Vec<_> = rows
            .iter()
            .map(|row| {
                let user = row.opt_text(1).unwrap().unwrap_or_default().to_owned();
                (user, content(row, 2)["count"].as_u64().unwrap())
            })
            .collect();
        counts.sort();
        assert_eq!(counts, [(String::new(), 4), (name.clone(), 3)]);
        assert!(!rows.iter().any(|row| row.text(2).unwrap().contains("my password")));
        audit::failure(&site.ctx_from("198.51.100.1"), Operation::Login, &name).await.unwrap();
        site.clock.advance_seconds(60);
        audit::failure(&site.ctx(), Operation::Login, &name).await.unwrap();
        assert_eq!(site.rows(&OF, params!["Login"]).await.len(), 4);

        for id in [made.client_id.as_str(), "made-up-1", "made-up-2"] {
            audit::failure(&site.ctx(), Operation::ClientAuthentication, id).await.unwrap();
        }
        let rows = site.rows(&OF, params!["Client Authentication"]).await;
        let named: Vec<_> = rows.iter().filter_map(|row| row.opt_text(3).unwrap()).collect();
        assert_eq!((rows.len(), named), (2, vec![made.client_id.as_str()]));
    }

    async fn concurrent_failures_share_one_row(site: TestSite) {
        let name = site.user("user@example.com", &[]).await;
        let other = site.another_process();
        let mut attempts = tokio::task::JoinSet::new();
        for number in 0..24 {
            let provider = if number % 2 == 0 { &site.provider } else { &other };
            let (ctx, name) = (records_common::ctx_of(provider, "192.0.2.1"), name.clone());
            attempts.spawn(async move {
                audit::failure(&ctx, Operation::Login, &name).await.unwrap();
            });
        }
        attempts.join_all().await;
        let rows = site.rows(&OF, params!["Login"]).await;
        assert_eq!((rows.len(), content(&rows[0], 2)["count"].as_u64()), (1, Some(24)));
    }

    async fn long_and_odd_texts_fit(site: TestSite) {
        let long = "ü".repeat(5000);
        let entry = Entry::new(&site.ctx(), Operation::Revocation, Status::Success)
            .user(&long)
            .client("a\0b")
            .detail("reason", long.as_str())
            .detail("number", 7);
        audit::record_now(&site.ctx(), entry).await.unwrap();
        let rows = site.rows(&OF, params!["Revocation"]).await;
        assert_eq!(rows[0].text(1).unwrap().chars().count(), 140);
        assert_eq!(rows[0].text(3).unwrap(), "ab");
        assert_eq!(content(&rows[0], 2)["number"], 7);
    }

    async fn entries_are_kept_as_long_as_the_settings_say(site: TestSite) {
        let entry = || Entry::new(&site.ctx(), Operation::Revocation, Status::Success);
        audit::record_now(&site.ctx(), entry()).await.unwrap();
        site.clock.advance_seconds(365 * 86_400);
        audit::record_now(&site.ctx(), entry()).await.unwrap();
        site.clock.advance_seconds(600);
        assert_eq!(site.sweep(Kind::Entries).await, 0);
        site.clock.advance_seconds(1);
        assert_eq!(site.sweep(Kind::Entries).await, 1);
        assert_eq!(site.rows(&OF, params!["Revocation"]).await.len(), 1);
    }
}
