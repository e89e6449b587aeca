//! Groups, functions over them, and rows that are there once.

use std::collections::BTreeMap;

use crema_document::Reason;
use serde_json::{Value, json};

use crate::support::Engine;
use crate::world::{self, World, list, reason};

crate::on_every_engine!(groups);

async fn groups(engine: Engine) {
    let world = world::world(engine).await;
    groups_are_counted_and_summed(&world).await;
    everything_is_one_group(&world).await;
    groups_of_joined_rows(&world).await;
    distinct_rows(&world).await;
    what_has_no_single_value_is_refused(&world).await;
}

async fn groups_are_counted_and_summed(world: &World) {
    let rows = list(
        &world.documents,
        json!({
            "fields": [
                "status", "count(name) as rows", {"SUM": "docstatus", "as": "total"},
                "avg(price) as mean", "min(day) as first", "max(title) as last",
                "count(title) as titled", "count(distinct number) as numbers", "max(at) as latest",
            ],
            "group_by": "status",
            "order_by": "status asc",
        }),
    )
    .await
    .unwrap();
    let mut groups: BTreeMap<Option<&str>, Vec<&Value>> = BTreeMap::new();
    for thing in &world.things {
        let status = thing.values["status"].as_str();
        groups.entry(status).or_default().push(&thing.values);
    }
    assert_eq!(rows.len(), groups.len());
    for (row, (status, things)) in rows.iter().zip(groups) {
        let texts = |name: &'static str| {
            let values = things.iter().filter_map(move |thing| thing[name].as_str());
            values.filter(|text| !text.is_empty())
        };
        let total: i64 = things
            .iter()
            .map(|thing| thing["docstatus"].as_i64().unwrap())
            .sum();
        let numbers: std::collections::BTreeSet<i64> = things
            .iter()
            .map(|thing| thing["number"].as_i64().unwrap())
            .collect();
        let sum: f64 = things
            .iter()
            .map(|thing| thing["price"].as_f64().unwrap())
            .sum();
        assert_eq!(row["status"], json!(status));
        assert_eq!(row["rows"], json!(things.len()));
        assert_eq!(row["total"], json!(total));
        assert_eq!(row["first"], json!(texts("day").min()));
        assert_eq!(row["last"], json!(texts("title").max()));
        assert_eq!(row["latest"], json!(texts("at").max()));
        assert_eq!(row["titled"], json!(texts("title").count()));
        assert_eq!(row["numbers"], json!(numbers.len()));
        let mean = row["mean"].as_f64().unwrap();
        assert!((mean - sum / things.len() as f64).abs() < 1e-3, "{mean}");
    }
}

async fn everything_is_one_group(world: &World) {
    let rows = list(
        &world.documents,
        json!({"fields": ["count(*)", "sum(big)"]}),
    )
    .await;
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["count(*)"], json!(48));
    assert!(rows[0]["sum(big)"].is_number());
    let nothing = json!({"fields": "count(name) as n, sum(number) as s, max(title) as t",
        "filters": {"name": "nobody"}});
    let rows = list(&world.documents, nothing).await.unwrap();
    assert_eq!(
        Value::from(rows[0].clone()),
        json!({"n": 0, "s": null, "t": null})
    );
}

async fn groups_of_joined_rows(world: &World) {
    let rows = list(
        &world.documents,
        json!({
            "fields": ["name", "title", "sum(items.qty) as qty", "count(items.name) as items"],
            "group_by": "name",
            "order_by": "items desc, name",
            "limit": 100,
        }),
    )
    .await
    .unwrap();
    assert_eq!(rows.len(), 48);
    assert_eq!(rows[0]["name"], "T03");
    for row in rows {
        let thing = world
            .things
            .iter()
            .find(|thing| thing.values["name"] == row["name"]);
        let items = &thing.unwrap().items;
        assert_eq!(row["items"], json!(items.len()));
        let qty: i64 = items.iter().map(|item| item["qty"].as_i64().unwrap()).sum();
        let expected = if items.is_empty() {
            json!(null)
        } else {
            json!(qty)
        };
        assert_eq!(row["qty"], expected);
    }
}

async fn distinct_rows(world: &World) {
    let documents = &world.documents;
    let statuses = list(documents, json!({"fields": ["status"], "distinct": 1})).await;
    let statuses = world::column(&statuses.unwrap(), "status");
    assert_eq!(statuses, [json!(null), json!("Closed"), json!("Open")]);
    let descending = json!({"fields": ["status"], "distinct": true, "order_by": "status desc"});
    let statuses = world::column(&list(documents, descending).await.unwrap(), "status");
    assert_eq!(statuses, [json!("Open"), json!("Closed"), json!(null)]);
    // Names are all different: any order does.
    let named = json!({"fields": ["name"], "distinct": 1, "order_by": "creation asc", "limit": 2});
    let names = world::column(&list(documents, named).await.unwrap(), "name");
    assert_eq!(names, [json!("T00"), json!("T01")]);
    let other = json!({"fields": ["status"], "distinct": 1, "order_by": "creation"});
    assert_eq!(reason(list(documents, other).await), Reason::Malformed);
}

async fn what_has_no_single_value_is_refused(world: &World) {
    for arguments in [
        json!({"fields": ["name", "count(*)"]}),
        json!({"fields": ["status", "title"], "group_by": "status"}),
        json!({"fields": ["status"], "group_by": "status", "order_by": "title"}),
        json!({"fields": ["name", "items.label"], "group_by": "name"}),
        json!({"fields": ["name"], "order_by": "count(name)"}),
        json!({"fields": ["sum(*)"]}),
        json!({"fields": ["sum(distinct number)"]}),
        json!({"fields": ["count(items)"]}),
        json!({"group_by": "nothing"}),
    ] {
        let refused = reason(list(&world.documents, arguments.clone()).await);
        assert_eq!(refused, Reason::Malformed, "{arguments}");
    }
    let sum = list(&world.documents, json!({"fields": ["sum(title)"]})).await;
    assert_eq!(reason(sum), Reason::Validation);
}
