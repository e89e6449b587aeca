//! The singles that hold a site's settings.

use crema_document::Reason;
use crema_store::Sql;
use serde_json::json;

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

static LOG: Sql = Sql::new(
    r#"SELECT content FROM "tabActivity Log" WHERE operation = 'Settings Changed'
    AND reference_name = ?"#,
);

on_every_database! {
    async fn settings_are_checked_and_written_down(site: TestSite) {
        people(&site).await;
        let other = site.another_process();
        let before = crate::records_common::ctx_of(&other, "192.0.2.1");
        assert_eq!(before.settings().await.unwrap().access_token_lifetime, 3600);
        let values = json!({"access_token_lifetime": 600,
            "allowed_public_client_origins": "https://app.example\nhttp://localhost:5173"});
        let changed = update(&site, MANAGER, "OAuth Settings", "OAuth Settings", values).await;
        assert_eq!(changed.unwrap().values["access_token_lifetime"], 600);
        let log = column(&site, &LOG, "OAuth Settings").await;
        assert_eq!(log.len(), 1);
        assert!(log[0].contains("\"access_token_lifetime\":600"), "{}", log[0]);
        let after = crate::records_common::ctx_of(&other, "192.0.2.1");
        let settings = after.settings().await.unwrap();
        assert_eq!(settings.access_token_lifetime, 600);
        assert_eq!(settings.allowed_public_client_origins.len(), 2);
        let read = get(&site, MANAGER, "OAuth Settings", "OAuth Settings").await.unwrap();
        assert_eq!(read.values["resource_name"], "Frappe Framework Application");
    }
}

on_sqlite! {
    async fn values_that_make_no_sense(site: TestSite) {
        people(&site).await;
        for (doctype, field, value) in [
            ("OAuth Settings", "access_token_lifetime", json!(0)),
            ("OAuth Settings", "access_token_lifetime", json!(-5)),
            ("OAuth Settings", "refresh_token_lifetime", json!(60)),
            ("OAuth Settings", "refresh_grace_seconds", json!(301)),
            ("OAuth Settings", "allowed_public_client_origins", json!("https://a.example/x")),
            ("OAuth Settings", "allowed_redirect_schemes", json!("cursor javascript")),
            ("OAuth Settings", "scopes_supported", json!("all \"x\"")),
            ("OAuth Settings", "resource_tos_uri", json!("javascript:alert(1)")),
            ("OAuth Provider Settings", "skip_authorization", json!("Never")),
            ("System Settings", "session_expiry", json!("soon")),
            ("System Settings", "session_absolute_expiry", json!("0:00")),
            ("System Settings", "time_zone", json!("Mars/Olympus")),
            ("System Settings", "language", json!("e n")),
            ("System Settings", "allow_consecutive_login_attempts", json!(-1)),
            ("Website Settings", "home_page", json!("//evil.example")),
            ("Website Settings", "app_logo", json!("javascript:alert(1)")),
            ("Website Settings", "default_role", json!("System Manager")),
            ("Website Settings", "default_role", json!("No Such Role")),
        ] {
            let refused = update(&site, MANAGER, doctype, doctype, json!({field: value})).await;
            let (reason, message) = refusal(refused);
            let fits = matches!(reason, Reason::Validation | Reason::Link);
            assert!(fits, "{field}: {reason:?} {message}");
        }
        let lacking = json!({"default_role": "Sales User"});
        let lacking = update(&site, MANAGER, "Website Settings", "Website Settings", lacking).await;
        assert_eq!(reason(lacking), Reason::Permission);
        let values = json!({"session_expiry": "06:00", "time_zone": "Asia/Kolkata"});
        update(&site, MANAGER, "System Settings", "System Settings", values).await.unwrap();
        assert_eq!(site.ctx().settings().await.unwrap().session_expiry, 6 * 3600);
    }

    async fn settings_are_for_system_managers(site: TestSite) {
        people(&site).await;
        let all = ["OAuth Settings", "OAuth Provider Settings", "System Settings", "Website Settings"];
        for doctype in all {
            assert_eq!(reason(get(&site, USER, doctype, doctype).await), Reason::Permission);
            let changed = update(&site, USER, doctype, doctype, json!({})).await;
            assert_eq!(reason(changed), Reason::Permission);
            for user in [ADMINISTRATOR, MANAGER] {
                let removed = refusal(delete(&site, user, doctype, doctype).await);
                assert!(removed.0 != Reason::DoesNotExist, "{removed:?}");
                get(&site, user, doctype, doctype).await.unwrap();
            }
        }
    }
}
