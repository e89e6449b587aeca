//! Consent: asked by a page, given by a POST, remembered as a record.

use crema_store::Value;
use crema_testkit::flow::method;
use crema_testkit::http::encode;
use crema_testkit::{App, ClientSpec, Redirect, Response, TestClient, Visitor, for_each_engine};

use crate::security::scene::{self, REDIRECT, USER, asks, authorize};

async fn error_of_silent(
    visitor: &mut Visitor,
    client: &TestClient,
    changes: &[(&str, &str)],
) -> String {
    let mut all = changes.to_vec();
    all.push(("prompt", "none"));
    let redirect = Redirect::of(&authorize(visitor, client, &all).await);
    assert_ne!(
        redirect.params.contains_key("code"),
        redirect.params.contains_key("error")
    );
    redirect.param("error").to_owned()
}

async fn allow(visitor: &mut Visitor, client: &TestClient, changes: &[(&str, &str)]) -> Response {
    let page = authorize(visitor, client, changes).await;
    assert!(asks(&page), "{page:?}");
    visitor.decide(&page, "allow").await
}

async fn codes(app: &App) -> i64 {
    app.count(
        "SELECT count(*) FROM \"tabOAuth Authorization Code\"",
        vec![],
    )
    .await
}

// spec: security.md, Authorization endpoint, line 6: a POST with the session's CSRF token
#[tokio::test]
async fn consent_is_a_post_with_the_sessions_csrf_token() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let page = authorize(&mut visitor, &client, &[]).await;
    let action = page.form_action("allow").unwrap();
    let token = page.hidden_field("csrf_token").unwrap();
    let mut other = scene::signed_in(&app).await;
    let of_other = other.csrf_token().await;
    assert_ne!(token, of_other);
    let shorter = &token[..token.len() - 1];
    let upper = token.to_uppercase();
    for wrong in ["", "x", "None", of_other.as_str(), shorter, upper.as_str()] {
        let form = [("csrf_token", wrong), ("decision", "allow")];
        let refused = visitor.post(&action, &form).await;
        assert_eq!((refused.status, refused.location()), (400, None), "{wrong}");
    }
    let bare = visitor.post(&action, &[("decision", "allow")]).await;
    assert_eq!((bare.status, bare.location()), (400, None));
    // Neither from the address nor from a cookie.
    let in_query = format!("{action}&csrf_token={token}");
    let refused = visitor.post(&in_query, &[("decision", "allow")]).await;
    assert_eq!((refused.status, refused.location()), (400, None));
    visitor
        .cookies
        .insert("csrf_token".to_owned(), token.clone());
    let refused = visitor.post(&action, &[("decision", "allow")]).await;
    assert_eq!((refused.status, refused.location()), (400, None));
    assert_eq!(codes(&app).await, 0);

    // By the header it counts as well, as Frappe's scripts send it.
    let request = visitor.http().post(&action).form(&[("decision", "allow")]);
    let granted = visitor
        .send(request.header("X-Frappe-CSRF-Token", &token))
        .await;
    assert!(granted.location().unwrap().contains("code="));
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 6: no configuration relaxes this
#[tokio::test]
async fn ignore_csrf_and_allowed_referrers_do_not_cover_consent() {
    let app = App::builder()
        .config("ignore_csrf", 1)
        .config(
            "allowed_referrers",
            serde_json::json!(["https://evil.example"]),
        )
        .build()
        .await;
    scene::add_user(&app).await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let params = client.authorization(&[]);
    let mut pairs: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    pairs.push(("decision", "allow"));
    for origin in ["https://evil.example", "null"] {
        let request = app.http().post(&method("approve")).header("Origin", origin);
        let refused = visitor.send(request.form(&pairs)).await;
        assert_eq!((refused.status, refused.location()), (400, None));
    }
    let plain = visitor
        .send(app.http().post(&method("approve")).form(&pairs))
        .await;
    assert_eq!((plain.status, plain.location()), (400, None));
    assert_eq!(codes(&app).await, 0);
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 6: a GET never grants
#[tokio::test]
async fn a_get_never_grants() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let token = visitor.csrf_token().await;
    let params = client.authorization(&[]);
    let mut pairs: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    pairs.extend([("decision", "allow"), ("csrf_token", &token)]);
    let name = "frappe.integrations.oauth2.approve";
    let mut as_command = pairs.clone();
    as_command.push(("cmd", name));
    for path in [
        format!("{}?{}", method("approve"), encode(&pairs)),
        format!("/api/v2/method/{name}?{}", encode(&pairs)),
        format!("{}/?{}", method("approve"), encode(&pairs)),
        format!("/?{}", encode(&as_command)),
    ] {
        for verb in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
            let request = visitor.http().request(verb, &path);
            let request = request.header("X-Frappe-CSRF-Token", &token);
            let answer = visitor.send(request).await;
            assert_eq!(
                (answer.status, answer.location()),
                (405, None),
                "{verb} {path}"
            );
        }
    }
    // `decision` in an authorization request decides nothing.
    let asked = authorize(
        &mut visitor,
        &client,
        &[("decision", "allow"), ("cmd", name)],
    )
    .await;
    assert!(asks(&asked));
    assert_eq!(codes(&app).await, 0);
    app.close().await;
}

