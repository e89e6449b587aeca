//! Parameters that have to mean something.

use crema_testkit::flow::claims;
use crema_testkit::{App, ClientSpec, Redirect, TestClient, Visitor};

use crate::security::scene::{self, REDIRECT, asks, authorize};

async fn id_token(
    app: &App,
    visitor: &mut Visitor,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> serde_json::Value {
    let code = visitor.code(client, changes).await;
    let tokens = app.http().redeem(client, &code, &[]).await.tokens();
    claims(&tokens.id_token.unwrap())
}

// spec: security.md, Authorization endpoint, line 8: `nonce`
#[tokio::test]
async fn the_nonce_is_in_the_id_token_of_its_own_request_only() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let nonce = "n \u{e9}\"'<>%00\\";
    let changes = [("scope", "openid"), ("nonce", nonce)];
    let token = id_token(&app, &mut visitor, &client, &changes).await;
    assert_eq!(token["nonce"], nonce);
    let token = id_token(&app, &mut visitor, &client, &[("scope", "openid")]).await;
    assert!(token.get("nonce").is_none());
    // Through the browser it is needed.
    let spec = ClientSpec::new(REDIRECT).grant_types("authorization_code implicit");
    let implicit = app.add_client(spec).await;
    for kind in ["id_token", "id_token token", "code id_token"] {
        let changes = [("response_type", kind), ("scope", "openid")];
        let refused = visitor.grant(&implicit, &changes).await;
        assert_eq!(refused.param("error"), "invalid_request", "{kind}");
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 8: `prompt`
#[tokio::test]
async fn prompts_are_honoured() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let ask = async |visitor: &mut Visitor, prompt: &str| {
        authorize(visitor, &client, &[("scope", "openid"), ("prompt", prompt)]).await
    };
    let none = Redirect::of(&ask(&mut visitor, "none").await);
    assert_eq!(none.param("error"), "consent_required");
    assert!(scene::leads_to_login(&ask(&mut visitor, "login").await));
    assert!(scene::leads_to_login(
        &ask(&mut visitor, "select_account").await
    ));
    assert!(scene::leads_to_login(
        &ask(&mut visitor, "login consent").await
    ));
    assert!(asks(&ask(&mut visitor, "consent").await));
    assert!(asks(&ask(&mut visitor, "unheard_of").await));
    let both = Redirect::of(&ask(&mut visitor, "none consent").await);
    assert_eq!(both.param("error"), "invalid_request");
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 8: `login_hint`, `ui_locales`
#[tokio::test]
async fn hints_fill_in_the_form_and_locales_choose_the_language() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut guest = app.visitor();
    let changes = [
        ("login_hint", "hint+1@example.com"),
        ("ui_locales", "xx de en"),
    ];
    let answer = authorize(&mut guest, &client, &changes).await;
    let form = guest.get(answer.location().unwrap()).await.text();
    assert!(form.contains("value=\"hint+1@example.com\""), "{form}");
    assert!(form.contains("lang=\"de\""), "{form}");
    let mut visitor = scene::signed_in(&app).await;
    let page = authorize(&mut visitor, &client, &[("ui_locales", "ar")])
        .await
        .text();
    assert!(page.contains("lang=\"ar\"") && page.contains("dir=\"rtl\""));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 8: `claims`, `acr_values`
#[tokio::test]
async fn single_claims_can_be_asked_for() {
    let app = scene::start().await;
    let spec = ClientSpec::new(REDIRECT).with("claims_in_id_token", "0");
    let client = app.add_client(spec).await;
    let mut visitor = scene::signed_in(&app).await;
    let wanted = r#"{"id_token":{"email":{"essential":true}},"userinfo":{"name":null}}"#;
    let changes = [
        ("scope", "openid"),
        ("claims", wanted),
        ("acr_values", "1 phr"),
    ];
    let token = id_token(&app, &mut visitor, &client, &changes).await;
    assert_eq!(token["email"], scene::USER);
    assert!(token.get("name").is_none());
    assert_eq!(token["acr"], "1");
    let plain = id_token(&app, &mut visitor, &client, &[("scope", "openid")]).await;
    assert!(plain.get("email").is_none());

    // A certain user or nobody.
    let sub = token["sub"].as_str().unwrap();
    for (sub, error) in [(sub, ""), ("somebody-else", "login_required")] {
        let wanted = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
        let changes = [
            ("scope", "openid"),
            ("claims", wanted.as_str()),
            ("prompt", "none"),
        ];
        let redirect = Redirect::of(&authorize(&mut visitor, &client, &changes).await);
        assert_eq!(redirect.param("error"), error);
    }
    for bad in [
        "{",
        "[]",
        "\"x\"",
        "{\"id_token\":[]}",
        "{\"id_token\":{},\"id_token\":{}}",
    ] {
        let changes = [("scope", "openid"), ("claims", bad)];
        let redirect = Redirect::of(&authorize(&mut visitor, &client, &changes).await);
        assert_eq!(redirect.param("error"), "invalid_request", "{bad}");
    }
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 8: `response_mode`
#[tokio::test]
async fn response_modes_are_honoured() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let fragment = visitor
        .grant(&client, &[("response_mode", "fragment")])
        .await;
    assert!(fragment.in_fragment && fragment.params.contains_key("code"));
    let query = visitor.grant(&client, &[("response_mode", "query")]).await;
    assert!(!query.in_fragment && query.params.contains_key("code"));
    let page = authorize(&mut visitor, &client, &[("response_mode", "form_post")]).await;
    let page = visitor.decide(&page, "allow").await;
    let (action, params) = scene::posted(&page);
    assert_eq!(action, REDIRECT);
    let answer = app.http().redeem(&client, &params["code"], &[]).await;
    assert_eq!(answer.status, 200);
    app.close().await;
}
