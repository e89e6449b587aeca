//! "OAuth2 Setup and Operations Guide" of a CRM team.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crema_testkit::flow::method;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{App, ClientSpec, Redirect, Response, TestClient, challenge};
use serde_json::json;

use super::{Correction, Example, PASSWORD, Switch, USER, members};

const CALLBACK: &str = "app.trust://oauth2redirect";
const WEB_CALLBACK: &str = "https://trust.jossoor.org/oauth/callback";

/// The site of the guide, with its user.
async fn app() -> App {
    let app = App::builder().site("trust.jossoor.org").build().await;
    app.add_user(USER, PASSWORD, &["Sales User"]).await;
    app
}

/// The client that "What's Installed" describes.
fn mobile_app() -> ClientSpec {
    ClientSpec::public(CALLBACK)
        .with("app_name", "Mobile App")
        .with("redirect_uris", &format!("{CALLBACK}\n{WEB_CALLBACK}"))
        .scopes("all openid")
        .grant_types("authorization_code password refresh_token")
        .with("allowed_roles", "Sales User, Sales Manager, System Manager")
}

/// `curl -X POST … -d … -d …`: `curl` joins the parts with `&` and encodes nothing.
async fn curl(app: &App, name: &str, parts: &[String]) -> Response {
    let request = app.http().post(&method(name));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.body(parts.join("&")).send().await
}

/// The answer of examples A, B and C: their members, and the ID token that belongs to `openid`.
async fn as_documented(app: &App, answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        members(answer),
        [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type"
        ]
    );
    let json = answer.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 3600);
    assert_eq!(json["scope"], "all openid");
    let http = app.http();
    let who = http.logged_user(json["access_token"].as_str().unwrap());
    assert_eq!(who.await.json()["message"], USER);
}

const OPAQUE: Correction = Correction {
    shown: "`\"access_token\": \"eyJ0eXAi…\"`, and \"Decode JWT to check expiration\"",
    instead: "an access token of 43 characters; `expires_in`, or the introspection endpoint, says \
              how long it lives",
    because: "access tokens say nothing to those who carry them and can be ended at any moment",
};
const ID_TOKEN: Correction = Correction {
    shown: "no `id_token` in the answer",
    instead: "an `id_token` as well",
    because: "the scope contains `openid`",
};
const PASSWORD_GRANT: Switch = Switch {
    set: "OAuth Client › Grant Types: `password` named",
    because: "an app that sees the password can keep it, and there is no second factor \
              (RFC 9700 §2.4). The CRM app's own client has it, as the guide says",
};

pub(super) const AUTHORIZATION_URL: Example = Example {
    place: "OAuth2 Endpoints › 1. Authorization Endpoint, and Example 3, steps 1 to 3",
    request: "the address with PKCE, and the way back to the app",
    test: "the_authorization_address",
    switches: &[],
    corrections: &[
        Correction {
            shown: "an address over several lines, ended by `\\` or `&`",
            instead: "one line",
            because: "blanks would become part of the parameters' names",
        },
        Correction {
            shown: "`scope` \"Default: `all`\"",
            instead: "the scopes that the client is registered with",
            because: "for this client `all openid`",
        },
        Correction {
            shown: "`app.trust://oauth2redirect?code=AUTH_CODE&state=…`",
            instead: "the same with `iss`",
            because: "RFC 9207",
        },
    ],
};

pub(super) const CODE: Example = Example {
    place: "Token Endpoint › A, and Example 3, step 4",
    request: "`curl -X POST …get_token` with `grant_type=authorization_code` and `code_verifier`",
    test: "the_authorization_address",
    switches: &[],
    corrections: &[OPAQUE, ID_TOKEN],
};

