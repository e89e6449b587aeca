//! A data-only app for these tests: tickets in regions, with items that link to parts.

use std::path::Path;

use crema_testkit::App;
use serde_json::{Value, json};

/// The name of the app.
pub(super) const APP: &str = "helpdesk";

/// Text in fields of level 1 begins with this; only who reads that level may ever see it.
pub(super) const LEVEL_ONE: &str = "LEVELONE";
/// Text in fields of level 1 of child rows.
pub(super) const LEVEL_ONE_ROW: &str = "ROWLEVELONE";
/// Text in Parts, which only System Managers read.
pub(super) const PART: &str = "PARTSECRET";
/// A number in a field of level 1.
pub(super) const COST: f64 = 31337.25;
/// Password fields never leave.
pub(super) const PIN: &str = "PINSECRET";

/// A permission of a role, with these rights.
fn right(role: &str, level: u32, actions: &[&str]) -> Value {
    let mut right = json!({"role": role, "permlevel": level});
    for action in actions {
        right[*action] = json!(1);
    }
    right
}

fn field(name: &str, kind: &str, options: &str) -> Value {
    let label = name.replace('_', " ");
    json!({"fieldname": name, "fieldtype": kind, "label": label, "options": options})
}

fn leveled(mut field: Value) -> Value {
    field["permlevel"] = json!(1);
    field
}

const ALL: &[&str] = &["read", "write", "create", "delete"];

/// The definitions, by file name.
fn definitions() -> Vec<(&'static str, Value)> {
    let mut owners = right("Ticket Agent", 0, ALL);
    owners["if_owner"] = json!(1);
    let mut code = field("code", "Data", "");
    code["reqd"] = json!(1);
    code["unique"] = json!(1);
    let ticket = json!({
        "doctype": "DocType", "name": "Ticket", "module": "Helpdesk",
        "autoname": "field:code", "naming_rule": "By fieldname", "title_field": "subject",
        "owner_fields": ["assigned_to"],
        "fields": [
            code,
            field("subject", "Data", ""),
            field("region", "Link", "Region"),
            field("part", "Link", "Part"),
            field("assigned_to", "Link", "User"),
            leveled(field("cost", "Currency", "")),
            leveled(field("remark", "Small Text", "")),
            field("pin", "Password", ""),
            field("items", "Table", "Ticket Item"),
        ],
        "permissions": [
            right("System Manager", 0, ALL),
            right("System Manager", 1, &["read", "write"]),
            right("Ticket Lead", 0, ALL),
            right("Ticket Lead", 1, &["read", "write"]),
            right("Ticket Reader", 0, &["read"]),
            right("Ticket Clerk", 0, ALL),
            owners,
        ],
    });
    let item = json!({
        "doctype": "DocType", "name": "Ticket Item", "module": "Helpdesk", "istable": 1,
        "fields": [
            field("item", "Data", ""),
            leveled(field("hint", "Data", "")),
            field("part", "Link", "Part"),
        ],
        "permissions": [],
    });
    let region = json!({
        "doctype": "DocType", "name": "Region", "module": "Helpdesk", "autoname": "field:title",
        "fields": [field("title", "Data", ""), leveled(field("budget", "Data", ""))],
        "permissions": [
            right("System Manager", 0, ALL),
            right("System Manager", 1, &["read", "write"]),
            right("Ticket Lead", 0, &["read"]),
            right("Ticket Reader", 0, &["read"]),
            right("Ticket Clerk", 0, &["read"]),
        ],
    });
    let part = json!({
        "doctype": "DocType", "name": "Part", "module": "Helpdesk", "autoname": "field:title",
        "fields": [field("title", "Data", ""), field("formula", "Data", "")],
        "permissions": [right("System Manager", 0, ALL)],
    });
    let bulletin = json!({
        "doctype": "DocType", "name": "Bulletin", "module": "Helpdesk", "autoname": "field:title",
        "fields": [field("title", "Data", ""), leveled(field("draft", "Data", ""))],
        "permissions": [right("System Manager", 0, ALL), right("Guest", 0, &["read"])],
    });
    let visit = json!({
        "doctype": "DocType", "name": "Visit", "module": "Helpdesk", "autoname": "field:title",
        "fields": [field("title", "Data", ""), field("ticket", "Link", "Ticket")],
        "permissions": [right("System Manager", 0, ALL), right("Ticket Agent", 0, &["read"])],
    });
    vec![
        ("visit", visit),
        ("ticket", ticket),
        ("ticket_item", item),
        ("region", region),
        ("part", part),
        ("bulletin", bulletin),
    ]
}

/// Writes the app into the bench of the server and installs it on its site.
pub(super) async fn install(app: &App) {
    let module = app.bench().root().join("apps").join(APP).join("helpdesk");
    for (name, definition) in definitions() {
        write(&module, name, &definition);
    }
    app.install_app(APP).await;
}

fn write(module: &Path, name: &str, definition: &Value) {
    let folder = module.join("doctype").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string_pretty(definition).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
}
