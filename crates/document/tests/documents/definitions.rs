//! The DocTypes of these tests.

use std::sync::Arc;

use crema_document::{DocType, Registry};
use serde_json::{Value, json};

use crate::support::registry;

/// The program's definitions and those of the tests.
pub(crate) fn with_tests() -> Arc<Registry> {
    let own = own().into_iter().map(|mut definition| {
        let everybody = json!([
            {"role": "All", "read": 1, "write": 1, "create": 1, "delete": 1},
            {"role": "System Manager", "permlevel": 1, "read": 1, "write": 1},
        ]);
        let members = definition.as_object_mut().unwrap();
        members.entry("permissions").or_insert(everybody);
        DocType::from_json("test", &definition.to_string()).unwrap()
    });
    Arc::new(registry().with(own).unwrap())
}

fn own() -> Vec<Value> {
    let mut all = vec![thing(), task(), note()];
    all.extend(rows());
    all.extend(named());
    all.push(json!({
        "name": "Test Project", "autoname": "field:title", "fields": [
            {"fieldname": "title", "fieldtype": "Data", "label": "Title", "reqd": 1},
            {"fieldname": "lead", "fieldtype": "Data", "label": "Lead"},
            {"fieldname": "key", "fieldtype": "Password", "label": "Key"},
            {"fieldname": "proof", "fieldtype": "Data", "label": "Proof", "secret": 1, "default": "a hash"},
            {"fieldname": "up", "fieldtype": "Link", "options": "Test Project", "label": "Up"},
        ],
    }));
    all.push(json!({
        "name": "Test Settings", "issingle": 1, "watched": 1, "fields": [
            {"fieldname": "title", "fieldtype": "Data", "label": "Title", "default": "Untitled"},
            {"fieldname": "limit", "fieldtype": "Int", "label": "Limit", "default": "7"},
            {"fieldname": "share", "fieldtype": "Float", "label": "Share"},
            {"fieldname": "open", "fieldtype": "Check", "label": "Open"},
            {"fieldname": "since", "fieldtype": "Datetime", "label": "Since"},
            {"fieldname": "project", "fieldtype": "Link", "options": "Test Project", "label": "Project"},
            {"fieldname": "must", "fieldtype": "Data", "label": "Must", "reqd": 1, "default": "x"},
            {"fieldname": "rows", "fieldtype": "Table", "options": "Test Row", "label": "Rows"},
        ],
    }));
    all
}

/// The types of fields that hold a value of their own, with the name of the field.
pub(crate) const TYPES: &[(&str, &str)] = &[
    ("a_attach", "Attach"),
    ("a_image", "Attach Image"),
    ("a_auto", "Autocomplete"),
    ("a_barcode", "Barcode"),
    ("a_check", "Check"),
    ("a_code", "Code"),
    ("a_color", "Color"),
    ("a_currency", "Currency"),
    ("a_data", "Data"),
    ("a_date", "Date"),
    ("a_datetime", "Datetime"),
    ("a_duration", "Duration"),
    ("a_float", "Float"),
    ("a_geo", "Geolocation"),
    ("a_html", "HTML Editor"),
    ("a_icon", "Icon"),
    ("a_int", "Int"),
    ("a_json", "JSON"),
    ("a_long", "Long Int"),
    ("a_longtext", "Long Text"),
    ("a_markdown", "Markdown Editor"),
    ("a_percent", "Percent"),
    ("a_phone", "Phone"),
    ("a_rating", "Rating"),
    ("a_readonly", "Read Only"),
    ("a_select", "Select"),
    ("a_signature", "Signature"),
    ("a_small", "Small Text"),
    ("a_text", "Text"),
    ("a_editor", "Text Editor"),
    ("a_time", "Time"),
];

fn thing() -> Value {
    let mut fields: Vec<Value> = TYPES
        .iter()
        .map(|(name, fieldtype)| json!({"fieldname": name, "fieldtype": fieldtype, "label": name}))
        .collect();
    fields.push(json!({"fieldname": "tab", "fieldtype": "Tab Break"}));
    fields.push(
        json!({"fieldname": "rows", "fieldtype": "Table", "options": "Test Row", "label": "Rows"}),
    );
    fields.push(
        json!({"fieldname": "more", "fieldtype": "Table", "options": "Test Row", "label": "More"}),
    );
    fields.push(json!({"fieldname": "tags", "fieldtype": "Table MultiSelect", "options": "Test Tag", "label": "Tags"}));
    json!({"name": "Test Thing", "autoname": "hash", "fields": fields})
}

