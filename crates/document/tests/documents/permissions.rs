//! Who may read and write which document.

use std::collections::{BTreeMap, BTreeSet};

use crema_document::Reason;
use crema_document::access::{Action, Actor, Reach};
use serde_json::json;

use crate::values;
use crate::world::{World, actor, reason, restricted};

pub(crate) async fn owners_and_strangers(world: &World) {
    let (jo, al) = (world.user("Administrator", &[]), world.user("Guest2", &[]));
    let values = values!({"name": "n", "text": "mine"});
    jo.insert("Test Note", values).await.unwrap();
    assert!(jo.get("Test Note", "n").await.is_ok());
    assert_eq!(reason(al.get("Test Note", "n").await), Reason::Permission);
    let change = || values!({"text": "theirs"});
    assert_eq!(
        reason(al.update("Test Note", "n", change()).await),
        Reason::Permission
    );
    assert!(al.delete("Test Note", "n").await.is_err());
    // A role that reads everything, and one that only makes.
    let manager = world.user("m@example.com", &["System Manager"]);
    assert!(manager.get("Test Note", "n").await.is_ok());
    assert_eq!(
        reason(manager.update("Test Note", "n", change()).await),
        Reason::Permission
    );
    let guest = world.by(actor("Guest", &[]));
    assert_eq!(
        reason(guest.get("Test Note", "n").await),
        Reason::Permission
    );
    assert_eq!(
        reason(guest.get("Test Note", "nothing").await),
        Reason::Permission
    );
    assert_eq!(
        reason(al.get("Test Note", "nothing").await),
        Reason::DoesNotExist
    );
    jo.update("Test Note", "n", values!({"public": 1}))
        .await
        .unwrap();
    assert!(al.get("Test Note", "n").await.is_ok());
    assert_eq!(
        reason(al.update("Test Note", "n", change()).await),
        Reason::Permission
    );
    // Who is named in a field counts as an owner.
    let guest2 = values!({"email": "al@example.com", "first_name": "Al"});
    world
        .admin()
        .import("User", "al@example.com", guest2)
        .await
        .unwrap();
    let al = world.user("al@example.com", &[]);
    jo.update("Test Note", "n", values!({"friend": "al@example.com"}))
        .await
        .unwrap();
    al.update("Test Note", "n", change()).await.unwrap();
    // A row of a child table: as its document.
    let admin = world.admin();
    let task = admin.insert(
        "Test Task",
        values!({"title": "t", "rows": [{"item": "x"}]}),
    );
    let task = task.await.unwrap();
    let row = task.values["rows"][0]["name"].as_str().unwrap();
    assert!(al.get("Test Row", row).await.is_ok());
    assert_eq!(reason(guest.get("Test Row", row).await), Reason::Permission);
    assert_eq!(
        reason(guest.get("Test Row", "nothing").await),
        Reason::Permission
    );
}

pub(crate) async fn levels_hide_and_keep_fields(world: &World) {
    let jo = world.user("jo@example.com", &[]);
    let boss = world.user("boss@example.com", &["System Manager"]);
    let admin = world.admin();
    let given = || values!({"title": "t", "salary": 100, "who": null});
    let by_jo = world.by(actor("Administrator", &[]));
    let made = by_jo.insert("Test Task", given()).await.unwrap();
    assert!(!made.values.contains_key("salary"));
    let stored = admin.get("Test Task", &made.name).await.unwrap();
    assert_eq!(
        stored.values["salary"],
        json!(5.0),
        "the default, not what was given"
    );
    let seen = jo.get("Test Task", &made.name).await.unwrap();
    assert!(!seen.values.contains_key("salary"));
    jo.update("Test Task", &made.name, values!({"salary": 1}))
        .await
        .unwrap();
    let raised = boss.update("Test Task", &made.name, values!({"salary": 50}));
    assert_eq!(raised.await.unwrap().values["salary"], json!(50.0));
    jo.update("Test Task", &made.name, values!({"title": "u"}))
        .await
        .unwrap();
    let stored = admin.get("Test Task", &made.name).await.unwrap();
    assert_eq!(stored.values["salary"], json!(50.0));
}

