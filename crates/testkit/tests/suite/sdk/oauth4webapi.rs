//! oauth4webapi in Node: discovery, registration, code, refresh, introspection, revocation.

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::ClientSpec;

use super::walk::{Walk, decide};
use super::*;

/// Walks with all these clients, one after the other; the browser stays signed in.
async fn walk(app: &App, clients: Value) {
    let browser = Browser::start().await;
    let task = json!({"issuer": address(app), "user": USER, "clients": clients});
    let mut walk = Walk::start(&node(), "js/oauth4webapi.mjs", &task);
    while let Some(ask) = walk.next().await {
        let button = match ask.what.as_str() {
            "allow" => "#allow",
            "deny" => "#deny",
            other => panic!("{other}"),
        };
        decide(&browser, ask.argument.as_str().unwrap(), button).await;
        walk.answer(Value::Null).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_clients_that_are_records() {
    let app = started(builder().real_time()).await;
    let mut clients = Vec::new();
    for (method, alg) in [
        (AuthMethod::None, "RS256"),
        (AuthMethod::ClientSecretBasic, "ES256"),
        (AuthMethod::ClientSecretPost, "PS256"),
    ] {
        let spec = ClientSpec::new("http://127.0.0.1/callback")
            .auth_method(method)
            .with("id_token_signed_response_alg", alg);
        let client = app.add_client(spec).await;
        clients.push(json!({
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "token_endpoint_auth_method": method.as_str(),
            "id_token_signed_response_alg": alg,
            "scope": "openid all",
        }));
    }
    walk(&app, json!(clients)).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_clients_that_register() {
    let app = started(builder().real_time()).await;
    let settings = [("enable_dynamic_client_registration", "1")];
    app.set_settings("OAuth Settings", &settings).await;
    let scope = "openid profile email offline_access";
    // Without a method it is `client_secret_basic` (RFC 7591 §2).
    let clients = [
        json!({"token_endpoint_auth_method": "none", "scope": scope}),
        json!({"client_uri": "https://garden.example"}),
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    ];
    let clients = clients.into_iter().map(|mut metadata| {
        metadata["client_name"] = json!("Garden");
        json!({"scope": scope, "register": metadata})
    });
    walk(&app, clients.collect()).await;
    app.close().await;
}
