//! Lists show what the actor may see, whatever is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crema_document::Reason;
use crema_document::access::{Action, Actor, Allowed, Reach, UserPermissions};
use serde_json::{Value, json};

use crate::support::Engine;
use crate::world::{self, World, column, list, reason};

crate::on_every_engine!(permissions);

async fn permissions(engine: Engine) {
    let world = world::world(engine).await;
    who_may_not_read_gets_nothing(&world).await;
    owners_see_their_own(&world).await;
    levels_hide_fields(&world).await;
    passwords_are_never_there(&world).await;
    links_show_what_may_be_read(&world).await;
    user_permissions_restrict_rows(&world).await;
    scopes_restrict_too(&world).await;
}

fn jo(roles: &[&str]) -> Actor {
    world::actor("jo@example.com", roles)
}

async fn who_may_not_read_gets_nothing(world: &World) {
    let nobody = world.seen_by(jo(&["All"]));
    let any = world::request(json!({}));
    assert_eq!(reason(nobody.list("Thing", &any).await), Reason::Permission);
    assert_eq!(
        reason(nobody.count("Thing", &any).await),
        Reason::Permission
    );
    let streamed = nobody.stream("Thing", &any).await.map(drop);
    assert_eq!(reason(streamed), Reason::Permission);
}

async fn owners_see_their_own(world: &World) {
    let owner = world.seen_by(jo(&["Owner"]));
    let all = json!({"fields": ["name", "owner"], "limit": 0});
    let rows = list(&owner, all.clone()).await.unwrap();
    assert_eq!(rows.len(), 24);
    assert!(rows.iter().all(|row| row["owner"] == "jo@example.com"));
    let count = owner.count("Thing", &world::request(json!({}))).await;
    assert_eq!(count.unwrap(), 24);
    // No filter opens more.
    for filters in [
        json!([["owner", "=", "Administrator"]]),
        json!([["owner", "=", "x"], "or", ["owner", "!=", "jo@example.com"]]),
    ] {
        let rows = list(&owner, json!({"filters": filters})).await.unwrap();
        assert!(rows.is_empty());
    }
    let or = json!({"or_filters": [["name", "like", "%"], ["idx", ">=", 0]], "limit": 0});
    assert_eq!(list(&owner, or).await.unwrap().len(), 24);
    let sums = json!({"fields": ["count(*) as n"]});
    assert_eq!(list(&owner, sums).await.unwrap()[0]["n"], json!(24));
}

async fn levels_hide_fields(world: &World) {
    let reader = world.seen_by(jo(&["Reader"]));
    let boss = world.seen_by(jo(&["Boss"]));
    let all = json!({"fields": "*", "limit": 1});
    assert!(!list(&reader, all.clone()).await.unwrap()[0].contains_key("cost"));
    assert!(list(&boss, all).await.unwrap()[0].contains_key("cost"));
    for arguments in [
        json!({"fields": ["cost"]}),
        json!({"fields": ["max(cost)"]}),
        json!({"fields": ["kind.note"]}),
        json!({"fields": ["items.margin"]}),
        json!({"fields": ["hidden_items.label"]}),
        json!({"filters": {"cost": [">", 5]}}),
        json!({"filters": [["Thing Item", "margin", "=", 1]]}),
        json!({"filters": {"kind.note": "secret"}}),
        json!({"or_filters": {"cost": 1}}),
        json!({"order_by": "cost"}),
        json!({"order_by": "kind.note"}),
        json!({"group_by": "cost", "fields": ["count(*)"]}),
    ] {
        let refused = reason(list(&reader, arguments.clone()).await);
        assert_eq!(refused, Reason::Permission, "{arguments}");
        assert!(list(&boss, arguments.clone()).await.is_ok(), "{arguments}");
    }
    // Only the table that may be seen.
    let children = json!({"fields": ["name", "`tabThing Item`.label"], "filters": {"name": "T03"}});
    assert_eq!(list(&reader, children.clone()).await.unwrap().len(), 3);
    assert_eq!(list(&boss, children).await.unwrap().len(), 6);
}

// spec: http.md, Resource server; doctypes.md, Password fields
async fn passwords_are_never_there(world: &World) {
    let all = list(&world.documents, json!({"fields": "*", "limit": 1})).await;
    assert!(!all.unwrap()[0].contains_key("pin"));
    for arguments in [
        json!({"fields": ["pin"]}),
        json!({"fields": ["count(pin)"]}),
        json!({"filters": {"pin": ["like", "a%"]}}),
        json!({"filters": {"pin": ["is", "set"]}}),
        json!({"order_by": "pin"}),
        json!({"group_by": "pin"}),
    ] {
        let refused = reason(list(&world.documents, arguments.clone()).await);
        assert_eq!(refused, Reason::Permission, "{arguments}");
    }
}