pub(crate) async fn user_permissions_follow_links(world: &World) {
    let admin = world.admin();
    for title in ["A", "B"] {
        admin
            .insert("Test Project", values!({"title": title}))
            .await
            .unwrap();
    }
    let only_a = world.by(restricted(
        actor("Administrator", &[]),
        "Test Project",
        &["A"],
    ));
    let task = |project: &str| values!({"title": "t", "project": project});
    let mine = only_a.insert("Test Task", task("A")).await.unwrap();
    assert_eq!(
        reason(only_a.insert("Test Task", task("B")).await),
        Reason::Permission
    );
    let theirs = admin.insert("Test Task", task("B")).await.unwrap();
    assert_eq!(
        reason(only_a.get("Test Task", &theirs.name).await),
        Reason::Permission
    );
    let moved = only_a.update("Test Task", &theirs.name, task("A")).await;
    assert_eq!(
        reason(moved),
        Reason::Permission,
        "the stored one is not theirs"
    );
    let moved = only_a.update("Test Task", &mine.name, task("B")).await;
    assert_eq!(
        reason(moved),
        Reason::Permission,
        "nor would be the new one"
    );
    assert!(only_a.get("Test Project", "A").await.is_ok());
    assert_eq!(
        reason(only_a.get("Test Project", "B").await),
        Reason::Permission
    );
    let rows = values!({"rows": [{"item": "x", "project": "B"}]});
    let refused = only_a.update("Test Task", &mine.name, rows.clone()).await;
    assert_eq!(reason(refused), Reason::Permission, "rows count");
    admin.update("Test Task", &mine.name, rows).await.unwrap();
    assert_eq!(
        reason(only_a.get("Test Task", &mine.name).await),
        Reason::Permission
    );
    let cleared = only_a.update("Test Task", &mine.name, values!({"rows": []}));
    assert_eq!(reason(cleared.await), Reason::Permission);
    assert!(only_a.delete("Test Task", &mine.name).await.is_err());
}

pub(crate) async fn a_credential_reaches_so_far(world: &World) {
    let read_only = BTreeMap::from([("test_note".to_owned(), BTreeSet::from([Action::Read]))]);
    let token = world.by(Actor {
        administrator: true,
        reach: Reach::Some(read_only),
        ..actor("Administrator", &[])
    });
    world
        .admin()
        .insert("Test Note", values!({"name": "k"}))
        .await
        .unwrap();
    assert!(token.get("Test Note", "k").await.is_ok());
    let scope = |verb: &str| Reason::Scope(format!("test_note:{verb}"));
    let made = token.insert("Test Note", values!({"name": "m"})).await;
    assert_eq!(reason(made), scope("create"));
    let changed = token.update("Test Note", "k", values!({})).await;
    assert_eq!(reason(changed), scope("write"));
    let write_only = BTreeMap::from([("test_note".to_owned(), BTreeSet::from([Action::Write]))]);
    let blind = world.by(Actor {
        administrator: true,
        reach: Reach::Some(write_only),
        ..actor("Administrator", &[])
    });
    let private = values!({"text": "private"});
    world
        .admin()
        .update("Test Note", "k", private)
        .await
        .unwrap();
    let written = blind
        .update("Test Note", "k", values!({"public": 1}))
        .await
        .unwrap();
    let shown: Vec<&str> = written.values.keys().map(String::as_str).collect();
    let expected = [
        "name",
        "modified",
        "modified_by",
        "docstatus",
        "idx",
        "public",
        "doctype",
    ];
    assert_eq!(shown, expected, "what was given, and no more");
    assert!(token.delete("Test Note", "k").await.is_err());
    let other = token.get("Test Task", "t").await;
    assert_eq!(reason(other), Reason::Scope("test_task:read".to_owned()));
}
