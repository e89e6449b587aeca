//! Sessions: their users and System Managers see and end them, and what proves them stays here.

use crema_auth::session;
use crema_crypto::hash_hex;
use crema_document::Reason;
use crema_document::list::ListRequest;
use crema_store::{Sql, params};
use serde_json::{Value, json};

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

static OF_FRAPPE: Sql = Sql::new(
    r#"INSERT INTO "tabSessions" ("user", sid, sessiondata, lastupdate, status)
    VALUES (?, ?, '{}', '2026-11-20 12:00:00', 'Active')"#,
);
static STORED: Sql = Sql::new(
    r#"SELECT name, sid, oidc_sid, sessiondata FROM "tabSessions" WHERE "user" = ? AND name IS NOT NULL"#,
);
static SIGNED_OUT: Sql = Sql::new(
    r#"SELECT reference_name, "user" FROM "tabActivity Log" WHERE operation = 'Logout' AND "user" = ?"#,
);

/// Signs a user in and gives the cookie.
async fn begin(site: &TestSite, user: &str) -> String {
    let ctx = site.ctx();
    let user = ctx.user(user).await.unwrap().unwrap();
    let new = session::start(&ctx, &user, None).await.unwrap();
    new.sid.expose().clone()
}

async fn is_alive(site: &TestSite, sid: &str) -> bool {
    session::resolve(&site.ctx(), sid).await.unwrap().is_some()
}

/// The sessions that somebody sees.
async fn seen(site: &TestSite, by: &str) -> Vec<Value> {
    let all = ListRequest {
        fields: Some(json!(["*"])),
        limit: 0,
        ..ListRequest::default()
    };
    let documents = documents(site, by).await;
    let rows = documents.list("Session", &all).await.unwrap();
    let count = documents.count("Session", &all).await.unwrap();
    assert_eq!(count, u64::try_from(rows.len()).unwrap());
    rows.into_iter().map(Value::Object).collect()
}

on_every_database! {
    // spec: doctypes.md, "list and revoke own tokens and sessions"
    async fn people_see_and_end_their_own_sessions(site: TestSite) {
        people(&site).await;
        let (first, second) = (begin(&site, USER).await, begin(&site, USER).await);
        let managers = begin(&site, MANAGER).await;
        let own = seen(&site, USER).await;
        assert_eq!(own.len(), 2);
        for row in &own {
            assert_eq!((&row["user"], &row["status"]), (&json!(USER), &json!("Active")));
            assert_eq!(row["ipaddress"], "192.0.2.1");
            assert_eq!(row["owner"], USER);
            for micros in ["created_at", "auth_time", "last_seen"] {
                assert_eq!(row[micros], site.ctx().now.micros(), "{micros}");
            }
            assert!(row["expires_at"].as_i64() > row["created_at"].as_i64());
        }
        assert_eq!(seen(&site, MANAGER).await.len(), 3);
        let all = seen(&site, MANAGER).await;
        let foreign = all.iter().find(|row| row["user"] == MANAGER).unwrap();
        let foreign = foreign["name"].as_str().unwrap();
        for user in [USER, "Guest"] {
            assert_eq!(reason(get(&site, user, "Session", foreign).await), Reason::Permission);
            assert_eq!(reason(delete(&site, user, "Session", foreign).await), Reason::Permission);
        }
        assert!(is_alive(&site, &managers).await);

        let stored = site.rows(&STORED, params![USER]).await;
        let hash = hash_hex(&first);
        let row = stored.iter().find(|row| row.text(1).unwrap() == hash).unwrap();
        let name = row.text(0).unwrap();
        delete(&site, USER, "Session", name).await.unwrap();
        assert!(!is_alive(&site, &first).await && is_alive(&site, &second).await);
        assert_eq!(column(&site, &SIGNED_OUT, USER).await, [USER]);
        assert_eq!(reason(delete(&site, USER, "Session", name).await), Reason::DoesNotExist);
        assert_eq!(column(&site, &SIGNED_OUT, USER).await.len(), 1);

        let left = seen(&site, USER).await[0]["name"].as_str().unwrap().to_owned();
        delete(&site, MANAGER, "Session", &left).await.unwrap();
        assert!(!is_alive(&site, &second).await);
        assert_eq!(column(&site, &SIGNED_OUT, MANAGER).await, [USER]);
    }

    // spec: security.md, Codes and tokens, "Tokens, codes, session ids, reset links are stored as SHA-256 only"
    async fn what_proves_a_session_is_nobodys_to_see(site: TestSite) {
        people(&site).await;
        let sid = begin(&site, USER).await;
        let stored = site.rows(&STORED, params![USER]).await;
        let name = stored[0].text(0).unwrap();
        let claim = stored[0].text(2).unwrap();
        let hash = hash_hex(&sid);
        for proof in [sid.as_str(), &hash, claim] {
            assert!(!proof.contains(name) && !name.contains(proof));
        }
        for user in [USER, MANAGER, ADMINISTRATOR] {
            let read = text(&get(&site, user, "Session", name).await.unwrap());
            let listed = serde_json::to_string(&seen(&site, user).await).unwrap();
            for shown in [read, listed] {
                for hidden in [sid.as_str(), &hash, claim, "sessiondata", "csrf", "session_ip"] {
                    assert!(!shown.contains(hidden), "{user} {hidden}: {shown}");
                }
            }
            for field in ["sid", "sessiondata", "csrf_issued", "oidc_sid"] {
                let filtered = ListRequest {
                    filters: Some(json!([[field, "like", "a%"]])),
                    ..ListRequest::default()
                };
                let documents = documents(&site, user).await;
                let refused = documents.list("Session", &filtered).await;
                assert_eq!(reason(refused), Reason::Permission, "{field}");
            }
        }
    }

    // Frappe keeps the cookie itself in its rows, and gives them no name.
    async fn sessions_of_frappe_are_not_shown(site: TestSite) {
        people(&site).await;
        for number in 0..2 {
            site.execute(&OF_FRAPPE, params![USER, format!("{number}").repeat(56)]).await;
        }
        begin(&site, USER).await;
        for user in [USER, MANAGER, ADMINISTRATOR] {
            assert_eq!(seen(&site, user).await.len(), 1, "{user}");
            for name in ["", "null", "None"] {
                assert_eq!(reason(get(&site, user, "Session", name).await), Reason::DoesNotExist);
            }
        }
        let none = ListRequest {
            filters: Some(json!([["name", "is", "not set"]])),
            ..ListRequest::default()
        };
        let rows = documents(&site, MANAGER).await.list("Session", &none).await.unwrap();
        assert!(rows.is_empty(), "{rows:?}");
        // Removing the user ends them too.
        delete(&site, MANAGER, "User", USER).await.unwrap();
        assert!(seen(&site, MANAGER).await.is_empty());
    }
}
