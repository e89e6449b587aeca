//! A definition as Frappe exports it, with a field of every type.

use crema_document::apps::AppFolder;
use crema_document::{FieldType, names};
use serde_json::{Value as Json, json};

use crate::on_every_engine;
use crate::support::{Engine, NOW};
use crate::{insert, migrate, place, put, step, value};

on_every_engine!(every_type_has_its_column);

/// Frappe's types, layout among them.
const TYPES: &[&str] = &[
    "Attach",
    "Attach Image",
    "Autocomplete",
    "Barcode",
    "Button",
    "Check",
    "Code",
    "Color",
    "Column Break",
    "Currency",
    "Data",
    "Date",
    "Datetime",
    "Duration",
    "Dynamic Link",
    "Float",
    "Fold",
    "Geolocation",
    "HTML",
    "HTML Editor",
    "Heading",
    "Icon",
    "Image",
    "Int",
    "JSON",
    "Link",
    "Long Int",
    "Long Text",
    "Markdown Editor",
    "Password",
    "Percent",
    "Phone",
    "Rating",
    "Read Only",
    "Section Break",
    "Select",
    "Signature",
    "Small Text",
    "Tab Break",
    "Table",
    "Table MultiSelect",
    "Text",
    "Text Editor",
    "Time",
];

fn field(fieldtype: &str) -> Json {
    let options = match fieldtype {
        "Link" => json!("User"),
        "Dynamic Link" => json!("link"),
        "Select" => json!("\nOne\nTwo"),
        "Table" | "Table MultiSelect" => json!("Shop Step"),
        _ => Json::Null,
    };
    json!({
        "fieldname": names::snake_case(fieldtype), "fieldtype": fieldtype, "label": fieldtype,
        "options": options, "default": null, "depends_on": null, "allow_in_quick_entry": 0,
        "in_list_view": 0, "permlevel": 0, "bold": 0, "precision": "", "columns": 2,
        "oldfieldname": "x", "show_days": 1
    })
}

async fn every_type_has_its_column(engine: Engine) {
    let place = place(engine).await;
    let fields: Vec<Json> = TYPES.iter().map(|fieldtype| field(fieldtype)).collect();
    let order: Vec<&Json> = fields.iter().map(|field| &field["fieldname"]).collect();
    let definition = json!({
        "actions": [], "allow_rename": 1, "creation": "2020-01-01 00:00:00.000000",
        "doctype": "DocType", "engine": "InnoDB", "field_order": order, "fields": fields,
        "index_web_pages_for_search": 1, "links": [], "modified": "2020-01-01 00:00:00.000000",
        "modified_by": "Administrator", "module": null, "name": "Everything", "owner": "x",
        "autoname": null, "description": null, "title_field": null, "states": [],
        "permissions": [{"create": 1, "email": 1, "role": "All", "submit": 0, "write": 1}],
        "sort_field": "modified", "sort_order": "DESC", "track_changes": 1
    });
    put(
        &place.bench,
        "shop/shop/doctype/everything/everything.json",
        &definition,
    );
    put(
        &place.bench,
        "shop/shop/doctype/shop_step/shop_step.json",
        &step(),
    );
    let app = AppFolder::read(&place.bench, "shop").unwrap();
    let random = std::sync::Arc::clone(&place.random);
    place.site.install_app(app, NOW, random).await.unwrap();
    assert_eq!(migrate(&place).await.unwrap(), []);
    let columns = place
        .site
        .database()
        .columns("tabEverything")
        .await
        .unwrap();
    for name in TYPES {
        let fieldtype = FieldType::named(name).unwrap();
        let there = columns
            .iter()
            .any(|found| found.name == names::snake_case(name));
        assert_eq!(there, fieldtype.column(None).is_some(), "{name}");
    }
    // A row that names nothing has every default.
    insert(&place.site, "Everything", "e1", json!({})).await;
    let sum = r#"SELECT "int" + "check" + "long_int" FROM "tabEverything" WHERE "name" = 'e1'"#;
    assert_eq!(value(&place.site, sum).await, crema_store::Value::Int(0));
}