fn rows() -> Vec<Value> {
    vec![
        json!({
            "name": "Test Row", "istable": 1, "fields": [
                {"fieldname": "item", "fieldtype": "Data", "label": "Item", "reqd": 1},
                {"fieldname": "count", "fieldtype": "Int", "label": "Count", "default": "1"},
                {"fieldname": "project", "fieldtype": "Link", "options": "Test Project", "label": "Project"},
                {"fieldname": "lead", "fieldtype": "Data", "label": "Lead", "fetch_from": "project.lead"},
                {"fieldname": "size", "fieldtype": "Select", "options": "S\nM\nL", "label": "Size"},
            ],
        }),
        json!({
            "name": "Test Tag", "istable": 1, "fields": [
                {"fieldname": "role", "fieldtype": "Link", "options": "Role", "label": "Role", "reqd": 1},
            ],
        }),
    ]
}

fn task() -> Value {
    json!({
        "name": "Test Task", "autoname": "hash", "watched": 1, "fields": [
            {"fieldname": "title", "fieldtype": "Data", "label": "Title", "reqd": 1},
            {"fieldname": "body", "fieldtype": "Text Editor", "label": "Body"},
            {"fieldname": "code", "fieldtype": "Data", "label": "Code", "unique": 1},
            {"fieldname": "status", "fieldtype": "Select", "options": "Open\nClosed", "default": "Open", "label": "Status"},
            {"fieldname": "closed_by", "fieldtype": "Data", "label": "Closed By", "mandatory_depends_on": "eval:doc.is_closed"},
            {"fieldname": "is_closed", "fieldtype": "Check", "label": "Is Closed"},
            {"fieldname": "once", "fieldtype": "Data", "label": "Once", "set_only_once": 1},
            {"fieldname": "computed", "fieldtype": "Data", "label": "Computed", "read_only": 1, "default": "by the system"},
            {"fieldname": "salary", "fieldtype": "Currency", "label": "Salary", "permlevel": 1, "default": "5"},
            {"fieldname": "project", "fieldtype": "Link", "options": "Test Project", "label": "Project"},
            {"fieldname": "lead", "fieldtype": "Data", "label": "Lead", "fetch_from": "project.lead", "read_only": 1},
            {"fieldname": "key", "fieldtype": "Data", "label": "Key", "fetch_from": "project.key"},
            {"fieldname": "proof", "fieldtype": "Data", "label": "Proof", "fetch_from": "project.proof"},
            {"fieldname": "about_type", "fieldtype": "Link", "options": "DocType", "label": "About Type"},
            {"fieldname": "about", "fieldtype": "Dynamic Link", "options": "about_type", "label": "About"},
            {"fieldname": "who", "fieldtype": "Link", "options": "User", "label": "Who", "default": "__user"},
            {"fieldname": "day", "fieldtype": "Date", "label": "Day", "default": "Today"},
            {"fieldname": "moment", "fieldtype": "Datetime", "label": "Moment", "default": "now"},
            {"fieldname": "hour", "fieldtype": "Time", "label": "Hour", "default": "Now"},
            {"fieldname": "mail", "fieldtype": "Data", "options": "Email", "label": "Mail"},
            {"fieldname": "secret", "fieldtype": "Password", "label": "Secret"},
            {"fieldname": "made_up", "fieldtype": "Data", "label": "Made Up", "is_virtual": 1},
            {"fieldname": "rows", "fieldtype": "Table", "options": "Test Row", "label": "Rows"},
        ],
    })
}

fn note() -> Value {
    json!({
        "name": "Test Note", "autoname": "prompt", "owner_fields": ["friend"], "public_field": "public",
        "fields": [
            {"fieldname": "text", "fieldtype": "Data", "label": "Text"},
            {"fieldname": "friend", "fieldtype": "Link", "options": "User", "label": "Friend"},
            {"fieldname": "public", "fieldtype": "Check", "label": "Public"},
            {"fieldname": "project", "fieldtype": "Link", "options": "Test Project", "label": "Project"},
        ],
        "permissions": [
            {"role": "All", "read": 1, "write": 1, "create": 1, "delete": 1, "if_owner": 1},
            {"role": "Sales User", "create": 1},
            {"role": "System Manager", "read": 1},
        ],
    })
}

fn named() -> Vec<Value> {
    let fields = json!([
        {"fieldname": "title", "fieldtype": "Data", "label": "Title"},
        {"fieldname": "naming_series", "fieldtype": "Select", "options": "A-.YYYY.-.###\nB-", "label": "Series"},
    ]);
    [
        ("Test Field", "field:title"),
        ("Test Format", "format:EX-{title}-{YYYY}-{MM}-{####}"),
        ("Test Prompt", "Prompt"),
        ("Test Number", "autoincrement"),
        ("Test Series", "naming_series:"),
        ("Test Pattern", "PAT-.YY..MM.-.title.-.##"),
        ("Test Uuid", "UUID"),
        ("Test Random", ""),
    ]
    .into_iter()
    .map(|(name, autoname)| json!({"name": name, "autoname": autoname, "fields": fields}))
    .collect()
}
