//! The seven methods: what they answer, to whom, and what they refuse.

use crema_testkit::{App, Engine, for_each_engine};
use serde_json::json;

use super::{DESK, LEAD, Mobile, PASSWORD, SUE, TODAY, TOM, message, refused, start, task, titles};

const HOME: &str = "/api/method/crm.api.mobile_api.home_tasks";

for_each_engine! {
    // spec: crm.md, CRM Task and Mobile API
    async fn every_method_asks_for_the_rights_on_tasks(engine: Engine) {
        let app = start(engine).await;
        let (sue, tom) = (Mobile::of(&app, SUE).await, Mobile::of(&app, TOM).await);
        let lead = Mobile::of(&app, LEAD).await;
        // Desk has none of the roles of the client, so comes with another.
        let desk = Mobile::with_scope(&app, DESK, "crm_task:*").await;

        let made = message(&sue.post("create_task", json!({"title": "Call client"})).await);
        let id = made["name"].as_i64().unwrap();
        assert_eq!(made, json!({
            "name": id, "title": "Call client", "status": "Open", "priority": "Medium",
            "start_date": TODAY, "modified": "2026-11-20 23:30:00", "assigned_to": SUE,
        }));
        let whole = json!({
            "title": "Visit", "status": "In Progress", "priority": "High",
            "start_date": "2026-11-21", "due_date": "2026-11-22 10:00:00",
            "description": "At noon", "assigned_to": TOM, "task_type": "Visit",
        });
        let given = message(&sue.post("create_task", whole).await);
        assert_eq!(given["due_date"], "2026-11-22 10:00:00");
        assert!(given.get("description").is_none());

        // Those whom a task is assigned to have it too; others have not.
        let shared = given["name"].as_i64().unwrap();
        let all = |found: &crema_testkit::Response| titles(&message(found)["data"]).join(",");
        assert_eq!(all(&sue.get("filter_tasks", &[]).await), "Visit,Call client");
        assert_eq!(all(&tom.get("filter_tasks", &[]).await), "Visit");
        assert_eq!(all(&lead.get("filter_tasks", &[]).await), "Visit,Call client");
        let edit = json!({"task_id": shared, "title": "Visit at ten", "due_date": ""});
        let edited = message(&tom.post("edit_task", edit).await);
        assert_eq!(edited["title"], "Visit at ten");
        assert!(edited.get("due_date").is_none(), "{edited}");
        for (who, method, body) in [
            (&tom, "edit_task", json!({"task_id": id, "title": "Mine"})),
            (&tom, "update_status", json!({"task_id": id, "status": "Completed"})),
            (&tom, "delete_task", json!({"task_id": id})),
            (&sue, "delete_task", json!({"task_id": id})),
            (&desk, "create_task", json!({"title": "No"})),
            (&desk, "edit_task", json!({"task_id": id, "title": "No"})),
            (&desk, "update_status", json!({"task_id": id, "status": "Open"})),
            (&desk, "delete_task", json!({"task_id": id})),
        ] {
            refused(&who.post(method, body).await, 403, "PermissionError", "");
        }
        for method in ["home_tasks", "filter_tasks", "main_page_buckets"] {
            refused(&desk.get(method, &[]).await, 403, "PermissionError", "");
            let guest = app.http().get(&format!("/api/method/crm.api.mobile_api.{method}"));
            assert_eq!(guest.send().await.status, 401);
        }

        let done = json!({"task_id": id.to_string(), "status": "Completed"});
        let done = message(&sue.post("update_status", done).await);
        assert_eq!((&done["name"], &done["status"]), (&json!(id), &json!("Completed")));
        let removed = message(&lead.post("delete_task", json!({"task_id": id})).await);
        assert_eq!(removed, format!("Task {id} deleted successfully"));
        let again = lead.post("delete_task", json!({"task_id": id})).await;
        refused(&again, 404, "DoesNotExistError", &id.to_string());
        app.close().await;
    }

    // spec: crm.md, "bad value 400 `ValidationError` that lists the allowed values"
    async fn bad_values_are_answered_with_400(engine: Engine) {
        let app = start(engine).await;
        let sue = Mobile::of(&app, SUE).await;
        let id = sue.task(task("Call", "High")).await;
        for (method, body, says) in [
            ("create_task", json!({}), "Title"),
            ("create_task", json!({"title": "x", "status": "Done"}), "In Progress"),
            ("create_task", json!({"title": "x", "priority": "high"}), "Medium"),
            ("create_task", json!({"title": "x", "start_date": "tomorrow"}), "YYYY-MM-DD"),
            ("create_task", json!({"title": "x", "due_date": "2026-13-01"}), "Due Date"),
            ("create_task", json!({"title": "x", "assigned_to": "nobody@example.com"}), "Assigned To"),
            ("create_task", json!({"title": {"a": 1}}), "title"),
            ("create_task", json!({"title": "x".repeat(200)}), "Title"),
            ("edit_task", json!({"task_id": id}), "Nothing"),
            ("edit_task", json!({"task_id": "x", "title": "y"}), "task_id"),
            ("edit_task", json!({"title": "y"}), "task_id"),
            ("edit_task", json!({"task_id": id, "title": ""}), "Title"),
            ("update_status", json!({"task_id": id}), "Completed"),
            ("update_status", json!({"task_id": id, "status": "Closed"}), "In Progress"),
            ("delete_task", json!({"task_id": [id]}), "task_id"),
        ] {
            let answer = sue.post(method, body.clone()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
            refused(&answer, 400, "ValidationError", says);
        }
        for (method, name, value) in [
            ("home_tasks", "limit", "0"),
            ("home_tasks", "limit", "many"),
            ("home_tasks", "limit", "1001"),
            ("filter_tasks", "offset", "-1"),
            ("filter_tasks", "status", "Open,Closed"),
            ("filter_tasks", "importance", "Urgent"),
            ("filter_tasks", "date_from", "soon"),
            ("main_page_buckets", "min_each", "-5"),
        ] {
            let answer = sue.get(method, &[(name, value)]).await;
            assert_eq!(answer.status, 400, "{name}={value}: {}", answer.text());
            assert_eq!(answer.member("exc_type"), "ValidationError");
        }
        let unknown = json!({"task_id": 4711, "title": "y"});
        refused(&sue.post("edit_task", unknown).await, 404, "DoesNotExistError", "4711");
        let tasks = app.count(r#"SELECT COUNT(*) FROM "tabCRM Task""#, vec![]).await;
        assert_eq!(tasks, 1);
        app.close().await;
    }
}

// spec: http.md, Scopes on resources, "`home_tasks` needs `crm_task:read`"
#[tokio::test]
async fn scopes_open_methods() {
    let app = start(Engine::Sqlite).await;
    let all = Mobile::of(&app, SUE).await;
    let id = all.task(task("Call", "High")).await;
    let reader = Mobile::with_scope(&app, SUE, "crm_task:read").await;
    let found = message(&reader.get("home_tasks", &[]).await);
    assert_eq!(titles(&found["today"]), ["Call"]);
    let edit = json!({"task_id": id, "title": "Mine"});
    let answer = reader.post("edit_task", edit.clone()).await;
    refused(&answer, 403, "PermissionError", "crm_task:write");
    let challenge = answer.header("WWW-Authenticate").unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope", scope="crm_task:write""#));

    // A scope that names a method opens that one, and documents only inside of it.
    let scope = "method:crm.api.mobile_api.home_tasks";
    let named = Mobile::with_scope(&app, SUE, scope).await;
    let found = message(&named.get("home_tasks", &[]).await);
    assert_eq!(titles(&found["today"]), ["Call"]);
    let other = named.get("filter_tasks", &[]).await;
    refused(&other, 403, "PermissionError", "crm_task:read");
    let rest = app.http().get("/api/resource/CRM%20Task");
    assert_eq!(rest.bearer(&named.token).send().await.status, 403);
    let nothing = Mobile::with_scope(&app, SUE, "openid").await;
    assert_eq!(nothing.get("home_tasks", &[]).await.status, 403);
    app.close().await;
}

/// HTTP methods, sessions, `cmd`, v2, REST beside it; and a site that has not got the app.
#[tokio::test]
async fn methods_of_the_app_are_like_all_others() {
    let app = start(Engine::Sqlite).await;
    let mut sue = app.signed_in(SUE, PASSWORD).await;
    let found = sue.get(HOME).await;
    assert_eq!(message(&found), json!({"today": [], "limit": 5}));
    let create = "/api/method/crm.api.mobile_api.create_task";
    let csrf_token = sue.csrf_token().await;
    let forged = app.http().post(create).form(&[("title", "Forged")]);
    let forged = forged.header("Cookie", &sue.cookie_header()).send().await;
    refused(&forged, 400, "CSRFTokenError", "");
    let form = [("title", "By form"), ("csrf_token", csrf_token.as_str())];
    message(&sue.post(create, &form).await);
    let wrong = sue.get(create).await;
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("POST")));
    let v2 = sue.get(&HOME.replace("/api/", "/api/v2/")).await;
    assert_eq!(titles(&v2.json()["data"]["today"]), ["By form"]);
    let by_command = sue.get("/?cmd=crm.api.mobile_api.home_tasks").await;
    assert_eq!(titles(&message(&by_command)["today"]), ["By form"]);
    let rest = sue
        .get(r#"/api/resource/CRM%20Task?fields=["title","assigned_to"]"#)
        .await;
    assert_eq!(
        rest.json()["data"],
        json!([{"title": "By form", "assigned_to": SUE}])
    );
    let cookies = sue.cookie_header();
    let program = |path: &str| app.http().get(path).header("Cookie", &cookies).send();
    let unknown = program("/api/method/crm.api.mobile_api.home").await;
    refused(&unknown, 403, "PermissionError", "is not whitelisted");

    app.ctx()
        .await
        .provider
        .site()
        .uninstall_app("crm", false)
        .await
        .unwrap();
    let gone = program(HOME).await;
    refused(&gone, 417, "ValidationError", "App crm is not installed");
    app.install_app("crm").await;
    assert_eq!(titles(&message(&sue.get(HOME).await)["today"]), ["By form"]);
    app.close().await;

    let bare = App::builder().build().await;
    let answer = bare.http().get(HOME).send().await;
    refused(&answer, 417, "ValidationError", "App crm is not installed");
    bare.close().await;
}
