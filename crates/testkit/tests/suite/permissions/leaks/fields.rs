//! Fields that are not to be read.

use super::*;

/// Ways to name a field that the reader may not read. Every one is refused: a filter or an order
/// that works tells the value without showing it.
const BY_FIELD: &[(&str, &str)] = &[
    ("fields", r#"["name", "remark"]"#),
    ("fields", r#"["remark as subject"]"#),
    ("fields", r#"["`tabTicket`.`remark`"]"#),
    ("fields", r#"["max(remark) as top"]"#),
    ("fields", r#"[{"MAX": "cost", "as": "top"}]"#),
    ("fields", r#"["sum(cost) as total"]"#),
    ("fields", r#"["name", "items.hint"]"#),
    ("fields", r#"["`tabTicket Item`.`hint`"]"#),
    ("fields", r#"["name", "part.formula"]"#),
    ("fields", r#"["name", "region.budget"]"#),
    ("fields", r#"["name", "assigned_to.api_key"]"#),
    ("filters", r#"{"remark": ["like", "LEVELONE%"]}"#),
    ("filters", r#"[["remark", "is", "set"]]"#),
    ("filters", r#"[["Ticket", "cost", ">", 1]]"#),
    ("filters", r#"[["Ticket Item", "hint", "like", "ROW%"]]"#),
    ("filters", r#"[["items.hint", "like", "ROW%"]]"#),
    ("filters", r#"[["part.formula", "like", "PART%"]]"#),
    ("filters", r#"[["region.budget", "like", "LEVEL%"]]"#),
    (
        "or_filters",
        r#"[["remark", "like", "LEVELONE%"], ["name", "=", "x"]]"#,
    ),
    ("order_by", "remark asc"),
    ("order_by", "`tabTicket`.`cost` desc"),
    ("order_by", "region.budget asc"),
    ("group_by", "remark"),
];

pub(super) async fn a_field_that_is_not_to_be_read_cannot_be_asked_about(office: &mut Office) {
    for (name, value) in BY_FIELD {
        let what = format!("{name}={value}");
        let mut query = vec![(*name, *value)];
        if *name == "group_by" {
            query.push(("fields", r#"["count(name) as n"]"#));
        }
        let refused = office.list(Person::Reader, "Ticket", &query).await;
        assert_clean(&what, &refused);
        assert_eq!(refused.status, 403, "{what}: {}", refused.text());
        assert_eq!(refused.member("exc_type"), "PermissionError", "{what}");
        if name.ends_with("filters") {
            for path in [
                "/api/v2/doctype/Ticket/count",
                "/api/method/frappe.client.get_count?doctype=Ticket",
            ] {
                let count = office
                    .get(Person::Reader, Credential::Session, path, &query)
                    .await;
                assert_clean(&what, &count);
                assert_eq!(count.status, 403, "{path} {what}: {}", count.text());
            }
        }
        // Who may read it is not refused, so the refusal is not about the form.
        let fine = office.list(Person::Manager, "Ticket", &query).await;
        assert_eq!(fine.status, 200, "{what}: {}", fine.text());
    }
}

pub(super) async fn what_is_left_out_is_left_out_everywhere(office: &mut Office) {
    let queries: &[&[(&str, &str)]] = &[
        &[("fields", r#"["*"]"#)],
        &[("fields", "\"*\"")],
        &[("fields", "*")],
        &[
            ("fields", r#"["*"]"#),
            ("limit_page_length", "0"),
            ("as_dict", "0"),
        ],
        &[
            ("fields", r#"["name", "part", "region"]"#),
            ("expand", r#"["part", "region"]"#),
        ],
        &[
            ("fields", r#"["*"]"#),
            ("expand", r#"["part", "region", "assigned_to"]"#),
        ],
        &[("fields", r#"["name", "items.item"]"#)],
    ];
    for query in queries {
        for path in [
            "/api/resource/Ticket",
            "/api/v2/document/Ticket",
            "/api/method/frappe.client.get_list?doctype=Ticket",
        ] {
            let list = office
                .get(Person::Reader, Credential::Session, path, query)
                .await;
            assert_eq!(list.status, 200, "{path} {query:?}: {}", list.text());
            assert_clean(&format!("{path} {query:?}"), &list);
        }
    }
    let expanded = [("expand", r#"["part", "region"]"#)];
    for path in [
        "/api/resource/Ticket/FOREIGN",
        "/api/resource/Ticket/FOREIGN?expand_links=1",
        "/api/v2/document/Ticket/FOREIGN",
        "/api/method/frappe.client.get?doctype=Ticket&name=FOREIGN",
    ] {
        let one = office
            .get(Person::Reader, Credential::Session, path, &expanded)
            .await;
        assert_eq!(one.status, 200, "{path}: {}", one.text());
        assert_clean(path, &one);
    }
    // What the manager sees, so that the search above looks for something.
    let all = [("fields", r#"["*"]"#), ("limit_page_length", "0")];
    let list = office.list(Person::Manager, "Ticket", &all).await;
    assert!(list.text().contains(LEVEL_ONE), "{}", list.text());
    let one = office.list(Person::Manager, "Ticket/FOREIGN", &[]).await;
    assert!(one.text().contains(LEVEL_ONE_ROW) && one.text().contains("31337"));
}

pub(super) async fn passwords_never_leave(office: &mut Office) {
    for (name, value) in [
        ("fields", r#"["name", "pin"]"#),
        ("fields", r#"["`tabTicket`.`pin`"]"#),
        ("fields", r#"["max(pin) as pin"]"#),
        ("filters", r#"{"pin": ["like", "PIN%"]}"#),
        ("filters", r#"[["pin", "is", "set"]]"#),
        ("or_filters", r#"{"pin": "PINSECRET"}"#),
        ("order_by", "pin asc"),
        ("group_by", "pin"),
    ] {
        for person in [Person::Lead, Person::Manager, Person::Administrator] {
            let answer = office.list(person, "Ticket", &[(name, value)]).await;
            let (status, text) = (answer.status, answer.text());
            assert!(
                (400..500).contains(&status),
                "{name}={value}: {status} {text}"
            );
            // The value that was sent may be repeated, the stored one may not.
            assert!(value.contains(PIN) || !text.contains(PIN), "{text}");
        }
    }
    for path in [
        "/api/resource/Ticket/FOREIGN",
        "/api/v2/document/Ticket/FOREIGN",
    ] {
        let one = office
            .get(Person::Administrator, Credential::Session, path, &[])
            .await;
        assert_eq!(one.status, 200);
        assert!(!one.text().contains(PIN), "{}", one.text());
    }
    let value = "/api/method/frappe.client.get_value?doctype=Ticket&filters=FOREIGN&fieldname=pin";
    let value = office
        .get(Person::Administrator, Credential::Session, value, &[])
        .await;
    assert!((400..500).contains(&value.status) && !value.text().contains(PIN));
    let stored = office
        .app
        .count(
            r#"SELECT COUNT(*) FROM "__Auth" WHERE password = ?"#,
            vec![PIN.into()],
        )
        .await;
    assert_eq!(stored, 0, "a password stands in clear in the database");
}