#[tokio::test]
async fn a_head_issues_no_code_where_nobody_is_asked() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    app.change_client(&client, &[("skip_authorization", "1")])
        .await;
    let mut visitor = scene::signed_in(&app).await;
    let params = client.authorization(&[]);
    let pairs: Vec<_> = params
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let path = format!("{}?{}", method("authorize"), encode(&pairs));
    let request = visitor.http().request("HEAD", &path);
    let answer = visitor.send(request).await;
    assert_eq!((answer.status, answer.location()), (405, None));
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    assert_eq!(codes(&app).await, 0);
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 6
#[tokio::test]
async fn a_click_without_a_session_grants_nothing() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let page = authorize(&mut visitor, &client, &[]).await;
    let mut guest = app.visitor();
    let answer = guest.decide(&page, "allow").await;
    assert_eq!(answer.status, 303);
    assert!(answer.location().unwrap().starts_with("/login?"));
    // Signed out meanwhile.
    let token = visitor.csrf_token().await;
    visitor
        .post("/api/method/logout", &[("csrf_token", &token)])
        .await;
    visitor.cookies.insert("sid".to_owned(), "0".repeat(56));
    let answer = visitor.decide(&page, "allow").await;
    assert!(answer.location().unwrap().starts_with("/login?"));
    assert_eq!(codes(&app).await, 0);
    app.close().await;
}

