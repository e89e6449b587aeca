//! Each problem of the chapter, and what the answer says.

use crema_testkit::flow::method;
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{ClientSpec, Visitor};
use serde_json::json;

use super::{CALLBACK, PASSWORD, USER, assert_says, site, tokens};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

/// A signed-in user's request to authorize this client.
async fn authorize(visitor: &mut Visitor, id: &str, uri: &str) -> crema_testkit::Response {
    visitor
        .authorize(&[
            ("client_id", id),
            ("response_type", "code"),
            ("redirect_uri", uri),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ])
        .await
}

// "OAuth Client not found"
#[tokio::test]
async fn a_client_that_is_not_found() {
    let (app, client) = site().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let page = authorize(&mut visitor, "nosuch", CALLBACK).await;
    assert_says(
        "unknown client",
        &page,
        400,
        &["client_id", "no OAuth Client", app.site()],
    );
    let query = "client_id=nosuch&response_type=code";
    let json = app.http().get(&format!("{AUTHORIZE}?{query}")).send().await;
    assert_says(
        "unknown client",
        &json,
        400,
        &["client_id", "no OAuth Client", app.site()],
    );
    assert_eq!(json.json()["error"], "invalid_request");
    // The right one is asked about.
    let page = authorize(&mut visitor, &client.client_id, CALLBACK).await;
    assert_eq!(page.title().as_deref(), Some("Confirm Access"));
    app.close().await;
}

// "401 Unauthorized" with Bearer token, 1 and 4: expiry, refreshing
#[tokio::test]
async fn an_expired_token_says_so_and_can_be_refreshed() {
    let (app, client) = site().await;
    let pair = tokens(&app, &client, "all openid").await;
    app.clock.advance_seconds(3601);
    let answer = app.http().get(WHO).bearer(&pair.access_token).send().await;
    assert_says("expired", &answer, 401, &["invalid_token", "expired"]);
    assert_eq!(answer.member("exc_type"), "AuthenticationError");
    let list = app
        .http()
        .get("/api/resource/ToDo")
        .bearer(&pair.access_token);
    assert_says(
        "expired",
        &list.send().await,
        401,
        &["invalid_token", "expired"],
    );
    let fresh = app
        .http()
        .refresh(&client, &pair.refresh_token)
        .await
        .tokens();
    let answer = app.http().get(WHO).bearer(&fresh.access_token).send().await;
    assert_eq!(answer.json()["message"], USER);
    app.close().await;
}

// "401 Unauthorized" with Bearer token, 2: "Note the space after Bearer"
#[tokio::test]
async fn a_header_of_the_wrong_form_is_told_the_right_one() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    for header in [
        token.clone(),
        format!("Bearer{token}"),
        format!("Bearer: {token}"),
        format!("Bearer  {token} x"),
        format!("\"Bearer {token}\""),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer undefined null".to_owned(),
    ] {
        for path in [WHO, "/api/resource/ToDo", "/api/method/ping"] {
            let answer = app
                .http()
                .get(path)
                .header("Authorization", &header)
                .send()
                .await;
            let words = ["Authorization: Bearer <token>"];
            assert_says(&header.replace(&token, "…"), &answer, 401, &words);
            assert!(!answer.text().contains(&token), "a token is repeated");
        }
    }
    let answer = app.http().get(WHO).bearer(&token).send().await;
    assert_eq!(answer.status, 200);
    app.close().await;
}

// "401 Unauthorized" with Bearer token, 3: "Check user permissions"
#[tokio::test]
async fn who_may_not_is_told_what_is_missing() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    for path in [
        "/api/resource/OAuth%20Client",
        "/api/resource/OAuth%20Client/x",
    ] {
        let answer = app.http().get(path).bearer(&token).send().await;
        assert_says("no role", &answer, 403, &["OAuth Client", USER, "read"]);
        assert_eq!(answer.member("exc_type"), "PermissionError");
    }
    let body = json!({"app_name": "x"});
    let create = app
        .http()
        .post("/api/v2/document/OAuth%20Client")
        .bearer(&token)
        .json(&body);
    assert_says(
        "no role",
        &create.send().await,
        403,
        &["OAuth Client", USER, "create"],
    );
    // The role would do, the token does not.
    let narrow = tokens(&app, &client, "openid todo:read").await.access_token;
    let body = json!({"description": "x"});
    let create = app
        .http()
        .post("/api/resource/ToDo")
        .bearer(&narrow)
        .json(&body);
    let words = ["insufficient_scope", "todo:create"];
    assert_says("scope", &create.send().await, 403, &words);
    let list = app
        .http()
        .get("/api/resource/ToDo")
        .bearer(&narrow)
        .send()
        .await;
    assert_eq!(list.status, 200, "{}", list.text());
    // Nobody at all is told how to come in.
    let guest = app.http().get("/api/resource/ToDo").send().await;
    assert_says(
        "guest",
        &guest,
        401,
        &["resource_metadata=", "bearer token"],
    );
    app.close().await;
}

