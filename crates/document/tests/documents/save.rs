//! What a save writes, and what it leaves alone.

use crema_document::Reason;
use serde_json::{Value, json};

use crate::values;
use crate::world::{World, later, reason};

// spec: golden/resource-08, v2-03
pub(crate) async fn members_come_in_frappes_order(world: &World) {
    let documents = world.admin();
    let values = values!({"title": "a", "rows": [{"item": "x"}], "secret": "s"});
    let made = documents.insert("Test Task", values).await.unwrap();
    let names: Vec<&str> = made.values.keys().map(String::as_str).collect();
    let head = [
        "name",
        "owner",
        "creation",
        "modified",
        "modified_by",
        "docstatus",
        "idx",
    ];
    assert_eq!(names[..7], head);
    assert_eq!(names[7..11], ["title", "body", "code", "status"]);
    assert_eq!(names[names.len() - 3..], ["mail", "doctype", "rows"]);
    let row = &made.values["rows"][0];
    let names: Vec<&str> = row
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names[..7], head);
    assert_eq!(
        names[names.len() - 4..],
        ["parent", "parentfield", "parenttype", "doctype"]
    );
    assert_eq!(row["parent"], json!(made.name));
    assert_eq!(row["parentfield"], json!("rows"));
    assert_eq!(row["parenttype"], json!("Test Task"));
    assert_eq!(
        (&row["idx"], &row["count"], &row["size"]),
        (&json!(1), &json!(1), &json!("S"))
    );
    assert_eq!(made.values["doctype"], json!("Test Task"));
    assert_eq!(made.values["owner"], json!("Administrator"));
    assert_eq!(made.values["creation"], json!("2026-11-20 12:00:00.000000"));
    // A row by itself.
    let name = row["name"].as_str().unwrap();
    let alone = documents.get("Test Row", name).await.unwrap();
    assert_eq!(Value::Object(alone.values), *row);
}

pub(crate) async fn what_is_not_given_stays(world: &World) {
    let documents = world.admin();
    let values = values!({
        "title": "a", "body": "text", "salary": 9, "rows": [{"item": "x", "count": 3}],
    });
    let made = documents.insert("Test Task", values).await.unwrap();
    let before = world.version().await;
    let jo = later(&world.user("jo@example.com", &[]), 60);
    let given = values!({"title": "b", "owner": "jo@example.com", "creation": "2000-01-01 00:00:00",
        "name": "other", "doctype": "Other", "idx": 7, "salary": 1_000_000});
    let updated = jo.update("Test Task", &made.name, given).await.unwrap();
    assert!(world.version().await > before, "it is watched");
    let read = documents.get("Test Task", &made.name).await.unwrap();
    let mut expected = made.values.clone();
    expected["title"] = json!("b");
    expected["rows"][0]["modified"] = json!("2026-11-20 12:01:00.000000");
    expected["rows"][0]["modified_by"] = json!("jo@example.com");
    expected["modified"] = json!("2026-11-20 12:01:00.000000");
    expected["modified_by"] = json!("jo@example.com");
    assert_eq!(read.values, expected);
    expected.shift_remove("salary");
    assert_eq!(
        updated.values, expected,
        "and the level that is not theirs is not shown"
    );
    // A clock that stands still: `modified` moves all the same.
    let again = jo.update("Test Task", &made.name, values!({"title": "c"}));
    let again = again.await.unwrap();
    assert_eq!(
        again.values["modified"],
        json!("2026-11-20 12:01:00.000001")
    );
}

