//! A definition as Frappe exports it, with a field of every type.

use std::sync::Arc;

use crema_document::access::{Actor, Reach};
use crema_document::apps::{AppFolder, apply_fixtures};
use crema_document::documents::{Documents, Rules};
use crema_document::{FieldType, Site, names};
use crema_store::Value;
use serde_json::{Value as Json, json};

use crate::support::{Engine, NOW, registry};
use crate::{Place, insert, migrate, on_every_engine, place, put, step, value};

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
    let random = Arc::clone(&place.random);
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
    assert_eq!(value(&place.site, sum).await, Value::Int(0));
    fixtures_are_stored_once(&place).await;
}

/// Values in the forms that people write and Frappe exports.
async fn fixtures_are_stored_once(place: &Place) {
    let document = json!({
        "doctype": "Everything", "name": "f1", "docstatus": 0, "idx": 3,
        "modified": "2020-01-01 10:00:00.000000", "attach": null, "check": 1, "code": "a = 1\n",
        "color": "#ff0000", "currency": 10, "data": " x ", "date": "2026-01-31",
        "datetime": "2026-01-31 10:00:00", "duration": 3600.0, "float": 1.5, "int": "5",
        "json": "{\"a\": 1}", "link": "Guest", "dynamic_link": "", "long_int": 9_000_000_000_i64,
        "password": "hush", "percent": 12.5, "rating": 0.6, "select": "Two", "text": "A\nB",
        "text_editor": "<p>x</p>", "time": "10:00:00", "unknown": "is passed over",
        "table": [
            {"doctype": "Shop Step", "name": "r1", "parent": "f1", "idx": 1, "what": "First"},
            {"what": "Second"}
        ]
    });
    put(
        &place.bench,
        "shop/fixtures/everything.json",
        &json!([document]),
    );
    let app = AppFolder::read(&place.bench, "shop").unwrap();
    let site = Site::open(&place.bench, "a.localhost", registry()).unwrap();
    site.version().await.unwrap();
    let documents = Documents {
        registry: site.registry(),
        site: Arc::new(site),
        actor: Arc::new(Actor {
            user: "Administrator".to_owned(),
            roles: [].into(),
            administrator: true,
            user_permissions: Arc::default(),
            reach: Reach::Everything,
        }),
        now: NOW,
        random: Arc::clone(&place.random),
        rules: Arc::new(Plain),
    };
    let done = apply_fixtures(&documents, &app).await.unwrap();
    let done: Vec<String> = done.iter().map(ToString::to_string).collect();
    assert_eq!(done, ["add Everything f1"]);
    assert_eq!(apply_fixtures(&documents, &app).await.unwrap(), []);
    let rows = r#"SELECT COUNT(*) FROM "tabShop Step" WHERE "parent" = 'f1'"#;
    assert_eq!(value(&place.site, rows).await, Value::Int(2));

    let mut changed = document.clone();
    changed["table"][1]["what"] = json!("Third");
    put(&place.bench, "shop/fixtures/everything.json", &changed);
    let app = AppFolder::read(&place.bench, "shop").unwrap();
    let done = apply_fixtures(&documents, &app).await.unwrap();
    assert_eq!(done[0].to_string(), "change Everything f1");
    assert_eq!(apply_fixtures(&documents, &app).await.unwrap(), []);
    changed["select"] = json!("Three");
    put(&place.bench, "shop/fixtures/everything.json", &changed);
    let app = AppFolder::read(&place.bench, "shop").unwrap();
    let said = apply_fixtures(&documents, &app)
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("everything.json: Everything f1: "), "{said}");
}

/// Passwords are another layer's.
struct Plain;

impl Rules for Plain {}
