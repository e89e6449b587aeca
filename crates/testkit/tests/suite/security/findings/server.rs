//! Findings 18 to 35: sessions, metadata, errors.

use crema_testkit::flow::{claims, jose_header, method};
use crema_testkit::{App, ClientSpec, for_each_engine};
use serde_json::{Value, json};

use crate::security::scene::{self, PASSWORD, REDIRECT, USER, call, is_alive};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";
const CONFIGURATION: &str = "/.well-known/openid-configuration";

// spec: behaviour.md, finding 18
#[tokio::test]
async fn finding_18_a_bad_header_does_not_fall_back_to_the_cookie() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    for header in [
        "Bearer dead",
        "Bearer",
        "nonsense",
        "Basic eDp5",
        "token x:y",
        "",
    ] {
        let request = visitor.http().get(WHO).header("Authorization", header);
        assert_eq!(visitor.send(request).await.status, 401, "{header:?}");
    }
    app.close().await;
}

// spec: behaviour.md, finding 19
#[tokio::test]
async fn finding_19_a_bearer_beside_a_cookie_leaves_the_session_alone() {
    let app = scene::start().await;
    app.add_user("other@example.com", PASSWORD, &["Report Manager"])
        .await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let mut other = app.signed_in("other@example.com", PASSWORD).await;
    let request = other.http().get(WHO).bearer(&tokens.access_token);
    let answer = other.send(request).await;
    assert_eq!(answer.json()["message"], USER);
    assert!(answer.cookies().is_empty());
    let request = other.http().get(WHO);
    assert_eq!(
        other.send(request).await.json()["message"],
        "other@example.com"
    );
    app.close().await;
}

for_each_engine! {
    // spec: behaviour.md, finding 20
    async fn finding_20_the_sites_time_zone_does_not_move_expiry(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let second = app.second_server().await;
        for zone in ["Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "UTC"] {
            app.set_settings("System Settings", &[("time_zone", zone)]).await;
            let tokens = scene::tokens(app, &client, "openid").await;
            let about = second.http().introspect(&client, &tokens.access_token).await.json();
            assert_eq!(about["iat"].as_i64().unwrap(), scene::now(app), "{zone}");
            assert_eq!(about["exp"].as_i64().unwrap(), scene::now(app) + 3600, "{zone}");
            app.clock.advance_seconds(3599);
            assert!(is_alive(&second.http(), &tokens.access_token).await, "{zone}");
            app.clock.advance_seconds(1);
            assert!(!is_alive(&second.http(), &tokens.access_token).await, "{zone}");
        }
        second.stop().await;
    }

    // spec: behaviour.md, finding 35
    async fn finding_35_whatever_is_looked_up_by_tokens_has_an_index(app: &App) {
        let database = app.database().await;
        for (table, column, unique) in [
            ("tabOAuth Bearer Token", "access_token", true),
            ("tabOAuth Bearer Token", "refresh_token", true),
            ("tabOAuth Bearer Token", "family", false),
            ("tabOAuth Bearer Token", "user", false),
            ("tabOAuth Bearer Token", "client", false),
            ("tabOAuth Authorization Code", "authorization_code", true),
            ("tabSessions", "sid", true),
            ("tabSessions", "user", false),
            ("tabSessions", "name", true),
            ("__oauth_family", "user", false),
            ("__oauth_family", "client", false),
            ("tabOAuth Consent", "user", false),
        ] {
            let indexes = database.indexes(table).await.unwrap();
            let found = indexes.iter().find(|index| index.columns[0] == column);
            let index = found.unwrap_or_else(|| panic!("{table}.{column}: {indexes:?}"));
            assert!(!unique || (index.unique && index.columns.len() == 1), "{table}: {index:?}");
        }
        for (table, key) in [("__oauth_spent", "hash"), ("__login_handle", "hash"), ("__failure", "name")] {
            let columns = database.columns(table).await.unwrap();
            let keys: Vec<_> = columns.iter().filter(|column| column.primary_key).collect();
            assert_eq!(keys.len(), 1);
            assert_eq!(keys[0].name, key, "{table}");
        }
    }
}