pub(crate) async fn rows_are_matched_by_name(world: &World) {
    let documents = world.admin();
    let values = values!({
        "rows": [{"item": "a", "count": 5}, {"item": "b"}, {"item": "c"}],
        "more": [{"item": "m"}], "tags": [{"role": "All"}],
    });
    let made = documents.insert("Test Thing", values).await.unwrap();
    let row = |index: usize| made.values["rows"][index]["name"].clone();
    let given = values!({"rows": [
        {"name": row(2), "item": "c2"},
        {"name": row(0)},
        {"name": row(0), "item": "twice"},
        {"name": made.values["more"][0]["name"], "item": "of another field"},
        {"item": "new", "parent": "elsewhere", "idx": 99},
    ]});
    let updated = later(&documents, 5)
        .update("Test Thing", &made.name, given)
        .await
        .unwrap();
    assert_eq!(
        updated,
        documents.get("Test Thing", &made.name).await.unwrap()
    );
    let rows = updated.values["rows"].as_array().unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (&row["item"], &row["count"], &row["idx"]))
        .collect();
    assert_eq!(shown[0], (&json!("c2"), &json!(1), &json!(1)));
    assert_eq!(
        shown[1],
        (&json!("a"), &json!(5), &json!(2)),
        "not given, not lost"
    );
    assert_eq!(shown[2].0, &json!("twice"));
    assert_eq!(shown[3].0, &json!("of another field"));
    assert_eq!(shown[4], (&json!("new"), &json!(1), &json!(5)));
    assert_eq!((&rows[0]["name"], &rows[1]["name"]), (&row(2), &row(0)));
    assert!(rows[2..].iter().all(|new| {
        made.values["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|old| old["name"] != new["name"])
    }));
    assert_eq!(rows[0]["creation"], json!("2026-11-20 12:00:00.000000"));
    assert_eq!(rows[4]["creation"], json!("2026-11-20 12:00:05.000000"));
    assert_eq!(rows[4]["parent"], json!(made.name));
    assert_eq!(
        updated.values["more"][0]["name"],
        made.values["more"][0]["name"]
    );
    assert_eq!(world.count("tabTest Row", "parent", &made.name).await, 6);
    let cleared = documents.update(
        "Test Thing",
        &made.name,
        values!({"rows": [], "tags": null}),
    );
    let cleared = cleared.await.unwrap();
    assert_eq!(
        (&cleared.values["rows"], &cleared.values["tags"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(world.count("tabTest Row", "parent", &made.name).await, 1);
}

pub(crate) async fn secrets_are_kept_apart(world: &World) {
    let documents = world.admin();
    let values = values!({"title": "a", "secret": "hunter2"});
    let made = documents.insert("Test Task", values).await.unwrap();
    assert!(!made.values.contains_key("secret"));
    let kept = async || world.secret("Test Task", &made.name, "secret").await;
    assert_eq!(kept().await.as_deref(), Some("2retnuh"));
    let update = async |values| {
        let updated = documents
            .update("Test Task", &made.name, values)
            .await
            .unwrap();
        assert!(!format!("{updated:?}").contains("hunter"));
    };
    update(values!({"title": "b"})).await;
    update(values!({"secret": "*******"})).await;
    assert_eq!(
        kept().await.as_deref(),
        Some("2retnuh"),
        "not given, not lost"
    );
    assert!(world.count("tabTest Task", "secret", "********").await > 0);
    assert_eq!(world.count("tabTest Task", "secret", "hunter2").await, 0);
    update(values!({"secret": "hunter3"})).await;
    assert_eq!(kept().await.as_deref(), Some("3retnuh"));
    update(values!({"secret": ""})).await;
    assert_eq!(kept().await, None);
}

pub(crate) async fn the_state_that_is_known_has_to_be_the_last(world: &World) {
    let documents = world.admin();
    let made = documents
        .insert("Test Task", values!({"title": "a"}))
        .await
        .unwrap();
    let known = made.values["modified"].clone();
    let given = |title: &str| values!({"title": title, "modified": known});
    let first = documents
        .update("Test Task", &made.name, given("b"))
        .await
        .unwrap();
    assert_ne!(first.values["modified"], known);
    let second = documents.update("Test Task", &made.name, given("c")).await;
    assert_eq!(reason(second), Reason::TimestampMismatch);
    let nothing = documents.update("Test Task", "nothing", given("c")).await;
    assert_eq!(reason(nothing), Reason::DoesNotExist);
    let read = documents.get("Test Task", &made.name).await.unwrap();
    assert_eq!(read.values["title"], json!("b"));
}
