//! From nothing but an address to tokens, and what becomes of them.

use crema_testkit::flow::claims;
use crema_testkit::visitor::Redirect;
use crema_testkit::{Engine, for_each_engine};

use super::*;

for_each_engine! {
    // spec: standards.md U, "CIMD M: client_id is an https URL with a path"
    async fn an_address_is_all_that_a_client_needs(engine: Engine) {
        let world = World::new(engine).await;
        let before = world.records().await;
        // A stranger makes the server look, and leaves no record.
        let answer = world.ask(&[]).await;
        assert!(world.app.visitor().sent_to_login(&answer).contains("app.example"));
        assert_eq!(world.site.requests(), 1);
        let mut visitor = world.user().await;
        let scope = [("scope", "openid offline_access")];
        let page = authorize(&mut visitor, &scope).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(world.records().await, before);

        let answer = visitor.decide(&page, "allow").await;
        let redirect = Redirect::of(&answer);
        assert_eq!(redirect.uri, CALLBACK);
        assert_eq!(redirect.param("iss"), world.app.issuer());
        assert_eq!(world.records().await, before + 1);
        let http = world.app.http();
        let tokens = http.redeem(&client(), redirect.param("code"), &[]).await.tokens();
        let id_token = claims(tokens.id_token.as_deref().unwrap());
        assert_eq!(id_token["aud"], ADDRESS);
        assert!(id_token.get("email").is_none(), "userinfo tells");
        let who = http.userinfo(&tokens.access_token).await;
        assert_eq!(who.json()["sub"], id_token["sub"]);
        assert_eq!(http.logged_user(&tokens.access_token).await.json()["message"], USER);

        let seen = http.introspect(&client(), &tokens.access_token).await.json();
        assert_eq!(seen["active"], true);
        assert_eq!((&seen["client_id"], &seen["aud"]), (&json!(ADDRESS), &json!(ADDRESS)));
        assert_eq!(seen["trusted_client"], 0);

        let next = http.refresh(&client(), &tokens.refresh_token).await.tokens();
        assert_eq!(claims(next.id_token.as_deref().unwrap())["aud"], ADDRESS);
        assert_eq!(http.logged_user(&tokens.access_token).await.status, 401);
        assert_eq!(http.revoke(&client(), &next.refresh_token).await.status, 200);
        let seen = http.introspect(&client(), &next.access_token).await.json();
        assert_eq!(seen, json!({"active": false}));
        assert_eq!(world.site.requests(), 1, "one look was enough for all of it");
        world.close().await;
    }

    // spec: doctypes.md, "A metadata-document client gets a random name and the hash of its URL"
    async fn its_record_has_a_name_of_its_own(engine: Engine) {
        let world = World::new(engine).await;
        let mut visitor = world.user().await;
        let code = visitor.code(&client(), &[]).await;
        let name = world.column("name").await;
        assert_eq!(name.len(), 10);
        assert_eq!(world.column("client_id").await, name);
        assert_eq!(world.column("app_name").await, "Acme Notes");
        assert_eq!(world.column("redirect_uris").await, format!("{CALLBACK}\n{LOOPBACK}"));
        assert_eq!(world.column("token_endpoint_auth_method").await, "None");
        let hash = crema_crypto::hash_hex(ADDRESS);
        assert_eq!(world.column("metadata_document_hash").await, hash);
        assert_eq!(world.column("owner").await, USER);
        let flags = format!(
            r#"SELECT dynamically_registered + enabled * 10 + require_pkce * 100
            + skip_authorization * 1000 + may_introspect * 10000
            FROM "tabOAuth Client" WHERE name = '{name}'"#
        );
        assert_eq!(world.app.count(&flags, vec![]).await, 111);

        // That name is nobody's client_id.
        let answer = world.ask(&[("client_id", &name)]).await;
        assert_eq!(answer.status, 400);
        let renamed = crema_testkit::TestClient { client_id: name, ..client() };
        let answer = world.app.http().redeem(&renamed, &code, &[]).await;
        assert_eq!((answer.status, answer.error()), (401, "invalid_client".to_owned()));
        assert_eq!(world.app.http().redeem(&client(), &code, &[]).await.status, 200);
        world.close().await;
    }

    // spec: security.md, Audit, "Every … consent, token issue, … client change"
    async fn the_audit_trail_knows_who_let_it_in(engine: Engine) {
        let world = World::new(engine).await;
        let entries = async |operation: &str| {
            let sql = r#"SELECT "user", reference_name, content FROM "tabActivity Log"
                WHERE operation = ? ORDER BY creation"#;
            let rows = world.app.rows(sql, vec![operation.into()]).await;
            let text = |row: &crema_store::Row, index| {
                row.opt_text(index).unwrap().unwrap_or_default().to_owned()
            };
            rows.iter().map(|row| (text(row, 0), text(row, 1), text(row, 2))).collect::<Vec<_>>()
        };
        let mut visitor = world.user().await;
        let page = authorize(&mut visitor, &[]).await;
        let denied = Redirect::of(&visitor.decide(&page, "deny").await);
        assert_eq!(denied.param("error"), "access_denied");
        let consents = entries("Consent").await;
        assert_eq!((consents[0].0.as_str(), consents[0].1.as_str()), (USER, ""));
        assert!(consents[0].2.contains(ADDRESS), "{consents:?}");

        // Rows of one moment have no order.
        world.app.clock.advance_seconds(1);
        visitor.code(&client(), &[]).await;
        let name = world.column("name").await;
        let changes = entries("Client Changed").await;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].0.as_str(), &changes[0].1), (USER, &name));
        for part in ["created", ADDRESS, CALLBACK, "Acme Notes"] {
            assert!(changes[0].2.contains(part), "{changes:?}");
        }
        assert_eq!(entries("Consent").await[1].1, name);
        world.close().await;
    }
}

