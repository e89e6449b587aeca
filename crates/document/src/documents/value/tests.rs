use proptest::prelude::*;
use serde_json::json;

use super::*;

fn field(fieldtype: &str, options: &str) -> Field {
    serde_json::from_value(json!({
        "fieldname": "thing", "label": "Thing", "fieldtype": fieldtype, "options": options,
    }))
    .unwrap()
}

/// What is stored and shown again.
fn through(fieldtype: &str, value: Json) -> Result<Json, Reason> {
    let field = field(fieldtype, "");
    let stored = to_stored(&field, &value).map_err(|refusal| refusal.reason)?;
    Ok(to_json(&field, &stored))
}

#[test]
fn numbers_come_as_numbers_text_and_flags() {
    for (fieldtype, given, shown) in [
        ("Int", json!(3), json!(3)),
        ("Int", json!("3"), json!(3)),
        ("Int", json!(" -7 "), json!(-7)),
        ("Int", json!(true), json!(1)),
        ("Int", json!(2.0), json!(2)),
        ("Int", json!("2.0"), json!(2)),
        ("Int", json!(null), json!(0)),
        ("Int", json!(""), json!(0)),
        ("Int", json!(i32::MAX), json!(i32::MAX)),
        ("Long Int", json!(i64::MIN), json!(i64::MIN)),
        ("Long Int", json!("9223372036854775807"), json!(i64::MAX)),
        ("Check", json!(true), json!(1)),
        ("Check", json!("0"), json!(0)),
        ("Check", json!(5), json!(1)),
        ("Check", json!(null), json!(0)),
        ("Float", json!(1), json!(1.0)),
        ("Float", json!("1.5"), json!(1.5)),
        ("Currency", json!("-1e3"), json!(-1000.0)),
        ("Percent", json!(null), json!(0.0)),
        ("Duration", json!(90), json!(90.0)),
        ("Rating", json!(7), json!(1.0)),
        ("Rating", json!(-0.0), json!(0.0)),
    ] {
        assert_eq!(
            through(fieldtype, given.clone()),
            Ok(shown),
            "{fieldtype} {given}"
        );
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for (fieldtype, given, reason) in [
        ("Int", json!("three"), Reason::Validation),
        ("Int", json!("0x10"), Reason::Validation),
        ("Int", json!(2.5), Reason::Validation),
        ("Int", json!([1]), Reason::Validation),
        ("Int", json!({"a": 1}), Reason::Validation),
        ("Int", json!(2_147_483_648_i64), Reason::TooLong),
        ("Int", json!(1e300), Reason::TooLong),
        ("Long Int", json!(u64::MAX), Reason::TooLong),
        ("Float", json!("nan"), Reason::Validation),
        ("Float", json!("inf"), Reason::Validation),
        ("Float", json!("1e999"), Reason::TooLong),
        ("Float", json!("1,5"), Reason::Validation),
        ("Check", json!("yes"), Reason::Validation),
    ] {
        assert_eq!(
            through(fieldtype, given.clone()),
            Err(reason),
            "{fieldtype} {given}"
        );
    }
}

#[test]
fn dates_and_times_have_one_form() {
    for (fieldtype, given, shown) in [
        ("Date", json!("2026-11-20"), json!("2026-11-20")),
        ("Date", json!("2026-11-20 10:11:12"), json!("2026-11-20")),
        ("Date", json!(""), json!(null)),
        (
            "Datetime",
            json!("2026-11-20 10:11:12"),
            json!("2026-11-20 10:11:12.000000"),
        ),
        (
            "Datetime",
            json!("2026-11-20T10:11:12.5"),
            json!("2026-11-20 10:11:12.500000"),
        ),
        (
            "Datetime",
            json!("2026-11-20"),
            json!("2026-11-20 00:00:00.000000"),
        ),
        ("Time", json!("9:05"), json!("09:05:00")),
        ("Time", json!("09:05:06.25"), json!("09:05:06.250000")),
        ("Time", json!(null), json!(null)),
    ] {
        assert_eq!(
            through(fieldtype, given.clone()),
            Ok(shown),
            "{fieldtype} {given}"
        );
    }
    for (fieldtype, given) in [
        ("Date", json!("20-11-2026")),
        ("Date", json!("2026-02-30")),
        ("Date", json!(20261120)),
        ("Datetime", json!("2026-11-20T10:11:12Z")),
        ("Datetime", json!("2026-11-20 10:11:12+02:00")),
        ("Time", json!("24:00:00")),
        ("Time", json!("10:00 AM")),
    ] {
        assert_eq!(
            through(fieldtype, given.clone()),
            Err(Reason::Validation),
            "{given}"
        );
    }
}

#[test]
fn texts() {
    assert_eq!(through("Data", json!("a")), Ok(json!("a")));
    assert_eq!(through("Data", json!(12)), Ok(json!("12")));
    assert_eq!(through("Data", json!("")), Ok(json!(null)));
    assert_eq!(through("Data", json!("a\0b")), Err(Reason::Malformed));
    assert_eq!(through("Data", json!(["a"])), Err(Reason::Validation));
    assert_eq!(
        through("Data", json!("ü".repeat(140))),
        Ok(json!("ü".repeat(140)))
    );
    assert_eq!(
        through("Data", json!("ü".repeat(141))),
        Err(Reason::TooLong)
    );
    assert_eq!(
        through("Small Text", json!("ü".repeat(40_000))),
        Err(Reason::TooLong)
    );
    assert_eq!(through("JSON", json!({"a": [1]})), Ok(json!("{\"a\":[1]}")));
    assert_eq!(through("JSON", json!("[1, 2]")), Ok(json!("[1, 2]")));
    assert_eq!(through("JSON", json!("{")), Err(Reason::Validation));
    assert_eq!(
        through("JSON", json!("[".repeat(1000))),
        Err(Reason::Validation)
    );
}

#[test]
fn choices() {
    let select = field("Select", "\nOpen\nClosed");
    assert_eq!(
        to_stored(&select, &json!(" Open ")),
        Ok(Value::from("Open"))
    );
    assert_eq!(to_stored(&select, &json!("")), Ok(Value::Null));
    let refused = to_stored(&select, &json!("Nope")).unwrap_err();
    assert_eq!(
        refused.message,
        "Thing cannot be \"Nope\". It should be one of \"Open\", \"Closed\""
    );
    assert!(to_stored(&field("Select", ""), &json!("anything")).is_ok());
}

#[test]
fn forms_of_data() {
    let fits = |options: &str, text: &str| to_stored(&field("Data", options), &json!(text)).is_ok();
    for good in [
        "a@b.ch",
        "a.b+c@localhost",
        "Jo <jo@example.com>, b@c.de",
        "jö@müller.de",
    ] {
        assert!(fits("Email", good), "{good}");
    }
    for bad in [
        "a", "a@", "@b", "a b@c.d", "a@b..c", ".a@b.c", "a@-b.c", "a@b.c>",
    ] {
        assert!(!fits("Email", bad), "{bad}");
    }
    for good in [
        "https://a.example/x?y",
        "ftp://x",
        "mailto:a@b.c",
        "tel:+41",
    ] {
        assert!(fits("URL", good), "{good}");
    }
    for bad in [
        "a.example",
        "javascript:alert(1)",
        "javascript://x/%0aalert(1)",
        "http://",
        "http:///x",
        "http://a b",
    ] {
        assert!(!fits("URL", bad), "{bad}");
    }
    assert!(fits("Phone", "+41 (0)79 123 45 67") && !fits("Phone", "call me"));
    assert!(fits("Name", "Jean-Luc O'Neill") && !fits("Name", "<b>"));
    let color = |text: &str| to_stored(&field("Color", ""), &json!(text)).is_ok();
    assert!(
        color("#fff") && color("#1a2B3c") && color("light-blue") && !color("#12") && !color("a;b")
    );
}

#[test]
fn standard_columns_are_known() {
    for column in crate::doctype::STANDARD_COLUMNS
        .iter()
        .chain(crate::doctype::CHILD_COLUMNS)
    {
        assert!(standard(column).is_some(), "{column}");
    }
    assert!(standard("thing").is_none());
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>()
            .prop_map(|real| serde_json::Number::from_f64(real).map_or(Json::Null, Json::Number)),
        ".{0,20}".prop_map(Json::from),
        "[0-9eE+.: -]{0,30}".prop_map(Json::from),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?)?"
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(Json::from)
    })
}

const TYPES: &[&str] = &[
    "Attach",
    "Check",
    "Code",
    "Color",
    "Currency",
    "Data",
    "Date",
    "Datetime",
    "Duration",
    "Dynamic Link",
    "Float",
    "Int",
    "JSON",
    "Link",
    "Long Int",
    "Long Text",
    "Percent",
    "Phone",
    "Rating",
    "Read Only",
    "Select",
    "Small Text",
    "Text",
    "Text Editor",
    "Time",
];

proptest! {
    /// What was shown can be given again and means the same; nothing panics.
    #[test]
    fn shown_values_come_back(value in any_json(), which in 0..TYPES.len()) {
        let field = field(TYPES[which], "DocType");
        if let Ok(stored) = to_stored(&field, &value) {
            let shown = to_json(&field, &stored);
            prop_assert_eq!(to_stored(&field, &shown), Ok(stored.clone()));
            if let Some(text) = stored_text(&stored) {
                prop_assert_eq!(convert(&field, &Json::from(text)), Ok(stored));
            }
        }
    }
}
