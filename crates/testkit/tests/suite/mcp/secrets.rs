//! What REST shows once is shown to no assistant, and nothing that is secret is.

use super::*;

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in logs …"
#[tokio::test]
async fn no_tool_shows_a_secret() {
    let app = site(&["System Manager"]).await;
    let who = Assistant::with(&app, "all").await;
    let client = json!({
        "app_name": "Made by a tool", "redirect_uris": CALLBACK, "scopes": "openid",
        "default_redirect_uri": CALLBACK,
    });
    let made = json!({"doctype": "OAuth Client", "values": client});
    let made = who.call("create_document", made).await;
    assert!(made["document"]["client_id"].is_string(), "{made}");
    assert!(!made.to_string().contains("client_secret"), "{made}");
    let mut doc = client;
    doc["doctype"] = json!("OAuth Client");
    let insert = json!({"method": "frappe.client.insert", "arguments": {"doc": doc}});
    let made = who.call("call_method", insert).await;
    assert!(made["result"]["client_id"].is_string(), "{made}");
    assert!(!made.to_string().contains("client_secret"), "{made}");

    let key = json!({"doctype": "API Key", "title": "x", "user": USER, "scopes": "all"});
    for (tool, arguments) in [
        (
            "create_document",
            json!({"doctype": "API Key", "values": key}),
        ),
        (
            "call_method",
            json!({"method": "frappe.client.insert", "arguments": {"doc": key}}),
        ),
        (
            "call_method",
            json!({"method": "frappe.client.insert", "arguments": {"doc": key.to_string()}}),
        ),
        (
            "call_method",
            json!({"method": "frappe.client.insert_many", "arguments": {"docs": [key]}}),
        ),
        (
            "call_method",
            json!({
                "method": "frappe.core.doctype.user.user.generate_keys",
                "arguments": {"user": USER},
            }),
        ),
    ] {
        let told = who.refusal(tool, arguments).await;
        assert!(told.contains("shows a secret"), "{told}");
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"tabAPI Key\"", vec![])
            .await,
        0
    );

    let password = json!({"new_password": "another-horse-battery-7"});
    let change = json!({"doctype": "User", "name": USER, "values": password});
    let changed = who.call("update_document", change).await;
    assert!(!changed.to_string().contains("battery"), "{changed}");
    app.close().await;
}

#[tokio::test]
async fn nothing_that_is_secret_can_be_asked_for() {
    let app = site(&["System Manager"]).await;
    let who = Assistant::with(&app, "all").await;
    let name = app
        .rows("SELECT name FROM \"tabOAuth Client\"", vec![])
        .await;
    let name = name[0].text(0).unwrap().to_owned();
    let client = json!({"doctype": "OAuth Client", "name": name});
    let read = who.call("get_document", client).await;
    assert!(!read.to_string().contains("secret\":\""), "{read}");
    let all = json!({"doctype": "OAuth Bearer Token", "fields": ["*"]});
    let list = who.call("list_documents", all).await;
    let tokens = app
        .rows("SELECT access_token FROM \"tabOAuth Bearer Token\"", vec![])
        .await;
    for token in tokens {
        let hash = token.text(0).unwrap();
        assert!(!hash.is_empty() && !list.to_string().contains(hash));
    }
    for fields in [json!(["client_secret"]), json!(["name", "client_secret"])] {
        let asked = json!({"doctype": "OAuth Client", "fields": fields});
        who.refusal("list_documents", asked).await;
    }
    app.close().await;
}
