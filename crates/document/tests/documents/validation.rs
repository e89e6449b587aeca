//! What a document has to be.

use crema_document::Reason;
use serde_json::{Value, json};

use crate::values;
use crate::world::{World, members, reason, refusal};

pub(crate) async fn each_rule_of_a_field_is_kept(world: &World) {
    let documents = world.admin();
    let task = |more: Value| {
        let mut values = values!({"title": "a"});
        values.extend(members(more));
        values
    };
    for (values, expected, message) in [
        (
            values!({}),
            Reason::Mandatory,
            "Error: Value missing for Test Task: Title",
        ),
        (
            values!({"title": "  "}),
            Reason::Mandatory,
            "Error: Value missing for Test Task: Title",
        ),
        (
            task(json!({"status": "Nope"})),
            Reason::Validation,
            "Status cannot be \"Nope\". It should be one of \"Open\", \"Closed\"",
        ),
        (
            task(json!({"is_closed": 1})),
            Reason::Mandatory,
            "Error: Value missing for Test Task: Closed By",
        ),
        (
            task(json!({"title": "x".repeat(141)})),
            Reason::TooLong,
            "Title: too long, at most 140 characters are allowed",
        ),
        (
            task(json!({"title": "a\0"})),
            Reason::Malformed,
            "Title: U+0000 is not allowed",
        ),
        (
            task(json!({"mail": "nobody"})),
            Reason::Validation,
            "nobody is not a valid Email Address",
        ),
        (
            task(json!({"docstatus": 1})),
            Reason::Validation,
            "Documents cannot be submitted or cancelled: docstatus is 0",
        ),
        (
            task(json!({"rows": "x"})),
            Reason::Validation,
            "Rows: not a list of rows",
        ),
        (
            task(json!({"rows": ["x"]})),
            Reason::Validation,
            "Row #1: Rows: a row is an object",
        ),
        (
            task(json!({"rows": [{"item": "a"}, {}]})),
            Reason::Mandatory,
            "Row #2: Error: Value missing for Test Row: Item",
        ),
        (
            task(json!({"rows": [{"item": "a", "size": "XL"}]})),
            Reason::Validation,
            "Row #1: Size cannot be \"XL\". It should be one of \"S\", \"M\", \"L\"",
        ),
        (
            task(json!({"rows": [{"item": "a", "count": "many"}]})),
            Reason::Validation,
            "Row #1: Count: not a number",
        ),
        (
            task(json!({"secret": ["x"]})),
            Reason::Validation,
            "Secret: not a text",
        ),
        (
            task(json!({"modified": "yesterday"})),
            Reason::Malformed,
            "modified: not of the form YYYY-MM-DD HH:MM:SS.ffffff",
        ),
    ] {
        let refused = refusal(documents.insert("Test Task", values.clone()).await);
        assert_eq!(
            (refused.reason, refused.message.as_str()),
            (expected, message),
            "{values:?}"
        );
    }
    let made = documents.insert("Test Task", task(json!({"once": "first", "body": "x"})));
    let made = made.await.unwrap();
    assert_eq!(made.values["status"], json!("Open"));
    assert_eq!(made.values["who"], json!("Administrator"));
    assert_eq!(made.values["day"], json!("2026-11-20"));
    assert_eq!(made.values["moment"], json!("2026-11-20 12:00:00.000000"));
    assert_eq!(made.values["hour"], json!("12:00:00"));
    assert_eq!(made.values["computed"], json!("by the system"));
    for (values, expected) in [
        (values!({"title": ""}), Reason::Mandatory),
        (values!({"title": null}), Reason::Mandatory),
        (values!({"once": "second"}), Reason::Constant),
        (values!({"once": ""}), Reason::Constant),
        (values!({"is_closed": 1}), Reason::Mandatory),
        (values!({"docstatus": "1"}), Reason::Validation),
    ] {
        let refused = documents
            .update("Test Task", &made.name, values.clone())
            .await;
        assert_eq!(reason(refused), expected, "{values:?}");
    }
    let same = values!({"once": "first", "computed": "by hand", "made_up": "x"});
    let updated = documents
        .update("Test Task", &made.name, same)
        .await
        .unwrap();
    assert_eq!(
        updated.values["computed"],
        json!("by the system"),
        "read-only"
    );
    let unchanged = documents.get("Test Task", &made.name).await.unwrap();
    assert_eq!(unchanged.values["title"], json!("a"));
    // The system may.
    let imported = values!({"title": "b", "computed": "by a fixture"});
    for name in [made.name.as_str(), "new one"] {
        let imported = documents.import("Test Task", name, imported.clone());
        let imported = imported.await.unwrap();
        assert_eq!(imported.name, name);
        assert_eq!(imported.values["computed"], json!("by a fixture"));
    }
    for doctype in ["Test Row", "Nope"] {
        let refused = documents.insert(doctype, values!({})).await;
        assert!(matches!(
            reason(refused),
            Reason::Validation | Reason::DoesNotExist
        ));
    }
}

