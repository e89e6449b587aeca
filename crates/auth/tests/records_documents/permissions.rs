//! User Permission, Custom DocPerm, ToDo, Note.

use crema_document::Reason;
use crema_store::Sql;
use serde_json::json;

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

static SUBJECTS: Sql = Sql::new(
    r#"SELECT subject FROM "tabActivity Log" WHERE reference_doctype = ? ORDER BY creation, name"#,
);

on_every_database! {
    async fn user_permissions_name_what_is_there_once(site: TestSite) {
        people(&site).await;
        let values = json!({"user": USER, "allow": "Role", "for_value": "Sales User"});
        insert(&site, MANAGER, "User Permission", values.clone()).await.unwrap();
        let twice = insert(&site, MANAGER, "User Permission", values.clone()).await;
        assert_refused(twice, Reason::Validation, "already exists");
        for (field, value) in [
            ("for_value", json!("No Such Role")),
            ("allow", json!("No Such DocType")),
            ("allow", json!("OAuth Settings")),
            ("user", json!("nobody@example.com")),
            ("user", json!(ADMINISTRATOR)),
            ("apply_to_all_doctypes", json!(0)),
        ] {
            let mut wrong = values.clone();
            wrong[field] = value;
            let (reason, message) = refusal(insert(&site, MANAGER, "User Permission", wrong).await);
            let fits = matches!(reason, Reason::Validation | Reason::Link);
            assert!(fits, "{field}: {reason:?} {message}");
        }
        let own = insert(&site, USER, "User Permission", values).await;
        assert_eq!(reason(own), Reason::Permission);
        // It counts at the next request.
        let hidden = get(&site, USER, "Role", "Desk User").await;
        assert_eq!(reason(hidden), Reason::Permission);
    }
}

on_sqlite! {
    async fn permissions_open_no_records_of_the_system(site: TestSite) {
        people(&site).await;
        let rule = |parent: &str, role: &str| json!({"parent": parent, "role": role, "read": 1,
            "write": 1});
        for (parent, role) in [
            ("OAuth Client", "Desk User"),
            ("User", "All"),
            ("Signing Key", "Sales User"),
            ("Custom DocPerm", "Desk User"),
            ("ToDo", "Guest"),
            ("ToDo", "Administrator"),
            ("Has Role", "Desk User"),
            ("No Such DocType", "Desk User"),
            ("ToDo", "No Such Role"),
        ] {
            let refused = insert(&site, MANAGER, "Custom DocPerm", rule(parent, role)).await;
            let (reason, message) = refusal(refused);
            let fits = matches!(reason, Reason::Validation | Reason::Link);
            assert!(fits, "{parent} {role}: {reason:?} {message}");
        }
        // What is defined already may stay when others are written down.
        let own = json!({"parent": "OAuth Bearer Token", "role": "All", "if_owner": 1, "read": 1,
            "delete": 1});
        insert(&site, MANAGER, "Custom DocPerm", own).await.unwrap();
        let wider = json!({"parent": "OAuth Bearer Token", "role": "All", "read": 1});
        let wider = insert(&site, MANAGER, "Custom DocPerm", wider).await;
        assert_eq!(reason(wider), Reason::Validation);
        let own = insert(&site, USER, "Custom DocPerm", rule("Note", "Desk User")).await;
        assert_eq!(reason(own), Reason::Permission);
        insert(&site, MANAGER, "Custom DocPerm", rule("Note", "Sales User")).await.unwrap();
    }

    // spec: security.md, Audit
    async fn the_trail_says_whom_a_permission_is_for(site: TestSite) {
        people(&site).await;
        let values = json!({"user": USER, "allow": "Role", "for_value": "Sales User"});
        let made = insert(&site, MANAGER, "User Permission", values).await.unwrap();
        delete(&site, MANAGER, "User Permission", &made.name).await.unwrap();
        let subject = format!("User Changed: User Permission of {USER} for Sales User ({MANAGER})");
        assert_eq!(column(&site, &SUBJECTS, "User Permission").await, [subject.clone(), subject]);
        let values = json!({"parent": "Note", "role": "Sales User", "read": 1});
        insert(&site, MANAGER, "Custom DocPerm", values).await.unwrap();
        let subject = format!("Settings Changed: Custom DocPerm of Sales User for Note ({MANAGER})");
        assert_eq!(column(&site, &SUBJECTS, "Custom DocPerm").await, [subject]);
    }

    async fn notes_are_private_until_they_are_public(site: TestSite) {
        people(&site).await;
        let made = insert(&site, USER, "Note", json!({"title": "Mine"})).await.unwrap();
        assert_eq!(reason(get(&site, MANAGER, "Note", &made.name).await), Reason::Permission);
        let open = json!({"public": 1});
        update(&site, USER, "Note", &made.name, open).await.unwrap();
        get(&site, MANAGER, "Note", &made.name).await.unwrap();
        let foreign = json!({"title": "Yours"});
        let foreign = update(&site, MANAGER, "Note", &made.name, foreign).await;
        assert_eq!(reason(foreign), Reason::Permission);
        let without = insert(&site, USER, "Note", json!({"public": 1})).await;
        assert_eq!(reason(without), Reason::Mandatory);
    }

    async fn todos_say_who_assigned_them(site: TestSite) {
        people(&site).await;
        let values = json!({"description": "Call back", "allocated_to": USER});
        let made = insert(&site, MANAGER, "ToDo", values).await.unwrap();
        assert_eq!(made.values["assigned_by"], MANAGER);
        assert_eq!(made.values["assigned_by_full_name"], "Test");
        assert_eq!(made.values["status"], "Open");
        let read = get(&site, USER, "ToDo", &made.name).await.unwrap();
        assert_eq!(read.values["description"], "Call back");
        let closed = update(&site, USER, "ToDo", &made.name, json!({"status": "Closed"})).await;
        assert_eq!(closed.unwrap().values["status"], "Closed");
        site.user("other@example.com", &["Desk User"]).await;
        let foreign = get(&site, "other@example.com", "ToDo", &made.name).await;
        assert_eq!(reason(foreign), Reason::Permission);
        let without = insert(&site, USER, "ToDo", json!({})).await;
        assert_eq!(reason(without), Reason::Mandatory);
    }
}
