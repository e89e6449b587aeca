//! Any sequence of changes leaves what a model in memory says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::world::{World, later};

/// Fields of Test Thing that these changes are about.
const FIELDS: &[&str] = &["a_data", "a_text", "a_int", "a_float", "a_check", "a_date"];

/// One change.
#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<(usize, usize)>, Vec<usize>),
    /// Of which document, which fields get which value, and whether rows are given: by the
    /// position of a stored row that stays, or as new.
    Update(usize, Vec<(usize, usize)>, Option<Vec<(bool, usize)>>),
    Delete(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let fields = || prop::collection::vec((0..FIELDS.len(), 0..5_usize), 0..4);
    let rows = prop::collection::vec((any::<bool>(), 0..4_usize), 0..4);
    prop_oneof![
        3 => (fields(), prop::collection::vec(0..9_usize, 0..4))
            .prop_map(|(fields, rows)| Step::Insert(fields, rows)),
        6 => (any::<usize>(), fields(), prop::option::of(rows))
            .prop_map(|(which, fields, rows)| Step::Update(which, fields, rows)),
        1 => any::<usize>().prop_map(Step::Delete),
    ]
}

fn value(field: usize, choice: usize) -> Value {
    match FIELDS[field] {
        "a_int" => json!(choice),
        "a_float" => json!(choice as f64 / 4.0),
        "a_check" => json!(choice % 2),
        "a_date" => json!(format!("2026-11-{:02}", choice + 1)),
        _ if choice == 0 => Value::Null,
        _ => json!(format!("text {choice}")),
    }
}

/// A document of the model: its fields, and its rows by name in order.
#[derive(Debug, Clone, Default, PartialEq)]
struct Modelled {
    fields: BTreeMap<String, Value>,
    rows: Vec<(String, Value)>,
}

fn of(document: &Map<String, Value>) -> Modelled {
    let fields = FIELDS.iter();
    let rows = document["rows"].as_array().unwrap().iter();
    Modelled {
        fields: fields
            .map(|field| ((*field).to_owned(), document[*field].clone()))
            .collect(),
        rows: rows
            .map(|row| {
                let name = row["name"].as_str().unwrap().to_owned();
                (name, json!([row["item"], row["count"]]))
            })
            .collect(),
    }
}

fn given(fields: &[(usize, usize)]) -> Map<String, Value> {
    let fields = fields.iter();
    fields
        .map(|(field, choice)| (FIELDS[*field].to_owned(), value(*field, *choice)))
        .collect()
}

pub(crate) async fn changes_are_what_a_model_says(world: &World) {
    let documents = world.admin();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut model: BTreeMap<String, Modelled> = BTreeMap::new();
    for number in 0..150 {
        let step = step().new_tree(&mut runner).unwrap().current();
        let documents = later(&documents, number);
        let which = |which: usize| model.keys().nth(which % model.len().max(1)).cloned();
        match step.clone() {
            Step::Insert(fields, rows) => {
                let mut values = given(&fields);
                let rows = rows
                    .iter()
                    .map(|count| json!({"item": "new", "count": count}));
                values.insert("rows".to_owned(), rows.collect());
                let made = documents
                    .insert("Test Thing", values.clone())
                    .await
                    .unwrap();
                let shown = of(&made.values);
                for (field, value) in &values {
                    if field != "rows" {
                        assert_eq!(shown.fields[field], *value);
                    }
                }
                assert_eq!(shown.rows.len(), values["rows"].as_array().unwrap().len());
                model.insert(made.name, shown);
            }
            Step::Update(document, fields, rows) => {
                let Some(name) = which(document) else {
                    continue;
                };
                let expected = model.get_mut(&name).unwrap();
                let mut values = given(&fields);
                expected.fields.extend(values.clone());
                let before = expected.rows.clone();
                if let Some(rows) = &rows {
                    let mut taken = Vec::new();
                    let mut sent = Vec::new();
                    expected.rows.clear();
                    for (stays, number) in rows {
                        let stored = before
                            .get(*number)
                            .filter(|_| *stays && !taken.contains(number));
                        match stored {
                            Some((name, shown)) => {
                                taken.push(*number);
                                sent.push(json!({"name": name, "item": "kept"}));
                                let shown = json!(["kept", shown[1]]);
                                expected.rows.push((name.clone(), shown));
                            }
                            None => {
                                sent.push(json!({"item": "new", "count": number}));
                                expected.rows.push((String::new(), json!(["new", number])));
                            }
                        }
                    }
                    values.insert("rows".to_owned(), sent.into());
                }
                let updated = documents.update("Test Thing", &name, values).await.unwrap();
                let shown = of(&updated.values);
                for (row, (name, _)) in expected.rows.iter_mut().zip(&shown.rows) {
                    if row.0.is_empty() {
                        assert!(before.iter().all(|(stored, _)| stored != name));
                        row.0.clone_from(name);
                    }
                }
                assert_eq!(shown, *expected, "{step:?}");
            }
            Step::Delete(document) => {
                let Some(name) = which(document) else {
                    continue;
                };
                documents.delete("Test Thing", &name).await.unwrap();
                model.remove(&name);
            }
        }
    }
    let mut rows = 0;
    for (name, expected) in &model {
        let read = documents.get("Test Thing", name).await.unwrap();
        assert_eq!(of(&read.values), *expected);
        rows += expected.rows.len();
    }
    let left = world.count("tabTest Row", "parenttype", "Test Thing").await;
    assert_eq!(left, rows, "no row is left of what is gone");
}
