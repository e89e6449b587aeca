//! Documents with a session: CSRF and CORS.

use serde_json::json;

use super::{MANAGER, PASSWORD, Scene, fault};

const LIST: &str = "/api/resource/ToDo";

// spec: security.md, Sign-in and sessions, "CSRF"
#[tokio::test]
async fn a_session_needs_the_token_once_a_page_has_handed_one_out() {
    let scene = Scene::start().await;
    let mut visitor = scene.app.signed_in(MANAGER, PASSWORD).await;
    let http = visitor.http().clone();
    let body = json!({"description": "d", "nested": {"a": [1]}});
    // A library that signed in over the API has never seen a page.
    let made = visitor.send(http.post(LIST).json(&body)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let foreign = http
        .post(LIST)
        .json(&body)
        .header("Origin", "https://evil.example");
    assert_eq!(
        fault(&visitor.send(foreign).await),
        (400, "CSRFTokenError".to_owned())
    );
    let token = visitor.csrf_token().await;
    for request in [
        http.post(LIST).json(&body),
        http.post(LIST)
            .json(&body)
            .header("X-Frappe-CSRF-Token", "wrong"),
        http.post(LIST).query(&[("csrf_token", &token)]).json(&body),
        http.request("DELETE", "/api/resource/ToDo/x"),
        http.request("PUT", "/api/v2/document/ToDo/x").json(&body),
        http.post("/api/method/frappe.client.insert")
            .json(&json!({"doc": body})),
    ] {
        let shown = format!("{request:?}");
        let answer = visitor.send(request).await;
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        assert!(answer.text().contains("CSRFTokenError"), "{shown}");
    }
    let mut with_token = body.clone();
    with_token["csrf_token"] = json!(token);
    for request in [
        http.post(LIST)
            .json(&body)
            .header("X-Frappe-CSRF-Token", &token),
        http.post(LIST).json(&with_token),
        http.post(LIST)
            .form(&[("description", "d"), ("csrf_token", &token)]),
        http.get(LIST),
    ] {
        let shown = format!("{request:?}");
        let answer = visitor.send(request).await;
        assert_eq!(answer.status, 200, "{shown}: {}", answer.text());
    }
    // With a header of its own the cookie is not looked at.
    let manager = scene.manager().await;
    let cookie = visitor.cookie_header();
    let answer = manager
        .request("POST", LIST)
        .header("Cookie", &cookie)
        .json(&body);
    let answer = answer.send().await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 0));
    let bad = http.get(LIST).header("Cookie", &cookie).bearer("nosuch");
    assert_eq!(bad.send().await.status, 401);
    scene.app.close().await;
}

// spec: http.md, "CORS by `site_config.json`"
#[tokio::test]
async fn other_origins_read_documents_when_the_site_says_so() {
    let scene = Scene::start().await;
    let origin = "https://app.example";
    let manager = scene.manager().await;
    let paths = [
        LIST,
        "/api/v2/document/ToDo",
        "/api/resource/ToDo/none",
        "/api/nothing",
    ];
    let allowed = "access-control-allow-origin";
    for path in paths {
        let answer = manager
            .request("GET", path)
            .header("Origin", origin)
            .send()
            .await;
        assert_eq!(answer.header(allowed), None, "{path}");
    }
    scene.app.set_config("allow_cors", json!([origin]));
    for path in paths {
        let answer = manager
            .request("GET", path)
            .header("Origin", origin)
            .send()
            .await;
        assert_eq!(answer.header(allowed), Some(origin), "{path}");
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        let other = manager
            .request("GET", path)
            .header("Origin", "https://other.example");
        assert_eq!(other.send().await.header(allowed), None, "{path}");
        let asked = scene
            .app
            .http()
            .request("OPTIONS", path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "PUT")
            .send()
            .await;
        assert_eq!(asked.status, 204, "{path}");
        assert_eq!(asked.header(allowed), Some(origin));
        let methods = asked.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("PUT") && methods.contains("DELETE"));
    }
    scene.app.close().await;
}
