//! What may be registered, and how it is answered.

use crema_testkit::{App, Engine, for_each_engine};
use serde_json::{Value, json};

use super::{
    REGISTER, SETTINGS, clients, confidential, management, public, refused, registered,
    registration, text,
};

for_each_engine! {
    // spec: standards.md, I, "return everything registered incl. defaults replaced by us"
    // spec: RFC 7591 §3.2.1
    async fn everything_registered_is_answered_and_kept(app: &App) {
        let http = app.http();
        let mut sent = json!({
            "client_name": "Full App",
            "client_name#de": "Volle \"App\" \\ <b>",
            "client_uri#de": "https://app.example/de",
            "redirect_uris": ["https://app.example/cb", "https://app.example/cb2", "http://127.0.0.1:9/cb"],
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "application_type": "native",
            "id_token_signed_response_alg": "ES256",
            "scope": "email openid",
            "client_uri": "https://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "tos_uri": "https://app.example/tos",
            "policy_uri": "https://app.example/policy",
            "contacts": ["a@app.example", "b@app.example"],
            "software_id": "soft-1",
            "software_version": "1.2.3",
            "post_logout_redirect_uris": ["https://app.example/bye"],
            "something_else": {"is": "ignored"},
        });
        let answer = registration(&http, &sent).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.media_type(), "application/json");
        assert!(answer.header("cache-control").unwrap().contains("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        assert!(answer.cookies().is_empty());
        let mut information = answer.json();
        let read = management(&http, "GET", &information).send().await.json();

        let members = information.as_object_mut().unwrap();
        let id = members.remove("client_id").unwrap();
        let uri = format!("{}{REGISTER}?client_id={}", http.origin(), id.as_str().unwrap());
        assert_eq!(members.remove("registration_client_uri").unwrap(), uri);
        let secret = members.remove("client_secret").unwrap();
        assert!(secret.as_str().unwrap().len() >= 43);
        let token = members.remove("registration_access_token").unwrap();
        assert!(token.as_str().unwrap().len() >= 43);
        assert_eq!(members.remove("client_secret_expires_at"), Some(json!(0)));
        let issued = members.remove("client_id_issued_at").unwrap();
        assert_eq!(issued, crema_testkit::app::START.seconds());
        sent.as_object_mut().unwrap().remove("something_else");
        assert_eq!(information, sent);

        // What is read later is the same, but for the secret.
        let members = information.as_object_mut().unwrap();
        members.insert("client_id".to_owned(), id);
        members.insert("registration_client_uri".to_owned(), json!(uri));
        members.insert("registration_access_token".to_owned(), token.clone());
        members.insert("client_secret_expires_at".to_owned(), json!(0));
        members.insert("client_id_issued_at".to_owned(), issued);
        assert_eq!(read, information);

        // spec: security.md, Codes and tokens, "stored as SHA-256 only"
        let hash = crema_crypto::hash_hex(token.as_str().unwrap());
        let sql = r#"SELECT COUNT(*) FROM "tabRegistration Access Token"
            WHERE token = ? AND purpose = 'Manage' AND status = 'Active'"#;
        assert_eq!(app.count(sql, vec![hash.into()]).await, 1);
        // spec: security.md, Audit, "client change"
        let sql = r#"SELECT COUNT(*) FROM "tabActivity Log" WHERE operation = 'Client Changed'
            AND reference_name = ? AND content LIKE '%created%'"#;
        assert_eq!(app.count(sql, vec![text(&information, "client_id").into()]).await, 1);
    }

    // spec: http.md, register_client; security.md, Clients
    async fn the_record_is_that_of_somebody_whom_nobody_vouched_for(app: &App) {
        let information = registered(&app.http(), &public()).await;
        assert!(information.get("client_secret").is_none());
        assert_eq!(information["scope"], "openid profile email offline_access");
        let sql = r#"SELECT dynamically_registered, require_pkce, may_introspect, claims_in_id_token,
            skip_authorization, enabled, owner FROM "tabOAuth Client" WHERE name = ?"#;
        let rows = app.rows(sql, vec![text(&information, "client_id").into()]).await;
        let flags: Vec<i64> = (0..6).map(|index| rows[0].int(index).unwrap()).collect();
        assert_eq!(flags, [1, 1, 0, 0, 0, 1]);
        assert_eq!(rows[0].text(6).unwrap(), "Guest");
        // What processes keep in memory stays good: a stranger cannot have it read again.
        let version = r#"SELECT version FROM "__version""#;
        let before = app.count(version, vec![]).await;
        registered(&app.http(), &public()).await;
        assert_eq!(app.count(version, vec![]).await, before);
    }

    // spec: security.md, Inputs, outputs, network, "a length limit that is the same on every database"
    async fn the_largest_registration_is_taken_and_one_more_is_not(app: &App) {
        let http = app.http();
        let wide = |count: usize| "\u{1f600}".repeat(count);
        let page = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
        let uris = |scheme: &str, total: usize| -> Vec<String> {
            let uri = |number: usize| format!("{scheme}://a.example/{number:02}{}", "y".repeat(140));
            let each = uri(0).len() + 1;
            (0..total / each).map(uri).collect()
        };
        let mut largest = json!({
            "client_name": wide(140),
            "redirect_uris": uris("https", 16_000),
            "post_logout_redirect_uris": uris("https", 16_000),
            "client_uri": page(2048),
            "logo_uri": page(2048),
            "tos_uri": page(2048),
            "policy_uri": page(2048),
            "software_id": wide(500),
            "software_version": wide(500),
            "contacts": [wide(1999), wide(1996) + "\"\\'"],
        });
        for number in 10..58 {
            largest[format!("client_name#x{number}")] = json!(format!("{}{}", wide(30), "\"\\".repeat(14)));
        }
        let information = registered(&http, &largest).await;
        for (name, value) in largest.as_object().unwrap() {
            assert_eq!(&information[name], value, "{name}");
        }
        for (name, value) in [
            ("client_name", json!(wide(141))),
            ("client_uri", json!(page(2049))),
            ("software_id", json!(wide(501))),
            ("contacts", json!([wide(4000)])),
            ("redirect_uris", json!(uris("https", 16_300))),
            ("client_name#x99", json!(wide(140))),
        ] {
            let mut one_more = largest.clone();
            one_more[name] = value;
            let answer = registration(&http, &one_more).send().await;
            refused(&answer, 400, "invalid_client_metadata");
        }
    }

    // spec: security.md, Inputs, outputs, network, "No input gives a 500"
    async fn what_is_refused_leaves_nothing_behind(app: &App) {
        let http = app.http();
        let no_limit = [("registration_limit", "1000")];
        app.set_settings(SETTINGS, &no_limit).await;
        let before = clients(app).await;
        for (members, error) in [
            (json!({"redirect_uris": ["http://app.example/cb"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["myapp://cb"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["javascript:alert(1)"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["https://app.example/cb#f"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": []}), "invalid_client_metadata"),
            (json!({"grant_types": ["password"]}), "invalid_client_metadata"),
            (json!({"grant_types": ["client_credentials"]}), "invalid_client_metadata"),
            (json!({"response_types": ["token"]}), "invalid_client_metadata"),
            (json!({"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"),
            (json!({"scope": "all"}), "invalid_client_metadata"),
            (json!({"client_name": 5}), "invalid_client_metadata"),
            (json!({"client_name": "x".repeat(141)}), "invalid_client_metadata"),
            (json!({"client_name": "a\u{0}b"}), "invalid_client_metadata"),
            (json!({"client_uri": "javascript:alert(1)"}), "invalid_client_metadata"),
            (json!({"jwks": {}, "jwks_uri": "https://a.example/"}), "invalid_client_metadata"),
            (json!({"software_statement": "x"}), "invalid_software_statement"),
            (json!({"software_statement": "eyJ9.eyJ9.c2ln"}), "unapproved_software_statement"),
        ] {
            let mut metadata = confidential("client_secret_basic");
            for (name, value) in members.as_object().unwrap() {
                metadata[name] = value.clone();
            }
            let answer = registration(&http, &metadata).send().await;
            refused(&answer, 400, error);
            assert!(!answer.member("error_description").is_empty());
            assert!(answer.header("cache-control").unwrap().contains("no-store"));
        }
        let deep = format!(r#"{{"redirect_uris": ["https://a.example/"], "x": {}1{}}}"#, "[".repeat(70), "]".repeat(70));
        let twice = r#"{"redirect_uris": ["https://a.example/"], "scope": "openid", "scope": "all"}"#;
        for body in ["", "null", "[]", "5", "{bad", "\"x\"", "{}", deep.as_str(), twice, "\u{feff}{}"] {
            let json = http.post(REGISTER).header("Content-Type", "application/json; charset=utf-8");
            refused(&json.body(body).send().await, 400, "invalid_client_metadata");
        }
        let json = http.post(REGISTER).header("Content-Type", "application/json");
        refused(&json.body(b"{\"client_name\": \"\xff\"}".as_slice()).send().await, 400, "invalid_client_metadata");
        assert_eq!(clients(app).await, before);
        let sql = r#"SELECT COUNT(*) FROM "tabRegistration Access Token""#;
        assert_eq!(app.count(sql, vec![]).await, 0);
    }
}

// spec: http.md, register_client, "JSON body only (415 otherwise)"
#[tokio::test]
async fn other_bodies_are_not_read() {
    let app = App::start(Engine::Sqlite).await;
    let metadata = public().to_string();
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/json",
        "multipart/form-data; boundary=x",
    ] {
        let request = app.http().post(REGISTER).header("Content-Type", kind);
        let answer = request.body(metadata.as_str()).send().await;
        assert_eq!(answer.status, 415, "{kind}");
        assert_eq!(answer.media_type(), "application/json");
    }
    let without = app.http().post(REGISTER).body(metadata).send().await;
    assert_eq!(without.status, 415);
    let large = json!({"redirect_uris": ["https://a.example/"], "x": "y".repeat(1024 * 1024)});
    assert_eq!(registration(&app.http(), &large).send().await.status, 413);
    app.close().await;
}

// spec: http.md, register_client, "Off: 404 JSON"
#[tokio::test]
async fn switched_off_nothing_is_there_at_once_and_in_every_process() {
    let app = App::start(Engine::Sqlite).await;
    let second = app.second_server().await;
    let information = registered(&app.http(), &public()).await;
    app.set_settings(SETTINGS, &[("enable_dynamic_client_registration", "0")])
        .await;
    for http in [app.http(), second.http()] {
        let form = http.post(REGISTER).form(&[("client_name", "x")]);
        for request in [registration(&http, &public()), form] {
            let answer = request.header("Accept", "text/html").send().await;
            assert_eq!(answer.status, 404, "{}", answer.text());
            assert_eq!(answer.media_type(), "application/json");
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let request = management(&app.http(), method, &information).json(&public());
        assert_eq!(request.send().await.status, 404, "{method}");
    }
    app.set_settings(SETTINGS, &[("enable_dynamic_client_registration", "1")])
        .await;
    let request = management(&second.http(), "GET", &information);
    assert_eq!(request.send().await.status, 200);
    second.stop().await;
    app.close().await;
}

// spec: RFC 9110 §15.5.6
#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let app = App::start(Engine::Sqlite).await;
    for method in ["GET", "PUT", "DELETE"] {
        let answer = app.http().request(method, REGISTER).body("").send().await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
    for method in ["PATCH", "HEAD"] {
        let answer = app.http().request(method, REGISTER).send().await;
        assert_eq!(answer.status, 405, "{method}");
    }
    let v2 = REGISTER.replace("/api/", "/api/v2/");
    let answer = app.http().post(&v2).json(&public()).send().await;
    assert_eq!(
        answer.status,
        201,
        "flat in every version: {}",
        answer.text()
    );
    assert!(answer.json()["client_id"].is_string());
    app.close().await;
}

// spec: http.md, register_client, "Registered clients may ask for the scopes that OAuth Settings allow"
#[tokio::test]
async fn scopes_are_cut_down_to_what_settings_allow() {
    let app = App::start(Engine::Sqlite).await;
    let http = app.http();
    let scope_of = async |scope: &str| {
        let mut metadata = public();
        metadata["scope"] = json!(scope);
        let answer = registration(&http, &metadata).send().await;
        (answer.status, answer.json()["scope"].clone())
    };
    assert_eq!(
        scope_of("openid all todo:read").await,
        (201, json!("openid"))
    );
    assert_eq!(scope_of("todo:read").await, (400, Value::Null));
    app.set_settings(SETTINGS, &[("registration_scopes", "openid\ntodo:*")])
        .await;
    assert_eq!(
        scope_of("todo:read openid email").await,
        (201, json!("todo:read openid"))
    );
    assert_eq!(scope_of("").await, (201, json!("openid todo:*")));
    app.close().await;
}

// spec: security.md, Sign-in and sessions, "Exempt by default: … register"
#[tokio::test]
async fn sessions_play_no_role() {
    let app = App::start(Engine::Sqlite).await;
    app.add_user(super::USER, super::PASSWORD, &["System Manager"])
        .await;
    let mut visitor = app.signed_in(super::USER, super::PASSWORD).await;
    visitor.csrf_token().await;
    let request = visitor
        .http()
        .post(REGISTER)
        .header("Origin", "https://evil.example");
    let request = request
        .header("Sec-Fetch-Site", "cross-site")
        .json(&public());
    let answer = visitor.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let sql = r#"SELECT owner FROM "tabOAuth Client" WHERE name = ?"#;
    let rows = app.rows(sql, vec![answer.member("client_id").into()]).await;
    assert_eq!(rows[0].text(0).unwrap(), "Guest");
    app.close().await;
}