async fn links_show_what_may_be_read(world: &World) {
    // Everything of things, but only their own kinds.
    let mut actor = jo(&["Owner"]);
    actor.user = "Administrator".to_owned();
    let owner = world.seen_by(actor);
    let fields = json!({"fields": ["name", "kind", "kind.title as t"], "limit": 0});
    let mut hidden = 0;
    for row in list(&owner, fields).await.unwrap() {
        if row["kind"] == "First" {
            assert_eq!(row["t"], Value::Null);
            hidden += 1;
        }
    }
    assert!(hidden > 0);
    let found = json!({"filters": {"kind.title": "Äpfel"}});
    assert!(list(&owner, found).await.unwrap().is_empty());
    let expanded = json!({"fields": ["kind"], "expand": ["kind"], "limit": 0});
    let kinds = column(&list(&owner, expanded).await.unwrap(), "kind");
    assert!(kinds.contains(&json!("First")), "stays a name");
    assert!(
        kinds
            .iter()
            .any(|kind| kind["name"] == "first" && kind.get("note").is_none())
    );
}

fn restricted(allowed: &[(&str, &str)], strict: bool) -> Actor {
    let mut by_doctype: BTreeMap<String, Vec<Allowed>> = BTreeMap::new();
    for (doctype, name) in allowed {
        by_doctype
            .entry((*doctype).to_owned())
            .or_default()
            .push(Allowed {
                name: (*name).to_owned(),
                applicable_for: None,
            });
    }
    Actor {
        user_permissions: Arc::new(UserPermissions {
            allowed: by_doctype,
            strict,
        }),
        ..jo(&["Reader"])
    }
}

async fn user_permissions_restrict_rows(world: &World) {
    let kinds_of = async |actor: Actor| -> BTreeSet<String> {
        let rows = list(
            &world.seen_by(actor),
            json!({"fields": ["kind"], "limit": 0}),
        )
        .await;
        let kinds = column(&rows.unwrap(), "kind");
        kinds
            .iter()
            .map(|kind| kind.as_str().unwrap_or("").to_owned())
            .collect()
    };
    let first = restricted(&[("Thing Kind", "First")], false);
    assert_eq!(
        kinds_of(first.clone()).await,
        BTreeSet::from(["".into(), "First".into()])
    );
    let strict = restricted(&[("Thing Kind", "First")], true);
    assert_eq!(kinds_of(strict).await, BTreeSet::from(["First".into()]));
    let documents = world.seen_by(first);
    let kinds = documents
        .list("Thing Kind", &world::request(json!({})))
        .await
        .unwrap();
    assert_eq!(column(&kinds, "name"), [json!("First")]);
    let named = restricted(&[("Thing", "T05"), ("Thing", "T06")], false);
    let rows = list(&world.seen_by(named), json!({"order_by": "name"}))
        .await
        .unwrap();
    assert_eq!(column(&rows, "name"), [json!("T05"), json!("T06")]);
}

async fn scopes_restrict_too(world: &World) {
    let reach = |doctypes: &[&str]| {
        let actions = |name: &&str| ((*name).to_owned(), BTreeSet::from([Action::Read]));
        Actor {
            reach: Reach::Some(doctypes.iter().map(actions).collect()),
            ..jo(&["Reader"])
        }
    };
    let things = world.seen_by(reach(&["thing"]));
    assert_eq!(list(&things, json!({"limit": 0})).await.unwrap().len(), 48);
    let linked = list(&things, json!({"fields": ["kind.title"]})).await;
    assert_eq!(reason(linked), Reason::Scope("thing_kind:read".to_owned()));
    let expanded = json!({"fields": ["kind"], "expand": ["kind"], "limit": 0});
    let kinds = column(&list(&things, expanded).await.unwrap(), "kind");
    assert!(kinds.contains(&json!("First")) && !kinds.iter().any(Value::is_object));
    let kinds = world.seen_by(reach(&["thing_kind"]));
    let refused = list(&kinds, json!({})).await;
    assert_eq!(reason(refused), Reason::Scope("thing:read".to_owned()));
}
