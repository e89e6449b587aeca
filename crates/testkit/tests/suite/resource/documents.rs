//! One document at a time, v1 and v2.

use crema_testkit::{Engine, for_each_engine};
use serde_json::json;

use super::{Scene, fault};

async fn life_of_a_document(engine: Engine) {
    let scene = Scene::on(engine).await;
    let manager = scene.manager().await;
    let made = manager
        .json(
            "POST",
            "/api/resource/ToDo",
            &json!({"description": "Water the plants"}),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json()["data"].clone();
    assert_eq!(made["doctype"], "ToDo");
    assert_eq!(made["owner"], super::MANAGER);
    assert_eq!(made["status"], "Open");
    // As in Frappe, v1 leaves out what is empty and v2 does not.
    assert!(made.get("color").is_none(), "{made}");
    let path = format!("/api/resource/ToDo/{}", made["name"].as_str().unwrap());
    let second = path.replace("/api/resource/", "/api/v2/document/");
    let read = manager.get(&path, &[]).await;
    assert_eq!(read["data"], made);
    let full = manager.get(&second, &[]).await;
    assert!(full["data"]["color"].is_null() && full["data"].get("color").is_some());
    for same in [format!("{path}/"), path.replace("/api/", "/api/v1/")] {
        assert_eq!(manager.get(&same, &[]).await, read);
    }

    let changed = manager
        .json(
            "PUT",
            &path,
            &json!({"status": "Closed", "modified": made["modified"]}),
        )
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["data"]["description"], "Water the plants");
    scene.app.clock.advance_seconds(1);
    let again = manager
        .json("PATCH", &second, &json!({"priority": "High"}))
        .await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(again.json()["data"]["status"], "Closed");
    let stale = json!({"status": "Open", "modified": made["modified"]});
    let stale = manager.json("PUT", &path, &stale).await;
    assert_eq!(fault(&stale), (417, "TimestampMismatchError".to_owned()));

    let gone = manager.send("DELETE", &path).await;
    assert_eq!((gone.status, gone.json()), (202, json!({"data": "ok"})));
    for (method, path) in [("GET", &path), ("PUT", &path), ("DELETE", &path)] {
        let answer = manager.json(method, path, &json!({})).await;
        assert_eq!(fault(&answer), (404, "DoesNotExistError".to_owned()));
    }
    let answer = manager.send("DELETE", &second).await;
    assert_eq!(answer.json()["errors"][0]["type"], "DoesNotExistError");
    scene.app.close().await;
}

for_each_engine! {
    async fn a_document_is_made_read_changed_and_removed(engine: Engine) {
        life_of_a_document(engine).await;
    }
}

// spec: http.md, Resource server, the table of paths
#[tokio::test]
async fn singles_and_what_is_about_a_doctype() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let settings = "/api/resource/OAuth%20Settings/OAuth%20Settings";
    let read = manager.get(settings, &[]).await;
    assert_eq!(read["data"]["doctype"], "OAuth Settings");
    manager.todo("one").await;
    manager.todo("two").await;
    let count = manager.get("/api/v2/doctype/ToDo/count", &[]).await;
    assert_eq!(count, json!({"data": 2}));
    let filters = r#"{"description": "two"}"#;
    let count = manager
        .get("/api/v2/doctype/ToDo/count", &[("filters", filters)])
        .await;
    assert_eq!(count, json!({"data": 1}));
    let meta = manager.get("/api/v2/doctype/ToDo/meta", &[]).await;
    let fields = meta["data"]["fields"].as_array().unwrap();
    let status = fields.iter().find(|field| field["fieldname"] == "status");
    assert_eq!(status.unwrap()["fieldtype"], "Select");
    let child = manager.get("/api/v2/doctype/Has%20Role/meta", &[]).await;
    assert_eq!(child["data"]["istable"], 1);
    scene.app.close().await;
}

