//! Requests in the forms that clients send them, and what they get.

use crema_document::Reason;
use crema_document::list::ListRequest;
use serde_json::{Map, Value, json};

use crate::support::Engine;
use crate::world::{self, World, column, list, reason};

crate::on_every_engine!(forms);

async fn forms(engine: Engine) {
    let world = world::world(engine).await;
    fields_and_their_names(&world).await;
    the_default_is_the_newest_names(&world).await;
    expanded_links(&world).await;
    long_lists_stream(&world).await;
    child_rows_by_their_document(&world).await;
    names_that_count(&world).await;
    what_makes_no_sense_is_refused(&world).await;
}

async fn one(world: &World, arguments: Value) -> Map<String, Value> {
    let mut rows = list(&world.documents, arguments).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

// spec: http.md, Resource server, fields (a list, or "*")
async fn fields_and_their_names(world: &World) {
    let filters = json!([["name", "=", "T07"]]);
    let all = one(world, json!({"fields": "[\"*\"]", "filters": filters})).await;
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    let expected = [
        "name",
        "owner",
        "creation",
        "modified",
        "modified_by",
        "docstatus",
        "idx",
        "title",
        "status",
        "notes",
        "number",
        "big",
        "price",
        "done",
        "day",
        "at",
        "clock",
        "kind",
        "cost",
    ];
    assert_eq!(names, expected);
    for (name, value) in &all {
        assert_eq!(*value, world.things[7].values[name], "{name}");
    }
    let aliased = one(
        world,
        json!({
            "fields": ["`tabThing`.`name` as id", "title AS what", "kind.title", "kind.name as link"],
            "filters": {"name": "T07"},
        }),
    )
    .await;
    let names: Vec<&str> = aliased.keys().map(String::as_str).collect();
    assert_eq!(names, ["id", "what", "title", "link"]);
    let by_alias = json!({"fields": "name, number as n", "order_by": "n desc", "limit": 1,
        "filters": "{\"number\": [\"<\", 7]}"});
    assert_eq!(one(world, by_alias).await["n"], json!(2));
    let child = json!({"fields": ["name", "`tabThing Item`.`label`"], "filters": {"name": "T03"}});
    assert_eq!(
        list(&world.documents, child).await.unwrap().len(),
        6,
        "both tables"
    );
    let child = json!({"fields": ["name", "items.label"], "filters": {"name": "T03"},
        "order_by": "items.idx asc"});
    let labels = column(&list(&world.documents, child).await.unwrap(), "label");
    let expected: Vec<Value> = world.things[3]
        .items
        .iter()
        .map(|item| item["label"].clone())
        .collect();
    assert_eq!(labels, expected);
}

async fn the_default_is_the_newest_names(world: &World) {
    let rows = list(&world.documents, json!({})).await.unwrap();
    assert_eq!(rows.len(), 20);
    assert_eq!(Value::from(rows[0].clone()), json!({"name": "T47"}));
    let first = column(&rows, "name");
    let second = list(&world.documents, json!({"start": 20})).await.unwrap();
    assert_eq!(second[0]["name"], "T27");
    let all = list(&world.documents, json!({"limit": 0})).await.unwrap();
    assert_eq!(all.len(), 48);
    assert_eq!(column(&all, "name")[..20], first);
    let count = world
        .documents
        .count("Thing", &world::request(json!({})))
        .await;
    assert_eq!(count.unwrap(), 48);
}

// spec: http.md, Resource server, expand
async fn expanded_links(world: &World) {
    let arguments = json!({"fields": ["name"], "expand": "[\"kind\"]", "limit": 0});
    let rows = list(&world.documents, arguments).await.unwrap();
    let mut expanded = 0;
    for row in rows {
        let thing = world
            .things
            .iter()
            .find(|thing| thing.values["name"] == row["name"]);
        let kind = &thing.unwrap().values["kind"];
        match world.kinds.iter().find(|known| known["name"] == *kind) {
            Some(known) => {
                assert_eq!(row["kind"]["title"], known["title"]);
                assert_eq!(row["kind"]["rank"], known["rank"]);
                expanded += 1;
            }
            None => assert_eq!(row["kind"], *kind),
        }
    }
    assert!(expanded > 5);
    for not in ["name", "items", "nothing"] {
        let arguments = json!({"expand": [not]});
        assert_eq!(
            reason(list(&world.documents, arguments).await),
            Reason::Malformed,
            "{not}"
        );
    }
}

async fn long_lists_stream(world: &World) {
    let request = world::request(json!({
        "fields": "*", "limit": 0, "expand": ["kind"], "order_by": "name",
    }));
    let mut stream = world.documents.stream("Thing", &request).await.unwrap();
    let mut streamed = Vec::new();
    while let Some(rows) = stream.next().await {
        streamed.extend(rows.unwrap());
    }
    let at_once = world.documents.list("Thing", &request).await.unwrap();
    assert_eq!(streamed, at_once);
    assert_eq!(streamed.len(), 48);
    let bad = world::request(json!({"fields": "nothing"}));
    assert_eq!(
        reason(world.documents.stream("Thing", &bad).await.map(drop)),
        Reason::Malformed
    );
}

async fn child_rows_by_their_document(world: &World) {
    let boss = world.seen_by(world::actor("boss@example.com", &["Boss"]));
    let request = |arguments: Value| world::request(arguments);
    let parent = json!({"parent": "Thing", "fields": ["name", "parent", "label"],
        "filters": {"parent": "T07", "parentfield": "items"}, "order_by": "idx"});
    let rows = boss.list("Thing Item", &request(parent)).await.unwrap();
    assert_eq!(column(&rows, "label").len(), world.things[7].items.len());
    let all: usize = world.things.iter().map(|thing| thing.items.len()).sum();
    let both = boss
        .count("Thing Item", &request(json!({"parent": "Thing"})))
        .await;
    assert_eq!(both.unwrap(), 2 * all as u64);
    let reader = world.seen_by(world::actor("r@example.com", &["Reader"]));
    let visible = reader
        .count("Thing Item", &request(json!({"parent": "Thing"})))
        .await;
    assert_eq!(visible.unwrap(), all as u64, "not those of a hidden table");
    for parent in [
        json!({}),
        json!({"parent": "Thing Count"}),
        json!({"parent": "Nothing"}),
    ] {
        let refused = reader.list("Thing Item", &request(parent)).await;
        assert_eq!(reason(refused), Reason::Permission);
    }
    let own = world.seen_by(world::actor("jo@example.com", &["Owner"]));
    let parents = request(json!({"parent": "Thing", "limit": 0, "fields": ["name", "parent"]}));
    let mine = own.list("Thing Item", &parents).await.unwrap();
    let expected: usize = world
        .things
        .iter()
        .filter(|thing| thing.values["owner"] == "jo@example.com")
        .map(|thing| thing.items.len())
        .sum();
    assert_eq!(mine.len(), expected);
}

async fn names_that_count(world: &World) {
    let database = world.documents.site.database();
    database
        .write(|tx| {
            Box::pin(async move {
                for name in [1_i64, 2, 30] {
                    let columns = vec![("name", name.into()), ("title", "x".into())];
                    let insert = crema_document::row::insert_statement(
                        tx.dialect(),
                        "tabThing Count",
                        columns,
                    );
                    tx.statement_execute(insert).await?;
                }
                Ok::<_, crema_store::StoreError>(())
            })
        })
        .await
        .unwrap();
    for (filters, expected) in [
        (json!({"name": 2}), 1),
        (json!({"name": "2"}), 1),
        (json!({"name": ["in", ["1", 2, 99]]}), 2),
        (json!({"name": [">", "1.5"]}), 2),
        (json!({"name": ["like", "3%"]}), 1),
        (json!({"name": ["is", "set"]}), 3),
    ] {
        let request = world::request(json!({"filters": filters}));
        let rows = world.documents.list("Thing Count", &request).await.unwrap();
        assert_eq!(rows.len(), expected, "{filters}");
        assert!(rows[0]["name"].is_i64());
    }
}

async fn what_makes_no_sense_is_refused(world: &World) {
    for arguments in [
        json!({"fields": ["nothing"]}),
        json!({"fields": ["section"]}),
        json!({"fields": ["items"]}),
        json!({"fields": ["items.nothing"]}),
        json!({"fields": ["title.name"]}),
        json!({"fields": ["nothing.name"]}),
        json!({"fields": ["items.*"]}),
        json!({"fields": ["name", "kind.name"]}),
        json!({"fields": ["parent"]}),
        json!({"fields": ["`tabThing Count`.`name`"]}),
        json!({"fields": ["rowid"]}),
        json!({"filters": {"nothing": 1}}),
        json!({"filters": [["Thing Count", "name", "=", "x"]]}),
        json!({"filters": {"title": ["between", ["a"]]}}),
        json!({"filters": {"title": ["is", "there"]}}),
        json!({"filters": {"title": "a\0b"}}),
        json!({"order_by": "nothing"}),
        json!({"order_by": "name; drop table x"}),
    ] {
        let refused = reason(list(&world.documents, arguments.clone()).await);
        assert_eq!(refused, Reason::Malformed, "{arguments}");
    }
    for arguments in [
        json!({"filters": {"title": {"a": 1}}}),
        json!({"filters": {"number": "five"}}),
        json!({"filters": {"number": "1e999"}}),
        json!({"filters": {"price": "nan"}}),
        json!({"filters": {"day": "yesterday"}}),
        json!({"filters": {"day": 5}}),
        json!({"filters": {"at": "2026-01-01T00:00:00Z"}}),
        json!({"filters": {"clock": "25:00"}}),
        json!({"filters": {"clock": ["like", "1%"]}}),
        json!({"filters": {"price": ["like", "1%"]}}),
        json!({"filters": {"title": ["like", "x".repeat(1001)]}}),
    ] {
        let refused = reason(list(&world.documents, arguments.clone()).await);
        assert_eq!(refused, Reason::Validation, "{arguments}");
    }
    let any = world::request(json!({}));
    let unknown = world.documents.list("Nothing", &any).await;
    assert_eq!(reason(unknown), Reason::DoesNotExist);
    let single = world.documents.list("Thing Settings", &any).await;
    assert_eq!(reason(single), Reason::Validation);
    for arguments in [
        json!({"limit": "many"}),
        json!({"limit": -1}),
        json!({"start": 1.5}),
        json!({"order_by": ["name"]}),
        json!({"expand": 5}),
        json!({"filters": "[["}),
    ] {
        let parsed = ListRequest::from_arguments(arguments.as_object().unwrap());
        assert_eq!(reason(parsed), Reason::Malformed, "{arguments}");
    }
}
