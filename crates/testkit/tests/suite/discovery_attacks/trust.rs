//! A client that somebody trusted becomes another one, or takes more than strangers may have.

use crema_testkit::{ClientSpec, Redirect};

use super::*;

async fn asks(visitor: &mut Visitor, client: &TestClient) -> bool {
    // With a challenge, as one without a secret.
    let client = client.by(AuthMethod::None);
    let page = authorize(visitor, &client, &[("scope", "openid")]).await;
    match page.status {
        200 => true,
        302 | 303 => {
            assert!(!Redirect::of(&page).param("code").is_empty());
            false
        }
        status => panic!("{status} {}", page.text()),
    }
}

// spec: security.md, Authorization endpoint, "OAuth Settings with an active token of the same user, client and scopes"
#[tokio::test]
async fn an_active_token_says_nothing_for_what_a_client_has_made_of_itself() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let auto = [("skip_authorization", "1")];
    world.app.set_settings(SETTINGS, &auto).await;
    let first = registered(&http, json!({})).await;
    let shop = client(&first);
    let mut visitor = world.user().await;
    let code = visitor.code(&shop, &[("scope", "openid")]).await;
    assert_eq!(http.redeem(&shop, &code, &[]).await.status, 200);
    assert!(!asks(&mut visitor, &shop).await, "nothing has changed");
    let elsewhere = json!({"client_name": "Bank", "redirect_uris": ["https://evil.example/cb"]});
    let second = replace(&http, &first, elsewhere).await.json();
    assert!(asks(&mut visitor, &client(&second)).await);
    world.app.close().await;
}

// A secret that a client has given itself proves nothing about who listens on a device.
#[tokio::test]
async fn no_client_makes_itself_confidential_to_skip_the_question() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let loopback = json!({"redirect_uris": ["http://127.0.0.1/cb"]});
    let first = registered(&http, loopback.clone()).await;
    let trusted = [("skip_authorization", "1")];
    world.app.change_client(&client(&first), &trusted).await;
    let mut visitor = world.user().await;
    assert!(
        asks(&mut visitor, &client(&first)).await,
        "public, loopback"
    );
    let change = with(
        loopback,
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    );
    let second = replace(&http, &first, change).await.json();
    assert!(second["client_secret"].is_string());
    assert!(asks(&mut visitor, &client(&second)).await);
    world.app.close().await;
}

// spec: http.md, register_client, "Registered clients may ask for the scopes that OAuth Settings allow"
#[tokio::test]
async fn no_way_leads_beyond_the_scopes_of_strangers() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let bounds = [("registration_scopes", "openid todo:read")];
    world.app.set_settings(SETTINGS, &bounds).await;
    for wide in [
        "all",
        "todo:*",
        "todo:write",
        "*:read",
        "todo:read:read",
        "method:ping",
        "ALL",
    ] {
        let alone = http
            .post(REGISTER)
            .json(&metadata(json!({"scope": wide})))
            .send()
            .await;
        assert_eq!(alone.error(), "invalid_client_metadata", "{wide}");
        let beside = format!("todo:read {wide} openid");
        let first = registered(&http, json!({"scope": beside})).await;
        assert_eq!(first["scope"], "todo:read openid", "{wide}");
        let second = replace(&http, &first, json!({"scope": beside}))
            .await
            .json();
        assert_eq!(second["scope"], "todo:read openid", "{wide}");
        for strangers in [client(&second), described()] {
            let mut visitor = world.user().await;
            let refused = visitor.grant(&strangers, &[("scope", wide)]).await;
            assert_eq!(refused.param("error"), "invalid_scope", "{wide}");
            let code = visitor.code(&strangers, &[("scope", &beside)]).await;
            let tokens = http.redeem(&strangers, &code, &[]).await.tokens();
            assert_eq!(tokens.scope, "todo:read openid", "{wide}");
            let wider = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &tokens.refresh_token),
                ("scope", wide),
            ];
            assert_eq!(
                http.token(&strangers, &wider).await.error(),
                "invalid_scope"
            );
        }
    }
    world.app.close().await;
}

#[tokio::test]
async fn strangers_get_no_other_grant_and_see_no_other_token() {
    let world = World::new(Engine::Sqlite).await;
    let http = world.app.http();
    let basic = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let first = registered(&http, basic.clone()).await;
    let own = client(&first);
    let other = world.app.add_client(ClientSpec::new(CALLBACK)).await;
    let mut visitor = world.user().await;
    let code = visitor.code(&other, &[("scope", "openid")]).await;
    let tokens = http.redeem(&other, &code, &[]).await.tokens();
    for grant in [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let params = [
            ("grant_type", grant),
            ("username", USER),
            ("password", PASSWORD),
            ("scope", "openid"),
        ];
        let answer = http.token(&own, &params).await;
        assert_eq!(answer.status, 400, "{grant}: {}", answer.text());
    }
    for kind in ["token", "id_token token", "code token"] {
        let asked = [("response_type", kind), ("scope", "openid"), ("nonce", "n")];
        let refused = visitor.grant(&own, &asked).await;
        assert_ne!(refused.param("error"), "", "{kind}");
    }
    let about = http.introspect(&own, &tokens.access_token).await.json();
    assert_eq!(about, json!({"active": false}));
    http.revoke(&own, &tokens.access_token).await;
    assert_eq!(http.userinfo(&tokens.access_token).await.status, 200);
    // What only an administrator gives is no member of metadata.
    let more = with(
        basic,
        json!({
            "skip_authorization": 1, "may_introspect": 1, "user": "Administrator", "enabled": 1,
            "dynamically_registered": 0, "require_pkce": 0, "enforcement": "Observe",
            "allow_plain_pkce": 1, "allowed_roles": ["All"], "claims_in_id_token": 1,
            "name": "mine", "metadata_document_uri": ADDRESS, "access_token_lifetime": 9_000_000,
        }),
    );
    let second = replace(&http, &first, more.clone()).await.json();
    registered(&http, more).await;
    let sql = r#"SELECT COUNT(*) FROM "tabOAuth Client" WHERE dynamically_registered = 1 AND
        (skip_authorization = 1 OR may_introspect = 1 OR COALESCE("user", '') <> ''
        OR enforcement <> 'Enforce' OR allow_plain_pkce = 1 OR COALESCE(metadata_document_uri, '') <> ''
        OR access_token_lifetime = 9000000)"#;
    assert_eq!(world.app.count(sql, vec![]).await, 0);
    assert_eq!(second["client_id"], first["client_id"]);
    world.app.close().await;
}
