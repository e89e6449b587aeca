//! How tokens lie in the database, and how they are found.

use crema_testkit::flow::method;
use crema_testkit::{App, ClientSpec, for_each_engine};

use crate::security::scene::{self, REDIRECT, is_alive};

/// What a careless comparison would take for the same.
fn look_alikes(secret: &str) -> Vec<String> {
    let swapped: String = secret
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    vec![
        secret.to_uppercase(),
        secret.to_lowercase(),
        swapped,
        format!("{secret} "),
        format!(" {secret}"),
        format!("{secret}\t"),
        format!("{secret}\u{a0}"),
        format!("{secret}\u{200b}"),
        format!("{}%", &secret[..10]),
        secret.replace(|c: char| c.is_ascii_digit(), "_"),
        format!("{secret}x"),
        crema_crypto::hash_hex(secret),
    ]
}

for_each_engine! {
    // spec: security.md, Codes and tokens, line 5: exact and case-sensitive on every database
    async fn tokens_are_found_exactly_or_not_at_all(app: &App) {
        scene::add_user(app).await;
        let client = scene::public(app).await;
        let http = app.http();
        let code = scene::code(app, &client, "openid").await;
        for other in look_alikes(&code) {
            assert_eq!(http.redeem(&client, &other, &[]).await.error(), "invalid_grant", "{other:?}");
        }
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        for other in look_alikes(&tokens.access_token) {
            let about = http.introspect(&client, &other).await;
            assert_eq!(about.json(), serde_json::json!({"active": false}), "{other:?}");
            assert_eq!(http.revoke(&client, &other).await.status, 200);
            let header = format!("Bearer {other}");
            let trimmed = other.trim() == tokens.access_token;
            if !trimmed && other.is_ascii() {
                let who = http.get("/api/method/frappe.auth.get_logged_user");
                let who = who.header("Authorization", &header).send().await;
                assert_eq!(who.status, 401, "{other:?}");
            }
        }
        for other in look_alikes(&tokens.refresh_token) {
            assert_eq!(http.refresh(&client, &other).await.error(), "invalid_grant", "{other:?}");
            assert_eq!(http.revoke(&client, &other).await.status, 200);
        }
        assert!(is_alive(&http, &tokens.access_token).await, "none of that revoked it");
        assert_eq!(http.refresh(&client, &tokens.refresh_token).await.status, 200);
    }

    // spec: security.md, Codes and tokens, line 5: client ids, session ids and handles too
    async fn client_ids_and_session_ids_are_found_exactly_or_not_at_all(app: &App) {
        scene::add_user(app).await;
        let client = scene::public(app).await;
        let http = app.http();
        let mut visitor = scene::signed_in(app).await;
        for other in look_alikes(&format!("{}abcdefghij", client.client_id)) {
            let other = other.replacen("abcdefghij", "", 1);
            if other == client.client_id {
                continue;
            }
            let revoked = http.post(&method("revoke_token"))
                .form(&[("client_id", other.as_str()), ("token", "x")]);
            assert_eq!(revoked.send().await.status, 401, "{other:?}");
            let page = scene::authorize(&mut visitor, &client, &[("client_id", &other)]).await;
            assert_eq!(page.status, 400, "{other:?}");
        }
        for other in [client.client_id.to_uppercase(), format!("{} ", client.client_id)] {
            let page = scene::authorize(&mut visitor, &client, &[("client_id", &other)]).await;
            assert_eq!((page.status, page.location()), (400, None), "{other:?}");
        }
        let sid = visitor.sid().to_owned();
        for other in look_alikes(&sid).into_iter().filter(|other| other.trim() != sid && *other != sid) {
            let mut thief = app.visitor();
            thief.cookies.insert("sid".to_owned(), other.clone());
            let who = thief.http().get("/api/method/frappe.auth.get_logged_user");
            assert_eq!(thief.send(who).await.status, 401, "{other:?}");
        }
    }

    // spec: security.md, Codes and tokens, line 5: stored as SHA-256 only
    async fn the_database_holds_hashes_only(app: &App) {
        scene::add_user(app).await;
        let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code refresh_token implicit");
        let client = app.add_client(spec).await;
        let mut visitor = scene::signed_in(app).await;
        let pending = visitor.code(&client, &[("scope", "openid")]).await;
        let code = visitor.code(&client, &[("scope", "openid")]).await;
        let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
        let newest = app.http().refresh(&client, &tokens.refresh_token).await.tokens();
        let implicit = visitor.grant(&client, &[
            ("response_type", "id_token token"), ("scope", "openid"), ("nonce", "n"),
        ]).await;
        let demanded = scene::authorize(&mut visitor, &client, &[("prompt", "login")]).await;
        let back = visitor.sent_to_login(&demanded);
        let (_, handle) = back.split_once("login_handle=").unwrap();
        let dump = scene::dump(app).await;
        for (what, hashed) in [
            ("code", &code), ("pending code", &pending),
            ("access token", &newest.access_token), ("refresh token", &newest.refresh_token),
            ("old access token", &tokens.access_token),
            ("old refresh token", &tokens.refresh_token),
            ("implicit token", &implicit.params["access_token"]),
            ("sid", &visitor.sid().to_owned()), ("handle", &handle.to_owned()),
        ] {
            assert!(!dump.contains(hashed.as_str()), "{what} is stored in clear");
            assert!(dump.contains(&crema_crypto::hash_hex(hashed)), "{what} is stored");
        }
        for (what, secret) in [
            ("client secret", client.secret()),
            ("password", scene::PASSWORD),
            ("CSRF token", visitor.csrf_token().await.as_str()),
            ("ID token", newest.id_token.as_deref().unwrap()),
            ("ID token", implicit.param("id_token")),
        ] {
            assert!(!dump.contains(secret), "{what} is stored");
        }
    }
}

