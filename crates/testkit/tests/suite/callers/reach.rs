//! What the scopes of a credential open, and what is said where they do not.

use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Response};
use serde_json::{Value, json};

use super::{PASSWORD, USER, WHO, key, new_key, token};

const CALL: &str = "/api/method/frappe.core.doctype.user.user.generate_keys";

async fn access_token(app: &App, client_scopes: &str, scope: &str) -> String {
    let spec = ClientSpec::new("https://client.example/cb").scopes(client_scopes);
    let client = app.add_client(spec).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let params: &[(&str, &str)] = &[("scope", scope)];
    let params = if scope.is_empty() { &[] } else { params };
    let code = visitor.code(&client, params).await;
    let answer = app.http().redeem(&client, &code, &[]).await;
    let granted = answer.member("scope");
    let expected = if scope.is_empty() {
        client_scopes
    } else {
        scope
    };
    assert_eq!(granted, expected);
    answer.tokens().access_token
}

fn assert_insufficient(response: &Response, scope: &str) {
    assert_eq!(response.status, 403, "{}", response.text());
    let body = response.json();
    assert_eq!(body["exc_type"], "PermissionError");
    assert!(
        body["_error_message"].as_str().unwrap().contains(scope),
        "{body}"
    );
    let challenge = response.header("WWW-Authenticate").unwrap();
    assert!(challenge.starts_with("Bearer "));
    let named = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
    assert!(challenge.contains(&named), "{challenge}");
}

// spec: http.md, Scopes on resources, "`<doctype>:read` …"; the table of statuses
#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &["System Manager"]).await;
    let bearer = access_token(&app, "todo:read todo:create", "").await;
    let http = app.http();
    let list = http.get("/api/resource/ToDo").bearer(&bearer).send().await;
    assert_eq!(list.status, 200, "{}", list.text());
    let made = http.post("/api/resource/ToDo").bearer(&bearer);
    let made = made
        .json(&json!({"description": "Water the plants"}))
        .send()
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let path = format!(
        "/api/resource/ToDo/{}",
        made.json()["data"]["name"].as_str().unwrap()
    );
    let change = http.request("PUT", &path).bearer(&bearer);
    assert_insufficient(
        &change.json(&json!({"status": "Closed"})).send().await,
        "todo:write",
    );
    let removal = http.request("DELETE", &path).bearer(&bearer).send().await;
    assert_insufficient(&removal, "todo:delete");
    let notes = http.get("/api/resource/Note").bearer(&bearer).send().await;
    assert_insufficient(&notes, "note:read");
    let called = http
        .post(CALL)
        .bearer(&bearer)
        .form(&[("user", USER)])
        .send()
        .await;
    assert_insufficient(
        &called,
        "method:frappe.core.doctype.user.user.generate_keys",
    );
    app.close().await;
}

// spec: http.md, Scopes on resources, "A token with none of these reaches only userinfo,
// introspection of itself and `frappe.auth.get_logged_user`"
#[tokio::test]
async fn a_token_without_any_of_them_reaches_three_things() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &["System Manager"]).await;
    let bearer = access_token(&app, "openid profile", "openid").await;
    let http = app.http();
    assert_eq!(http.userinfo(&bearer).await.status, 200);
    assert_eq!(http.logged_user(&bearer).await.member("message"), USER);
    let itself = http.post(&method("introspect_token")).bearer(&bearer);
    let itself = itself.form(&[("token", &bearer)]).send().await;
    assert_eq!(itself.json()["active"], Value::Bool(true));
    for path in [
        "/api/resource/ToDo",
        "/api/v2/document/ToDo",
        "/api/method/frappe.client.get_list?doctype=ToDo",
    ] {
        let response = http.get(path).bearer(&bearer).send().await;
        assert_eq!(response.status, 403, "{path}");
        let challenge = response.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("scope=\"todo:read\""), "{challenge}");
    }
    let called = http
        .post(CALL)
        .bearer(&bearer)
        .form(&[("user", USER)])
        .send()
        .await;
    assert_eq!(called.status, 403);
    app.close().await;
}

// Roles count on top of scopes: then no other scope would help, and none is named.
#[tokio::test]
async fn a_scope_gives_no_role() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let bearer = access_token(&app, "oauth_client:* all", "oauth_client:*").await;
    let response = app
        .http()
        .get("/api/resource/OAuth%20Client")
        .bearer(&bearer);
    let response = response.send().await;
    assert_eq!(response.status, 403);
    assert_eq!(response.header("WWW-Authenticate"), None);
    app.close().await;
}

#[tokio::test]
async fn a_key_has_scopes_too_and_its_refusals_no_challenge() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &["System Manager"]).await;
    let narrow = token(&key(&app, new_key(USER, "todo:read")).await);
    let send = async |method: &str, path: &str| {
        let request = app.http().request(method, path);
        request.header("Authorization", &narrow).send().await
    };
    assert_eq!(send("GET", "/api/resource/ToDo").await.status, 200);
    assert_eq!(send("GET", WHO).await.member("message"), USER);
    let refused = send("GET", "/api/resource/Note").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("WWW-Authenticate"), None);
    assert!(refused.text().contains("note:read"));
    app.close().await;
}

// spec: http.md, authorize, "what it asks for in plain words"
#[tokio::test]
async fn the_consent_page_calls_things_by_their_name() {
    let app = App::builder().build().await;
    app.add_user(USER, PASSWORD, &[]).await;
    let scopes = "todo:read oauth_client:write todo_list:read method:crm.api.home todo:*";
    let spec = ClientSpec::new("https://client.example/cb").scopes(scopes);
    let client = app.add_client(spec).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let params = client.authorization(&[("scope", scopes)]);
    let params: Vec<(&str, &str)> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let page = visitor.authorize(&params).await.text();
    for words in [
        "Read ToDo<",
        "Change OAuth Client<",
        "Read Todo List<",
        "Call crm.api.home<",
        "Read, change, create and delete ToDo<",
    ] {
        assert!(page.contains(words), "{words}");
    }
    app.close().await;
}

// spec: http.md, Metadata, "`scopes_supported`"
#[tokio::test]
async fn metadata_names_the_scopes_that_the_settings_list() {
    let app = App::builder().build().await;
    let listed = "openid\ntodo:read\nmethod:crm.api.home\nall";
    // The document of the resource names only what applications may ask for that registered
    // themselves.
    let values = [
        ("scopes_supported", listed),
        ("registration_scopes", listed),
    ];
    app.set_settings("OAuth Settings", &values).await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
    ] {
        let document = app.http().get(path).send().await.json();
        let expected: Vec<&str> = listed.lines().collect();
        assert_eq!(document["scopes_supported"], json!(expected), "{path}");
    }
    app.close().await;
}
