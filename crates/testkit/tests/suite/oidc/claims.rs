//! The `claims` parameter, and which claims travel where.
// spec: OpenID Connect Core §5.4, §5.5; http.md, ID token and openid_profile

use serde_json::json;

use super::*;

const PROTOCOL: [&str; 11] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "auth_time",
    "at_hash",
    "sid",
    "acr",
    "amr",
];

fn names(claims: &Value) -> Vec<&str> {
    let names = claims.as_object().unwrap().keys().map(String::as_str);
    names.filter(|name| !PROTOCOL.contains(name)).collect()
}

#[tokio::test]
async fn claims_in_the_id_token_are_the_clients_choice() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let with = app.add_client(spec()).await;
    let tokens = allow(&app, &mut visitor, &with, &[("scope", "openid email")]).await;
    let about = flow::claims(&tokens.id_token.unwrap());
    assert_eq!(names(&about), ["email", "email_verified"]);
    assert_eq!(
        (&about["email"], &about["email_verified"]),
        (&json!(USER), &json!(true))
    );

    let without = app.add_client(spec().with("claims_in_id_token", "0")).await;
    let tokens = allow(&app, &mut visitor, &without, &[("scope", "openid email")]).await;
    assert!(names(&flow::claims(&tokens.id_token.unwrap())).is_empty());
    let profile = app.http().userinfo(&tokens.access_token).await.json();
    assert_eq!(profile["email"], USER);
    assert!(profile["name"].is_null());
    app.close().await;
}

#[tokio::test]
async fn single_claims_can_be_asked_for() {
    let app = app().await;
    let client = app.add_client(spec().with("claims_in_id_token", "0")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let claims = json!({
        "id_token": {"email": {"essential": true}, "auth_time": {"essential": true}, "unknown": null},
        "userinfo": {"given_name": null, "roles": {"essential": false}, "unknown": {"value": 1}},
        "unknown": {"email": null},
    });
    let changes = [("scope", "openid profile"), ("claims", &claims.to_string())];
    let tokens = allow(&app, &mut visitor, &client, &changes).await;
    let about = flow::claims(tokens.id_token.as_ref().unwrap());
    assert_eq!(names(&about), ["email"]);
    assert_eq!(about["auth_time"], now(&app));
    let profile = app.http().userinfo(&tokens.access_token).await.json();
    assert!(
        profile["given_name"].is_string() && profile["roles"].is_array(),
        "{profile}"
    );
    assert!(profile["email"].is_null(), "{profile}");

    // What was asked for holds for the whole family.
    let tokens = app
        .http()
        .refresh(&client, &tokens.refresh_token)
        .await
        .tokens();
    assert_eq!(
        names(&flow::claims(tokens.id_token.as_ref().unwrap())),
        ["email"]
    );
    let profile = app.http().userinfo(&tokens.access_token).await.json();
    assert!(profile["roles"].is_array());
    app.close().await;
}

// Whoever allows sees all that is asked for, and a consent to less does not cover it.
#[tokio::test]
async fn what_is_asked_for_by_claims_is_shown_and_has_to_be_allowed() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let scope = ("scope", "openid profile");
    let page = ask(&mut visitor, &client, &[scope]).await;
    assert!(page.text().contains("Full Name") && !page.text().contains("<bdi>Roles</bdi>"));
    visitor.decide(&page, "allow").await;
    code(
        &app,
        &ask(&mut visitor, &client, &[scope, ("prompt", "none")]).await,
    );

    for member in ["userinfo", "id_token"] {
        let claims = json!({member: {"roles": null}}).to_string();
        let claims = ("claims", claims.as_str());
        let answer = ask(&mut visitor, &client, &[scope, claims, ("prompt", "none")]).await;
        assert_eq!(error(&app, &answer), "consent_required", "{member}");
        let page = ask(&mut visitor, &client, &[scope, claims]).await;
        assert!(page.text().contains("<bdi>Roles</bdi>"), "{}", page.text());
    }
    let claims = json!({"userinfo": {"roles": null}}).to_string();
    let claims = ("claims", claims.as_str());
    let page = ask(&mut visitor, &client, &[scope, claims]).await;
    let answer = visitor.decide(&page, "allow").await;
    let code_ = code(&app, &answer);
    let tokens = app.http().redeem(&client, &code_, &[]).await.tokens();
    assert_eq!(tokens.scope, "openid profile");
    code(
        &app,
        &ask(&mut visitor, &client, &[scope, claims, ("prompt", "none")]).await,
    );
    app.close().await;
}

#[tokio::test]
async fn a_demanded_subject_is_the_one_or_nobody() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let mut other = app.signed_in(OTHER, PASSWORD).await;
    let tokens = allow(&app, &mut visitor, &client, &[]).await;
    let subject = flow::claims(&tokens.id_token.unwrap())["sub"].clone();
    for member in ["id_token", "userinfo"] {
        for demand in [json!({"value": subject}), json!({"values": ["x", subject]})] {
            let claims = json!({member: {"sub": demand}}).to_string();
            let changes = [("claims", claims.as_str()), ("prompt", "none")];
            code(&app, &ask(&mut visitor, &client, &changes).await);
            assert_eq!(
                error(&app, &ask(&mut other, &client, &changes).await),
                "login_required"
            );
        }
    }
    let claims = json!({"id_token": {"sub": {"value": subject}}}).to_string();
    let answer = ask(&mut other, &client, &[("claims", &claims)]).await;
    let answer = sign_in(&app, &mut other, &answer, OTHER).await;
    assert_eq!(error(&app, &answer), "login_required");
    app.close().await;
}

// spec: OpenID Connect Core §5.5.1.1
#[tokio::test]
async fn an_essential_acr_that_cannot_be_reached_is_an_error() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let demand = |acr: Value| json!({"id_token": {"acr": acr}}).to_string();
    for reachable in [
        json!({"essential": true, "values": ["phr", "1"]}),
        json!({"essential": true}),
        json!({"values": ["phr"]}),
        Value::Null,
    ] {
        let claims = demand(reachable);
        code(
            &app,
            &ask(&mut visitor, &client, &[("claims", &claims)]).await,
        );
    }
    let claims = demand(json!({"essential": true, "values": ["phr"]}));
    let answer = ask(&mut visitor, &client, &[("claims", &claims)]).await;
    assert_eq!(error(&app, &answer), "unmet_authentication_requirements");
    app.close().await;
}

#[tokio::test]
async fn malformed_claims_are_an_error() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    for claims in [
        "{",
        "[]",
        "1",
        "\"text\"",
        r#"{"userinfo":[]}"#,
        r#"{"id_token":{"email":1}}"#,
        r#"{"id_token":{"email":{"essential":"yes"}}}"#,
        &deep,
    ] {
        let answer = ask(&mut visitor, &client, &[("claims", claims)]).await;
        assert_eq!(error(&app, &answer), "invalid_request", "{claims}");
    }
    app.close().await;
}