// spec: behaviour.md, finding 21, as far as records go
#[tokio::test]
async fn finding_21_redirect_uris_on_lines_of_their_own_are_all_usable() {
    let app = scene::start().await;
    let uris = "https://a.example/cb\nhttps://b.example/cb  https://c.example/cb";
    let spec = ClientSpec::new("https://a.example/cb").with("redirect_uris", uris);
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    for uri in uris.split_whitespace() {
        let redirect = visitor.grant(&client, &[("redirect_uri", uri)]).await;
        assert_eq!(redirect.uri, uri);
        let more = [("redirect_uri", uri)];
        let answer = app
            .http()
            .redeem(&client, redirect.param("code"), &more)
            .await;
        assert_eq!(answer.status, 200, "{uri}");
    }
    app.close().await;
}

fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name}: {document}"));
    values
        .iter()
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

// spec: behaviour.md, finding 23
#[tokio::test]
async fn finding_23_what_metadata_promises_works() {
    let app = scene::start().await;
    let document = app.http().get(CONFIGURATION).send().await.json();
    let grants = list(&document, "grant_types_supported");
    let everything = ClientSpec::new(REDIRECT)
        .grant_types(&grants.join(" "))
        .with("user", USER)
        .with("id_token_signed_response_alg", "RS256")
        .with("skip_authorization", "1");
    let client = app.add_client(everything.clone()).await;
    let mut visitor = scene::signed_in(&app).await;
    for kind in list(&document, "response_types_supported") {
        for mode in list(&document, "response_modes_supported") {
            if mode == "query" && kind != "code" {
                continue;
            }
            let changes = [
                ("response_type", kind.as_str()),
                ("response_mode", mode.as_str()),
                ("scope", "openid"),
                ("nonce", "n"),
            ];
            let answer = scene::authorize(&mut visitor, &client, &changes).await;
            let params = match mode.as_str() {
                "form_post" => scene::posted(&answer).1,
                _ => crema_testkit::Redirect::of(&answer).params,
            };
            for (part, name) in [
                ("code", "code"),
                ("token", "access_token"),
                ("id_token", "id_token"),
            ] {
                let promised = kind.split(' ').any(|one| one == part);
                assert_eq!(
                    params.contains_key(name),
                    promised,
                    "{kind} {mode}: {params:?}"
                );
            }
        }
    }
    let refresh_token = scene::tokens(&app, &client, "openid").await.refresh_token;
    for grant in grants {
        let params = match grant.as_str() {
            "authorization_code" | "implicit" => continue,
            "refresh_token" => vec![("refresh_token", refresh_token.as_str())],
            "password" => vec![("username", USER), ("password", PASSWORD)],
            "client_credentials" => vec![],
            other => panic!("{other}"),
        };
        let mut all = vec![("grant_type", grant.as_str())];
        all.extend(params);
        assert_eq!(app.http().token(&client, &all).await.status, 200, "{grant}");
    }
    for algorithm in list(&document, "id_token_signing_alg_values_supported") {
        let spec = everything
            .clone()
            .with("id_token_signed_response_alg", &algorithm);
        let client = app.add_client(spec).await;
        let token = scene::tokens(&app, &client, "openid")
            .await
            .id_token
            .unwrap();
        assert_eq!(jose_header(&token)["alg"], algorithm.as_str());
    }
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = list(
            &document,
            &format!("{endpoint}_endpoint_auth_methods_supported"),
        );
        assert!(
            methods.contains(&"client_secret_basic".to_owned()),
            "{methods:?}"
        );
        for name in methods {
            let method = crema_protocol::client_rules::AuthMethod::from_name(&name);
            let method = method.unwrap_or_else(|| panic!("{name} is promised"));
            let spec = everything
                .clone()
                .grant_types("authorization_code refresh_token");
            let client = app.add_client(spec.auth_method(method)).await;
            let tokens = scene::tokens(&app, &client, "openid").await;
            assert_eq!(
                app.http()
                    .introspect(&client, &tokens.access_token)
                    .await
                    .json()["active"],
                true
            );
            assert_eq!(
                app.http()
                    .revoke(&client, &tokens.access_token)
                    .await
                    .status,
                200
            );
        }
    }
    assert_eq!(
        list(&document, "code_challenge_methods_supported"),
        ["S256"]
    );
    for name in [
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ] {
        assert_eq!(document[name], false, "{name}");
    }
    for endpoint in [
        "authorization",
        "token",
        "userinfo",
        "revocation",
        "introspection",
    ] {
        let url = document[format!("{endpoint}_endpoint")]
            .as_str()
            .unwrap()
            .to_owned();
        let path = url.strip_prefix(&app.issuer()).unwrap().to_owned();
        let status = app.http().post(&path).form(&[]).send().await.status;
        assert!(
            (200..500).contains(&status) && status != 404 && status != 417,
            "{endpoint}"
        );
    }
    if let Some(url) = document["registration_endpoint"].as_str() {
        let path = url.strip_prefix(&app.issuer()).unwrap().to_owned();
        let body = json!({"redirect_uris": ["https://r.example/cb"]});
        assert_eq!(app.http().post(&path).json(&body).send().await.status, 201);
    }
    app.close().await;
}

