//! `frappe.client.*` as client libraries call it.

use crema_testkit::{Engine, Response, for_each_engine};
use serde_json::{Value, json};

use super::{Scene, Sender, fault};

async fn call(sender: &Sender<'_>, name: &str, arguments: &Value) -> Response {
    let path = format!("/api/method/frappe.client.{name}");
    sender.json("POST", &path, arguments).await
}

async fn done(sender: &Sender<'_>, name: &str, arguments: &Value) -> Value {
    let answer = call(sender, name, arguments).await;
    assert_eq!(answer.status, 200, "{name} {arguments}: {}", answer.text());
    answer.json()["message"].clone()
}

async fn every_method(engine: Engine) {
    let scene = Scene::on(engine).await;
    let manager = scene.manager().await;
    let doc = json!({"doctype": "ToDo", "description": "one"});
    let made = done(&manager, "insert", &json!({"doc": doc})).await;
    let text = doc.to_string().replace("one", "two");
    let second = done(&manager, "insert", &json!({"doc": text})).await;
    assert_eq!(second["description"], "two");
    // Empty members are there, as in Frappe.
    assert!(made.get("color").is_some_and(Value::is_null));
    let name = made["name"].clone();

    let read = done(&manager, "get", &json!({"doctype": "ToDo", "name": name})).await;
    assert_eq!(read, made);
    let filters = json!({"description": "two"});
    let read = done(
        &manager,
        "get",
        &json!({"doctype": "ToDo", "filters": filters}),
    )
    .await;
    assert_eq!(read["name"], second["name"]);
    let single = done(&manager, "get", &json!({"doctype": "OAuth Settings"})).await;
    assert_eq!(single["doctype"], "OAuth Settings");
    let none = json!({"doctype": "ToDo", "filters": {"description": "none"}});
    assert_eq!(fault(&call(&manager, "get", &none).await).0, 404);

    let list = json!({"doctype": "ToDo", "fields": ["description"], "order_by": "description desc",
        "limit_page_length": 1});
    assert_eq!(
        done(&manager, "get_list", &list).await,
        json!([{"description": "two"}])
    );
    assert_eq!(
        done(&manager, "get_count", &json!({"doctype": "ToDo"})).await,
        json!(2)
    );

    let value =
        |fieldname: Value| json!({"doctype": "ToDo", "fieldname": fieldname, "filters": name});
    let one = done(&manager, "get_value", &value(json!("status"))).await;
    assert_eq!(one, json!({"status": "Open"}));
    let two = done(
        &manager,
        "get_value",
        &value(json!(["status", "description"])),
    )
    .await;
    assert_eq!(two, json!({"status": "Open", "description": "one"}));
    let two = done(
        &manager,
        "get_value",
        &value(json!(r#"["status", "description"]"#)),
    )
    .await;
    assert_eq!(two["description"], "one");
    let none =
        json!({"doctype": "ToDo", "fieldname": "status", "filters": {"description": "none"}});
    assert_eq!(done(&manager, "get_value", &none).await, json!({}));
    let single = json!({"doctype": "OAuth Settings", "fieldname": "skip_authorization"});
    let of_single = done(&manager, "get_value", &single).await;
    let single = json!({"doctype": "OAuth Settings", "field": "skip_authorization"});
    let same = done(&manager, "get_single_value", &single).await;
    assert_eq!(of_single["skip_authorization"], same);

    let set = |fieldname: Value, value: Value| json!({"doctype": "ToDo", "name": name, "fieldname": fieldname, "value": value});
    let changed = done(
        &manager,
        "set_value",
        &set(json!("status"), json!("Closed")),
    )
    .await;
    assert_eq!(changed["status"], "Closed");
    let several = set(json!({"status": "Open", "priority": "High"}), Value::Null);
    let changed = done(&manager, "set_value", &several).await;
    assert_eq!(
        (&changed["status"], &changed["priority"]),
        (&json!("Open"), &json!("High"))
    );
    let standard = call(&manager, "set_value", &set(json!("owner"), json!("x"))).await;
    assert_eq!(fault(&standard), (417, "ValidationError".to_owned()));

    scene.app.clock.advance_seconds(1);
    let mut whole = changed.clone();
    whole["description"] = json!("changed");
    let saved = done(&manager, "save", &json!({"doc": whole})).await;
    assert_eq!(saved["description"], "changed");
    let stale = call(&manager, "save", &json!({"doc": whole})).await;
    assert_eq!(fault(&stale), (417, "TimestampMismatchError".to_owned()));

    let docs = json!([{"doctype": "ToDo", "docname": name, "status": "Closed"},
        {"doctype": "ToDo", "docname": "none", "status": "Closed"}]);
    let failed = done(&manager, "bulk_update", &json!({"docs": docs.to_string()})).await;
    assert_eq!(failed["failed_docs"].as_array().unwrap().len(), 1);
    assert_eq!(failed["failed_docs"][0]["doc"]["docname"], "none");
    let docs =
        json!([{"doctype": "ToDo", "description": "a"}, {"doctype": "ToDo", "description": "b"}]);
    let names = done(&manager, "insert_many", &json!({"docs": docs})).await;
    assert_eq!(names.as_array().unwrap().len(), 2);

    let gone = json!({"doctype": "ToDo", "name": name});
    let answer = call(&manager, "delete", &gone).await;
    assert_eq!((answer.status, answer.json()), (200, json!({})));
    assert_eq!(fault(&call(&manager, "delete", &gone).await).0, 404);
    scene.app.close().await;
}

for_each_engine! {
    async fn client_methods_do_what_frappes_do(engine: Engine) {
        every_method(engine).await;
    }
}

#[tokio::test]
async fn arguments_that_are_missing_or_of_another_kind_are_named() {
    let scene = Scene::start().await;
    let manager = scene.manager().await;
    let name = manager.todo("one").await;
    for (method, arguments, word) in [
        ("get_list", json!({}), "doctype"),
        ("get", json!({"doctype": "ToDo"}), "name or filters"),
        ("get_value", json!({"doctype": "ToDo"}), "fieldname"),
        (
            "get_single_value",
            json!({"doctype": "ToDo", "field": "x"}),
            "no single",
        ),
        ("insert", json!({}), "doc"),
        ("insert", json!({"doc": "x"}), "object"),
        ("insert", json!({"doc": {"description": "x"}}), "doctype"),
        ("insert_many", json!({"docs": 1}), "docs"),
        ("insert_many", json!({"docs": vec![json!({}); 201]}), "200"),
        ("save", json!({"doc": {"doctype": "ToDo"}}), "name"),
        (
            "set_value",
            json!({"doctype": "ToDo", "name": name}),
            "fieldname",
        ),
        ("delete", json!({"doctype": "ToDo"}), "name"),
        (
            "delete",
            json!({"doctype": "ToDo", "name": {"a": 1}}),
            "name",
        ),
    ] {
        let answer = call(&manager, method, &arguments).await;
        assert_eq!(
            fault(&answer),
            (400, "ValidationError".to_owned()),
            "{method} {arguments}"
        );
        let message = answer.member("_error_message");
        assert!(message.contains(word), "{method} {arguments}: {message}");
    }
    scene.app.close().await;
}
