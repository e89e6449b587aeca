//! How documents get their names.

use crema_document::Reason;
use serde_json::json;

use crate::values;
use crate::world::{World, reason, refusal};

pub(crate) async fn every_rule_gives_its_names(world: &World) {
    let documents = world.admin();
    let made = async |doctype: &str, values| {
        let made = documents.insert(doctype, values).await.unwrap();
        let read = documents.get(doctype, &made.name).await.unwrap();
        assert_eq!(made, read);
        made.name
    };
    let title = || values!({"title": "Ti tle", "name": "not this"});
    assert_eq!(made("Test Field", title()).await, "Ti tle");
    assert_eq!(made("Test Format", title()).await, "EX-Ti tle-2026-11-0001");
    assert_eq!(made("Test Format", title()).await, "EX-Ti tle-2026-11-0002");
    let other = values!({"title": "x"});
    assert_eq!(made("Test Format", other).await, "EX-x-2026-11-0001");
    assert_eq!(made("Test Prompt", title()).await, "not this");
    let newname = values!({"__newname": "as the Desk gives it"});
    assert_eq!(made("Test Prompt", newname).await, "as the Desk gives it");
    assert_eq!(made("Test Prompt", values!({"name": 12})).await, "12");
    assert_eq!(made("Test Number", title()).await, "1");
    assert_eq!(made("Test Number", title()).await, "2");
    assert_eq!(made("Test Series", values!({})).await, "A-2026-001");
    let series = values!({"naming_series": "B-"});
    assert_eq!(made("Test Series", series.clone()).await, "B-00001");
    assert_eq!(made("Test Series", series).await, "B-00002");
    assert_eq!(made("Test Series", values!({})).await, "A-2026-002");
    assert_eq!(made("Test Pattern", title()).await, "PAT-2611-Ti tle-01");
    let uuid = made("Test Uuid", title()).await;
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(&uuid[14..15], "4");
    for doctype in ["Test Random", "Test Thing"] {
        let name = made(doctype, title()).await;
        assert!(name.len() == 10 && name.chars().all(|c| c.is_ascii_alphanumeric()));
    }
    let number = documents.get("Test Number", "2").await.unwrap();
    assert_eq!(number.values["name"], json!(2));
    for nothing in ["3", "two", "", "9999999999999999999999", "a\0b"] {
        let found = documents.get("Test Number", nothing).await;
        assert_eq!(reason(found), Reason::DoesNotExist, "{nothing:?}");
        let found = documents.get("Test Prompt", nothing).await;
        assert_eq!(reason(found), Reason::DoesNotExist, "{nothing:?}");
    }
    let other_case = documents.get("Test Field", "ti tle").await;
    assert_eq!(reason(other_case), Reason::DoesNotExist);
}

pub(crate) async fn names_that_are_none_are_refused(world: &World) {
    let documents = world.admin();
    for (name, expected) in [
        (json!(null), Reason::Validation),
        (json!(""), Reason::Validation),
        (json!("   "), Reason::Validation),
        (json!("a<b"), Reason::Name),
        (json!("a\nb"), Reason::Name),
        (json!("New Test Prompt 1"), Reason::Name),
        (json!("a\0b"), Reason::Malformed),
        (json!(["a"]), Reason::Malformed),
        (json!("ü".repeat(141)), Reason::TooLong),
    ] {
        let made = documents.insert("Test Prompt", values!({"name": name}));
        assert_eq!(reason(made.await), expected, "{name}");
    }
    let longest = "ü".repeat(140);
    let made = documents.insert("Test Prompt", values!({"name": longest}));
    assert_eq!(made.await.unwrap().name, longest);
    let none = documents.insert("Test Field", values!({})).await;
    assert_eq!(reason(none), Reason::Validation);
    // A name that is taken.
    for (doctype, values) in [
        ("Test Prompt", values!({"name": "one"})),
        ("Test Field", values!({"title": "one"})),
    ] {
        documents.insert(doctype, values.clone()).await.unwrap();
        let refused = refusal(documents.insert(doctype, values).await);
        assert_eq!(refused.reason, Reason::Duplicate);
        assert_eq!(refused.message, format!("{doctype} one already exists"));
    }
    let random = documents.insert("Test Random", values!({})).await.unwrap();
    let named = values!({"name": random.name});
    let refused = documents.insert("Test Random", named).await;
    assert_eq!(reason(refused), Reason::Duplicate);
}
