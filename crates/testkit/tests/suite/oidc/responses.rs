//! Response types and response modes.
// spec: OAuth 2.0 Multiple Response Types; Form Post Response Mode; OpenID Connect Core §3.2, §3.3

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

/// OpenID Connect Core §3.1.3.6, for algorithms with SHA-256.
fn half_hash(text: &str) -> String {
    let digest = crema_crypto::hash_hex(text);
    let half: Vec<u8> = (0..16)
        .map(|index| u8::from_str_radix(&digest[index * 2..index * 2 + 2], 16).unwrap())
        .collect();
    BASE64_URL_SAFE_NO_PAD.encode(half)
}

#[tokio::test]
async fn every_response_type_gives_what_it_says() {
    let app = app().await;
    let client = app.add_client(implicit()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for response_type in [
        "code",
        "token",
        "id_token",
        "id_token token",
        "token id_token",
        "code id_token",
        "code token",
        "code id_token token",
        "token code id_token",
    ] {
        let has = |kind: &str| response_type.split(' ').any(|one| one == kind);
        let changes = [
            ("response_type", response_type),
            ("nonce", "n-1"),
            ("scope", "openid email"),
        ];
        let redirect = visitor.grant(&client, &changes).await;
        assert_eq!(redirect.uri, CALLBACK);
        assert_eq!(
            redirect.in_fragment,
            response_type != "code",
            "{response_type}"
        );
        assert_eq!(redirect.param("state"), "a state");
        assert_eq!(redirect.param("iss"), app.issuer());
        for (name, kind) in [
            ("code", "code"),
            ("access_token", "token"),
            ("id_token", "id_token"),
        ] {
            assert_eq!(
                redirect.params.contains_key(name),
                has(kind),
                "{response_type}: {name}"
            );
        }
        assert!(!redirect.params.contains_key("refresh_token"));
        if has("token") {
            assert_eq!(redirect.param("token_type"), "Bearer");
            assert_eq!(redirect.param("expires_in"), "3600");
            assert_eq!(redirect.param("scope"), "openid email");
            let profile = app.http().userinfo(redirect.param("access_token")).await;
            assert_eq!(profile.json()["email"], USER);
        }
        if has("id_token") {
            let about = flow::claims(redirect.param("id_token"));
            assert_eq!(about["iss"], json!(app.issuer()));
            assert_eq!(about["aud"], json!(client.client_id));
            assert_eq!(
                (&about["nonce"], &about["email"]),
                (&json!("n-1"), &json!(USER))
            );
            let hash_of = |name: &str| match redirect.param(name) {
                "" => Value::Null,
                token => json!(half_hash(token)),
            };
            assert_eq!(about["at_hash"], hash_of("access_token"), "{response_type}");
            assert_eq!(about["c_hash"], hash_of("code"), "{response_type}");
        }
        if has("code") {
            let tokens = app
                .http()
                .redeem(&client, redirect.param("code"), &[])
                .await
                .tokens();
            let about = flow::claims(&tokens.id_token.unwrap());
            assert_eq!(about["nonce"], "n-1");
            assert_eq!(about["at_hash"], json!(half_hash(&tokens.access_token)));
            // The access token of the front channel belongs to the same family.
            if has("token") {
                let front = redirect.param("access_token");
                assert_eq!(app.http().logged_user(front).await.status, 200);
                app.http()
                    .redeem(&client, redirect.param("code"), &[])
                    .await;
                assert_eq!(app.http().logged_user(front).await.status, 401);
            }
        }
    }
    app.close().await;
}

// spec: OpenID Connect Core §5.4: without an access token the claims come in the ID token
#[tokio::test]
async fn an_id_token_alone_has_the_claims() {
    let app = app().await;
    let client = app
        .add_client(implicit().with("claims_in_id_token", "0"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (response_type, expected) in [("id_token", true), ("id_token token", false)] {
        let changes = [
            ("response_type", response_type),
            ("nonce", "n"),
            ("scope", "openid email"),
        ];
        let redirect = visitor.grant(&client, &changes).await;
        let about = flow::claims(redirect.param("id_token"));
        assert_eq!(about["email"] == USER, expected, "{response_type}");
    }
    app.close().await;
}

#[tokio::test]
async fn tokens_through_the_browser_are_a_switch() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for response_type in ["token", "id_token", "code id_token", "code token"] {
        let changes = [("response_type", response_type), ("nonce", "n")];
        let answer = ask(&mut visitor, &client, &changes).await;
        assert!(Redirect::of(&answer).in_fragment, "{response_type}");
        assert_eq!(
            error(&app, &answer),
            "unauthorized_client",
            "{response_type}"
        );
    }
    for (response_type, expected) in [
        ("", "invalid_request"),
        ("code code", "invalid_request"),
        ("none", "unsupported_response_type"),
        ("CODE", "unsupported_response_type"),
        ("code magic", "unsupported_response_type"),
    ] {
        let answer = ask(&mut visitor, &client, &[("response_type", response_type)]).await;
        assert_eq!(error(&app, &answer), expected, "{response_type}");
    }
    app.close().await;
}

#[tokio::test]
async fn an_id_token_through_the_browser_needs_nonce_and_openid() {
    let app = app().await;
    let client = app.add_client(implicit()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for response_type in [
        "id_token",
        "id_token token",
        "code id_token",
        "code id_token token",
    ] {
        let kind = ("response_type", response_type);
        let answer = ask(&mut visitor, &client, &[kind]).await;
        assert_eq!(error(&app, &answer), "invalid_request", "{response_type}");
        let answer = ask(
            &mut visitor,
            &client,
            &[kind, ("nonce", "n"), ("scope", "all")],
        )
        .await;
        assert_eq!(error(&app, &answer), "invalid_scope", "{response_type}");
    }
    app.close().await;
}

// spec: security.md, "Tokens are never put into a query"
#[tokio::test]
async fn a_mode_that_would_leak_is_refused() {
    let app = app().await;
    let client = app.add_client(implicit()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for response_type in ["token", "id_token", "code token", "code id_token token"] {
        let changes = [
            ("response_type", response_type),
            ("nonce", "n"),
            ("response_mode", "query"),
        ];
        let answer = ask(&mut visitor, &client, &changes).await;
        assert_eq!(error(&app, &answer), "invalid_request", "{response_type}");
    }
    let answer = ask(&mut visitor, &client, &[("response_mode", "web_message")]).await;
    assert_eq!(error(&app, &answer), "invalid_request");
    app.close().await;
}

#[tokio::test]
async fn a_code_travels_in_the_mode_that_was_asked_for() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (mode, in_fragment) in [("query", false), ("fragment", true), ("", false)] {
        let answer = ask(&mut visitor, &client, &[("response_mode", mode)]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(Redirect::of(&answer).in_fragment, in_fragment, "{mode}");
        code(&app, &answer);
    }
    app.close().await;
}

#[tokio::test]
async fn form_post_is_a_page_that_posts() {
    let app = app().await;
    let client = app.add_client(implicit()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let changes = [
        ("response_mode", "form_post"),
        ("response_type", "code id_token token"),
        ("nonce", "n"),
        ("state", "a \"<state>\""),
    ];
    let page = ask(&mut visitor, &client, &changes).await;
    assert!(asks(&page));
    for (button, expected) in [
        (
            "allow",
            &["code", "access_token", "id_token", "state", "iss"][..],
        ),
        ("deny", &["error", "state", "iss"][..]),
    ] {
        let answer = visitor.decide(&page, button).await;
        assert_eq!((answer.status, answer.media_type()), (200, "text/html"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert!(
            !policy.contains("form-action") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(
            answer
                .text()
                .contains(&format!("method=\"post\" action=\"{CALLBACK}\""))
        );
        for name in expected {
            assert!(answer.hidden_field(name).is_some(), "{button}: {name}");
        }
        assert_eq!(answer.hidden_field("state").unwrap(), "a \"<state>\"");
        assert_eq!(answer.hidden_field("iss").unwrap(), app.issuer());
    }
    app.close().await;
}

// spec: security.md, "All other errors redirect …, keeping an existing query"
#[tokio::test]
async fn a_query_of_the_redirect_uri_stays() {
    let app = app().await;
    let uri = "https://client.example/cb?tenant=a%20b&x=";
    let client = app
        .add_client(ClientSpec::new(uri).with("skip_authorization", "1"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let success = ask(&mut visitor, &client, &[]).await;
    assert!(
        success
            .location()
            .unwrap()
            .starts_with(&format!("{uri}&code="))
    );
    let failure = ask(&mut visitor, &client, &[("response_type", "")]).await;
    assert!(
        failure
            .location()
            .unwrap()
            .starts_with(&format!("{uri}&error="))
    );
    let fragment = ask(&mut visitor, &client, &[("response_mode", "fragment")]).await;
    assert!(
        fragment
            .location()
            .unwrap()
            .starts_with(&format!("{uri}#code="))
    );
    app.close().await;
}
