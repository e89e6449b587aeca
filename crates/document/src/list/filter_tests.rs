#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::json;

use super::*;

fn field(name: &str, operator: Operator, operand: Value) -> Filter {
    Filter::Field(Comparison {
        path: Path::own(name),
        operator,
        operand,
    })
}

fn read(filters: Value) -> Filter {
    parse(Some(&filters), None).unwrap()
}

#[test]
fn one_condition_in_every_form() {
    let like = Filter::All(vec![field("status", Operator::Like, json!("O%"))]);
    for given in [
        json!({"status": ["like", "O%"]}),
        json!([["status", "like", "O%"]]),
        json!(["status", "LIKE", "O%"]),
        json!([["status", ["Like", "O%"]]]),
        json!("[[\"status\", \" like \", \"O%\"]]"),
    ] {
        assert_eq!(read(given), like);
    }
    let of_doctype = Filter::All(vec![Filter::Field(Comparison {
        path: Path::of("ToDo", "status"),
        operator: Operator::NotIn,
        operand: json!(["a", "b"]),
    })]);
    for given in [
        json!([["ToDo", "status", "not in", ["a", "b"]]]),
        json!([["ToDo", "status", "Not  In", "a, b", false]]),
        json!([["ToDo", "`tabToDo`.`status`", "not in", "a,b"]]),
    ] {
        assert_eq!(read(given), of_doctype);
    }
}

#[test]
fn nothing_is_no_condition() {
    for given in [
        json!(null),
        json!({}),
        json!([]),
        json!(""),
        json!("{}"),
        json!("null"),
    ] {
        assert_eq!(read(given), Filter::All(Vec::new()));
    }
}

#[test]
fn and_and_or() {
    let a = || field("a", Operator::Equal, json!(1));
    let b = || field("b", Operator::Equal, json!(2));
    assert_eq!(
        read(json!([["a", "=", 1], "or", ["b", "=", 2]])),
        Filter::All(vec![Filter::Any(vec![a(), b()])])
    );
    assert_eq!(
        read(json!([
            [["a", "=", 1], "OR", ["b", "=", 2]],
            "and",
            ["b", "=", 2]
        ])),
        Filter::All(vec![Filter::Any(vec![a(), b()]), b()])
    );
    let both = parse(Some(&json!({"a": 1})), Some(&json!({"a": 1, "b": 2}))).unwrap();
    assert_eq!(both, Filter::All(vec![a(), Filter::Any(vec![a(), b()])]));
}

#[test]
fn what_is_no_condition_is_refused() {
    let mut deep = json!(["a", "=", 1]);
    for _ in 0..20 {
        deep = json!([[deep]]);
    }
    let many: Vec<Value> = (0..101).map(|_| json!(["a", "=", 1])).collect();
    let values: Vec<Value> = (0..5001).map(Value::from).collect();
    for given in [
        json!(5),
        json!("name"),
        json!("[["),
        json!([5]),
        json!([["a"]]),
        json!([["a", "sounds like", "b"]]),
        json!([["a", 5, "b"]]),
        json!([[5, "=", "b"]]),
        json!({"a": ["b", "c", "d"]}),
        json!({"a": ["regexp", "d"]}),
        json!({"a;b": 1}),
        json!([["a", "=", 1], "or"]),
        json!([["a", "=", 1], "or", ["a", "=", 1], "and", ["a", "=", 1]]),
        json!([["a", "=", 1], "xor", ["a", "=", 1]]),
        json!([["a", "=", 1, 2, 3, 4]]),
        deep,
        json!(many),
        json!([["a", "in", values]]),
    ] {
        let refused = parse(Some(&given), None).unwrap_err();
        assert_eq!(refused.reason, Reason::Malformed, "{given}");
    }
}