// "403 Forbidden - Function not whitelisted"
#[tokio::test]
async fn a_function_that_is_not_there() {
    let (app, client) = site().await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    let function = "crm.api.mobile_api.home_tasks";
    let answer = app
        .http()
        .get(&format!("/api/method/{function}"))
        .bearer(&token)
        .send()
        .await;
    // "Verify app is installed"
    assert_says(
        "no such app",
        &answer,
        417,
        &[function, "App crm is not installed"],
    );
    let function = "frappe.utils.now";
    let answer = app
        .http()
        .get(&format!("/api/method/{function}"))
        .bearer(&token)
        .send()
        .await;
    assert_says(
        "no such function",
        &answer,
        403,
        &[function, "is not whitelisted"],
    );
    assert_eq!(answer.member("exc_type"), "PermissionError");
    app.close().await;
}

// "Invalid client_id" during token exchange
#[tokio::test]
async fn a_code_at_the_wrong_client_or_address() {
    let (app, client) = site().await;
    let other = app
        .add_client(ClientSpec::public("https://other.example/cb"))
        .await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    // 1. The same client_id in both requests.
    let code = visitor.code(&client, &[("scope", "all openid")]).await;
    let wrong = app
        .http()
        .redeem(&other, &code, &[("redirect_uri", CALLBACK)])
        .await;
    assert_says("another client", &wrong, 400, &["invalid_grant", "client"]);
    let params = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", "nosuch"),
    ];
    let unknown = app
        .http()
        .post(&method("get_token"))
        .form(&params)
        .send()
        .await;
    assert_says(
        "unknown client",
        &unknown,
        401,
        &["invalid_client", "client"],
    );
    // The code of the right client is as good as before.
    let right = app.http().redeem(&client, &code, &[]).await;
    assert_eq!(right.status, 200, "{}", right.text());
    // 2. The redirect_uri has to be the same, to the last character.
    let code = visitor.code(&client, &[("scope", "all openid")]).await;
    let slash = format!("{CALLBACK}/");
    let wrong = app
        .http()
        .redeem(&client, &code, &[("redirect_uri", &slash)])
        .await;
    assert_says(
        "another redirect_uri",
        &wrong,
        400,
        &["invalid_grant", "redirect_uri"],
    );
    let page = authorize(&mut visitor, &client.client_id, &slash).await;
    assert_says("another redirect_uri", &page, 400, &["redirect_uri"]);
    app.close().await;
}

// "Multi-site domain mapping not working"
#[tokio::test]
async fn a_request_at_the_wrong_site() {
    let (mut app, client) = site().await;
    app.add_site("site2.example.com").await;
    let token = tokens(&app, &client, "all openid").await.access_token;
    let other = app.http_of("site2.example.com");
    // A token and a client of one site are nothing at the other, and the answer says whose it is.
    let answer = other.get(WHO).bearer(&token).send().await;
    assert_says(
        "a token of the other site",
        &answer,
        401,
        &["invalid_token", "unknown"],
    );
    let metadata = other.get("/.well-known/openid-configuration").send().await;
    assert_eq!(metadata.json()["issuer"], other.origin());
    let query = format!("client_id={}&response_type=code", client.client_id);
    let answer = other.get(&format!("{AUTHORIZE}?{query}")).send().await;
    let words = ["no OAuth Client", "site2.example.com"];
    assert_says("a client of the other site", &answer, 400, &words);
    // A name that leads to no site is named, and no other site answers for it.
    let nobody = app.http_of("unknown.example.com");
    for path in [
        WHO,
        "/api/resource/ToDo",
        "/login",
        "/.well-known/openid-configuration",
    ] {
        let answer = nobody.get(path).send().await;
        assert_says(path, &answer, 404, &["unknown.example.com"]);
        assert!(!answer.text().contains("jossoor"), "{}", answer.text());
    }
    app.set_config("domains", json!(["oauth.jossoor.org"]));
    let mapped = app
        .http_of("oauth.jossoor.org")
        .get("/api/method/ping")
        .send()
        .await;
    assert_eq!(mapped.status, 200, "{}", mapped.text());
    app.close().await;
}
