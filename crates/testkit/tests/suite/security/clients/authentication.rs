//! Proving a client on token, revocation and introspection.

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, Response, TestClient};

use crate::security::scene::{self, REDIRECT, call};

const ENDPOINTS: [&str; 3] = ["get_token", "revoke_token", "introspect_token"];

/// Parameters that the endpoint would take, were it not for the client.
fn params(endpoint: &str) -> Vec<(&'static str, &'static str)> {
    match endpoint {
        "get_token" => vec![("grant_type", "refresh_token"), ("refresh_token", "none")],
        _ => vec![("token", "none")],
    }
}

/// What the endpoint answers to a client that proved itself.
fn assert_proven(endpoint: &str, response: &Response) {
    match endpoint {
        "get_token" => {
            assert_eq!(
                (response.status, response.error().as_str()),
                (400, "invalid_grant")
            );
        }
        _ => assert_eq!(response.status, 200, "{endpoint}: {}", response.text()),
    }
}

fn assert_refused(response: &Response, by_basic: bool) {
    assert_eq!(response.status, 401, "{}", response.text());
    assert_eq!(response.error(), "invalid_client");
    assert_eq!(response.media_type(), "application/json");
    let challenge = response.header("www-authenticate").unwrap_or_default();
    assert_eq!(challenge.starts_with("Basic "), by_basic, "{challenge:?}");
    assert_eq!(response.header("pragma"), Some("no-cache"));
    assert!(
        response
            .header("cache-control")
            .unwrap()
            .contains("no-store")
    );
}

