//! Each tool under the rights of who calls, as the paths of REST are.

use super::*;

/// Calls of every tool, and the scope that each needs.
fn calls(name: &str) -> Vec<(&'static str, Value, &'static str)> {
    let todo = || json!({"doctype": "ToDo", "name": name});
    let with = |mut value: Value, values: Value| {
        value["values"] = values;
        value
    };
    let method = |path: &str, arguments: Value| json!({"method": path, "arguments": arguments});
    vec![
        ("describe_doctype", json!({"doctype": "ToDo"}), "todo:read"),
        ("list_documents", json!({"doctype": "ToDo"}), "todo:read"),
        ("get_document", todo(), "todo:read"),
        (
            "create_document",
            with(json!({"doctype": "ToDo"}), json!({"description": "x"})),
            "todo:create",
        ),
        (
            "update_document",
            with(todo(), json!({"status": "Closed"})),
            "todo:write",
        ),
        (
            "call_method",
            method("frappe.client.get_list", json!({"doctype": "ToDo"})),
            "todo:read",
        ),
        (
            "call_method",
            method("frappe.client.get", todo()),
            "todo:read",
        ),
        (
            "call_method",
            method(
                "frappe.client.insert",
                json!({"doc": {"doctype": "ToDo", "description": "y"}}),
            ),
            "todo:create",
        ),
        (
            "call_method",
            method(
                "frappe.client.set_value",
                json!({"doctype": "ToDo", "name": name, "fieldname": "priority", "value": "Low"}),
            ),
            "todo:write",
        ),
        ("delete_document", todo(), "todo:delete"),
    ]
}

// spec: standards.md, U, "403 `insufficient_scope` + scope → step-up flow"
#[tokio::test]
async fn a_token_opens_what_its_scopes_say_and_names_what_is_missing() {
    let app = site(&["Desk User"]).await;
    let everything = Assistant::with(&app, "all").await;
    let nothing = Assistant::with(&app, "openid").await;
    let (_, header) = key(&app, "note:read").await;
    let narrow_key = Assistant::new(&app, &header);
    let name = everything.todo("Water the plants").await;
    for (tool, arguments, scope) in calls(&name) {
        let missing = nothing.missing_scope(tool, arguments.clone()).await;
        assert!(
            missing.split(' ').any(|one| one == scope),
            "{tool}: {missing}"
        );
        // Of a key no other can be asked for: the assistant is told.
        let told = narrow_key.refusal(tool, arguments.clone()).await;
        assert!(
            told.starts_with("PermissionError: ") && told.contains(scope),
            "{told}"
        );
        let enough = Assistant::with(&app, scope).await;
        enough.call(tool, arguments).await;
    }
    let list = nothing.call("list_doctypes", json!({})).await;
    assert_eq!(list, json!({"doctypes": []}));
    let list = narrow_key.call("list_doctypes", json!({})).await;
    assert_eq!(list["doctypes"].as_array().unwrap().len(), 1);
    assert_eq!(list["doctypes"][0]["may"], json!(["read"]));
    for method in ["ping", "version", "frappe.auth.get_logged_user"] {
        nothing.call("call_method", json!({"method": method})).await;
    }
    app.close().await;
}

// Roles count on top of scopes: then no other scope would help, and none is asked for.
#[tokio::test]
async fn users_may_what_they_may_over_rest() {
    let app = site(&[]).await;
    app.add_user("boss@example.com", PASSWORD, &["System Manager"])
        .await;
    let plain = Assistant::with(&app, "all").await;
    let mut boss = app.signed_in("boss@example.com", PASSWORD).await;
    let note = app.http().post("/api/resource/ToDo");
    let made = boss
        .send(note.json(&json!({"description": "Of the boss"})))
        .await;
    let name = made.json()["data"]["name"].as_str().unwrap().to_owned();
    for (tool, arguments) in [
        ("get_document", json!({"doctype": "ToDo", "name": name})),
        (
            "update_document",
            json!({"doctype": "ToDo", "name": name, "values": {"status": "Closed"}}),
        ),
        ("delete_document", json!({"doctype": "ToDo", "name": name})),
        ("list_documents", json!({"doctype": "OAuth Client"})),
        ("describe_doctype", json!({"doctype": "OAuth Client"})),
        (
            "create_document",
            json!({"doctype": "Role", "values": {"role_name": "King"}}),
        ),
        ("get_document", json!({"doctype": "OAuth Settings"})),
    ] {
        let told = plain.refusal(tool, arguments.clone()).await;
        assert!(
            told.starts_with("PermissionError: "),
            "{tool} {arguments}: {told}"
        );
    }
    // What lies above the levels of a user is passed over, and the result says so.
    let roles = json!({"roles": [{"role": "System Manager"}], "bio": "Tall"});
    let change = json!({"doctype": "User", "name": USER, "values": roles});
    let changed = plain.call("update_document", change).await;
    assert_eq!(changed["ignored"], json!(["roles"]));
    let roles = "SELECT count(*) FROM \"tabHas Role\" WHERE parent = ?";
    assert_eq!(app.count(roles, vec![USER.into()]).await, 0);
    assert_eq!(
        plain
            .call("list_documents", json!({"doctype": "ToDo"}))
            .await,
        json!({"documents": []})
    );
    let doctypes = plain.call("list_doctypes", json!({})).await.to_string();
    assert!(doctypes.contains("\"ToDo\"") && !doctypes.contains("OAuth Settings"));
    app.close().await;
}

