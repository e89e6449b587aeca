//! Where tokens may stand, and what answers say about storing.

use crema_testkit::flow::method;
use crema_testkit::{Response, Visitor};

use crate::security::scene::{self, USER, call, is_alive};

const WHO: &str = "/api/method/frappe.auth.get_logged_user";

fn assert_not_stored(what: &str, answer: &Response) {
    let cache = answer.header("cache-control").unwrap_or_default();
    assert!(cache.contains("no-store"), "{what}: {cache:?}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{what}");
}

// spec: security.md, Codes and tokens, line 7: in the `Authorization` header only
#[tokio::test]
async fn tokens_are_accepted_in_the_header_only() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let token = [("access_token", tokens.access_token.as_str())];
    let http = app.http();
    for path in [WHO.to_owned(), method("openid_profile")] {
        assert_eq!(http.get(&path).query(&token).send().await.status, 401);
        assert_eq!(http.post(&path).form(&token).send().await.status, 401);
        let body = serde_json::json!({"access_token": tokens.access_token});
        assert_eq!(http.post(&path).json(&body).send().await.status, 401);
        let cookie = format!("access_token={0}; token={0}; sid={0}", tokens.access_token);
        assert_eq!(
            http.get(&path)
                .header("Cookie", &cookie)
                .send()
                .await
                .status,
            401
        );
        for header in ["X-Access-Token", "X-Authorization", "Proxy-Authorization"] {
            let value = format!("Bearer {}", tokens.access_token);
            assert_eq!(
                http.get(&path).header(header, &value).send().await.status,
                401
            );
        }
        let fine = http
            .get(&path)
            .header("Authorization", &format!("bearer {}", tokens.access_token));
        assert_eq!(fine.send().await.status, 200);
    }
    app.close().await;
}

async fn who(visitor: &mut Visitor, authorization: &str) -> Response {
    let request = visitor
        .http()
        .get(WHO)
        .header("Authorization", authorization);
    visitor.send(request).await
}

// spec: security.md, Codes and tokens, line 7: a header makes cookies be ignored
#[tokio::test]
async fn a_request_with_an_authorization_header_ignores_cookies() {
    let app = scene::start().await;
    app.add_user("other@example.com", scene::PASSWORD, &["Report Manager"])
        .await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let mut other = app.signed_in("other@example.com", scene::PASSWORD).await;
    let bearer = format!("Bearer {}", tokens.access_token);
    let answer = who(&mut other, &bearer).await;
    assert_eq!(
        answer.json()["message"],
        USER,
        "the token's user, not the cookie's"
    );
    assert!(
        answer.cookies().is_empty(),
        "an API request with a token sets no cookie"
    );
    for bad in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer dead",
        "Bearer a b",
        "x",
        "Basic",
        "Basic ###",
        "token a:b",
    ] {
        let answer = who(&mut other, bad).await;
        assert_eq!(answer.status, 401, "{bad:?}");
        assert!(answer.cookies().is_empty(), "{bad:?}");
    }
    let twice = other
        .http()
        .get(WHO)
        .header("Authorization", &bearer)
        .header("Authorization", &bearer);
    assert_eq!(other.send(twice).await.status, 401);
    let userinfo = other
        .http()
        .get(&method("openid_profile"))
        .header("Authorization", "Bearer dead");
    assert_eq!(other.send(userinfo).await.status, 401);
    // A header is no way to a page or a code either.
    let mut with_header = client.authorization(&[]);
    with_header.push(("x".to_owned(), "y".to_owned()));
    let pairs: Vec<_> = with_header
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let request = other
        .http()
        .get(&method("authorize"))
        .query(&pairs)
        .header("Authorization", &bearer);
    assert!(scene::leads_to_login(&other.send(request).await));
    // Nothing of that ended the session.
    let plain = other.http().get(WHO);
    assert_eq!(
        other.send(plain).await.json()["message"],
        "other@example.com"
    );
    app.close().await;
}

// spec: security.md, Codes and tokens, line 7: userinfo is for tokens, not for sessions
#[tokio::test]
async fn a_session_is_no_token() {
    let app = scene::start().await;
    let mut visitor = scene::signed_in(&app).await;
    let request = visitor.http().get(&method("openid_profile"));
    let answer = visitor.send(request).await;
    assert_eq!(answer.status, 401);
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer ")
    );
    let sid = visitor.sid().to_owned();
    assert!(!is_alive(&app.http(), &sid).await);
    app.close().await;
}

// spec: security.md, Codes and tokens, line 7; http.md, openid_profile
#[tokio::test]
async fn userinfo_needs_the_scope_openid() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let tokens = scene::tokens(&app, &client, "all").await;
    let answer = app.http().userinfo(&tokens.access_token).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(!answer.text().contains(USER));
    app.close().await;
}

// spec: security.md, Codes and tokens, line 8
#[tokio::test]
async fn token_introspection_and_userinfo_answers_are_not_stored() {
    let app = scene::start().await;
    let client = scene::confidential(&app).await;
    let http = app.http();
    let code = scene::code(&app, &client, "openid").await;
    let answer = http.redeem(&client, &code, &[]).await;
    assert_not_stored("tokens", &answer);
    let tokens = answer.tokens();
    assert_not_stored(
        "refresh",
        &http.refresh(&client, &tokens.refresh_token).await,
    );
    assert_not_stored("refused code", &http.redeem(&client, &code, &[]).await);
    let tokens = scene::tokens(&app, &client, "openid").await;
    assert_not_stored(
        "introspection",
        &http.introspect(&client, &tokens.access_token).await,
    );
    assert_not_stored("nothing seen", &http.introspect(&client, "x").await);
    assert_not_stored("userinfo", &http.userinfo(&tokens.access_token).await);
    assert_not_stored("no userinfo", &http.userinfo("x").await);
    assert_not_stored(
        "revocation",
        &http.revoke(&client, &tokens.access_token).await,
    );
    for endpoint in [
        "get_token",
        "introspect_token",
        "revoke_token",
        "openid_profile",
    ] {
        let stranger = call(&http, endpoint, &[]).basic("x", "y").send().await;
        assert_not_stored(endpoint, &stranger);
        assert_not_stored(
            endpoint,
            &http.request("PUT", &method(endpoint)).send().await,
        );
    }
    app.close().await;
}
