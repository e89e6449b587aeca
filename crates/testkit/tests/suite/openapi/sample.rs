//! An app with a field of every type, every way to name documents, and names that need care in
//! paths.

use crema_testkit::App;
use serde_json::{Value, json};

/// Every type that holds a value, with its options.
const TYPES: &[(&str, &str)] = &[
    ("Autocomplete", ""),
    ("Attach", ""),
    ("Attach Image", ""),
    ("Barcode", ""),
    ("Check", ""),
    ("Code", ""),
    ("Color", ""),
    ("Currency", ""),
    ("Data", ""),
    ("Date", ""),
    ("Datetime", ""),
    ("Duration", ""),
    ("Dynamic Link", "kind"),
    ("Float", ""),
    ("Geolocation", ""),
    ("HTML Editor", ""),
    ("Icon", ""),
    ("Int", ""),
    ("JSON", ""),
    ("Long Int", ""),
    ("Long Text", ""),
    ("Markdown Editor", ""),
    ("Password", ""),
    ("Percent", ""),
    ("Phone", ""),
    ("Rating", ""),
    ("Read Only", ""),
    ("Select", "One\nTwo\nThree"),
    ("Signature", ""),
    ("Small Text", ""),
    ("Text", ""),
    ("Text Editor", ""),
    ("Time", ""),
];

fn field(name: &str, kind: &str, options: &str) -> Value {
    json!({"fieldname": name, "fieldtype": kind, "label": name, "options": options})
}

fn plain_name(kind: &str) -> String {
    format!("the_{}", kind.to_lowercase().replace(' ', "_"))
}

/// What a role may with documents.
fn right(role: &str, if_owner: u8) -> Value {
    json!({
        "role": role, "if_owner": if_owner, "read": 1, "write": 1, "create": 1, "delete": 1,
    })
}

fn doctype(name: &str, autoname: &str, fields: Vec<Value>) -> Value {
    json!({
        "doctype": "DocType", "name": name, "module": "Samples", "autoname": autoname,
        "description": format!("A sample: {name}."),
        "fields": fields,
        "permissions": [right("System Manager", 0), right("Desk User", 1)],
    })
}

fn child(name: &str, fields: Vec<Value>) -> Value {
    json!({
        "doctype": "DocType", "name": name, "module": "Samples", "istable": 1, "fields": fields,
        "permissions": [],
    })
}

fn definitions() -> Vec<Value> {
    let every = |extra: Vec<Value>| {
        let all = TYPES
            .iter()
            .map(|(kind, options)| field(&plain_name(kind), kind, options));
        all.chain(extra).collect::<Vec<_>>()
    };
    let whole = doctype(
        "Sample-Probe 2",
        "hash",
        every(vec![
            field("section", "Section Break", ""),
            field("kind", "Link", "DocType"),
            field("named", "Link", "Sample Größe"),
            field("rows", "Table", "Sample Row"),
            field("tags", "Table MultiSelect", "Sample Tag"),
            json!({"fieldname": "once", "fieldtype": "Data", "set_only_once": 1}),
            json!({"fieldname": "serial", "fieldtype": "Data", "unique": 1}),
            json!({"fieldname": "short", "fieldtype": "Data", "length": 5, "reqd": 1}),
            json!({"fieldname": "mail", "fieldtype": "Data", "options": "Email"}),
            json!({"fieldname": "page", "fieldtype": "Data", "options": "URL"}),
            json!({
                "fieldname": "fetched", "fieldtype": "Data", "fetch_from": "named.remark",
                "read_only": 1,
            }),
            json!({"fieldname": "kept", "fieldtype": "Data", "permlevel": 1}),
        ]),
    );
    let title = || json!({"fieldname": "title", "fieldtype": "Data", "reqd": 1});
    let mut open = doctype("Sample Open", "hash", vec![title()]);
    open["permissions"] = json!([right("Guest", 0), right("System Manager", 0)]);
    vec![
        whole,
        child(
            "Sample Row",
            every(vec![field("hidden_from", "Link", "User")]),
        ),
        child("Sample Tag", vec![field("tag", "Link", "Sample Größe")]),
        doctype(
            "Sample Größe",
            "field:title",
            vec![title(), field("remark", "Data", "")],
        ),
        doctype("Sample Number", "autoincrement", vec![title()]),
        doctype("Sample Series", "S-.YYYY.-.###", vec![title()]),
        doctype("Sample Prompt", "Prompt", vec![field("number", "Int", "")]),
        doctype(
            "Sample Format",
            "format:{title}/{number}-{##}",
            vec![title(), field("number", "Int", "")],
        ),
        open,
    ]
}

/// Puts the app on the bench and installs it on the first site.
pub(super) async fn install(app: &App) {
    let module = app.bench().root().join("apps/samples/samples/doctype");
    for (number, definition) in definitions().iter().enumerate() {
        let folder = module.join(format!("sample_{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("sample_{number}.json"));
        std::fs::write(file, definition.to_string()).unwrap();
    }
    app.install_app("samples").await;
}
