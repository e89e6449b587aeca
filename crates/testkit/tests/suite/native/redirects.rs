//! Which redirect URIs a native app may register and use, from the request to the token.

use crema_auth::client::{self, NewClient};
use crema_auth::user::ADMINISTRATOR;
use serde_json::json;

use super::*;

const REGISTER: &str = "/api/method/frappe.integrations.oauth2.register_client";

// spec: RFC 8252 §7.1 and §7.3; security.md, Authorization endpoint, line 2
#[tokio::test]
async fn every_kind_leads_to_tokens() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (registered, requested) in NATIVE {
        let client = at(&app.add_client(spec(registered)).await, requested);
        let page = ask(&mut visitor, &client, &[]).await;
        assert!(asks(&page), "{requested}: {}", page.text());
        let redirect = Redirect::of(&visitor.decide(&page, "allow").await);
        // The query that it has stays, and belongs to it.
        let base = requested.split('?').next().unwrap();
        assert_eq!(redirect.uri, base);
        assert_eq!(redirect.param("x").is_empty(), !requested.contains("x=1"));
        // The code is bound to the address with the port that was used.
        let code = redirect.param("code");
        let tokens = app.http().redeem(&client, code, &[]).await.tokens();
        assert!(!tokens.refresh_token.is_empty());
        if registered != requested {
            let code = visitor.code(&client, &[]).await;
            let answer = app
                .http()
                .redeem(&at(&client, registered), &code, &[])
                .await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (400, "invalid_grant")
            );
        }
        // Refusals and errors go where the request said, too.
        let page = ask(&mut visitor, &client, &[]).await;
        let redirect = Redirect::of(&visitor.decide(&page, "deny").await);
        assert_eq!(
            (redirect.uri.as_str(), redirect.param("error")),
            (base, "access_denied")
        );
        let answer = ask(&mut visitor, &client, &[("scope", "unheard:of")]).await;
        let redirect = Redirect::of(&answer);
        assert_eq!(
            (redirect.uri.as_str(), redirect.param("error")),
            (base, "invalid_scope")
        );
    }
    app.close().await;
}

// spec: RFC 8252 §7.3 and §8.3; security.md, "(and `localhost` when registered so)"
#[tokio::test]
async fn only_the_port_of_an_own_address_is_free() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let others = |host: &str| {
        let mut others = vec![
            format!("https://{host}:9/cb"),
            format!("http://{host}:9/cb/"),
            format!("http://{host}:9/CB"),
            format!("http://{host}:9/"),
            format!("http://{host}:9/cb?x=1"),
            format!("http://{host}:9/cb#x"),
            format!("http://{host}:9/./cb"),
            format!("http://{host}:/cb"),
            format!("http://{host}:09/cb"),
            format!("http://{host}:65536/cb"),
            format!("http://{host}:9@evil.example/cb"),
            format!("http://user@{host}:9/cb"),
            format!("http://{host}.evil.example/cb"),
            format!("HTTP://{host}:9/cb"),
            format!("//{host}:9/cb"),
        ];
        for other in [
            "127.0.0.1",
            "[::1]",
            "localhost",
            "127.0.0.2",
            "[::ffff:127.0.0.1]",
        ] {
            if other != host {
                others.push(format!("http://{other}:9/cb"));
            }
        }
        others.extend(
            ["LOCALHOST", "localhost.", "127.1", "2130706433", "[0::1]"]
                .map(|other| format!("http://{other}:9/cb")),
        );
        others
    };
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let client = app.add_client(spec(&format!("http://{host}/cb"))).await;
        for other in others(host) {
            let answer = ask(&mut visitor, &at(&client, &other), &[]).await;
            assert_eq!(
                (answer.status, answer.location()),
                (400, None),
                "{host}: {other}"
            );
        }
    }
    // Of every other address all of it is compared.
    let client = app
        .add_client(several(&[
            "https://app.example:8443/cb",
            "com.example.app:/cb",
        ]))
        .await;
    for other in [
        "https://app.example/cb",
        "https://app.example:9/cb",
        "com.example.app:/cb/",
        "com.example.app:cb",
        "com.example.app://cb",
        "com.example.app:/cb?x=1",
        "COM.EXAMPLE.APP:/cb",
        "com.example.app2:/cb",
        "com.example:/cb",
    ] {
        let answer = ask(&mut visitor, &at(&client, other), &[]).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{other}");
    }
    app.close().await;
}