#[tokio::test]
async fn the_authorization_address() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    let mut visitor = app.visitor();

    // Step 1, as the Python lines make it of 32 random bytes.
    let code_verifier = BASE64_URL_SAFE_NO_PAD.encode([0xa5; 32]);
    assert_eq!(code_verifier.len(), 43);
    let code_challenge = challenge(&code_verifier);

    let address = |redirect_uri: &str, scope: &str| {
        format!(
            "{AUTHORIZE}?client_id={}&response_type=code&redirect_uri={redirect_uri}{scope}\
             &state=random_csrf_token&code_challenge={code_challenge}\
             &code_challenge_method=S256",
            client.client_id
        )
    };
    let scopes = [("", CALLBACK), ("&scope=all%20openid", WEB_CALLBACK)];
    for (scope, callback) in scopes
        .into_iter()
        .chain([("&scope=all%20openid", CALLBACK)])
    {
        let request = address(callback, scope);
        let answer = visitor.get(&request).await;
        let page = match answer.status {
            200 => answer,
            _ => {
                let back = visitor.sent_to_login(&answer);
                visitor.login(USER, PASSWORD).await;
                visitor.get(&back).await
            }
        };
        assert_eq!(page.title().as_deref(), Some("Confirm Access"));
        let redirect = Redirect::of(&visitor.decide(&page, "allow").await);
        assert_eq!(redirect.uri, callback);
        assert_eq!(redirect.param("state"), "random_csrf_token");
        assert_eq!(redirect.param("iss"), app.issuer());

        let exchange = [
            "grant_type=authorization_code".to_owned(),
            format!("code={}", redirect.param("code")),
            format!("redirect_uri={callback}"),
            format!("client_id={}", client.client_id),
            format!("code_verifier={code_verifier}"),
        ];
        as_documented(&app, &curl(&app, "get_token", &exchange).await).await;
    }
    app.close().await;
}

pub(super) const PASSWORD_EXAMPLE: Example = Example {
    place: "Token Endpoint › B, and Example 1",
    request: "`curl -X POST …get_token` with `grant_type=password`, and a call with the token",
    test: "the_password_grant",
    switches: &[PASSWORD_GRANT],
    corrections: &[OPAQUE, ID_TOKEN],
};

fn password_parts(client: &TestClient) -> [String; 5] {
    [
        "grant_type=password".to_owned(),
        format!("username={USER}"),
        format!("password={PASSWORD}"),
        format!("client_id={}", client.client_id),
        "scope=all openid".to_owned(),
    ]
}

#[tokio::test]
async fn the_password_grant() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    let answer = curl(&app, "get_token", &password_parts(&client)).await;
    as_documented(&app, &answer).await;

    app.change_client(
        &client,
        &[("grant_types", "authorization_code refresh_token")],
    )
    .await;
    let refused = curl(&app, "get_token", &password_parts(&client)).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, "unauthorized_client".to_owned())
    );
    app.close().await;
}

#[tokio::test]
async fn only_the_roles_that_are_allowed_get_tokens() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    app.add_user("other@example.com", PASSWORD, &["Purchase User"])
        .await;
    let mut parts = password_parts(&client);
    parts[1] = "username=other@example.com".to_owned();
    let refused = curl(&app, "get_token", &parts).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, "invalid_grant".to_owned())
    );
    app.close().await;
}

pub(super) const REFRESH: Example = Example {
    place: "Token Endpoint › C, and Example 2",
    request: "`curl -X POST …get_token` with `grant_type=refresh_token`",
    test: "the_refresh",
    switches: &[PASSWORD_GRANT],
    corrections: &[
        ID_TOKEN,
        Correction {
            shown: "under Troubleshooting: only `grant_type` and `refresh_token`",
            instead: "`client_id` as well",
            because: "a public client says who it is (RFC 6749 §3.2.1)",
        },
    ],
};

