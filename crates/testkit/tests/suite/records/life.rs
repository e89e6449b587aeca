//! Records that are made, changed and removed over REST count at once, everywhere.

use crema_testkit::for_each_engine;
use serde_json::json;

use super::{make, path_of};
use crate::resource::{MANAGER, PASSWORD, PLAIN, Scene, fault};

const CALLBACK: &str = "https://app.example/cb";

for_each_engine! {
    // spec: security.md, Clients; Codes and tokens, "deleted or disabled clients"
    async fn a_client_made_over_rest_works_until_it_is_removed(engine: Engine) {
        let scene = Scene::on(engine).await;
        let manager = scene.manager().await;
        let body = json!({"app_name": "Made", "scopes": "all openid",
            "default_redirect_uri": CALLBACK});
        let client = make(&manager, "OAuth Client", &body).await;
        let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str());
        let second = scene.app.second_server().await;
        let introspect = "/api/method/frappe.integrations.oauth2.introspect_token";
        let presented = |secret: &str| {
            let request = second.http().post(introspect).basic(id, secret);
            request.form(&[("token", "no such token")])
        };
        let answer = presented(secret.unwrap()).send().await;
        assert_eq!((answer.status, answer.text()), (200, "{\"active\":false}".to_owned()));
        let path = path_of("OAuth Client", &client["name"]);
        let off = manager.json("PUT", &path, &json!({"enabled": 0})).await;
        assert_eq!(off.status, 200, "{}", off.text());
        assert_eq!(presented(secret.unwrap()).send().await.status, 401);
        manager.json("PUT", &path, &json!({"enabled": 1})).await;
        assert_eq!(presented(secret.unwrap()).send().await.status, 200);
        let gone = manager.send("DELETE", &path).await;
        assert_eq!(gone.status, 202, "{}", gone.text());
        assert_eq!(presented(secret.unwrap()).send().await.status, 401);
        second.stop().await;
        scene.app.close().await;
    }

    // spec: security.md, Codes and tokens, "Disabled users … stop at the next request"
    async fn a_user_who_is_disabled_over_rest_is_out(engine: Engine) {
        let scene = Scene::on(engine).await;
        let manager = scene.manager().await;
        let plain = scene.sender(PLAIN, "all").await;
        let session = scene.app.signed_in(PLAIN, PASSWORD).await;
        let second = scene.app.second_server().await;
        let logged = "/api/method/frappe.auth.get_logged_user";
        let status = async || {
            let request = second.http().get(logged).bearer(&plain.token);
            request.send().await.status
        };
        assert_eq!(status().await, 200);
        let path = format!("/api/resource/User/{PLAIN}");
        let off = manager.json("PUT", &path, &json!({"enabled": 0})).await;
        assert_eq!(off.status, 200, "{}", off.text());
        assert_eq!(status().await, 401);
        assert_eq!(scene.app.count("SELECT COUNT(*) FROM \"tabSessions\" WHERE \"user\" = ?",
            vec![PLAIN.into()]).await, 0);
        drop(session);
        second.stop().await;
        scene.app.close().await;
    }
}

// spec: doctypes.md, "list and revoke own tokens and sessions"
#[tokio::test]
async fn people_list_and_end_their_own_tokens() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let plain = scene.sender(PLAIN, "all").await;
    let other = scene.sender(PLAIN, "openid todo:read").await;
    let tokens = "/api/resource/OAuth%20Bearer%20Token";
    let fields = [("fields", "[\"name\",\"user\",\"scopes\",\"status\"]")];
    let own = plain.get(tokens, &fields).await["data"].clone();
    let own = own.as_array().unwrap();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|token| token["user"] == PLAIN));
    let narrow = own.iter().find(|token| token["scopes"] != "all").unwrap();
    let path = path_of("OAuth Bearer Token", &narrow["name"]);
    assert_eq!(other.send("GET", "/api/resource/ToDo").await.status, 200);
    let answer = plain.send("DELETE", &path).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(other.send("GET", "/api/resource/ToDo").await.status, 401);
    assert_eq!(plain.send("GET", "/api/resource/ToDo").await.status, 200);
    // Not those of others.
    let managers = manager
        .get(tokens, &[("filters", "{\"user\":\"manager@example.com\"}")])
        .await;
    let foreign = path_of("OAuth Bearer Token", &managers["data"][0]["name"]);
    for method in ["GET", "DELETE"] {
        let answer = plain.send(method, &foreign).await;
        assert_eq!(fault(&answer), (403, "PermissionError".to_owned()));
    }
    scene.app.close().await;
}

/// A person signs in with what a System Manager gave them over REST.
#[tokio::test]
async fn a_user_made_over_rest_signs_in() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let body = json!({"email": "Made@Example.com", "first_name": "Made",
        "new_password": "Correct horse 9", "send_welcome_email": 0});
    let made = make(&manager, "User", &body).await;
    assert_eq!(made["name"], "made@example.com");
    scene
        .app
        .signed_in("made@example.com", "Correct horse 9")
        .await;
    let change = json!({"new_password": "Another horse 9"});
    let path = path_of("User", &made["name"]);
    let answer = manager.json("PUT", &path, &change).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("horse"));
    scene
        .app
        .signed_in("made@example.com", "Another horse 9")
        .await;
    let own = format!("/api/resource/User/{MANAGER}");
    let raised = json!({"roles": [{"role": "System Manager"}, {"role": "Sales Manager"}]});
    let answer = manager.json("PUT", &own, &raised).await;
    assert_eq!(fault(&answer), (403, "PermissionError".to_owned()));
    scene.app.close().await;
}