async fn clients(app: &App) -> [TestClient; 2] {
    [
        scene::confidential(app).await,
        app.add_client(ClientSpec::new(REDIRECT).auth_method(AuthMethod::ClientSecretPost))
            .await,
    ]
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn confidential_clients_authenticate_on_token_revocation_and_introspection() {
    let app = scene::start().await;
    let http = app.http();
    for client in clients(&app).await {
        for endpoint in ENDPOINTS {
            let params = params(endpoint);
            let right = http.client_request(endpoint, &client, &params).send().await;
            assert_proven(endpoint, &right);

            let nobody = call(&http, endpoint, &params).send().await;
            assert_refused(&nobody, false);
            let mut only_id = params.clone();
            only_id.push(("client_id", &client.client_id));
            assert_refused(&call(&http, endpoint, &only_id).send().await, false);

            let mut wrong_post = only_id.clone();
            wrong_post.push(("client_secret", "wrong"));
            assert_refused(&call(&http, endpoint, &wrong_post).send().await, false);
            let wrong_basic = call(&http, endpoint, &params).basic(&client.client_id, "wrong");
            assert_refused(&wrong_basic.send().await, true);
            let unknown = call(&http, endpoint, &params).basic("nobody", client.secret());
            assert_refused(&unknown.send().await, true);
        }
    }
    app.close().await;
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn a_secret_must_fit_to_the_last_byte() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::confidential(&app).await;
    let secret = client.secret();
    let (first, rest) = secret.split_at(1);
    let swapped = if first.to_uppercase() == first {
        first.to_lowercase()
    } else {
        first.to_uppercase()
    };
    for wrong in [
        format!("{secret} "),
        format!(" {secret}"),
        rest.to_owned(),
        secret[..secret.len() - 1].to_owned(),
        format!("{swapped}{rest}x"),
    ] {
        let mut other = client.clone();
        other.client_secret = Some(wrong);
        assert_refused(&http.revoke(&other, "none").await, true);
    }
    app.close().await;
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn clients_made_as_records_may_use_basic_or_post() {
    let app = scene::start().await;
    for client in clients(&app).await {
        for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
            let tokens = {
                let code = scene::code(&app, &client, "openid").await;
                app.http().redeem(&client.by(method), &code, &[]).await
            };
            assert_eq!(tokens.status, 200, "{}", tokens.text());
            let answer = app.http().introspect(&client.by(method), "none").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    app.close().await;
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn strict_and_dynamically_registered_clients_use_their_registered_method_only() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT);
    for (spec, other) in [
        (
            spec.clone().with("strict_client_auth", "1"),
            AuthMethod::ClientSecretPost,
        ),
        (
            spec.clone().dynamically_registered(),
            AuthMethod::ClientSecretPost,
        ),
        (
            spec.auth_method(AuthMethod::ClientSecretPost)
                .dynamically_registered(),
            AuthMethod::ClientSecretBasic,
        ),
    ] {
        let client = app.add_client(spec).await;
        for endpoint in ENDPOINTS {
            let own = app
                .http()
                .client_request(endpoint, &client, &params(endpoint));
            assert_proven(endpoint, &own.send().await);
            let other_way =
                app.http()
                    .client_request(endpoint, &client.by(other), &params(endpoint));
            let by_basic = other == AuthMethod::ClientSecretBasic;
            assert_refused(&other_way.send().await, by_basic);
        }
    }
    app.close().await;
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn basic_with_an_equal_client_id_in_the_body_is_fine_and_empty_parameters_are_absent() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::confidential(&app).await;
    for endpoint in ENDPOINTS {
        for more in [
            vec![("client_id", client.client_id.as_str())],
            vec![("client_id", ""), ("client_secret", "")],
            vec![
                ("client_id", client.client_id.as_str()),
                ("client_secret", ""),
            ],
        ] {
            let mut params = params(endpoint);
            params.extend(more);
            let request = call(&http, endpoint, &params).basic(&client.client_id, client.secret());
            assert_proven(endpoint, &request.send().await);
        }
    }
    app.close().await;
}

// spec: security.md, Clients, line 1
#[tokio::test]
async fn mixed_and_doubled_credentials_are_refused() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::confidential(&app).await;
    let other = scene::confidential(&app).await;
    let (id, secret) = (client.client_id.as_str(), client.secret());
    for endpoint in ENDPOINTS {
        let with = |more: &[(&'static str, &str)]| {
            let mut all: Vec<(&str, &str)> = params(endpoint);
            all.extend_from_slice(more);
            call(&http, endpoint, &all)
        };
        // Two sets of credentials, even right ones.
        let both = with(&[("client_id", id), ("client_secret", secret)]).basic(id, secret);
        assert_refused(&both.send().await, true);
        // Another client's id beside.
        let mixed = with(&[("client_id", &other.client_id)]).basic(id, secret);
        assert_refused(&mixed.send().await, true);
        // The secret without the id, the header's secret in the body.
        let halves = with(&[("client_secret", secret)]);
        assert_refused(&halves.send().await, false);
        // Doubled.
        let twice = with(&[
            ("client_id", id),
            ("client_secret", secret),
            ("client_secret", secret),
        ]);
        assert_refused(&twice.send().await, false);
        let headers = with(&[]).basic(id, secret).basic(id, secret);
        assert_refused(&headers.send().await, true);
        let headers = with(&[]).basic(id, secret).bearer("x");
        assert_refused(&headers.send().await, true);
        // RFC 6749 §3.2: a parameter comes once.
        let ids = with(&[
            ("client_id", id),
            ("client_id", id),
            ("client_secret", secret),
        ]);
        let ids = ids.send().await;
        assert!(matches!(ids.status, 400 | 401), "{}", ids.text());
        // An assertion that nobody checks is no proof.
        let assertion = with(&[
            ("client_id", id),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", "e30.e30."),
        ]);
        assert_refused(&assertion.send().await, false);
    }
    app.close().await;
}

// spec: security.md, Clients, line 1; RFC 6749 §2.3.1
#[tokio::test]
async fn basic_credentials_are_form_decoded() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::confidential(&app).await;
    let encoded = |text: &str| {
        let bytes = text.bytes();
        bytes.map(|byte| format!("%{byte:02X}")).collect::<String>()
    };
    let (id, secret) = (encoded(&client.client_id), encoded(client.secret()));
    for endpoint in ENDPOINTS {
        let request = call(&http, endpoint, &params(endpoint)).basic(&id, &secret);
        assert_proven(endpoint, &request.send().await);
        // Not decoded twice.
        let twice =
            call(&http, endpoint, &params(endpoint)).basic(&encoded(&id), &encoded(&secret));
        assert_refused(&twice.send().await, true);
        for (id, secret) in [
            ("%zz", "x"),
            ("a%", "x"),
            ("%ff", "x"),
            ("a%00", "x"),
            ("", ""),
            ("a", ""),
        ] {
            let bad = call(&http, endpoint, &params(endpoint)).basic(id, secret);
            assert_refused(&bad.send().await, true);
        }
        for header in [
            "Basic",
            "Basic ",
            "Basic ###",
            "Basic Zm9v",
            "Basic Zm9vOmJhcg== x",
        ] {
            let bad = call(&http, endpoint, &params(endpoint)).header("Authorization", header);
            assert_refused(&bad.send().await, true);
        }
        for header in ["", "x", "token a:b", "Digest username=x"] {
            let bad = call(&http, endpoint, &params(endpoint)).header("Authorization", header);
            assert_refused(&bad.send().await, false);
        }
    }
    app.close().await;
}

// spec: security.md, Clients, line 1: Basic is never read as an API key
#[tokio::test]
async fn basic_on_these_paths_is_a_client_and_never_an_api_key() {
    let app = scene::start().await;
    let http = app.http();
    // An API key and its secret that would be somebody's.
    scene::force(
        &app,
        "UPDATE \"tabUser\" SET api_key = 'thekey' WHERE name = ?",
        vec![scene::USER.into()],
    )
    .await;
    for endpoint in ENDPOINTS {
        let request = call(&http, endpoint, &params(endpoint)).basic("thekey", "thesecret");
        assert_refused(&request.send().await, true);
    }
    // And a client's credentials are nobody's API key.
    let client = scene::confidential(&app).await;
    let who = http
        .get("/api/method/frappe.auth.get_logged_user")
        .basic(&client.client_id, client.secret());
    assert_eq!(who.send().await.status, 401);
    let who = http
        .get(&method("openid_profile"))
        .basic(&client.client_id, client.secret());
    assert_eq!(who.send().await.status, 401);
    app.close().await;
}

// spec: security.md, Clients, line 1; http.md, get_token
#[tokio::test]
async fn credentials_are_never_taken_from_the_address() {
    let app = scene::start().await;
    let http = app.http();
    let client = scene::confidential(&app).await;
    let credentials = [
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.secret()),
    ];
    for endpoint in ENDPOINTS {
        let post = call(&http, endpoint, &params(endpoint)).query(&credentials);
        let post = post.send().await;
        assert!(matches!(post.status, 400 | 401), "{}", post.text());
        let get = http.get(&method(endpoint)).query(&params(endpoint));
        let get = get.query(&credentials).send().await;
        assert_eq!(get.status, 405, "{endpoint}");
        assert_eq!(get.header("allow"), Some("POST"));
    }
    app.close().await;
}
