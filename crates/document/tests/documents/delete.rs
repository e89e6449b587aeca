//! Removing documents.

use crema_document::{DocumentError, Reason, passwords};
use serde_json::json;

use crate::values;
use crate::world::{World, actor};

async fn refused(result: Result<(), DocumentError>) -> (Reason, String) {
    match result {
        Err(DocumentError::Refused(refusal)) => (refusal.reason, refusal.message),
        other => unreachable!("{other:?} is no refusal"),
    }
}

pub(crate) async fn nothing_is_left(world: &World) {
    let documents = world.admin();
    let values = values!({"title": "a", "secret": "s", "rows": [{"item": "x"}, {"item": "y"}]});
    let made = documents.insert("Test Task", values.clone()).await.unwrap();
    let other = documents.insert("Test Task", values).await.unwrap();
    let restriction = values!({
        "user": "Administrator", "allow": "Test Task", "for_value": made.name,
    });
    let restriction = documents
        .import("User Permission", "up", restriction)
        .await
        .unwrap();
    let before = world.version().await;
    documents.delete("Test Task", &made.name).await.unwrap();
    assert!(world.version().await > before);
    for (table, column) in [
        ("tabTest Task", "name"),
        ("tabTest Row", "parent"),
        ("__Auth", "name"),
        ("tabUser Permission", "for_value"),
    ] {
        assert_eq!(world.count(table, column, &made.name).await, 0, "{table}");
    }
    assert_eq!(
        world
            .count("tabUser Permission", "name", &restriction.name)
            .await,
        0
    );
    assert_eq!(world.count("tabTest Row", "parent", &other.name).await, 2);
    let secret = passwords::read(world.site.database(), "Test Task", &other.name, "secret");
    assert!(secret.await.unwrap().is_some());
    let again = refused(documents.delete("Test Task", &made.name).await).await;
    assert_eq!(again.0, Reason::DoesNotExist);
    let number = documents.insert("Test Number", values!({})).await.unwrap();
    documents.delete("Test Number", &number.name).await.unwrap();
    assert!(documents.get("Test Number", &number.name).await.is_err());
}

pub(crate) async fn what_is_linked_to_stays(world: &World) {
    let documents = world.admin();
    let project = |title: &str| values!({"title": title});
    for title in [
        "by link",
        "by row",
        "by dynamic link",
        "by single",
        "by nobody",
    ] {
        documents
            .insert("Test Project", project(title))
            .await
            .unwrap();
    }
    let itself = values!({"up": "by nobody"});
    documents
        .update("Test Project", "by nobody", itself)
        .await
        .unwrap();
    let task = documents.insert("Test Task", values!({"title": "a", "project": "by link"}));
    let task = task.await.unwrap();
    let row = values!({"rows": [{"item": "x", "project": "by row"}]});
    let thing = documents.insert("Test Thing", row).await.unwrap();
    let about = values!({"title": "a", "about_type": "Test Project", "about": "by dynamic link"});
    let about = documents.insert("Test Task", about).await.unwrap();
    let todo = values!({"description": "x", "reference_type": "Test Project",
        "reference_name": "by nobody"});
    documents.import("ToDo", "todo", todo).await.unwrap();
    let settings = values!({"project": "by single"});
    documents
        .update("Test Settings", "Test Settings", settings)
        .await
        .unwrap();
    for (name, other) in [
        ("by link", format!("Test Task {}", task.name)),
        ("by row", format!("Test Thing {}", thing.name)),
        ("by dynamic link", format!("Test Task {}", about.name)),
        ("by single", "Test Settings Test Settings".to_owned()),
    ] {
        let (reason, message) = refused(documents.delete("Test Project", name).await).await;
        assert_eq!(reason, Reason::LinkExists);
        let expected =
            format!("Cannot delete or cancel because Test Project {name} is linked with {other}");
        assert_eq!(message, expected);
        assert!(documents.get("Test Project", name).await.is_ok());
    }
    documents.delete("Test Project", "by nobody").await.unwrap();
    // The name of a document that is not theirs is not told.
    let note = values!({"name": "private", "project": "by link"});
    documents.delete("Test Task", &task.name).await.unwrap();
    documents.insert("Test Note", note).await.unwrap();
    let stranger = world.by(actor("stranger@example.com", &[]));
    let (reason, message) = refused(stranger.delete("Test Project", "by link").await).await;
    assert_eq!(reason, Reason::LinkExists);
    assert!(
        !message.contains("private") && message.ends_with("Test Note"),
        "{message}"
    );
    documents.delete("Test Note", "private").await.unwrap();
    documents.delete("Test Project", "by link").await.unwrap();
    let gone = documents
        .insert("Test Task", values!({"title": "a", "project": "by link"}))
        .await;
    assert_eq!(crate::world::reason(gone), Reason::Link);
    assert_eq!(
        json!(world.count("tabTest Project", "name", "by link").await),
        json!(0)
    );
}
