//! OAuth Client and API Key.

use crema_document::Reason;
use crema_store::{Sql, params};
use serde_json::json;

use crate::on_every_database;
use crate::records_common::TestSite;
use crate::who::*;

static TOKEN: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, client, "user", access_token, status)
    VALUES (?, ?, ?, ?, 'Active')"#,
);
static STATUS: Sql = Sql::new(r#"SELECT status FROM "tabOAuth Bearer Token" WHERE client = ?"#);
static AUDIT: Sql =
    Sql::new(r#"SELECT content FROM "tabActivity Log" WHERE reference_name = ? ORDER BY name"#);

const CALLBACK: &str = "https://app.example/cb";

fn client() -> serde_json::Value {
    json!({"app_name": "App", "scopes": "all openid", "default_redirect_uri": CALLBACK,
        "grant_type": "Authorization Code", "response_type": "Code"})
}

on_every_database! {
    // spec: security.md, Clients, "Secrets … are shown once"
    async fn a_client_shows_its_secret_once(site: TestSite) {
        people(&site).await;
        let made = insert(&site, MANAGER, "OAuth Client", client()).await.unwrap();
        let secret = made.values["client_secret"].as_str().unwrap().to_owned();
        assert!(secret.len() >= 43, "256 bits: {}", secret.len());
        assert_eq!(made.values["client_id"], json!(made.name));
        assert_eq!(made.values["redirect_uris"], json!(CALLBACK));
        assert_eq!(made.values["allowed_roles"][0]["role"], "Desk User");
        let name = made.name.as_str();
        let read = get(&site, MANAGER, "OAuth Client", name).await.unwrap();
        assert!(!text(&read).contains(&secret));
        assert!(!read.values.contains_key("client_secret"));
        let kept = site.ctx().client(name).await.unwrap().unwrap();
        assert_eq!(kept.secret.as_ref().unwrap().expose(), &secret);

        let values = json!({"app_name": "Other", "modified": read.values["modified"],
            "client_id": "forged", "client_secret": "forged", "owner": "forged", "nonsense": 1});
        site.clock.advance_seconds(1);
        let changed = update(&site, MANAGER, "OAuth Client", name, values.clone()).await.unwrap();
        assert_eq!(changed.values["app_name"], "Other");
        assert_eq!(changed.values["client_id"], json!(name));
        assert!(!changed.values.contains_key("client_secret"));
        let late = update(&site, MANAGER, "OAuth Client", name, values).await;
        assert_eq!(reason(late), Reason::TimestampMismatch);
        let kept = site.ctx().client(name).await.unwrap().unwrap();
        assert_eq!(kept.secret.as_ref().unwrap().expose(), &secret);

        for entry in column(&site, &AUDIT, name).await {
            assert!(!entry.contains(&secret), "{entry}");
        }
        assert!(column(&site, &AUDIT, name).await.len() >= 2);
    }

    async fn a_client_ends_with_its_tokens(site: TestSite) {
        people(&site).await;
        let name = insert(&site, MANAGER, "OAuth Client", client()).await.unwrap().name;
        site.execute(&TOKEN, params!["t1", &name, USER, "hash of t1"]).await;
        delete(&site, MANAGER, "OAuth Client", &name).await.unwrap();
        assert_eq!(column(&site, &STATUS, &name).await, ["Revoked"]);
        assert!(site.ctx().client(&name).await.unwrap().is_none());
        let gone = get(&site, MANAGER, "OAuth Client", &name).await;
        assert_eq!(reason(gone), Reason::DoesNotExist);
        let again = delete(&site, MANAGER, "OAuth Client", &name).await;
        assert_eq!(reason(again), Reason::DoesNotExist);
    }

    async fn keys_are_made_by_their_user_and_shown_once(site: TestSite) {
        people(&site).await;
        let values = json!({"title": "Script", "user": USER, "scopes": "todo:read"});
        let made = insert(&site, USER, "API Key", values.clone()).await.unwrap();
        let secret = made.values["api_secret"].as_str().unwrap().to_owned();
        assert!(secret.len() >= 43);
        let read = get(&site, USER, "API Key", &made.name).await.unwrap();
        assert!(!text(&read).contains(&secret) && !read.values.contains_key("api_secret"));
        let read = get(&site, MANAGER, "API Key", &made.name).await.unwrap();
        assert!(!text(&read).contains(&secret));

        site.user("other@example.com", &["Desk User"]).await;
        let foreign = get(&site, "other@example.com", "API Key", &made.name).await;
        assert_eq!(reason(foreign), Reason::Permission);
        let foreign = insert(&site, "other@example.com", "API Key", values.clone()).await;
        assert_eq!(reason(foreign), Reason::Permission);
        let lacking = insert(&site, MANAGER, "API Key", json!({"title": "x", "user": ADMINISTRATOR}));
        assert_eq!(reason(lacking.await), Reason::Permission);
        let bad = json!({"title": "Script", "user": USER, "scopes": "openid"});
        assert_eq!(reason(insert(&site, USER, "API Key", bad).await), Reason::Validation);
        let without = insert(&site, USER, "API Key", json!({"user": USER})).await;
        assert_eq!(reason(without), Reason::Mandatory);

        let off = json!({"enabled": 0});
        let changed = update(&site, USER, "API Key", &made.name, off).await.unwrap();
        assert_eq!(changed.values["enabled"], 0);
        delete(&site, USER, "API Key", &made.name).await.unwrap();
        let gone = get(&site, MANAGER, "API Key", &made.name).await;
        assert_eq!(reason(gone), Reason::DoesNotExist);
    }
}

on_sqlite! {
    async fn a_client_keeps_its_rules(site: TestSite) {
        people(&site).await;
        let refused = |values| {
            let site = &site;
            async move { refusal(insert(site, MANAGER, "OAuth Client", values).await) }
        };
        let with = |field: &str, value: serde_json::Value| {
            let mut values = client();
            values[field] = value;
            values
        };
        assert_eq!(
            refused(json!({"app_name": "x"})).await,
            (Reason::Mandatory,
                "Error: Value missing for OAuth Client: Default Redirect URI".to_owned())
        );
        assert_eq!(refused(json!({"default_redirect_uri": CALLBACK})).await.0, Reason::Mandatory);
        let (reason, message) = refused(with("grant_type", json!("Nope"))).await;
        assert_eq!(reason, Reason::Validation);
        assert!(message.contains(
            "Grant Type cannot be \"Nope\". It should be one of \"Authorization Code\", \"Implicit\""
        ), "{message}");
        for (field, value) in [
            ("default_redirect_uri", json!("https://app.example/cb#x")),
            ("default_redirect_uri", json!("javascript:alert(1)")),
            ("default_redirect_uri", json!("http://app.example/cb")),
            ("redirect_uris", json!("https://app.example/*")),
            ("response_type", json!("Token")),
            ("grant_types", json!("nonsense")),
            ("scopes", json!("all \"quoted\"")),
            ("logo_uri", json!("data:image/png,x")),
            ("access_token_lifetime", json!(-1)),
            ("refresh_grace_seconds", json!(9999)),
            ("allowed_roles", json!([{"role": "No Such Role"}])),
            ("user", json!("nobody@example.com")),
        ] {
            let (reason, message) = refused(with(field, value)).await;
            let fits = matches!(reason, Reason::Validation | Reason::Link);
            assert!(fits, "{field}: {reason:?} {message}");
        }
        let first = insert(&site, MANAGER, "OAuth Client", client()).await.unwrap().name;
        assert_eq!(refused(with("name", json!(first))).await.0, Reason::Duplicate);
        let other = insert(&site, MANAGER, "OAuth Client", with("name", json!("wanted")));
        assert_ne!(other.await.unwrap().name, "wanted");
    }

    // spec: security.md, Clients, "never give roles that the person setting them lacks"
    async fn a_client_lends_no_roles(site: TestSite) {
        people(&site).await;
        let lending = |user: &str| {
            let mut values = client();
            values["user"] = json!(user);
            values["grant_types"] = json!("client_credentials");
            values
        };
        let refused = insert(&site, MANAGER, "OAuth Client", lending(ADMINISTRATOR)).await;
        assert_eq!(reason(refused), Reason::Permission);
        let own = insert(&site, MANAGER, "OAuth Client", lending(MANAGER)).await.unwrap();
        let whose = insert(&site, ADMINISTRATOR, "OAuth Client", lending(ADMINISTRATOR)).await;
        let whose = whose.unwrap().name;
        // A new secret, say, would make the manager Administrator.
        for values in [json!({"app_name": "mine"}), json!({"token_endpoint_auth_method": "None"})] {
            let refused = update(&site, MANAGER, "OAuth Client", &whose, values).await;
            assert_eq!(reason(refused), Reason::Permission);
        }
        let off = json!({"enabled": 0});
        update(&site, MANAGER, "OAuth Client", &whose, off).await.unwrap();

        // A credential of a part of what the manager may do does not get the whole by a client.
        let limited = limited(&site, MANAGER, "oauth_client").await;
        let refused = limited.insert("OAuth Client", members(lending(MANAGER))).await;
        assert_eq!(reason(refused), Reason::Permission);
        let change = members(json!({"app_name": "mine"}));
        let refused = limited.update("OAuth Client", &own.name, change).await;
        assert_eq!(reason(refused), Reason::Permission);
        let refused = limited.insert("OAuth Client", members(client())).await;
        assert_eq!(reason(refused), Reason::Permission);
        let mut narrow = client();
        narrow["scopes"] = json!("openid");
        limited.insert("OAuth Client", members(narrow)).await.unwrap();
    }

    async fn clients_are_for_system_managers(site: TestSite) {
        people(&site).await;
        let name = insert(&site, MANAGER, "OAuth Client", client()).await.unwrap().name;
        for user in [USER, "Guest"] {
            assert_eq!(reason(get(&site, user, "OAuth Client", &name).await), Reason::Permission);
            let made = insert(&site, user, "OAuth Client", client()).await;
            assert_eq!(reason(made), Reason::Permission);
            let changed = update(&site, user, "OAuth Client", &name, json!({"app_name": "x"}));
            assert_eq!(reason(changed.await), Reason::Permission);
            let removed = delete(&site, user, "OAuth Client", &name).await;
            assert_eq!(reason(removed), Reason::Permission);
        }
    }

    async fn a_public_client_gets_no_secret_until_it_is_confidential(site: TestSite) {
        people(&site).await;
        let mut values = client();
        values["token_endpoint_auth_method"] = json!("None");
        let made = insert(&site, MANAGER, "OAuth Client", values).await.unwrap();
        assert!(!made.values.contains_key("client_secret"));
        assert_eq!(made.values["require_pkce"], 1);
        let values = json!({"token_endpoint_auth_method": "Client Secret Post"});
        let changed = update(&site, MANAGER, "OAuth Client", &made.name, values).await.unwrap();
        assert!(changed.values["client_secret"].as_str().unwrap().len() >= 43);
    }
}
