//! No members of a document make the database or the server fail, whatever they hold.

use crema_document::doctype::DocType;
use crema_document::{DocumentError, Field};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::world::World;

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|real| json!(real)),
        ".{0,30}".prop_map(Value::from),
        "[ -~]{0,300}".prop_map(Value::from),
        "(\u{0}|'|\"|;|--|%|_|\\\\|\u{feff}|🦊){1,6}".prop_map(Value::from),
        Just(json!("x".repeat(70_000))),
        Just(json!("9999-12-31 23:59:59.999999")),
        Just(json!("0001-01-01")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(member(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// What members may be called.
fn member() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("name".to_owned()),
        Just("item".to_owned()),
        Just("role".to_owned()),
        Just("idx".to_owned()),
        Just("parent".to_owned()),
        Just("docstatus".to_owned()),
        ".{0,8}",
    ]
}

/// A value that the field takes, as far as its type tells.
fn fitting(field: &Field, row: usize) -> Value {
    match field.fieldtype.name() {
        "Select" => json!(field.choices().last().unwrap_or_default()),
        "Link" if field.target() == Some("User") => json!("Administrator"),
        "Link" if field.target() == Some("Role") => json!("All"),
        "Link" if field.target() == Some("DocType") => json!("Test Task"),
        "Link" | "Dynamic Link" => Value::Null,
        "Date" | "Datetime" => json!("2026-11-20"),
        "Time" => json!("10:00"),
        "JSON" => json!({"a": row}),
        "Data" if field.options.as_deref() == Some("Email") => json!(format!("u{row}@b.example")),
        "Data" if field.options.as_deref() == Some("URL") => json!("https://a.example"),
        "Color" => json!("#123456"),
        "Table" | "Table MultiSelect" => json!([]),
        _ => json!(row),
    }
}

fn document(runner: &mut TestRunner, doctype: &DocType, row: usize) -> Map<String, Value> {
    let mut members = Map::new();
    for field in &doctype.fields {
        let dice: u8 = draw(runner, &(0..100_u8));
        if dice < 6 {
            members.insert(field.fieldname.clone(), draw(runner, &anything()));
        } else if dice < 60 || field.reqd {
            members.insert(field.fieldname.clone(), fitting(field, row));
        }
    }
    if draw(runner, &(0..3_u8)) == 0 {
        members.insert(draw(runner, &member()), draw(runner, &anything()));
    }
    members
}

fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

// spec: security.md, Inputs, outputs, network: no input gives a 500
pub(crate) async fn no_members_break_it(world: &World) {
    let documents = world.admin();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut made, mut refused) = (0, 0);
    for doctype in world.registry.doctypes().filter(|doctype| !doctype.istable) {
        for row in 0..6 {
            let given = document(&mut runner, doctype, row);
            let shown = format!("{} {}", doctype.name, Value::from(given.clone()));
            let document = match documents.insert(&doctype.name, given).await {
                Ok(document) => document,
                Err(DocumentError::Refused(_)) => {
                    refused += 1;
                    continue;
                }
                Err(other) => unreachable!("{shown}: {other}"),
            };
            made += 1;
            let read = documents.get(&doctype.name, &document.name).await;
            assert_eq!(read.as_ref().ok(), Some(&document), "{shown}");
            let given = self::document(&mut runner, doctype, row);
            let shown = format!("{} {}", doctype.name, Value::from(given.clone()));
            match documents.update(&doctype.name, &document.name, given).await {
                Ok(updated) => {
                    let read = documents.get(&doctype.name, &document.name).await;
                    assert_eq!(read.ok(), Some(updated), "{shown}");
                }
                Err(DocumentError::Refused(_)) => refused += 1,
                Err(other) => unreachable!("{shown}: {other}"),
            }
        }
    }
    assert!(made > 20 && refused > 20, "{made} made, {refused} refused");
    for name in [
        "",
        "\0",
        "'; --",
        &"x".repeat(10_000),
        "%",
        "🦊",
        "1e5",
        "-1",
    ] {
        for doctype in [
            "Test Prompt",
            "Test Number",
            "Test Row",
            "Test Settings",
            "User",
        ] {
            let read = documents.get(doctype, name).await;
            assert!(
                matches!(read, Err(DocumentError::Refused(_))),
                "{doctype} {name:?}"
            );
            let update = documents.update(doctype, name, Map::new()).await;
            assert!(
                matches!(update, Err(DocumentError::Refused(_))),
                "{doctype} {name:?}"
            );
            let delete = documents.delete(doctype, name).await;
            assert!(
                matches!(delete, Err(DocumentError::Refused(_))),
                "{doctype} {name:?}"
            );
        }
    }
}
