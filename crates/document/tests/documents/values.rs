//! Every type of field, there and back.

use crema_document::documents::value::{to_json, to_stored};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::definitions::TYPES;
use crate::values;
use crate::world::World;

pub(crate) async fn every_type_comes_back(world: &World) {
    let documents = world.admin();
    let given = values!({
        "a_attach": "/files/a.png", "a_image": "https://a.example/b.png", "a_auto": "x",
        "a_barcode": "<svg/>", "a_check": "1", "a_code": "fn f() {}\n", "a_color": "#ff0000",
        "a_currency": "12.25", "a_data": " with blanks ", "a_date": "2026-02-28",
        "a_datetime": "2026-02-28T01:02:03.4", "a_duration": 3600, "a_float": -0.1,
        "a_geo": "{\"type\":\"FeatureCollection\"}", "a_html": "<p>ü</p>", "a_icon": "star",
        "a_int": "42", "a_json": {"a": [1, null]}, "a_long": 9_007_199_254_740_993_i64,
        "a_longtext": "long ".repeat(20_000), "a_markdown": "# Hi", "a_percent": 99.5,
        "a_phone": "+41 79 123", "a_rating": 0.6, "a_readonly": "r", "a_select": "free",
        "a_signature": "data:", "a_small": "it's \"quoted\" \\ `ticks`", "a_text": "多\n字",
        "a_editor": "<div>x</div>", "a_time": "7:08:09", "unknown": "dropped",
    });
    let made = documents.insert("Test Thing", given).await.unwrap();
    let read = documents.get("Test Thing", &made.name).await.unwrap();
    assert_eq!(made, read, "what is answered is what is stored");
    for (field, shown) in [
        ("a_check", json!(1)),
        ("a_currency", json!(12.25)),
        ("a_data", json!(" with blanks ")),
        ("a_date", json!("2026-02-28")),
        ("a_datetime", json!("2026-02-28 01:02:03.400000")),
        ("a_duration", json!(3600.0)),
        ("a_float", json!(-0.1)),
        ("a_int", json!(42)),
        ("a_json", json!("{\"a\":[1,null]}")),
        ("a_long", json!(9_007_199_254_740_993_i64)),
        ("a_small", json!("it's \"quoted\" \\ `ticks`")),
        ("a_text", json!("多\n字")),
        ("a_time", json!("07:08:09")),
        ("tags", json!([])),
    ] {
        assert_eq!(read.values[field], shown, "{field}");
    }
    assert!(!read.values.contains_key("unknown"));
    let again = documents.update("Test Thing", &made.name, read.values.clone());
    let again = again.await.unwrap();
    let mut expected = read.values.clone();
    expected["modified"] = again.values["modified"].clone();
    assert_eq!(again.values, expected, "what was read can be written");
    let cleared: Map<String, Value> = TYPES
        .iter()
        .map(|(field, _)| ((*field).to_owned(), Value::Null))
        .collect();
    documents
        .update("Test Thing", &made.name, cleared)
        .await
        .unwrap();
    let empty = documents.get("Test Thing", &made.name).await.unwrap();
    for (field, fieldtype) in TYPES {
        let number = ["Check", "Int", "Long Int"].contains(fieldtype);
        let real = ["Currency", "Duration", "Float", "Percent", "Rating"].contains(fieldtype);
        let expected = match (number, real) {
            (true, _) => json!(0),
            (_, true) => json!(0.0),
            _ => Value::Null,
        };
        assert_eq!(empty.values[*field], expected, "{field}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|real| json!(real)),
        "\\PC{0,40}".prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
        "[0-9]{1,9}(\\.[0-9]{1,9})?".prop_map(Value::from),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]( [0-2][0-9]:[0-5][0-9]:[0-5][0-9])?".prop_map(Value::from),
        "[0-2]?[0-9]:[0-5][0-9]".prop_map(Value::from),
    ]
}

// spec: doctypes.md, formats are Frappe's
pub(crate) async fn any_values_come_back(world: &World) {
    let documents = world.admin();
    let thing = world.registry.get("Test Thing").unwrap();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..60 {
        let mut given = Map::new();
        let mut expected = Map::new();
        for (name, _) in TYPES {
            let field = thing.field(name).unwrap();
            let value = any_value().new_tree(&mut runner).unwrap().current();
            let Ok(stored) = to_stored(field, &value) else {
                continue;
            };
            expected.insert((*name).to_owned(), to_json(field, &stored));
            given.insert((*name).to_owned(), value);
        }
        let made = documents.insert("Test Thing", given).await.unwrap();
        let read = documents.get("Test Thing", &made.name).await.unwrap();
        assert_eq!(made, read);
        for (name, shown) in expected {
            assert_eq!(read.values[&name], shown, "{name}");
        }
    }
}
