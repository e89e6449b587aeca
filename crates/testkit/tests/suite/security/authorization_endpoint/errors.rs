//! Errors that travel to the client.

use std::collections::BTreeMap;

use crema_testkit::{ClientSpec, Redirect, Response, TestClient};

use crate::security::scene::{self, REDIRECT};

const IMPLICIT: &str = "authorization_code refresh_token implicit";

/// The parameters of an authorization response in the mode in which it was asked for.
fn params(response: &Response, mode: &str, redirect_uri: &str) -> BTreeMap<String, String> {
    if mode == "form_post" {
        assert_eq!(response.status, 200, "{response:?}");
        let (action, params) = scene::posted(response);
        assert_eq!(action.replace("&#38;", "&"), redirect_uri);
        return params;
    }
    assert_eq!(response.status, 302, "{response:?}");
    let location = response.location().unwrap();
    assert!(location.starts_with(redirect_uri), "{location}");
    let redirect = Redirect::of(response);
    assert_eq!(redirect.in_fragment, mode == "fragment", "{location}");
    redirect.params
}

/// Requests that are wrong in one way, and the error that says so.
fn mistakes() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    vec![
        ("invalid_request", vec![("response_type", "")]),
        ("unsupported_response_type", vec![("response_type", "none")]),
        (
            "unsupported_response_type",
            vec![("response_type", "code x")],
        ),
        ("invalid_scope", vec![("scope", "admin")]),
        ("invalid_scope", vec![("scope", "all \"")]),
        ("request_not_supported", vec![("request", "e30.e30.")]),
        (
            "request_uri_not_supported",
            vec![("request_uri", "https://client.example/r")],
        ),
        (
            "invalid_request",
            vec![("code_challenge", "x"), ("code_challenge_method", "x")],
        ),
        ("invalid_request", vec![("prompt", "none login")]),
        ("invalid_request", vec![("max_age", "soon")]),
        ("invalid_request", vec![("max_age", "-1")]),
        ("invalid_request", vec![("claims", "[")]),
        (
            "invalid_target",
            vec![("resource", "https://elsewhere.example/")],
        ),
        ("invalid_target", vec![("resource", "nonsense")]),
        ("login_required", vec![("prompt", "none")]),
    ]
}

// spec: security.md, Authorization endpoint, line 3
#[tokio::test]
async fn every_error_tells_the_client_with_description_state_and_issuer() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut guest = app.visitor();
    for mode in ["query", "fragment", "form_post"] {
        for (error, changes) in mistakes() {
            let mut changes = changes.clone();
            changes.extend([("response_mode", mode), ("state", "my state")]);
            let answer = scene::authorize(&mut guest, &client, &changes).await;
            let params = params(&answer, mode, REDIRECT);
            assert_eq!(params["error"], error, "{changes:?}");
            assert!(!params["error_description"].is_empty());
            assert_eq!(params["state"], "my state");
            assert_eq!(params["iss"], app.issuer());
            assert_eq!(params.len(), 4, "{params:?}");
        }
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 3: in the response mode asked for
#[tokio::test]
async fn an_error_without_a_usable_mode_travels_as_the_response_type_has_it() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).grant_types(IMPLICIT);
    let client = app.add_client(spec).await;
    let mut guest = app.visitor();
    for (kind, mode) in [
        ("code", "query"),
        ("token", "fragment"),
        ("id_token", "fragment"),
        ("code id_token", "fragment"),
        ("nonsense", "query"),
    ] {
        for asked in ["", "carrier_pigeon"] {
            let changes = [
                ("response_type", kind),
                ("response_mode", asked),
                ("scope", "admin"),
                ("nonce", "n"),
            ];
            let answer = scene::authorize(&mut guest, &client, &changes).await;
            let params = params(&answer, mode, REDIRECT);
            assert!(!params["error"].is_empty());
        }
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 3: keeping an existing query
#[tokio::test]
async fn the_query_of_a_redirect_uri_stays_as_it_is() {
    let app = scene::start().await;
    let uri = "https://client.example/cb?x=a%20b&state=own&code=&y";
    let client = app.add_client(ClientSpec::new(uri)).await;
    let mut visitor = scene::signed_in(&app).await;
    let denied = scene::authorize(&mut visitor, &client, &[]).await;
    let denied = visitor.decide(&denied, "deny").await;
    let location = denied.location().unwrap();
    let rest = location.strip_prefix(&format!("{uri}&")).unwrap();
    assert!(rest.starts_with("error=access_denied&"), "{location}");
    let allowed = visitor.authorize_and_allow(&pairs(&client)).await;
    let location = allowed.location().unwrap();
    assert!(location.starts_with(&format!("{uri}&code=")), "{location}");
    let fragment = [("scope", "admin"), ("response_mode", "fragment")];
    let answer = scene::authorize(&mut visitor, &client, &fragment).await;
    assert!(
        answer
            .location()
            .unwrap()
            .starts_with(&format!("{uri}#error="))
    );
    let form = [("scope", "admin"), ("response_mode", "form_post")];
    let answer = scene::authorize(&mut visitor, &client, &form).await;
    let (action, params) = scene::posted(&answer);
    assert_eq!(action.replace("&#38;", "&"), uri);
    assert_eq!(params["error"], "invalid_scope");
    app.close().await;
}

fn pairs(client: &TestClient) -> Vec<(&str, &str)> {
    vec![
        ("client_id", &client.client_id),
        ("redirect_uri", &client.redirect_uri),
        ("response_type", "code"),
    ]
}

// spec: security.md, Authorization endpoint, line 3; http.md, authorize, "Deny"
#[tokio::test]
async fn deny_is_an_error_like_any_other_and_grants_nothing() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).grant_types(IMPLICIT);
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    for (kind, asked, mode) in [
        ("code", "", "query"),
        ("code", "form_post", "form_post"),
        ("token", "", "fragment"),
        ("code id_token token", "form_post", "form_post"),
    ] {
        let changes = [
            ("response_type", kind),
            ("response_mode", asked),
            ("scope", "openid"),
            ("nonce", "n"),
        ];
        let page = scene::authorize(&mut visitor, &client, &changes).await;
        let answer = visitor.decide(&page, "deny").await;
        let params = params(&answer, mode, REDIRECT);
        assert_eq!(params["error"], "access_denied");
        assert_eq!(params["state"], "a state");
        assert_eq!(params["iss"], app.issuer());
        assert_eq!(params.len(), 4, "{params:?}");
    }
    for table in [
        "tabOAuth Authorization Code",
        "tabOAuth Bearer Token",
        "tabOAuth Consent",
    ] {
        assert_eq!(
            app.count(&format!("SELECT count(*) FROM \"{table}\""), vec![])
                .await,
            0
        );
    }
    app.close().await;
}
