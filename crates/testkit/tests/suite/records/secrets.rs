//! Nothing that proves who somebody is leaves over REST, whoever asks and in whichever way.

use crema_crypto::hash_hex;
use crema_document::Registry;
use crema_testkit::Response;
use serde_json::{Value, json};

use super::make;
use crate::resource::{MANAGER, PASSWORD, PLAIN, Scene, Sender};

/// What a secret of another server is in these records.
const GIVEN: &str = "a-secret-of-another-server";

/// A site where every kind of secret is kept, and the secrets.
async fn furnish(scene: &Scene) -> Vec<String> {
    let manager = scene.manager().await;
    let mut secrets = vec![
        GIVEN.to_owned(),
        manager.token.clone(),
        scene.client.secret().to_owned(),
    ];
    let made = make(
        &manager,
        "OAuth Client",
        &json!({"app_name": "Made",
        "default_redirect_uri": "https://app.example/cb"}),
    )
    .await;
    secrets.push(made["client_secret"].as_str().unwrap().to_owned());
    let key = json!({"title": "Script", "scopes": "all"});
    let made = make(&manager, "API Key", &key).await;
    secrets.push(made["api_secret"].as_str().unwrap().to_owned());
    make(
        &manager,
        "Social Login Key",
        &json!({"provider_name": "Other",
        "base_url": "https://idp.example", "authorize_url": "/a", "access_token_url": "/t",
        "redirect_url": "/cb", "client_id": "id", "client_secret": GIVEN}),
    )
    .await;
    make(
        &manager,
        "Connected App",
        &json!({"provider_name": "Other", "client_id": "id",
        "authorization_uri": "https://idp.example/a", "token_uri": "https://idp.example/t",
        "client_secret": GIVEN}),
    )
    .await;
    let generate = "/api/method/frappe.core.doctype.user.user.generate_keys";
    let pair = manager
        .json("POST", generate, &json!({"user": MANAGER}))
        .await;
    assert_eq!(pair.status, 200, "{}", pair.text());
    secrets.push(
        pair.json()["message"]["api_secret"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    let mut visitor = scene.app.signed_in(PLAIN, PASSWORD).await;
    secrets.push(visitor.sid().to_owned());
    let code = visitor
        .code(&scene.client, &[("scope", "all openid")])
        .await;
    secrets.push(code.clone());
    let tokens = scene
        .app
        .http()
        .redeem(&scene.client, &code, &[])
        .await
        .tokens();
    secrets.push(tokens.access_token);
    secrets.push(tokens.refresh_token);
    let unused = visitor.code(&scene.client, &[("scope", "all")]).await;
    secrets.push(unused);
    let hashes: Vec<String> = secrets.iter().map(|secret| hash_hex(secret)).collect();
    secrets.extend(hashes);
    // Fernet tokens, and hashes of passwords.
    secrets.extend(["gAAAAA".to_owned(), "$argon2".to_owned()]);
    secrets
}

// spec: security.md, Inputs, outputs, network, "Secrets and tokens never in …"; Codes and tokens
#[tokio::test]
async fn nothing_that_proves_who_somebody_is_leaves() {
    let scene = Scene::start().await;
    let secrets = furnish(&scene).await;
    scene.app.set_password("Administrator", PASSWORD).await;
    let check = |answer: &Response, what: &str| {
        let text = answer.text();
        let found = secrets
            .iter()
            .find(|secret| !secret.is_empty() && text.contains(secret.as_str()));
        assert!(found.is_none(), "{what}: {found:?}");
    };
    for user in ["Administrator", MANAGER, PLAIN] {
        let sender = scene.sender(user, "all").await;
        for doctype in Registry::builtin().unwrap().doctypes() {
            if doctype.istable {
                continue;
            }
            walk(&sender, &doctype.name, &check).await;
        }
        check(&sender.send("GET", "/api/openapi.json").await, "openapi");
    }
    scene.app.close().await;
}

/// Every way to read the documents of a DocType.
async fn walk(sender: &Sender<'_>, doctype: &str, check: &impl Fn(&Response, &str)) {
    let name = doctype.replace(' ', "%20");
    let all = [("fields", "[\"*\"]"), ("limit", "0")];
    let list = sender.request("GET", &format!("/api/resource/{name}"));
    let list = list.query(&all).send().await;
    check(&list, doctype);
    let v2 = sender.request("GET", &format!("/api/v2/document/{name}"));
    check(&v2.query(&all).send().await, doctype);
    check(
        &sender
            .send("GET", &format!("/api/v2/doctype/{name}/meta"))
            .await,
        doctype,
    );
    if list.status != 200 {
        return;
    }
    let rows = list.json()["data"].as_array().cloned().unwrap_or_default();
    for row in rows.iter().take(5) {
        let document = row["name"].as_str().unwrap_or_default().replace(' ', "%20");
        for path in [
            format!("/api/resource/{name}/{document}"),
            format!("/api/v2/document/{name}/{document}"),
            format!("/api/method/frappe.client.get?doctype={name}&name={document}"),
        ] {
            check(&sender.send("GET", &path).await, &path);
        }
    }
}

/// A hidden field cannot be guessed at by filters, orders or groups.
#[tokio::test]
async fn hidden_fields_answer_no_questions() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    for (doctype, field) in [
        ("OAuth Bearer Token", "access_token"),
        ("OAuth Bearer Token", "refresh_token"),
        ("OAuth Authorization Code", "authorization_code"),
        ("OAuth Client", "client_secret"),
        ("Signing Key", "private_key"),
        ("User", "api_secret"),
        ("User", "reset_password_key"),
        ("API Key", "api_secret"),
        ("Token Cache", "state"),
        ("Registration Access Token", "token"),
        ("Session", "sid"),
        ("Session", "sessiondata"),
        ("Session", "oidc_sid"),
    ] {
        let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
        let filters = json!([[field, "like", "a%"]]).to_string();
        let fields = json!([field]).to_string();
        let order = format!("{field} asc");
        for query in [
            ("filters", filters.as_str()),
            ("or_filters", filters.as_str()),
            ("fields", fields.as_str()),
            ("order_by", order.as_str()),
            ("group_by", field),
        ] {
            let answer = manager.request("GET", &path).query(&[query]).send().await;
            let status = answer.status;
            assert!(
                (400..500).contains(&status),
                "{doctype} {query:?}: {}",
                answer.text()
            );
            let rows: Value = answer.json()["data"].clone();
            assert!(rows.is_null());
        }
    }
    scene.app.close().await;
}