// spec: security.md, Authorization endpoint, line 2: redirect URIs byte for byte, the port of
// loopback ones aside; "by metadata document must send `redirect_uri`"
#[tokio::test]
async fn answers_go_where_the_document_says() {
    let world = World::new(Engine::Sqlite).await;
    for bad in [
        "",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://other.example/cb",
        "https://app.example:8443/cb",
        "http://127.0.0.1/other",
        "http://localhost/cb",
        "javascript:alert(1)",
    ] {
        let answer = world.ask(&[("redirect_uri", bad)]).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{bad}");
    }
    let mut visitor = world.user().await;
    let elsewhere = at("http://127.0.0.1:53682/cb");
    let code = visitor.code(&elsewhere, &[]).await;
    let http = world.app.http();
    let other = http.redeem(&at("http://127.0.0.1:1/cb"), &code, &[]).await;
    assert_eq!(other.error(), "invalid_grant");
    world.close().await;
}

// spec: security.md, Clients, "Public clients (`None`) send `client_id` only, must use PKCE S256"
#[tokio::test]
async fn it_is_a_public_client_with_pkce() {
    let world = World::new(Engine::Sqlite).await;
    let mut visitor = world.user().await;
    let request = [("code_challenge", ""), ("code_challenge_method", "")];
    let refused = Redirect::of(&authorize(&mut visitor, &request).await);
    assert_eq!(refused.param("error"), "invalid_request");
    assert!(refused.param("error_description").contains("PKCE"));
    let plain = [("code_challenge_method", "plain")];
    let refused = Redirect::of(&authorize(&mut visitor, &plain).await);
    assert_eq!(refused.param("error"), "invalid_request");
    for kind in ["token", "id_token", "code token"] {
        let request = [("response_type", kind), ("nonce", "n")];
        let refused = Redirect::of(&authorize(&mut visitor, &request).await);
        assert_eq!(refused.param("error"), "unauthorized_client", "{kind}");
    }

    let code = visitor.code(&client(), &[]).await;
    let http = world.app.http();
    let lying = crema_testkit::TestClient {
        client_secret: Some("a secret".to_owned()),
        ..client()
    };
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let refused = http.redeem(&lying.by(method), &code, &[]).await;
        assert_eq!(refused.error(), "invalid_client", "{method:?}");
    }
    let params = [("grant_type", "client_credentials")];
    let refused = http.token(&client(), &params).await;
    assert_eq!(refused.error(), "unauthorized_client");
    let refused = http
        .redeem(&client(), &code, &[("code_verifier", "")])
        .await;
    assert_eq!(refused.error(), "invalid_grant");
    world.close().await;
}

// spec: http.md, register_client, "Registered clients may ask for the scopes that OAuth Settings
// allow for registration"
#[tokio::test]
async fn its_scopes_are_those_of_strangers() {
    let world = World::new(Engine::Sqlite).await;
    let mut visitor = world.user().await;
    let http = world.app.http();
    let code = visitor.code(&client(), &[]).await;
    let usual = http.redeem(&client(), &code, &[]).await.tokens();
    assert_eq!(usual.scope, "openid profile email offline_access");
    let refused = Redirect::of(&authorize(&mut visitor, &[("scope", "all")]).await);
    assert_eq!(refused.param("error"), "invalid_scope");
    let asked = [("scope", "openid todo:read")];
    let code = visitor.code(&client(), &asked).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    assert_eq!(tokens.scope, "openid");

    // More is there at once when the site allows more, and less when it allows less.
    let allow = async |scopes: &str| {
        let setting = [("registration_scopes", scopes)];
        world.app.set_settings("OAuth Settings", &setting).await;
    };
    allow("openid todo:read").await;
    let code = visitor.code(&client(), &asked).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    assert_eq!(tokens.scope, "openid todo:read");
    assert_eq!(world.column("scopes").await, "openid todo:read");
    allow("openid").await;
    let code = visitor.code(&client(), &asked).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    assert_eq!(tokens.scope, "openid");
    assert_eq!(world.column("scopes").await, "openid");
    world.close().await;
}

// spec: http.md, Metadata, `client_id_metadata_document_supported`
#[tokio::test]
async fn switched_off_an_address_is_an_unknown_client() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let supported = async || {
        let path = "/.well-known/oauth-authorization-server";
        let metadata = http.get(path).send().await.json();
        metadata["client_id_metadata_document_supported"] == true
    };
    assert!(supported().await);
    let mut visitor = world.user().await;
    let code = visitor.code(&client(), &[]).await;
    let tokens = http.redeem(&client(), &code, &[]).await.tokens();
    let asked = world.site.requests();
    let switch = async |value: &str| {
        let setting = [("enable_client_id_metadata_documents", value)];
        world.app.set_settings("OAuth Settings", &setting).await;
    };
    switch("0").await;
    assert!(!supported().await);
    for id in [ADDRESS, "https://app.example/another"] {
        let answer = authorize(&mut visitor, &[("client_id", id)]).await;
        assert_eq!((answer.status, answer.location()), (400, None));
        assert!(answer.text().contains("no OAuth Client with this id"));
    }
    let refused = http.refresh(&client(), &tokens.refresh_token).await;
    assert_eq!(
        (refused.status, refused.error()),
        (401, "invalid_client".to_owned())
    );
    // What it has it keeps until its end: the switch is about new ones.
    assert_eq!(http.logged_user(&tokens.access_token).await.status, 200);
    switch("1").await;
    assert_eq!(
        http.refresh(&client(), &tokens.refresh_token).await.status,
        200
    );
    assert_eq!(world.site.requests(), asked);
    world.close().await;
}