pub(crate) async fn links_lead_somewhere(world: &World) {
    let documents = world.admin();
    let project = values!({"title": "P", "lead": "Ada", "key": "s3cret"});
    documents.insert("Test Project", project).await.unwrap();
    let number = documents.insert("Test Number", values!({})).await.unwrap();
    for (values, expected, message) in [
        (
            json!({"project": "Q"}),
            Reason::Link,
            "Could not find Project: Q",
        ),
        (
            json!({"project": "p"}),
            Reason::Link,
            "Could not find Project: p",
        ),
        (
            json!({"who": "nobody@example.com"}),
            Reason::Link,
            "Could not find Who: nobody@example.com",
        ),
        (
            json!({"about_type": "Nope"}),
            Reason::Link,
            "Could not find About Type: Nope",
        ),
        (
            json!({"about": "P"}),
            Reason::Validation,
            "About Type must be set first",
        ),
        (
            json!({"about_type": "Test Project", "about": "Q"}),
            Reason::Link,
            "Could not find About: Q",
        ),
        (
            json!({"about_type": "Test Number", "about": "x"}),
            Reason::Link,
            "Could not find About: x",
        ),
        (
            json!({"rows": [{"item": "a", "project": "Q"}]}),
            Reason::Link,
            "Row #1: Could not find Project: Q",
        ),
    ] {
        let mut task = values!({"title": "a"});
        task.extend(members(values));
        let refused = refusal(documents.insert("Test Task", task.clone()).await);
        assert_eq!(
            (refused.reason, refused.message.as_str()),
            (expected, message),
            "{task:?}"
        );
    }
    let values = values!({
        "title": "a", "project": "P", "about_type": "Test Number", "about": number.name,
        "lead": "ignored", "rows": [{"item": "a", "project": "P"}],
    });
    let made = documents.insert("Test Task", values).await.unwrap();
    assert_eq!(made.values["lead"], json!("Ada"), "fetched");
    for secret in ["key", "proof"] {
        assert_eq!(made.values[secret], Value::Null, "{secret} is not fetched");
    }
    assert_eq!(made.values["rows"][0]["lead"], json!("Ada"));
    let about = values!({"about_type": "Test Settings", "about": "Test Settings"});
    documents
        .update("Test Task", &made.name, about)
        .await
        .unwrap();
    // Fetched again at every save; gone with the link.
    documents
        .update("Test Project", "P", values!({"lead": "Bob"}))
        .await
        .unwrap();
    let updated = documents.update("Test Task", &made.name, values!({"title": "b"}));
    let updated = updated.await.unwrap();
    assert_eq!(updated.values["lead"], json!("Bob"));
    assert_eq!(
        updated,
        documents.get("Test Task", &made.name).await.unwrap()
    );
    let unlinked = documents.update("Test Task", &made.name, values!({"project": null}));
    assert_eq!(unlinked.await.unwrap().values["lead"], Value::Null);
}

pub(crate) async fn unique_values_are_taken_once(world: &World) {
    let documents = world.admin();
    let task = |code: Value| values!({"title": "a", "code": code});
    let first = documents
        .insert("Test Task", task(json!("A")))
        .await
        .unwrap();
    let refused = refusal(documents.insert("Test Task", task(json!("A"))).await);
    assert_eq!(refused.reason, Reason::Unique);
    assert_eq!(refused.message, "Code must be unique");
    for free in [json!("a"), json!(null), json!(""), json!(null)] {
        documents.insert("Test Task", task(free)).await.unwrap();
    }
    let other = documents
        .insert("Test Task", task(json!("B")))
        .await
        .unwrap();
    let refused = documents.update("Test Task", &other.name, values!({"code": "A"}));
    assert_eq!(reason(refused.await), Reason::Unique);
    documents
        .update("Test Task", &first.name, values!({"code": "A"}))
        .await
        .unwrap();
    documents
        .update("Test Task", &first.name, values!({"code": "C"}))
        .await
        .unwrap();
    documents
        .update("Test Task", &other.name, values!({"code": "A"}))
        .await
        .unwrap();
}
