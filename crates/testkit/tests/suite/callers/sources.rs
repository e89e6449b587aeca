//! Keys that another DocType keeps.

use std::fs;

use crema_store::params;
use crema_testkit::{App, for_each_engine};
use serde_json::{Value, json};

use super::{PASSWORD, USER, WHO, pair};

const MANAGER: &str = "boss@example.com";
const SELLER: &str = "seller@example.com";

/// A DocType whose documents are made by sellers.
fn robot(name: &str, indexed: bool) -> Value {
    json!({
        "doctype": "DocType", "name": name, "module": "Robots", "autoname": "field:label",
        "fields": [
            {"fieldname": "label", "fieldtype": "Data", "reqd": 1},
            {"fieldname": "user", "fieldtype": "Link", "options": "User"},
            {"fieldname": "enabled", "fieldtype": "Check", "default": "1"},
            {"fieldname": "api_key", "fieldtype": "Data", "search_index": i32::from(indexed)},
            {"fieldname": "api_secret", "fieldtype": "Password"},
        ],
        "permissions": [
            {"role": "System Manager", "read": 1, "write": 1, "create": 1},
            {"role": "Sales User", "read": 1, "write": 1, "create": 1},
        ],
    })
}

async fn install(app: &App) {
    let folder = app.bench().apps_folder().join("robots/robots");
    for (name, indexed) in [("Robot", true), ("Slow Robot", false)] {
        let file = name.to_lowercase().replace(' ', "_");
        let folder = folder.join(format!("doctype/{file}"));
        fs::create_dir_all(&folder).unwrap();
        let text = robot(name, indexed).to_string();
        fs::write(folder.join(format!("{file}.json")), text).unwrap();
    }
    app.install_app("robots").await;
}

async fn who(app: &App, header: &str, source: &str) -> String {
    let request = app.http().get(WHO).header("Authorization", header);
    let response = request
        .header("Frappe-Authorization-Source", source)
        .send()
        .await;
    match response.status {
        200 => response.member("message"),
        status => status.to_string(),
    }
}

/// Makes a robot as somebody, over REST.
async fn make(app: &App, by: &str, doctype: &str, label: &str, user: &str) -> String {
    let mut visitor = app.signed_in(by, PASSWORD).await;
    let secret = format!("secret-of-{label}");
    let fields = json!({
        "label": label, "user": user, "enabled": 1, "api_key": format!("key-{label}"),
        "api_secret": secret,
    });
    let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
    let request = visitor.http().post(&path).json(&fields);
    let response = visitor.send(request).await;
    assert_eq!(
        response.status,
        200,
        "{doctype} {label}: {}",
        response.text()
    );
    assert!(!response.text().contains(&secret), "{}", response.text());
    format!("token key-{label}:{secret}")
}

for_each_engine! {
    // spec: http.md, Resource server, "`Frappe-Authorization-Source: <DocType>` picks another
    // DocType holding keys"
    async fn a_doctype_with_keys_is_a_source(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        app.add_user(SELLER, PASSWORD, &["Sales User"]).await;
        app.add_user(MANAGER, PASSWORD, &["System Manager", "Sales User"]).await;
        install(app).await;
        let own = make(app, SELLER, "Robot", "own", SELLER).await;
        assert_eq!(who(app, &own, "Robot").await, SELLER);
        // Without the header it is no key, and in another DocType neither.
        for source in ["", "User", "API Key", "Slow Robot", "robot"] {
            assert_eq!(who(app, &own, source).await, "401", "{source}");
        }
        assert_eq!(who(app, "token key-own:wrong", "Robot").await, "401");
        assert_eq!(who(app, "token KEY-own:secret-of-own", "Robot").await, "401");

        // spec: security.md, Clients, "never give roles that the person setting them lacks"
        // Such rows are not made by way of documents; Frappe, or a hand, may have written them.
        for (user, expected) in [(USER, "401"), (MANAGER, "401"), ("Administrator", "401")] {
            let row = make(app, SELLER, "Robot", user, SELLER).await;
            assert_eq!(who(app, &row, "Robot").await, SELLER);
            let statement = r#"UPDATE "tabRobot" SET "user" = ? WHERE "name" = ?"#;
            app.execute(statement, params![user, user]).await;
            assert_eq!(who(app, &row, "Robot").await, expected);
        }
        app.clock.advance_seconds(61);
        let given = make(app, MANAGER, "Robot", "given", SELLER).await;
        assert_eq!(who(app, &given, "Robot").await, SELLER);
        // A look-up without an index is no way to spend the server's time.
        let slow = make(app, MANAGER, "Slow Robot", "slow", SELLER).await;
        assert_eq!(who(app, &slow, "Slow Robot").await, "401");

        app.execute("UPDATE \"tabRobot\" SET enabled = 0 WHERE name = 'own'", vec![]).await;
        assert_eq!(who(app, &own, "Robot").await, "401");
    }
}

#[tokio::test]
async fn what_keeps_no_keys_is_refused() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let pair = pair(&app, USER).await;
    let header = super::token(&pair);
    assert_eq!(who(&app, &header, "User").await, USER);
    assert_eq!(who(&app, &header, "").await, USER);
    for source in [
        "OAuth Client",
        "ToDo",
        "OAuth Settings",
        "Has Role",
        "No Such DocType",
        "User\" OR \"1\"=\"1",
        "User' --",
        "../User",
    ] {
        assert_eq!(who(&app, &header, source).await, "401", "{source}");
        app.clock.advance_seconds(61);
    }
    app.close().await;
}