// spec: behaviour.md, finding 24
#[tokio::test]
async fn finding_24_auto_counts_neither_expired_nor_foreign_tokens() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let other = scene::confidential(&app).await;
    let _ = scene::tokens(&app, &other, "openid").await;
    let _ = scene::tokens(&app, &client, "openid").await;
    scene::force(
        &app,
        "DELETE FROM \"tabOAuth Consent\" WHERE client <> ?",
        vec!["".into()],
    )
    .await;
    app.set_settings("OAuth Provider Settings", &[("skip_authorization", "Auto")])
        .await;
    let third = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let request = [("scope", "openid")];
    assert!(!scene::asks(
        &scene::authorize(&mut visitor, &client, &request).await
    ));
    assert!(scene::asks(
        &scene::authorize(&mut visitor, &third, &request).await
    ));
    app.clock.advance_seconds(3600);
    assert!(scene::asks(
        &scene::authorize(&mut visitor, &client, &request).await
    ));
    app.close().await;
}

// spec: behaviour.md, finding 25
#[tokio::test]
async fn finding_25_neither_sid_nor_password_are_read_from_the_address() {
    let app = scene::start().await;
    let visitor = scene::signed_in(&app).await;
    let with_sid = app
        .http()
        .get(WHO)
        .query(&[("sid", visitor.sid())])
        .send()
        .await;
    assert_eq!(with_sid.status, 401);
    let login = app
        .http()
        .get("/api/method/login")
        .query(&[("usr", USER), ("pwd", PASSWORD)]);
    let login = login.send().await;
    assert_eq!((login.status, login.header("allow")), (405, Some("POST")));
    assert!(login.cookies().is_empty());
    app.close().await;
}

// spec: behaviour.md, finding 26
#[tokio::test]
async fn finding_26_the_lock_says_429_and_believes_no_forwarded_address() {
    let app = scene::start().await;
    let from = |address: &str, usr: &str, pwd: &str| {
        let request = app
            .http()
            .post("/api/method/login")
            .header("X-Forwarded-For", address);
        request.form(&[("usr", usr), ("pwd", pwd)])
    };
    for number in 0..10 {
        let address = format!("192.0.2.{number}");
        let usr = format!("user-{number}@example.com");
        assert_eq!(from(&address, &usr, "wrong").send().await.status, 401);
    }
    let locked = from("192.0.2.99", USER, PASSWORD).send().await;
    assert_eq!(locked.status, 429);
    assert!(locked.header("retry-after").is_some());
    app.close().await;
}

// spec: behaviour.md, finding 29
#[tokio::test]
async fn finding_29_a_login_key_for_elsewhere_is_not_this_sites_issuer() {
    let app = scene::start().await;
    scene::insert_social_login_key(&app, "frappe", "https://elsewhere.example").await;
    let client = scene::confidential(&app).await;
    let document = app.http().get(CONFIGURATION).send().await.json();
    assert_eq!(document["issuer"], app.issuer().as_str());
    let mut visitor = scene::signed_in(&app).await;
    let redirect = visitor.grant(&client, &[("scope", "openid")]).await;
    assert_eq!(redirect.param("iss"), app.issuer());
    let tokens = app
        .http()
        .redeem(&client, redirect.param("code"), &[])
        .await
        .tokens();
    assert_eq!(
        claims(&tokens.id_token.unwrap())["iss"],
        app.issuer().as_str()
    );
    assert!(!document.to_string().contains("elsewhere"));
    app.close().await;
}