#[tokio::test]
async fn lists_are_counted_by_group() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    for _ in 0..3 {
        who.todo("Water the plants").await;
    }
    let list = json!({
        "doctype": "ToDo", "fields": ["status", "count(name) as number"], "group_by": "status",
        "order_by": "status asc",
    });
    let list = who.call("list_documents", list).await;
    assert_eq!(list["documents"], json!([{"status": "Open", "number": 3}]));
    app.close().await;
}

#[tokio::test]
async fn a_system_manager_keeps_records_and_singles() {
    let app = site(&["System Manager"]).await;
    let who = Assistant::with(&app, "all").await;
    let doctypes = who
        .call("list_doctypes", json!({"search": "settings"}))
        .await;
    let oauth = doctypes["doctypes"].as_array().unwrap().iter();
    let oauth = oauth.filter(|doctype| doctype["name"] == "OAuth Settings");
    let oauth: Vec<_> = oauth.collect();
    assert_eq!(oauth[0]["single"], true);
    assert_eq!(oauth[0]["may"], json!(["read", "write"]));
    let single = json!({"doctype": "OAuth Settings"});
    let read = who.call("get_document", single).await;
    assert_eq!(read["document"]["enable_mcp"], 1);
    let change = json!({"doctype": "OAuth Settings", "values": {"enable_mcp": 0}});
    who.call("update_document", change).await;
    assert_eq!(who.ask("tools/list", json!({})).await.status, 404);
    app.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_arguments_is_told_to_the_assistant() {
    let app = site(&[]).await;
    let who = Assistant::with(&app, "all").await;
    let name = who.todo("Water the plants").await;
    for (tool, arguments, told) in [
        ("list_documents", json!({}), "doctype is missing"),
        (
            "list_documents",
            json!({"doctype": {}}),
            "doctype has to be a text",
        ),
        (
            "list_documents",
            json!({"doctype": "ToDo", "filter": {}}),
            "There is no argument filter. The tool takes: doctype, fields, filters",
        ),
        (
            "list_documents",
            json!({"doctype": "ToDo", "fields": ["colour"]}),
            "colour",
        ),
        (
            "list_documents",
            json!({"doctype": "ToDo", "filters": {"status": ["~", 1]}}),
            "~",
        ),
        (
            "list_documents",
            json!({"doctype": "ToDo", "limit": -1}),
            "limit",
        ),
        (
            "list_documents",
            json!({"doctype": "No Such"}),
            "DoesNotExistError: DocType No Such not found",
        ),
        (
            "get_document",
            json!({"doctype": "ToDo"}),
            "name is missing",
        ),
        (
            "create_document",
            json!({"doctype": "ToDo"}),
            "values is missing",
        ),
        (
            "create_document",
            json!({"doctype": "ToDo", "values": [1]}),
            "JSON object",
        ),
        (
            "create_document",
            json!({"doctype": "ToDo", "values": {}}),
            "MandatoryError: ",
        ),
        (
            "update_document",
            json!({"doctype": "ToDo", "name": name, "values": {"status": "Blue"}}),
            "ValidationError: ",
        ),
        ("call_method", json!({}), "method is missing"),
        (
            "call_method",
            json!({"method": "ping", "arguments": 1}),
            "arguments has to be an object",
        ),
        (
            "call_method",
            json!({"method": "os.system"}),
            "App os is not installed",
        ),
        (
            "call_method",
            json!({"method": "frappe.db.sql"}),
            "PermissionError: Function frappe.db.sql is not whitelisted",
        ),
        (
            "call_method",
            json!({"method": "frappe.integrations.oauth2.get_token"}),
            "not whitelisted",
        ),
    ] {
        let refusal = who.refusal(tool, arguments.clone()).await;
        assert!(refusal.contains(told), "{tool} {arguments}: {refusal}");
    }
    app.close().await;
}

#[tokio::test]
async fn the_same_methods_give_the_same_as_over_rest() {
    let app = site(&[]).await;
    let token = token(&app, "all", None).await;
    let who = Assistant::new(&app, &format!("Bearer {token}"));
    let name = who.todo("Water the plants").await;
    for (method, arguments) in [
        (
            "frappe.client.get_list",
            json!({"doctype": "ToDo", "fields": ["name", "status"]}),
        ),
        ("frappe.client.get_count", json!({"doctype": "ToDo"})),
        (
            "frappe.client.get",
            json!({"doctype": "ToDo", "name": name}),
        ),
        (
            "frappe.client.get_value",
            json!({"doctype": "ToDo", "fieldname": "status", "filters": name}),
        ),
        ("frappe.auth.get_logged_user", json!({})),
        ("version", json!({})),
    ] {
        let over_rest = app
            .http()
            .post(&format!("/api/method/{method}"))
            .bearer(&token);
        let over_rest = over_rest.json(&arguments).send().await;
        let called = json!({"method": method, "arguments": arguments});
        let called = who.call("call_method", called).await;
        assert_eq!(called["result"], over_rest.json()["message"], "{method}");
    }
    app.close().await;
}
