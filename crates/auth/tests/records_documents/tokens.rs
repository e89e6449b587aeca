//! What was issued: tokens, codes, consents, keys that sign, and the trail.

use crema_document::Reason;
use crema_store::{Sql, params};
use serde_json::json;

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

/// What hashes here begin with.
const HASH: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd6";

static FAMILY: Sql = Sql::new(
    r#"INSERT INTO "__oauth_family" (name, client, "user", created_at, expires_at, refresh_token)
    VALUES (?, 'client', ?, 1, 9, ?)"#,
);
static SPENT: Sql = Sql::new(
    r#"INSERT INTO "__oauth_spent" (hash, kind, family, client, spent_at, expires_at)
    VALUES (?, 'refresh', ?, 'client', 1, 9)"#,
);
static TOKEN: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, creation, modified, modified_by, owner, docstatus,
    idx, client, "user", access_token, refresh_token, status, family)
    VALUES (?, '2026-11-20 12:00:00', '2026-11-20 12:00:00', ?, ?, 0, 0, 'client', ?, ?, ?,
    'Active', ?)"#,
);
static CODE: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Authorization Code" (name, owner, client, "user", authorization_code,
    validity, family) VALUES (?, ?, 'client', ?, ?, 'Valid', ?)"#,
);
static CONSENT: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Consent" (name, owner, client, "user", scopes)
    VALUES (?, ?, 'client', ?, 'all')"#,
);
static REGISTRATION: Sql = Sql::new(
    r#"INSERT INTO "tabRegistration Access Token" (name, owner, client, token, status)
    VALUES ('r1', 'Administrator', 'client', ?, 'Active')"#,
);
static STATUS: Sql = Sql::new(r#"SELECT status FROM "tabOAuth Bearer Token" WHERE family = ?"#);
static ALIVE: Sql =
    Sql::new(r#"SELECT name FROM "__oauth_family" WHERE revoked_at IS NULL AND name = ?"#);
static EVIDENCE: Sql = Sql::new(r#"SELECT hash FROM "__oauth_spent" WHERE family = ?"#);
static LOGGED: Sql = Sql::new(
    r#"INSERT INTO "tabActivity Log" (name, owner, subject, operation) VALUES ('l1', ?, 'x', 'Login')"#,
);

async fn issued(site: &TestSite, family: &str, user: &str) {
    site.execute(&FAMILY, params![family, user, format!("{HASH}{family}")])
        .await;
    site.execute(&SPENT, params![format!("spent {family}"), family])
        .await;
    for token in ["a", "b"] {
        let name = format!("{family}-{token}");
        let (access, refresh) = (format!("{HASH}{name}"), format!("r{HASH}{name}"));
        site.execute(
            &TOKEN,
            params![&name, user, user, user, access, refresh, family],
        )
        .await;
    }
}

on_every_database! {
    // spec: doctypes.md, "list and revoke own tokens and sessions"
    async fn a_removed_token_ends_its_family(site: TestSite) {
        people(&site).await;
        site.user("other@example.com", &["Desk User"]).await;
        issued(&site, "f1", USER).await;
        issued(&site, "f2", USER).await;
        let read = get(&site, USER, "OAuth Bearer Token", "f1-a").await.unwrap();
        assert!(!text(&read).contains(HASH), "{}", text(&read));
        let read = get(&site, ADMINISTRATOR, "OAuth Bearer Token", "f1-a").await.unwrap();
        assert!(!text(&read).contains(HASH) && !read.values.contains_key("access_token"));
        for user in ["other@example.com", "Guest"] {
            let foreign = get(&site, user, "OAuth Bearer Token", "f1-a").await;
            assert_eq!(reason(foreign), Reason::Permission);
            let foreign = delete(&site, user, "OAuth Bearer Token", "f1-a").await;
            assert_eq!(reason(foreign), Reason::Permission);
        }
        delete(&site, USER, "OAuth Bearer Token", "f1-a").await.unwrap();
        assert_eq!(column(&site, &STATUS, "f1").await, ["Revoked"]);
        assert!(column(&site, &ALIVE, "f1").await.is_empty());
        assert_eq!(column(&site, &EVIDENCE, "f1").await.len(), 1);
        assert_eq!(column(&site, &ALIVE, "f2").await.len(), 1);
        delete(&site, MANAGER, "OAuth Bearer Token", "f2-b").await.unwrap();
        assert!(column(&site, &ALIVE, "f2").await.is_empty());
    }

    async fn a_withdrawn_consent_ends_the_clients_tokens(site: TestSite) {
        people(&site).await;
        site.user("other@example.com", &["Desk User"]).await;
        issued(&site, "f1", USER).await;
        issued(&site, "f2", "other@example.com").await;
        site.execute(&CONSENT, params!["k1", USER, USER]).await;
        let foreign = delete(&site, "other@example.com", "OAuth Consent", "k1").await;
        assert_eq!(reason(foreign), Reason::Permission);
        delete(&site, USER, "OAuth Consent", "k1").await.unwrap();
        assert!(column(&site, &ALIVE, "f1").await.is_empty());
        assert_eq!(column(&site, &STATUS, "f1").await, ["Revoked", "Revoked"]);
        assert_eq!(column(&site, &STATUS, "f2").await, ["Active", "Active"]);
    }
}

on_sqlite! {
    async fn a_removed_code_cannot_be_redeemed(site: TestSite) {
        people(&site).await;
        issued(&site, "f1", USER).await;
        site.execute(&CODE, params!["c1", USER, USER, HASH, "f1"]).await;
        let read = get(&site, MANAGER, "OAuth Authorization Code", "c1").await.unwrap();
        assert!(!text(&read).contains(HASH));
        let foreign = get(&site, USER, "OAuth Authorization Code", "c1").await;
        assert_eq!(reason(foreign), Reason::Permission);
        delete(&site, MANAGER, "OAuth Authorization Code", "c1").await.unwrap();
        assert!(column(&site, &ALIVE, "f1").await.is_empty());
    }

    async fn nobody_makes_or_changes_what_the_system_keeps(site: TestSite) {
        people(&site).await;
        issued(&site, "f1", USER).await;
        site.execute(&LOGGED, params![USER]).await;
        site.execute(&REGISTRATION, params![HASH]).await;
        for doctype in [
            "OAuth Bearer Token", "OAuth Authorization Code", "OAuth Consent", "Signing Key",
            "Registration Access Token", "Previous Client Secret", "Token Cache", "Activity Log",
            "Patch Log", "Installed Application", "DocType", "Session",
        ] {
            for user in [ADMINISTRATOR, MANAGER, USER] {
                let made = insert(&site, user, doctype, json!({"user": USER, "name": "x"})).await;
                assert_eq!(reason(made), Reason::Permission, "{doctype} {user}");
                let changed = update(&site, user, doctype, "f1-a", json!({"status": "Active"})).await;
                assert_eq!(reason(changed), Reason::Permission, "{doctype} {user}");
            }
        }
        for (doctype, name) in [("Activity Log", "l1"), ("Signing Key", "x"), ("Patch Log", "x")] {
            for user in [ADMINISTRATOR, MANAGER, USER] {
                let removed = delete(&site, user, doctype, name).await;
                assert_eq!(reason(removed), Reason::Permission, "{doctype} {user}");
            }
        }
        let read = get(&site, MANAGER, "Registration Access Token", "r1").await.unwrap();
        assert!(!text(&read).contains(HASH));
        delete(&site, MANAGER, "Registration Access Token", "r1").await.unwrap();
    }
}
