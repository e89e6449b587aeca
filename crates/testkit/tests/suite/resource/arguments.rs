//! In which forms arguments come.

use crema_testkit::Request;
use serde_json::{Value, json};

use super::{MANAGER, PASSWORD, Scene, fault};

const LIST: &str = "/api/resource/ToDo";

fn description(answer: &crema_testkit::Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"]["description"].clone()
}

/// What PHP's curl makes of an array, and browsers of `FormData`.
fn multipart(request: Request, fields: &[(&str, &str)]) -> Request {
    let mut body = String::new();
    for (name, value) in fields {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        body += &format!("--------x\r\n{head}\r\n\r\n{value}\r\n");
    }
    body += "--------x--\r\n";
    let kind = "multipart/form-data; boundary=------x";
    request.header("Content-Type", kind).body(body)
}

// spec: http.md, Resource server, POST `/api/method/login` (`usr`, `pwd`)
#[tokio::test]
async fn people_sign_in_and_call_methods_with_multipart_forms() {
    let scene = Scene::start().await;
    let mut visitor = scene.app.visitor();
    let post = |path| scene.app.http().request("POST", path);
    let sign_in = |pwd| {
        let fields = [("usr", MANAGER), ("pwd", pwd)];
        multipart(post("/api/method/login"), &fields)
    };
    assert_eq!(visitor.send(sign_in("wrong")).await.status, 401);
    assert_eq!(visitor.send(sign_in(PASSWORD)).await.status, 200);
    let fields = [("cmd", "frappe.client.get_count"), ("doctype", "ToDo")];
    let answer = visitor.send(multipart(post("/"), &fields)).await;
    assert_eq!(answer.json(), json!({"message": 0}));
    let kind = "multipart/form-data; boundary=x";
    let cut = post("/api/method/login").header("Content-Type", kind);
    assert_eq!(cut.body("--x\r\n").send().await.status, 400);
    scene.app.close().await;
}

#[tokio::test]
async fn a_document_comes_as_json_as_a_form_or_as_json_in_a_form() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let post = || manager.request("POST", LIST);
    let data = r#"{"description": "d"}"#;
    for request in [
        post().json(&json!({"description": "d"})),
        post().json(&json!({"data": {"description": "d"}})),
        post().json(&json!({"data": data})),
        post().form(&[("description", "d")]),
        post().form(&[("data", data)]),
        post().query(&[("data", data)]),
        post().query(&[("description", "d")]),
        post()
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(data),
        post()
            .header("Content-Type", "application/json; charset=utf-8")
            .body(data),
        multipart(post(), &[("description", "d")]),
        multipart(post(), &[("data", data), ("filename", "x")]),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(description(&request.send().await), "d", "{shown}");
    }
    // Of a JSON body the query is no part.
    let answer = post()
        .query(&[("status", "Closed")])
        .json(&json!({"description": "d"}));
    assert_eq!(answer.send().await.json()["data"]["status"], "Open");
    scene.app.close().await;
}

// spec: security.md, Inputs, outputs, network, "Malformed JSON, UTF-8, percent-encoding …: 400"
#[tokio::test]
async fn what_cannot_be_read_is_400() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let deep = format!("{}1{}", "{\"a\":".repeat(70), "}".repeat(70));
    for path in [
        LIST,
        "/api/method/frappe.client.insert",
        "/api/v2/document/ToDo",
    ] {
        for body in [
            "{bad",
            "5",
            "[",
            "{\"a\": 1, \"a\": 2}",
            "{\"a\": \"\\u0000\"}",
            &deep,
        ] {
            let request = manager.request("POST", path);
            let request = request.header("Content-Type", "application/json");
            let answer = request.body(body).send().await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        }
        for body in ["a=%", "a=%ff", "a=%00", "a=1&a=2"] {
            let request = manager.request("POST", path);
            let request = request.header("Content-Type", "application/x-www-form-urlencoded");
            assert_eq!(request.body(body).send().await.status, 400, "{path} {body}");
        }
        let request = manager
            .request("POST", path)
            .header("Content-Type", "text/plain");
        assert_eq!(request.body("x").send().await.status, 415);
    }
    for query in ["filters=%", "fields=%ff", "limit=1&limit=2", "a=%00"] {
        let answer = manager.send("GET", &format!("{LIST}?{query}")).await;
        assert_eq!(
            fault(&answer),
            (400, "ValidationError".to_owned()),
            "{query}"
        );
    }
    let answer = manager.json("POST", LIST, &json!([1, 2])).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    scene.app.close().await;
}

// spec: golden, method-21-json-array-body
#[tokio::test]
async fn methods_take_their_arguments_from_query_form_and_json_alike() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let name = manager.todo("one").await;
    let path = "/api/method/frappe.client.get_value";
    let arguments = [
        ("doctype", "ToDo"),
        ("fieldname", "description"),
        ("filters", name.as_str()),
    ];
    let expected = json!({"message": {"description": "one"}});
    let object = json!({"doctype": "ToDo", "fieldname": "description", "filters": name});
    let mut with_command = vec![("cmd", "frappe.client.get_value")];
    with_command.extend(arguments);
    let mut command = object.clone();
    command["cmd"] = json!("frappe.client.get_value");
    command["filters"] = json!({"name": name});
    for request in [
        manager.request("GET", path).query(&arguments),
        manager.request("POST", path).form(&arguments),
        manager.request("POST", path).json(&object),
        manager.request("GET", "/").query(&with_command),
        manager.request("POST", "/").form(&with_command),
        manager.request("POST", "/").json(&command),
    ] {
        let shown = format!("{request:?}");
        let answer = request.send().await;
        assert_eq!(answer.json(), expected, "{shown}");
    }
    let who = "/api/method/frappe.auth.get_logged_user";
    let answer = manager.json("POST", who, &json!([1, 2])).await;
    assert_eq!(answer.json(), json!({"message": super::MANAGER}));
    scene.app.close().await;
}
