//! Social Login Key, Connected App, Token Cache.

use crema_document::Reason;
use crema_store::{Sql, params};
use serde_json::json;

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

static STORED: Sql = Sql::new(r#"SELECT password FROM "__Auth" WHERE name = ?"#);
static CACHE: Sql = Sql::new(
    r#"INSERT INTO "tabToken Cache" (name, owner, "user", connected_app, access_token, state)
    VALUES (?, ?, ?, ?, '**********', 'state in flight')"#,
);
static CACHED: Sql = Sql::new(r#"SELECT name FROM "tabToken Cache" WHERE connected_app = ?"#);

const SECRET: &str = "a secret of another server";

fn key() -> serde_json::Value {
    json!({"provider_name": "My Own", "social_login_provider": "Custom",
        "base_url": "https://idp.example", "authorize_url": "/authorize",
        "access_token_url": "/token", "redirect_url": "/api/method/frappe.x.custom/my_own",
        "client_id": "id", "client_secret": SECRET, "enable_social_login": 1})
}

on_every_database! {
    async fn social_login_keys_are_complete(site: TestSite) {
        people(&site).await;
        let made = insert(&site, MANAGER, "Social Login Key", key()).await.unwrap();
        assert_eq!(made.name, "my_own");
        assert_eq!(made.values["custom_base_url"], 1);
        assert!(!text(&made).contains(SECRET));
        let stored = column(&site, &STORED, "my_own").await.pop().unwrap();
        let plain = site.provider.site_keys().fernet().decrypt(&stored).unwrap();
        assert_eq!(plain.expose(), SECRET.as_bytes());
        for (field, error) in [
            ("base_url", "BaseUrlNotSetError"),
            ("authorize_url", "AuthorizeUrlNotSetError"),
            ("access_token_url", "AccessTokenUrlNotSetError"),
            ("redirect_url", "RedirectUrlNotSetError"),
            ("client_id", "ClientIDNotSetError"),
            ("client_secret", "ClientSecretNotSetError"),
        ] {
            let values = json!({field: ""});
            let refused = update(&site, MANAGER, "Social Login Key", "my_own", values).await;
            assert_refused(refused, Reason::Validation, error);
        }
        for (field, value) in [
            ("base_url", "http://idp.example"),
            ("base_url", "https://u:p@idp.example"),
            ("authorize_url", "javascript://x"),
            ("redirect_url", "//evil.example"),
            ("auth_url_data", "[1]"),
            ("default_roles", "System Manager"),
            ("default_roles", "No Such Role"),
        ] {
            let values = json!({field: value});
            let refused = update(&site, MANAGER, "Social Login Key", "my_own", values).await;
            assert_eq!(reason(refused), Reason::Validation, "{field}");
        }
        let lacking = json!({"default_roles": "Sales User"});
        let lacking = update(&site, MANAGER, "Social Login Key", "my_own", lacking).await;
        assert_eq!(reason(lacking), Reason::Permission);
        let renamed = update(&site, MANAGER, "Social Login Key", "my_own",
            json!({"provider_name": "Other"})).await;
        assert_eq!(reason(renamed), Reason::Constant);
        assert_eq!(reason(insert(&site, MANAGER, "Social Login Key", key()).await), Reason::Duplicate);
        let shown = json!({"client_secret": "********", "enable_social_login": 0});
        update(&site, MANAGER, "Social Login Key", "my_own", shown).await.unwrap();
        assert_eq!(column(&site, &STORED, "my_own").await, [stored]);
        let gone = json!({"client_secret": ""});
        update(&site, MANAGER, "Social Login Key", "my_own", gone).await.unwrap();
        assert!(column(&site, &STORED, "my_own").await.is_empty());
        let foreign = get(&site, USER, "Social Login Key", "my_own").await;
        assert_eq!(reason(foreign), Reason::Permission);
    }

    async fn connected_apps_know_where_people_come_back_to(site: TestSite) {
        people(&site).await;
        let values = json!({"provider_name": "Elsewhere", "client_id": "id", "client_secret": SECRET,
            "authorization_uri": "https://idp.example/authorize",
            "token_uri": "https://idp.example/token", "redirect_uri": "https://forged.example",
            "scopes": [{"scope": "read"}], "query_parameters": [{"key": "a", "value": "b"}]});
        let made = insert(&site, MANAGER, "Connected App", values.clone()).await.unwrap();
        let callback = format!("https://test.localhost/api/method/frappe.integrations.doctype\
            .connected_app.connected_app.callback/{}", made.name);
        assert_eq!(made.values["redirect_uri"], json!(callback));
        assert!(!text(&made).contains(SECRET));
        let read = get(&site, USER, "Connected App", &made.name).await.unwrap();
        assert!(!text(&read).contains(SECRET) && !read.values.contains_key("client_secret"));
        for values in [
            json!({"token_uri": "http://idp.example/token"}),
            json!({"query_parameters": [{"key": "State", "value": "x"}]}),
        ] {
            let refused = update(&site, MANAGER, "Connected App", &made.name, values).await;
            assert_eq!(reason(refused), Reason::Validation);
        }
        let changed = update(&site, USER, "Connected App", &made.name, json!({})).await;
        assert_eq!(reason(changed), Reason::Permission);

        site.user("other@example.com", &["Desk User"]).await;
        for user in [USER, "other@example.com"] {
            let name = format!("{}-{user}", made.name);
            site.execute(&CACHE, params![&name, ADMINISTRATOR, user, &made.name]).await;
        }
        let own = format!("{}-{USER}", made.name);
        let read = get(&site, USER, "Token Cache", &own).await.unwrap();
        for hidden in ["access_token", "refresh_token", "state"] {
            assert!(!read.values.contains_key(hidden), "{hidden}");
        }
        let foreign = format!("{}-other@example.com", made.name);
        assert_eq!(reason(get(&site, USER, "Token Cache", &foreign).await), Reason::Permission);
        delete(&site, USER, "Token Cache", &own).await.unwrap();
        delete(&site, MANAGER, "Connected App", &made.name).await.unwrap();
        assert!(column(&site, &CACHED, &made.name).await.is_empty());
        assert!(column(&site, &STORED, &made.name).await.is_empty());
    }
}
