//! User and Role.

use crema_auth::user;
use crema_crypto::Secret;
use crema_document::Reason;
use crema_document::list::ListRequest;
use crema_store::{Sql, params};
use serde_json::json;

use crate::on_every_database;
use crate::records_common::{PASSWORD, TestSite};
use crate::who::*;

static TOKEN: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, client, "user", access_token, status)
    VALUES (?, 'client', ?, ?, 'Active')"#,
);
static STATUS: Sql = Sql::new(r#"SELECT status FROM "tabOAuth Bearer Token" WHERE "user" = ?"#);
static HASH: Sql = Sql::new(
    r#"SELECT password FROM "__Auth" WHERE doctype = 'User' AND fieldname = 'password' AND name = ?"#,
);
static LEFT: Sql = Sql::new(
    r#"SELECT name FROM "tabHas Role" WHERE parent = ?
    UNION ALL SELECT name FROM "__Auth" WHERE name = ?
    UNION ALL SELECT name FROM "tabUser Social Login" WHERE parent = ?
    UNION ALL SELECT name FROM "tabOAuth Bearer Token" WHERE "user" = ?
    UNION ALL SELECT name FROM "tabUser Permission" WHERE "user" = ?
    UNION ALL SELECT name FROM "tabAPI Key" WHERE "user" = ?"#,
);
static LOG: Sql = Sql::new(r#"SELECT content FROM "tabActivity Log" WHERE reference_name = ?"#);

const NEW: &str = "new@example.com";

async fn hash(site: &TestSite, user: &str) -> String {
    column(site, &HASH, user).await.pop().unwrap_or_default()
}

on_every_database! {
    async fn a_user_is_made_whole(site: TestSite) {
        people(&site).await;
        let values = json!({"email": "New@Example.COM", "first_name": "New", "last_name": "Person",
            "new_password": "Correct horse 9", "roles": [{"role": "System Manager"}]});
        let made = insert(&site, MANAGER, "User", values).await.unwrap();
        assert_eq!(made.name, NEW);
        assert_eq!(made.values["email"], NEW);
        assert_eq!(made.values["full_name"], "New Person");
        assert_eq!(made.values["username"], "new");
        assert_eq!(made.values["user_type"], "System User");
        assert_eq!(made.values["enabled"], 1);
        assert_eq!(made.values["roles"][0]["role"], "System Manager");
        assert_eq!(made.values["social_logins"][0]["provider"], "frappe");
        let subject = made.values["social_logins"][0]["userid"].as_str().unwrap();
        assert_eq!(subject.len(), 39);
        assert!(subject.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let loaded = site.ctx().user(NEW).await.unwrap().unwrap();
        assert_eq!(loaded.subject, subject);
        assert!(loaded.has_role("System Manager") && loaded.is_system_user());
        assert!(hash(&site, NEW).await.starts_with("$argon2id$"));
        let shown = text(&made) + &text(&get(&site, MANAGER, "User", NEW).await.unwrap());
        assert!(!shown.contains("Correct horse") && !shown.contains("argon2"));
        for entry in column(&site, &LOG, NEW).await {
            assert!(!entry.contains("Correct horse"), "{entry}");
        }

        let again = json!({"email": "NEW@example.com", "first_name": "Twice"});
        assert_eq!(reason(insert(&site, MANAGER, "User", again).await), Reason::Duplicate);
        let website = json!({"email": "web@example.com", "first_name": "New"});
        let website = insert(&site, MANAGER, "User", website).await.unwrap();
        assert_eq!(website.values["user_type"], "Website User");
        assert!(website.values["username"].is_null(), "a taken user name is left out");
    }

    // spec: security.md, Codes and tokens, "Disabled users … changed passwords"
    async fn what_ends_ends_at_once(site: TestSite) {
        people(&site).await;
        site.execute(&TOKEN, params!["t1", USER, "hash of t1"]).await;
        update(&site, MANAGER, "User", USER, json!({"last_name": "Same"})).await.unwrap();
        assert_eq!(column(&site, &STATUS, USER).await, ["Active"]);
        update(&site, MANAGER, "User", USER, json!({"enabled": 0})).await.unwrap();
        assert_eq!(column(&site, &STATUS, USER).await, ["Revoked"]);
        assert!(!site.ctx().user(USER).await.unwrap().unwrap().enabled);
        update(&site, MANAGER, "User", USER, json!({"enabled": 1})).await.unwrap();
        site.execute(&TOKEN, params!["t2", USER, "hash of t2"]).await;
        let before = hash(&site, USER).await;
        let password = json!({"new_password": "Correct horse 9"});
        update(&site, MANAGER, "User", USER, password).await.unwrap();
        assert_ne!(hash(&site, USER).await, before);
        assert_eq!(column(&site, &STATUS, USER).await, ["Revoked", "Revoked"]);
        for user in [ADMINISTRATOR, "Guest"] {
            let off = update(&site, ADMINISTRATOR, "User", user, json!({"enabled": 0})).await;
            assert_eq!(reason(off), Reason::Validation);
        }
    }

    async fn a_deleted_user_leaves_nothing(site: TestSite) {
        people(&site).await;
        let key = json!({"title": "Script", "scopes": "all"});
        insert(&site, USER, "API Key", key).await.unwrap();
        site.execute(&TOKEN, params!["t1", USER, "hash of t1"]).await;
        let permission = json!({"user": USER, "allow": "Role", "for_value": "Sales User"});
        insert(&site, MANAGER, "User Permission", permission).await.unwrap();
        for user in [ADMINISTRATOR, "Guest", MANAGER] {
            assert_eq!(reason(delete(&site, MANAGER, "User", user).await), Reason::Permission);
        }
        delete(&site, MANAGER, "User", USER).await.unwrap();
        let left = site.rows(&LEFT, params![USER, USER, USER, USER, USER, USER]).await;
        assert!(left.is_empty(), "{left:?}");
        assert!(site.ctx().user(USER).await.unwrap().is_none());
    }

    async fn a_system_manager_remains(site: TestSite) {
        people(&site).await;
        let off = update(&site, MANAGER, "User", MANAGER, json!({"enabled": 0})).await;
        assert_refused(off, Reason::Validation, "at least one System Manager");
        let without = update(&site, MANAGER, "User", MANAGER, json!({"roles": []})).await;
        assert_refused(without, Reason::Validation, "at least one System Manager");
        site.user("second@example.com", &["System Manager"]).await;
        update(&site, MANAGER, "User", MANAGER, json!({"roles": []})).await.unwrap();
        assert!(!site.ctx().user(MANAGER).await.unwrap().unwrap().has_role("System Manager"));
        // Administrator may.
        let off = json!({"enabled": 0});
        update(&site, ADMINISTRATOR, "User", "second@example.com", off).await.unwrap();
    }

    async fn a_role_that_is_switched_off_is_taken_away(site: TestSite) {
        people(&site).await;
        for role in ["Clerk", "Porter"] {
            let values = json!({"role_name": role, "desk_access": 1});
            insert(&site, MANAGER, "Role", values).await.unwrap();
        }
        site.user("clerk@example.com", &["Clerk"]).await;
        site.user("both@example.com", &["Clerk", "Porter"]).await;
        let off = json!({"desk_access": 0});
        update(&site, MANAGER, "Role", "Clerk", off).await.unwrap();
        let desk = |user: &'static str| {
            let site = &site;
            async move { site.ctx().user(user).await.unwrap().unwrap().is_system_user() }
        };
        assert!(!desk("clerk@example.com").await && desk("both@example.com").await);
        let on = json!({"desk_access": 1});
        update(&site, MANAGER, "Role", "Clerk", on).await.unwrap();
        assert!(desk("clerk@example.com").await);
        update(&site, MANAGER, "Role", "Clerk", json!({"disabled": 1})).await.unwrap();
        assert!(!desk("clerk@example.com").await && desk("both@example.com").await);
        let clerk = site.ctx().user("clerk@example.com").await.unwrap().unwrap();
        assert!(!clerk.has_role("Clerk"));
    }

    async fn standard_roles_stay(site: TestSite) {
        people(&site).await;
        for role in ["Administrator", "Guest", "All", "Desk User", "System Manager"] {
            assert_eq!(reason(delete(&site, ADMINISTRATOR, "Role", role).await), Reason::Permission);
            let off = update(&site, ADMINISTRATOR, "Role", role, json!({"disabled": 1})).await;
            assert_eq!(reason(off), Reason::Validation);
        }
        let made = insert(&site, MANAGER, "Role", json!({"role_name": "Clerk"})).await.unwrap();
        assert_eq!(made.name, "Clerk");
        for name in ["a,b", "system manager", ""] {
            let refused = refusal(insert(&site, MANAGER, "Role", json!({"role_name": name})).await);
            let fits = matches!(refused.0, Reason::Name | Reason::Validation | Reason::Mandatory);
            assert!(fits, "{refused:?}");
        }
        site.user("clerk@example.com", &["Clerk"]).await;
        let held = delete(&site, MANAGER, "Role", "Clerk").await;
        assert_eq!(reason(held), Reason::LinkExists);
        delete(&site, MANAGER, "User", "clerk@example.com").await.unwrap();
        delete(&site, MANAGER, "Role", "Clerk").await.unwrap();
        assert_eq!(reason(delete(&site, USER, "Role", "Sales User").await), Reason::Permission);
    }
}

on_sqlite! {
    async fn what_a_user_cannot_be(site: TestSite) {
        people(&site).await;
        for (field, value) in [
            ("email", json!("no address")),
            ("email", json!("a@b\u{1}.example")),
            ("time_zone", json!("Mars/Olympus")),
            ("restrict_ip", json!("nonsense")),
            ("login_after", json!(25)),
            ("user_image", json!("javascript:alert(1)")),
            ("redirect_url", json!("//evil.example")),
            ("roles", json!([{"role": "Administrator"}])),
            ("roles", json!([{"role": "No Such Role"}])),
            ("username", json!("manager")),
        ] {
            let mut values = json!({"email": NEW, "first_name": "New"});
            values[field] = value;
            if field == "username" {
                values["username"] = json!("taken");
                update(&site, MANAGER, "User", USER, json!({"username": "taken"})).await.unwrap();
            }
            let (reason, message) = refusal(insert(&site, ADMINISTRATOR, "User", values).await);
            let fits = matches!(reason, Reason::Validation | Reason::Link | Reason::Unique);
            assert!(fits, "{field}: {reason:?} {message}");
        }
        let renamed = json!({"email": "elsewhere@example.com"});
        let renamed = update(&site, MANAGER, "User", USER, renamed).await;
        assert_eq!(reason(renamed), Reason::Constant);
        let same = json!({"email": "USER@example.com"});
        update(&site, MANAGER, "User", USER, same).await.unwrap();
    }

    // spec: security.md, Clients, "never give roles that the person setting them lacks"
    async fn nobody_gives_what_they_lack(site: TestSite) {
        people(&site).await;
        site.user("sales@example.com", &["Sales User"]).await;
        let role = json!({"roles": [{"role": "Sales User"}]});
        let given = update(&site, MANAGER, "User", MANAGER, role.clone()).await;
        assert_eq!(reason(given), Reason::Permission);
        let given = update(&site, MANAGER, "User", USER, role.clone()).await;
        assert_eq!(reason(given), Reason::Permission);
        let new = json!({"email": NEW, "first_name": "New", "roles": [{"role": "Sales User"}]});
        assert_eq!(reason(insert(&site, MANAGER, "User", new).await), Reason::Permission);
        let password = json!({"new_password": "Correct horse 9"});
        for user in ["sales@example.com", ADMINISTRATOR] {
            let before = hash(&site, user).await;
            let set = update(&site, MANAGER, "User", user, password.clone()).await;
            assert_eq!(reason(set), Reason::Permission);
            assert_eq!(hash(&site, user).await, before);
        }
        let name = json!({"last_name": "Changed"});
        update(&site, MANAGER, "User", "sales@example.com", name).await.unwrap();
        update(&site, ADMINISTRATOR, "User", USER, role).await.unwrap();

        // What has a part of the manager's rights does not become the manager.
        let limited = limited(&site, MANAGER, "user").await;
        let own = members(password);
        assert_eq!(reason(limited.update("User", MANAGER, own).await), Reason::Permission);
        let own = members(json!({"roles": [{"role": "System Manager"}]}));
        assert_eq!(reason(limited.update("User", USER, own).await), Reason::Permission);
        let fine = members(json!({"last_name": "Fine"}));
        limited.update("User", USER, fine).await.unwrap();
    }

    async fn people_change_a_few_things_of_their_own(site: TestSite) {
        people(&site).await;
        let own = json!({"first_name": "Own", "language": "de", "time_zone": "Europe/Zurich"});
        let changed = update(&site, USER, "User", USER, own).await.unwrap();
        assert_eq!(changed.values["full_name"], "Own");
        for values in [
            json!({"enabled": 0}),
            json!({"new_password": "Correct horse 9"}),
            json!({"email_verified": 0}),
            json!({"username": "root"}),
            json!({"simultaneous_sessions": 99}),
        ] {
            let refused = update(&site, USER, "User", USER, values).await;
            assert_eq!(reason(refused), Reason::Permission);
        }
        // Above the level: left as it is, as in Frappe.
        let raised = json!({"roles": [{"role": "System Manager"}], "api_key": "x",
            "user_type": "System User", "first_name": "Own"});
        let raised = update(&site, USER, "User", USER, raised).await.unwrap();
        assert!(!raised.values.contains_key("roles"));
        let loaded = site.ctx().user(USER).await.unwrap().unwrap();
        assert!(!loaded.has_role("System Manager"));
        let foreign = json!({"first_name": "Foreign"});
        let foreign = update(&site, USER, "User", MANAGER, foreign).await;
        assert_eq!(reason(foreign), Reason::Permission);
        let made = json!({"email": NEW, "first_name": "New"});
        assert_eq!(reason(insert(&site, USER, "User", made).await), Reason::Permission);
        assert_eq!(reason(delete(&site, USER, "User", USER).await), Reason::Permission);
    }

    // spec: http.md, openid_profile, `sub` is made with the user
    async fn administrator_is_nobody_elses_business(site: TestSite) {
        people(&site).await;
        for user in [MANAGER, USER] {
            for name in ["Administrator", "Guest"] {
                assert_eq!(reason(get(&site, user, "User", name).await), Reason::Permission);
            }
            let documents = documents(&site, user).await;
            let all = ListRequest::default();
            let rows = documents.list("User", &all).await.unwrap();
            let shown = format!("{rows:?}");
            assert!(shown.contains(USER) && !shown.contains("Administrator"), "{shown}");
        }
        get(&site, ADMINISTRATOR, "User", "Guest").await.unwrap();
    }

    async fn the_subject_stays(site: TestSite) {
        people(&site).await;
        let subject = site.ctx().user(USER).await.unwrap().unwrap().subject.clone();
        let forged = json!({"social_logins": [{"provider": "frappe", "userid": "forged"}]});
        for values in [json!({"social_logins": []}), forged] {
            update(&site, MANAGER, "User", USER, values).await.unwrap();
            assert_eq!(site.ctx().user(USER).await.unwrap().unwrap().subject, subject);
        }
    }

    async fn other_ways_to_make_users_fit_together(site: TestSite) {
        people(&site).await;
        let ctx = site.ctx();
        user::set_password(&ctx, ADMINISTRATOR, USER, &Secret::from(PASSWORD)).await.unwrap();
        let stored = hash(&site, USER).await;
        update(&site, MANAGER, "User", USER, json!({"first_name": "Kept"})).await.unwrap();
        assert_eq!(hash(&site, USER).await, stored);
    }
}