for_each_engine! {
    // spec: security.md, Authorization endpoint, line 6: a consent is user, client, scopes, resource
    async fn allow_is_remembered_for_prompt_none_as_far_as_it_goes(app: &App) {
        scene::add_user(app).await;
        let client = scene::confidential(app).await;
        let sibling = scene::confidential(app).await;
        let mut visitor = scene::signed_in(app).await;
        let openid = [("scope", "openid email")];
        assert_eq!(error_of_silent(&mut visitor, &client, &openid).await, "consent_required");
        allow(&mut visitor, &client, &openid).await;
        let rows = app.rows(
            "SELECT \"user\", client, scopes, resource FROM \"tabOAuth Consent\"",
            vec![],
        ).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].text(0).unwrap(), USER);
        assert_eq!(rows[0].text(1).unwrap(), client.client_id);
        assert_eq!(rows[0].text(2).unwrap(), "openid email");

        assert_eq!(error_of_silent(&mut visitor, &client, &openid).await, "");
        let less = [("scope", "openid")];
        assert_eq!(error_of_silent(&mut visitor, &client, &less).await, "");
        let more = [("scope", "openid email all")];
        assert_eq!(error_of_silent(&mut visitor, &client, &more).await, "consent_required");
        let case = [("scope", "openid EMAIL")];
        assert_eq!(error_of_silent(&mut visitor, &client, &case).await, "");
        let resource = format!("{}/api", app.issuer());
        let other = [("scope", "openid"), ("resource", resource.as_str())];
        assert_eq!(error_of_silent(&mut visitor, &client, &other).await, "consent_required");
        // Another client, another user.
        assert_eq!(error_of_silent(&mut visitor, &sibling, &less).await, "consent_required");
        app.add_user("other@example.com", scene::PASSWORD, &["Report Manager"]).await;
        let mut stranger = app.signed_in("other@example.com", scene::PASSWORD).await;
        assert_eq!(error_of_silent(&mut stranger, &client, &less).await, "consent_required");

        // Allowing more widens it, and denying takes nothing away.
        allow(&mut visitor, &client, &more).await;
        let page = authorize(&mut visitor, &client, &more).await;
        visitor.decide(&page, "deny").await;
        assert_eq!(error_of_silent(&mut visitor, &client, &more).await, "");
        assert_eq!(app.count("SELECT count(*) FROM \"tabOAuth Consent\"", vec![]).await, 1);
        // A consent that is gone is no consent.
        scene::force(app, "DELETE FROM \"tabOAuth Consent\" WHERE client = ?",
            vec![Value::from(client.client_id.as_str())]).await;
        assert_eq!(error_of_silent(&mut visitor, &client, &less).await, "consent_required");
    }
}

// spec: security.md, Authorization endpoint, line 6: not for custom schemes and loopback
#[tokio::test]
async fn prompt_none_never_trusts_a_consent_for_custom_schemes_and_loopback() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    for uri in [
        "com.example.app:/cb",
        "http://127.0.0.1/cb",
        "http://localhost:1/cb",
        "vscode://x/cb",
    ] {
        let client = app.add_client(ClientSpec::public(uri)).await;
        allow(&mut visitor, &client, &[("scope", "openid")]).await;
        let error = error_of_silent(&mut visitor, &client, &[("scope", "openid")]).await;
        assert_eq!(error, "consent_required", "{uri}");
        assert!(asks(&authorize(&mut visitor, &client, &[]).await));
    }
    let confidential = app.add_client(ClientSpec::new("http://127.0.0.1/cb")).await;
    allow(&mut visitor, &confidential, &[("scope", "openid")]).await;
    let error = error_of_silent(&mut visitor, &confidential, &[("scope", "openid")]).await;
    assert_eq!(error, "consent_required");
    let web = app.add_client(ClientSpec::public(REDIRECT)).await;
    allow(&mut visitor, &web, &[("scope", "openid")]).await;
    assert_eq!(
        error_of_silent(&mut visitor, &web, &[("scope", "openid")]).await,
        ""
    );
    app.close().await;
}

// spec: security.md, Authorization endpoint, line 6: whether an interactive request asks again is
// a setting, and Force asks
#[tokio::test]
async fn whether_an_interactive_request_asks_again_is_a_setting() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let mut visitor = scene::signed_in(&app).await;
    let request = [("scope", "openid")];
    allow(&mut visitor, &client, &request).await;
    // Force, as in Frappe, is what a new site has.
    assert!(asks(&authorize(&mut visitor, &client, &request).await));
    let single = "OAuth Provider Settings";
    app.set_settings(single, &[("skip_authorization", "Auto")])
        .await;
    let granted = Redirect::of(&authorize(&mut visitor, &client, &request).await);
    assert!(granted.params.contains_key("code"));
    let more = [("scope", "openid all")];
    assert!(asks(&authorize(&mut visitor, &client, &more).await));
    let consent = [("scope", "openid"), ("prompt", "consent")];
    assert!(asks(&authorize(&mut visitor, &client, &consent).await));
    app.set_settings(single, &[("skip_authorization", "Force")])
        .await;
    assert!(asks(&authorize(&mut visitor, &client, &request).await));
    app.close().await;
}
