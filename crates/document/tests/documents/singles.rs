//! DocTypes with one document.

use crema_document::Reason;
use serde_json::{Value, json};

use crate::values;
use crate::world::{World, later, reason};

pub(crate) async fn a_single_is_read_and_changed(world: &World) {
    let documents = world.admin();
    let fresh = documents
        .get("Test Settings", "Test Settings")
        .await
        .unwrap();
    assert_eq!(fresh.values["name"], json!("Test Settings"));
    assert_eq!(fresh.values["title"], json!("Untitled"));
    assert_eq!(fresh.values["limit"], json!(7));
    assert_eq!(fresh.values["share"], json!(0.0));
    assert_eq!(fresh.values["rows"], json!([]));
    let other = documents.get("Test Settings", "Other").await;
    assert_eq!(reason(other), Reason::DoesNotExist);
    let before = world.version().await;
    let given = values!({
        "title": "", "limit": "12", "share": 0.1, "open": true, "since": "2026-01-02 03:04:05",
        "rows": [{"item": "a"}],
    });
    let updated = documents
        .update("Test Settings", "Test Settings", given)
        .await
        .unwrap();
    assert!(world.version().await > before, "it is watched");
    let read = documents
        .get("Test Settings", "Test Settings")
        .await
        .unwrap();
    assert_eq!(read, updated);
    assert_eq!(
        read.values["title"],
        Value::Null,
        "empty is not the default"
    );
    assert_eq!(read.values["limit"], json!(12));
    assert_eq!(read.values["share"], json!(0.1));
    assert_eq!(read.values["open"], json!(1));
    assert_eq!(read.values["since"], json!("2026-01-02 03:04:05.000000"));
    assert_eq!(read.values["rows"][0]["parent"], json!("Test Settings"));
    let stale = values!({"modified": "2026-01-01 00:00:00", "limit": 1});
    let refused = documents
        .update("Test Settings", "Test Settings", stale)
        .await;
    assert_eq!(reason(refused), Reason::TimestampMismatch);
    let known = values!({"modified": read.values["modified"], "limit": 1});
    let saved = later(&documents, 9)
        .insert("Test Settings", known)
        .await
        .unwrap();
    assert_eq!(saved.values["limit"], json!(1));
    assert_eq!(
        saved.values["modified"],
        json!("2026-11-20 12:00:09.000000")
    );
    let refused = documents
        .update("Test Settings", "Test Settings", values!({"must": ""}))
        .await;
    assert_eq!(reason(refused), Reason::Mandatory);
    let deleted = documents.delete("Test Settings", "Test Settings").await;
    assert!(deleted.is_err());
}