// spec: http.md, Resource server, "expand"
#[tokio::test]
async fn links_of_a_document_are_expanded_as_far_as_one_may_read() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let values =
        json!({"description": "d", "allocated_to": super::PLAIN, "role": "System Manager"});
    let made = manager.json("POST", "/api/resource/ToDo", &values).await;
    let made = made.json()["data"].clone();
    let path = format!("/api/resource/ToDo/{}", made["name"].as_str().unwrap());
    let second = path.replace("/api/resource/", "/api/v2/document/");
    let expand = [("expand_links", "1")];
    let whole = manager.get(&path, &expand).await["data"].clone();
    assert_eq!(whole["allocated_to"]["name"], super::PLAIN);
    assert_eq!(whole["allocated_to"]["doctype"], "User");
    assert!(whole["allocated_to"].get("phone").is_none(), "{whole}");
    assert!(whole["allocated_to"].get("new_password").is_none());
    assert_eq!(whole["role"]["role_name"], "System Manager");
    let whole = manager.get(&second, &expand).await["data"].clone();
    assert!(whole["allocated_to"]["phone"].is_null());
    for query in [&[][..], &[("expand_links", "false")]] {
        assert_eq!(manager.get(&path, query).await["data"], made);
    }
    // What the role, or the scope, does not open stays a name.
    let plain = scene.sender(super::PLAIN, "all").await;
    let seen = plain.get(&path, &expand).await["data"].clone();
    assert_eq!(seen["allocated_to"]["name"], super::PLAIN);
    assert_eq!(seen["role"], "System Manager");
    let narrow = scene.sender(super::MANAGER, "todo:read").await;
    assert_eq!(narrow.get(&path, &expand).await["data"], made);
    scene.app.close().await;
}

// spec: http.md, "405 with `Allow` for other methods"
#[tokio::test]
async fn other_http_methods_are_refused_with_those_that_there_are() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let name = manager.todo("one").await;
    for (method, path, allow) in [
        ("PUT", "/api/resource/ToDo".to_owned(), "GET, HEAD, POST"),
        (
            "DELETE",
            "/api/v2/document/ToDo".to_owned(),
            "GET, HEAD, POST",
        ),
        (
            "POST",
            format!("/api/resource/ToDo/{name}"),
            "GET, HEAD, PUT, DELETE",
        ),
        (
            "PATCH",
            format!("/api/resource/ToDo/{name}"),
            "GET, HEAD, PUT, DELETE",
        ),
        (
            "POST",
            format!("/api/v2/document/ToDo/{name}"),
            "GET, HEAD, PUT, PATCH, DELETE",
        ),
        ("POST", "/api/v2/doctype/ToDo/meta".to_owned(), "GET, HEAD"),
        (
            "GET",
            "/api/method/frappe.client.insert".to_owned(),
            "POST, PUT",
        ),
    ] {
        let answer = manager.send(method, &path).await;
        assert_eq!(fault(&answer).0, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    for path in [
        "/api/resource/ToDo".to_owned(),
        format!("/api/resource/ToDo/{name}"),
    ] {
        let answer = manager.send("OPTIONS", &path).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        let answer = manager.send("HEAD", &path).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    scene.app.close().await;
}

#[tokio::test]
async fn names_are_taken_from_the_path_as_they_are() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    for (path, status) in [
        ("/api/resource/Nope", 404),
        ("/api/resource/todo", 404),
        ("/api/resource/ToDo/a%2Fb", 404),
        ("/api/resource/ToDo/a/b/c", 404),
        ("/api/resource/ToDo/%F0%9F%8C%B1", 404),
        ("/api/resource/ToDo/%", 400),
        ("/api/resource/%00", 400),
        ("/api/resource/%ff", 400),
        ("/api/resource", 404),
        ("/api/resource/", 404),
        ("/api/v2/resource/ToDo", 404),
        ("/api/v2/doctype/Nope/meta", 404),
        ("/api/v2/doctype/Nope/count", 404),
    ] {
        let answer = manager.send("GET", path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.media_type(), "application/json");
    }
    scene.app.close().await;
}