async fn files_contain(app: &App, secret: &str) -> bool {
    let mut folders = vec![app.bench().root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            if bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
            {
                return true;
            }
        }
    }
    false
}

// spec: security.md, Codes and tokens, line 5: not in the files behind SQLite either
#[tokio::test]
async fn the_files_of_a_site_hold_no_token() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let code = visitor.code(&client, &[("scope", "openid")]).await;
    let tokens = app.http().redeem(&client, &code, &[]).await.tokens();
    assert!(files_contain(&app, &crema_crypto::hash_hex(&tokens.access_token)).await);
    for secret in [
        &code,
        &tokens.access_token,
        &tokens.refresh_token,
        &visitor.sid().to_owned(),
        &client.secret().to_owned(),
        &scene::PASSWORD.to_owned(),
    ] {
        assert!(!files_contain(&app, secret).await, "{secret}");
    }
    app.close().await;
}

// spec: security.md, Codes and tokens, line 5; Inputs, outputs, network, line 5
#[tokio::test]
async fn wildcards_and_quotes_are_data() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    for text in [
        "%",
        "_",
        "*",
        "' OR '1'='1",
        "\" OR \"\"=\"",
        "\\",
        "x'; DROP TABLE \"tabUser\"; --",
    ] {
        let about = app.http().introspect(&client, text).await;
        assert_eq!(about.json(), serde_json::json!({"active": false}), "{text}");
        assert_eq!(
            app.http().refresh(&client, text).await.error(),
            "invalid_grant"
        );
        assert_eq!(
            app.http().redeem(&client, text, &[]).await.error(),
            "invalid_grant"
        );
        assert_eq!(app.visitor().try_login(text, text).await.status, 401);
        let request = [("client_id", text), ("response_type", "code")];
        let page = app
            .http()
            .get(&method("authorize"))
            .query(&request)
            .send()
            .await;
        assert_eq!((page.status, page.location()), (400, None), "{text}");
    }
    assert!(is_alive(&app.http(), &tokens.access_token).await);
    app.close().await;
}
