//! Sessions over REST: who is signed in where, and signing out from afar.

use crema_crypto::hash_hex;
use crema_testkit::for_each_engine;
use serde_json::Value;

use super::path_of;
use crate::resource::{MANAGER, PASSWORD, PLAIN, Scene, Sender, fault};

const LIST: &str = "/api/resource/Session";
const LOGGED: &str = "/api/method/frappe.auth.get_logged_user";

/// The sessions that somebody sees, every field of them.
async fn listed(sender: &Sender<'_>) -> Vec<Value> {
    let all = [("fields", "[\"*\"]"), ("limit", "0")];
    let answer = sender.get(LIST, &all).await;
    answer["data"].as_array().unwrap().clone()
}

for_each_engine! {
    // spec: doctypes.md, "list and revoke own tokens and sessions"
    async fn people_sign_out_other_browsers_at_once(engine: Engine) {
        let scene = Scene::on(engine).await;
        let plain = scene.sender(PLAIN, "all").await;
        let manager = scene.manager().await;
        let before: Vec<Value> = listed(&plain).await;
        let mut there = scene.app.signed_in(PLAIN, PASSWORD).await;
        let second = scene.app.second_server().await;
        let mut elsewhere = there.at(second.http());
        assert_eq!(elsewhere.get(LOGGED).await.json()["message"], PLAIN);
        let csrf = there.csrf_token().await;

        let own = listed(&plain).await;
        assert_eq!(own.len(), before.len() + 1);
        assert!(own.iter().all(|session| session["user"] == PLAIN));
        let new = own.iter().find(|session| !before.contains(session)).unwrap();
        let path = path_of("Session", &new["name"]);
        let detail = plain.get(&path, &[]).await;
        let shown = format!("{}{}", Value::from(own.clone()), detail);
        let sid = there.sid().to_owned();
        for hidden in [sid.as_str(), &hash_hex(&sid), &csrf, "sessiondata", "\"sid\"", "oidc_sid"] {
            assert!(!shown.contains(hidden), "{hidden}: {shown}");
        }
        assert_eq!(detail["data"]["ipaddress"], "127.0.0.1");

        let all = listed(&manager).await;
        let foreign = all.iter().find(|session| session["user"] == MANAGER).unwrap();
        for method in ["GET", "DELETE"] {
            let answer = plain.send(method, &path_of("Session", &foreign["name"])).await;
            assert_eq!(fault(&answer), (403, "PermissionError".to_owned()));
        }
        for (method, path) in [("POST", LIST), ("PUT", path.as_str())] {
            let answer = manager.json(method, path, &serde_json::json!({"status": "x"})).await;
            assert_eq!(fault(&answer), (403, "PermissionError".to_owned()), "{method}");
        }

        let answer = plain.send("DELETE", &path).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(elsewhere.get(LOGGED).await.status, 401);
        assert_eq!(there.get(LOGGED).await.status, 401);
        assert_eq!(listed(&plain).await.len(), before.len());
        second.stop().await;
        scene.app.close().await;
    }
}

/// A browser ends its own session, with the token that a page has handed out, and not without.
#[tokio::test]
async fn a_browser_signs_itself_out() {
    let scene = Scene::start().await;
    let mut visitor = scene.app.signed_in(PLAIN, PASSWORD).await;
    let http = visitor.http().clone();
    let token = visitor.csrf_token().await;
    let list = visitor.get(LIST).await.json();
    let path = path_of("Session", &list["data"][0]["name"]);
    let answer = visitor.send(http.request("DELETE", &path)).await;
    assert_eq!(fault(&answer), (400, "CSRFTokenError".to_owned()));
    let request = http.request("DELETE", &path);
    let answer = visitor
        .send(request.header("X-Frappe-CSRF-Token", &token))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(visitor.get(LOGGED).await.status, 401);
    scene.app.close().await;
}

/// The description of the API and the record of the DocType know it, without what is hidden.
#[tokio::test]
async fn sessions_are_described() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let openapi = manager.get("/api/openapi.json", &[]).await.to_string();
    assert!(openapi.contains("/api/resource/Session/"), "{openapi}");
    assert!(!openapi.contains("oidc_sid") && !openapi.contains("sessiondata"));
    let record = manager.get("/api/resource/DocType/Session", &[]).await;
    assert_eq!(record["data"]["in_create"], 1);
    scene.app.close().await;
}