// spec: behaviour.md, finding 30
#[tokio::test]
async fn finding_30_ordinary_mistakes_are_told_as_such() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    // Missing client_id, in both kinds of grants.
    for form in [
        vec![("grant_type", "authorization_code"), ("code", "x")],
        vec![("grant_type", "refresh_token"), ("refresh_token", "x")],
        vec![],
    ] {
        let answer = call(&http, "get_token", &form).send().await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_client")
        );
    }
    // Odd characters in state.
    let mut visitor = scene::signed_in(&app).await;
    let state = "\"<>{}\u{e9}^`|\\ ";
    let redirect = visitor.grant(&client, &[("state", state)]).await;
    assert_eq!(redirect.param("state"), state);
    // A missing user_id cookie.
    let page = scene::authorize(&mut visitor, &client, &[]).await;
    visitor.cookies.retain(|name, _| name == "sid");
    assert_eq!(visitor.decide(&page, "allow").await.status, 302);
    // Malformed JSON, missing arguments.
    for endpoint in ["get_token", "revoke_token", "introspect_token"] {
        let request = http
            .post(&method(endpoint))
            .header("Content-Type", "application/json");
        let answer = request.body("{").send().await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_request")
        );
        let nothing = http.client_request(endpoint, &client, &[]).send().await;
        assert_eq!(
            (nothing.status, nothing.error().as_str()),
            (400, "invalid_request")
        );
    }
    assert_eq!(http.get(&method("authorize")).send().await.status, 400);
    // Another doctype as the source of keys.
    let source = http
        .get(WHO)
        .header("Frappe-Authorization-Source", "Note")
        .bearer("x");
    assert_eq!(source.send().await.status, 401);
    app.close().await;
}

async fn errors(app: &App) -> Vec<crema_testkit::Response> {
    let mut visitor = scene::signed_in(app).await;
    let mut answers = Vec::new();
    for path in [
        "/api/method/none",
        "/api/method/frappe.client.none",
        "/nothing",
        "/api/nothing",
    ] {
        let request = visitor.http().get(path);
        answers.push(visitor.send(request).await);
    }
    for name in ["authorize", "approve", "get_token", "openid_profile"] {
        let request = visitor
            .http()
            .post(&method(name))
            .body("{")
            .header("Content-Type", "application/json");
        answers.push(visitor.send(request).await);
    }
    answers
}

// spec: behaviour.md, finding 31
#[tokio::test]
async fn finding_31_nobody_gets_a_traceback() {
    let app = scene::start().await;
    app.set_settings("System Settings", &[("allow_error_traceback", "1")])
        .await;
    app.set_config("developer_mode", 1);
    for answer in errors(&app).await {
        let text = answer.text();
        assert!(
            answer.status >= 400 && answer.status < 500,
            "{}: {text}",
            answer.status
        );
        for sign in ["Traceback", "File \"", ".rs:", "panicked", "SELECT"] {
            assert!(!text.contains(sign), "{sign}: {text}");
        }
    }
    app.close().await;
}

// spec: behaviour.md, finding 32
#[tokio::test]
async fn finding_32_another_site_signs_nobody_out_by_a_link() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    let link = visitor
        .http()
        .get("/api/method/logout")
        .header("Sec-Fetch-Site", "cross-site");
    let answer = visitor.send(link).await;
    assert_eq!(answer.media_type(), "text/html");
    let request = visitor.http().get(WHO);
    assert_eq!(visitor.send(request).await.status, 200);
    app.close().await;
}

// spec: behaviour.md, finding 33
#[tokio::test]
async fn finding_33_an_unknown_refresh_token_is_an_oauth_error() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let answer = app.http().refresh(&client, "unknown").await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (400, "invalid_grant")
    );
    assert!(answer.json().get("exc_type").is_none());
    app.close().await;
}

// spec: behaviour.md, finding 34
#[tokio::test]
async fn finding_34_empty_scopes_supported_are_no_empty_scope() {
    let app = scene::start().await;
    for text in ["", " ", "\n"] {
        app.set_settings("OAuth Settings", &[("scopes_supported", text)])
            .await;
        for name in [
            "openid-configuration",
            "oauth-authorization-server",
            "oauth-protected-resource",
        ] {
            let document = app
                .http()
                .get(&format!("/.well-known/{name}"))
                .send()
                .await
                .json();
            let scopes = document.get("scopes_supported");
            let empty =
                scopes.is_some_and(|scopes| scopes.as_array().unwrap().contains(&json!("")));
            assert!(!empty, "{name}: {document}");
        }
    }
    app.close().await;
}