#[tokio::test]
async fn the_refresh() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    let old = curl(&app, "get_token", &password_parts(&client))
        .await
        .tokens();
    let mut parts = vec![
        "grant_type=refresh_token".to_owned(),
        format!("refresh_token={}", old.refresh_token),
    ];
    assert_eq!(curl(&app, "get_token", &parts).await.status, 401);
    parts.push(format!("client_id={}", client.client_id));
    let answer = curl(&app, "get_token", &parts).await;
    as_documented(&app, &answer).await;
    let new = answer.tokens();
    assert_ne!(
        (&new.access_token, &new.refresh_token),
        (&old.access_token, &old.refresh_token)
    );
    assert_eq!(app.http().logged_user(&old.access_token).await.status, 401);
    app.close().await;
}

pub(super) const REVOKE: Example = Example {
    place: "3. Revoke Token Endpoint",
    request: "`curl -X POST …revoke_token` with `token` and `client_id`",
    test: "the_revocation",
    switches: &[PASSWORD_GRANT],
    corrections: &[],
};

#[tokio::test]
async fn the_revocation() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    let tokens = curl(&app, "get_token", &password_parts(&client))
        .await
        .tokens();
    let parts = [
        format!("token={}", tokens.access_token),
        format!("client_id={}", client.client_id),
    ];
    let answer = curl(&app, "revoke_token", &parts).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(
        app.http().logged_user(&tokens.access_token).await.status,
        401
    );
    let refreshed = app.http().refresh(&client, &tokens.refresh_token).await;
    assert_eq!(refreshed.error(), "invalid_grant");
    app.close().await;
}

pub(super) const CORS: Example = Example {
    place: "CORS and CSRF Configuration",
    request: "`allow_cors: \"*\"` with `cors_allow_credentials`, and `ignore_csrf` with paths",
    test: "the_configuration",
    switches: &[],
    corrections: &[
        Correction {
            shown: "`\"allow_cors\": \"*\"` together with `\"cors_allow_credentials\": true`",
            instead: "list the origins, as under \"Production\"",
            because: "every website could act as whoever is signed in; with `*` no credentials \
                      are allowed, whatever the other key says",
        },
        Correction {
            shown: "`ignore_csrf` for the token endpoints",
            instead: "nothing",
            because: "they need no CSRF token in the first place; the list does no harm",
        },
    ],
};

#[tokio::test]
async fn the_configuration() {
    let app = app().await;
    let client = app.add_client(mobile_app()).await;
    app.set_config("cors_allow_credentials", true);
    app.set_config(
        "allow_cors_for_methods",
        json!(["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    );
    app.set_config(
        "allow_cors_for_headers",
        json!(["Authorization", "Content-Type", "X-Frappe-CSRF-Token"]),
    );
    app.set_config(
        "ignore_csrf",
        json!([
            method("get_token"),
            method("authorize"),
            method("revoke_token")
        ]),
    );
    let ping = async |origin: &str| {
        let request = app.http().get("/api/method/ping").header("Origin", origin);
        let answer = request.send().await;
        let header = |name: &str| answer.header(name).map(str::to_owned);
        (
            header("access-control-allow-origin"),
            header("access-control-allow-credentials"),
        )
    };
    app.set_config("allow_cors", "*");
    let (origin, credentials) = ping("https://app.trust.com").await;
    assert!(origin.is_some());
    assert_eq!(credentials, None);

    app.set_config(
        "allow_cors",
        json!(["https://app.trust.com", "https://mobile.trust.com"]),
    );
    let both = (
        Some("https://app.trust.com".to_owned()),
        Some("true".to_owned()),
    );
    assert_eq!(ping("https://app.trust.com").await, both);
    assert_eq!(ping("https://evil.example").await, (None, None));

    as_documented(
        &app,
        &curl(&app, "get_token", &password_parts(&client)).await,
    )
    .await;
    app.close().await;
}

/// Where the tests of the examples are.
pub(super) const SOURCES: &[&str] = &[include_str!("guide.rs")];

pub(super) const EXAMPLES: &[&Example] = &[
    &AUTHORIZATION_URL,
    &CODE,
    &PASSWORD_EXAMPLE,
    &REFRESH,
    &REVOKE,
    &CORS,
];
