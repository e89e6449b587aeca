//! An app of data for these tests: customers, jobs that fetch from them, robots with keys.

use std::fs;

use crema_testkit::App;
use serde_json::{Value, json};

/// What only who reads customers may see, at level 0 and at level 1.
pub(super) const PHONE: &str = "PHONE-OF-ACME";
pub(super) const CREDIT: &str = "CREDIT-OF-ACME";

fn definitions() -> Vec<Value> {
    let all = json!({"read": 1, "write": 1, "create": 1, "delete": 1});
    let right = |role: &str, more: Value| {
        let mut right = all.clone();
        right["role"] = json!(role);
        for (member, value) in more.as_object().unwrap() {
            right[member] = value.clone();
        }
        right
    };
    let managers = right("System Manager", json!({}));
    let customer = json!({
        "name": "Customer", "autoname": "field:title", "fields": [
            {"fieldname": "title", "fieldtype": "Data"},
            {"fieldname": "phone", "fieldtype": "Data"},
            {"fieldname": "credit", "fieldtype": "Data", "permlevel": 1},
        ],
        "permissions": [
            managers, {"role": "System Manager", "permlevel": 1, "read": 1, "write": 1},
            {"role": "Sales Manager", "read": 1},
            right("Sales Master Manager", json!({"if_owner": 1})),
        ],
    });
    let fetched = |name: &str, from: &str| json!({"fieldname": name, "fieldtype": "Data", "fetch_from": from, "read_only": 1});
    let row = json!({
        "name": "Job Row", "istable": 1, "fields": [
            {"fieldname": "customer", "fieldtype": "Link", "options": "Customer"},
            fetched("phone", "customer.phone"),
            {"fieldname": "note", "fieldtype": "Data"},
        ],
    });
    let job = json!({
        "name": "Job", "fields": [
            {"fieldname": "subject", "fieldtype": "Data"},
            {"fieldname": "customer", "fieldtype": "Link", "options": "Customer"},
            fetched("phone", "customer.phone"), fetched("credit", "customer.credit"),
            {"fieldname": "about_type", "fieldtype": "Link", "options": "DocType"},
            {"fieldname": "about", "fieldtype": "Dynamic Link", "options": "about_type"},
            {"fieldname": "rows", "fieldtype": "Table", "options": "Job Row"},
        ],
        "permissions": [
            managers, right("Sales User", json!({"if_owner": 1})),
            right("Sales Manager", json!({})),
        ],
    });
    let robot = json!({
        "name": "Robot", "autoname": "field:label", "fields": [
            {"fieldname": "label", "fieldtype": "Data", "reqd": 1},
            {"fieldname": "user", "fieldtype": "Link", "options": "User"},
            {"fieldname": "enabled", "fieldtype": "Check", "default": "1"},
            {"fieldname": "api_key", "fieldtype": "Data", "search_index": 1},
            {"fieldname": "api_secret", "fieldtype": "Password"},
        ],
        "permissions": [managers, right("Sales User", json!({}))],
    });
    let parcel = json!({
        "name": "Parcel", "fields": [
            {"fieldname": "kind", "fieldtype": "Data"},
            {"fieldname": "body", "fieldtype": "Long Text"},
        ],
        "permissions": [right("Sales User", json!({}))],
    });
    vec![customer, row, job, robot, parcel]
}

/// Installs it.
pub(super) async fn install(app: &App) {
    let folder = app.bench().apps_folder().join("lab/lab/doctype");
    for mut definition in definitions() {
        let file = definition["name"].as_str().unwrap().to_lowercase();
        let file = file.replace(' ', "_");
        definition["doctype"] = json!("DocType");
        definition["module"] = json!("Lab");
        let folder = folder.join(&file);
        fs::create_dir_all(&folder).unwrap();
        let text = definition.to_string();
        fs::write(folder.join(format!("{file}.json")), text).unwrap();
    }
    app.install_app("lab").await;
}