// spec: RFC 8252 §7.1 and §8.5; http.md, register_client, "private-use schemes with a dot …"
#[tokio::test]
async fn who_has_a_secret_has_no_scheme_of_its_own() {
    let app = app().await;
    for uri in ["com.example.app:/cb", "cursor://a/cb", "vscode://a/cb"] {
        let new = NewClient {
            fields: [
                ("app_name", "App"),
                ("redirect_uris", uri),
                ("default_redirect_uri", uri),
            ]
            .into_iter()
            .collect(),
            dynamically_registered: false,
        };
        let made = client::create(&app.ctx().await, ADMINISTRATOR, new).await;
        let refusal = made.expect_err(uri).to_string();
        assert!(refusal.contains("Only public clients"), "{refusal}");
        let body =
            json!({"redirect_uris": [uri], "token_endpoint_auth_method": "client_secret_basic"});
        let answer = app.http().post(REGISTER).json(&body).send().await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_redirect_uri")
        );
        let body = json!({"redirect_uris": [uri], "token_endpoint_auth_method": "none"});
        let answer = app.http().post(REGISTER).json(&body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        // Nor does a client get a secret while it has one.
        let client = app.add_client(spec(uri)).await;
        let fields = [("token_endpoint_auth_method", "Client Secret Basic")];
        let ctx = app.ctx().await;
        let changed = client::update(
            &ctx,
            ADMINISTRATOR,
            &client.client_id,
            fields.into_iter().collect(),
        );
        assert!(changed.await.is_err(), "{uri}");
    }
    app.close().await;
}

#[tokio::test]
async fn schemes_without_a_dot_are_the_settings_choice() {
    let app = app().await;
    let register = async |uri: &str| {
        let body = json!({"redirect_uris": [uri], "token_endpoint_auth_method": "none"});
        let answer = app.http().post(REGISTER).json(&body).send().await;
        (answer.status, answer.error())
    };
    let refused = (400, "invalid_redirect_uri".to_owned());
    for uri in [
        "myapp://cb",
        "app:/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///cb",
    ] {
        assert_eq!(register(uri).await, refused, "{uri}");
    }
    assert_eq!(register("cursor://a/cb").await.0, 201);
    let own = [("allowed_redirect_schemes", "myapp")];
    app.set_settings("OAuth Settings", &own).await;
    assert_eq!(register("myapp://cb").await.0, 201);
    assert_eq!(register("cursor://a/cb").await, refused);
    app.close().await;
}

// spec: RFC 8252 §6 and §8.1; security.md, Clients
#[tokio::test]
async fn nothing_is_issued_without_a_proof_of_possession() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (registered, requested) in NATIVE {
        let client = at(&app.add_client(spec(registered)).await, requested);
        let bare = [("code_challenge", ""), ("code_challenge_method", "")];
        assert_eq!(
            error(&ask(&mut visitor, &client, &bare).await),
            "invalid_request"
        );
        let plain = [("code_challenge_method", "plain")];
        assert_eq!(
            error(&ask(&mut visitor, &client, &plain).await),
            "invalid_request"
        );
        let code = visitor.code(&client, &[]).await;
        let wrong = [(
            "code_verifier",
            "another-verifier-that-is-as-long-as-it-has-to-be",
        )];
        let answer = app.http().redeem(&client, &code, &wrong).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_grant"),
            "{requested}"
        );
    }
    app.close().await;
}
