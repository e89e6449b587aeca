//! Apps of data on a site, on every database.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod every_type;
mod folders;

use std::fs;
use std::sync::Arc;

use crema_document::access::{self, UserPermissions};
use crema_document::apps::{AppError, AppFolder, installed};
use crema_document::row::{self, RowHead};
use crema_document::schema::Change;
use crema_document::{Bench, RandomSource, Site, SiteError, singles, version};
use crema_store::{Statement, Value};
use serde_json::{Value as Json, json};
use support::{Engine, NOW, TestDatabase, bench, new_site, random, registry, write};

on_every_engine!(
    an_app_is_installed_and_other_processes_see_it,
    changes_are_applied_without_losing_anything,
    what_would_lose_data_is_refused_before_anything_is_done,
    an_app_leaves_and_comes_back,
    a_site_puts_permissions_in_the_place_of_others,
    user_permissions_are_read_for_one_user,
);

/// A site, and what its database and its files go away with.
struct Place {
    _database: TestDatabase,
    _folder: tempfile::TempDir,
    bench: Bench,
    site: Site,
    random: Arc<dyn RandomSource>,
}

async fn place(engine: Engine) -> Place {
    let database = TestDatabase::new(engine);
    let (folder, bench) = bench();
    let new = new_site("a.localhost", &database);
    let random = random();
    let made = Site::create(&bench, &new, registry(), NOW, Arc::clone(&random)).await;
    Place {
        _database: database,
        _folder: folder,
        bench,
        site: made.unwrap().0,
        random,
    }
}

fn put(bench: &Bench, file: &str, json: &Json) {
    let path = bench.apps_folder().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, serde_json::to_string_pretty(json).unwrap()).unwrap();
}

fn task() -> Json {
    json!({
        "doctype": "DocType", "name": "Shop Task", "module": "Shop",
        "fields": [
            {"fieldname": "title", "fieldtype": "Data", "label": "Title", "reqd": 1},
            {"fieldname": "number", "fieldtype": "Int", "label": "Number"},
            {"fieldname": "code", "fieldtype": "Data", "length": 20},
            {"fieldname": "steps", "fieldtype": "Table", "options": "Shop Step"},
            {"fieldname": "assigned", "fieldtype": "Link", "options": "User"},
            {"fieldname": "pin", "fieldtype": "Password"}
        ],
        "permissions": [{"role": "All", "read": 1, "write": 1, "create": 1}]
    })
}

fn step() -> Json {
    json!({"doctype": "DocType", "name": "Shop Step", "istable": 1,
        "fields": [{"fieldname": "what", "fieldtype": "Data"}]})
}

fn settings() -> Json {
    json!({"doctype": "DocType", "name": "Shop Settings", "issingle": 1,
        "fields": [{"fieldname": "greeting", "fieldtype": "Data", "default": "Hello"}],
        "permissions": [{"role": "System Manager", "read": 1, "write": 1}]})
}

const TASK: &str = "shop/shop/sales/doctype/shop_task/shop_task.json";
const STEP: &str = "shop/shop/sales/doctype/shop_step/shop_step.json";
const SETTINGS: &str = "shop/shop/sales/doctype/shop_settings/shop_settings.json";

fn shop(bench: &Bench) {
    put(bench, TASK, &task());
    put(bench, STEP, &step());
    put(bench, SETTINGS, &settings());
    fs::write(
        bench.apps_folder().join("shop/shop/__init__.py"),
        "__version__ = \"1.2.3\"\n",
    )
    .unwrap();
}

async fn install(place: &Place) -> Result<Vec<Change>, SiteError> {
    let app = AppFolder::read(&place.bench, "shop")?;
    place
        .site
        .install_app(app, NOW, Arc::clone(&place.random))
        .await
}

async fn migrate(place: &Place) -> Result<Vec<Change>, SiteError> {
    place.site.migrate(NOW, Arc::clone(&place.random)).await
}

/// The one number or text that a query answers.
async fn value(site: &Site, text: &str) -> Value {
    let rows = site
        .database()
        .statement_rows(Statement::new(text, Vec::new()))
        .await
        .unwrap();
    rows[0].get(0).clone()
}

async fn insert(site: &Site, doctype: &'static str, name: &'static str, fields: Json) {
    let now = site.local(NOW);
    write(site.database(), move |tx| {
        let fields = fields.clone();
        Box::pin(async move {
            let columns = fields.as_object().unwrap().iter();
            let columns = columns.map(|(field, value)| match value {
                Json::Number(number) => (field.as_str(), Value::Int(number.as_i64().unwrap())),
                other => (field.as_str(), Value::from(other.as_str())),
            });
            let head = RowHead::new(name, "Administrator", now);
            row::insert(tx, doctype, &head, columns.collect()).await
        })
    })
    .await
    .unwrap();
}

fn has(changes: &[Change], wanted: &str) -> bool {
    changes.iter().any(|change| change.to_string() == wanted)
}

// spec: doctypes.md, "One definition drives table, validation, REST, Desk form and list"
async fn an_app_is_installed_and_other_processes_see_it(engine: Engine) {
    let place = place(engine).await;
    shop(&place.bench);
    let other = Site::open(&place.bench, "a.localhost", registry()).unwrap();
    other.version().await.unwrap();
    assert!(other.registry().get("Shop Task").is_none());

    let changes = install(&place).await.unwrap();
    assert!(has(&changes, "create table tabShop Task"), "{changes:?}");
    assert!(has(&changes, "add DocType Shop Settings"));
    assert_eq!(install(&place).await.unwrap(), []);
    assert_eq!(migrate(&place).await.unwrap(), []);

    other.version().await.unwrap();
    let seen = other.registry();
    let task = seen.get("Shop Task").unwrap();
    assert_eq!((task.app.as_str(), task.permissions.len()), ("shop", 1));
    // The same version again costs nothing new.
    other.version().await.unwrap();
    assert!(Arc::ptr_eq(&seen, &other.registry()));

    let apps = installed(other.database()).await.unwrap();
    assert_eq!(apps.len(), 1);
    assert_eq!(
        (apps[0].name.as_str(), apps[0].version.as_str()),
        ("shop", "1.2.3")
    );
    assert_eq!(
        apps[0].doctypes,
        ["Shop Settings", "Shop Step", "Shop Task"]
    );
    let record =
        r#"SELECT "app_version" FROM "tabInstalled Application" WHERE "app_name" = 'shop'"#;
    assert_eq!(value(&other, record).await, Value::from("1.2.3"));
    // As Frappe's tables have it.
    let app = r#"SELECT "app" FROM "tabDocType" WHERE "name" = 'Shop Task'"#;
    assert_eq!(value(&other, app).await, Value::from("shop"));
    let fields = r#"SELECT COUNT(*) FROM "tabDocField" WHERE "parent" = 'Shop Task'"#;
    assert_eq!(value(&other, fields).await, Value::Int(6));
    let fields = r#"SELECT "fieldtype" FROM "tabDocField"
        WHERE "parent" = 'OAuth Client' AND "fieldname" = 'allowed_roles'"#;
    assert_eq!(
        value(&other, fields).await,
        Value::from("Table MultiSelect")
    );
    let all = i64::try_from(registry().doctypes().count() + 3).unwrap();
    let count = r#"SELECT COUNT(*) FROM "tabDocType""#;
    assert_eq!(value(&other, count).await, Value::Int(all));
}

async fn changes_are_applied_without_losing_anything(engine: Engine) {
    let place = place(engine).await;
    shop(&place.bench);
    install(&place).await.unwrap();
    let site = &place.site;
    insert(
        site,
        "Shop Task",
        "t1",
        json!({"title": "One", "code": "c", "number": 7}),
    )
    .await;

    let mut changed = task();
    changed["fields"] = json!([
        {"fieldname": "title", "fieldtype": "Small Text"},
        {"fieldname": "code", "fieldtype": "Data", "length": 200, "unique": 1},
        {"fieldname": "number", "fieldtype": "Long Int"},
        {"fieldname": "due", "fieldtype": "Date"},
        {"fieldname": "assigned", "fieldtype": "Data"},
        {"fieldname": "pin", "fieldtype": "Password"}
    ]);
    put(&place.bench, TASK, &changed);
    let changes = migrate(&place).await.unwrap();
    for wanted in [
        "add tabShop Task.due",
        "change DocType Shop Task",
        "drop steps from DocType Shop Task, and keep its data",
        "create unique index on tabShop Task (code)",
    ] {
        assert!(has(&changes, wanted), "{wanted}: {changes:?}");
    }
    if engine != Engine::Sqlite {
        let wide = changes
            .iter()
            .any(|change| matches!(change, Change::WidenColumn { column, .. } if column == "code"));
        assert!(wide, "{changes:?}");
    }
    assert_eq!(migrate(&place).await.unwrap(), []);
    let kept = r#"SELECT "title" FROM "tabShop Task" WHERE "number" = 7 AND "due" IS NULL"#;
    assert_eq!(value(site, kept).await, Value::from("One"));
    assert!(
        site.registry()
            .get("Shop Task")
            .unwrap()
            .field("due")
            .is_some()
    );
    let fields = r#"SELECT COUNT(*) FROM "tabDocField" WHERE "parent" = 'Shop Task'"#;
    assert_eq!(value(site, fields).await, Value::Int(6));

    // A DocType without documents may go.
    fs::remove_file(place.bench.apps_folder().join(SETTINGS)).unwrap();
    let changes = migrate(&place).await.unwrap();
    assert!(matches!(
        &changes[..],
        [
            Change::RemoveDocType { .. },
            Change::Describe { doctypes: 1 }
        ]
    ));
    assert!(site.registry().get("Shop Settings").is_none());
    // An app whose folder is gone stays as it is.
    fs::remove_dir_all(place.bench.apps_folder().join("shop")).unwrap();
    assert_eq!(migrate(&place).await.unwrap(), []);
    assert!(site.registry().get("Shop Task").is_some());
}

/// What a migration with this definition of the task is refused with.
async fn refusal(place: &Place, changed: &Json) -> String {
    put(&place.bench, TASK, changed);
    let before = version::read(place.site.database()).await.unwrap();
    let error = migrate(place).await.unwrap_err();
    assert!(
        matches!(error, SiteError::App(AppError::Loss(_))),
        "{error}"
    );
    assert_eq!(version::read(place.site.database()).await.unwrap(), before);
    put(&place.bench, TASK, &task());
    assert_eq!(migrate(place).await.unwrap(), []);
    error.to_string()
}

async fn what_would_lose_data_is_refused_before_anything_is_done(engine: Engine) {
    let place = place(engine).await;
    shop(&place.bench);
    install(&place).await.unwrap();
    let site = &place.site;
    let long = json!({"title": "A long title", "code": "same", "number": 300});
    insert(site, "Shop Task", "t1", long.clone()).await;
    insert(site, "Shop Task", "t2", long).await;
    let now = site.local(NOW);
    write(site.database(), move |tx| {
        Box::pin(async move {
            let head = RowHead::new("s1", "Administrator", now);
            let head = head.below("Shop Task", "t1", "steps", 1);
            row::insert(tx, "Shop Step", &head, vec![("what", "x".into())]).await?;
            singles::set(tx, "Shop Settings", &[("greeting", Some("Hi"))], "x", now).await
        })
    })
    .await
    .unwrap();

    let with = |position: usize, field: Json| {
        let mut changed = task();
        changed["fields"][position] = field;
        // Something that is harmless in itself is not done either.
        changed["fields"]
            .as_array_mut()
            .unwrap()
            .push(json!({"fieldname": "extra", "fieldtype": "Data"}));
        changed
    };
    for (position, field, reason) in [
        (
            0,
            json!({"fieldname": "title", "fieldtype": "Data", "length": 5}),
            "title: it takes 5 from now on, and 2 values are longer",
        ),
        (
            0,
            json!({"fieldname": "title", "fieldtype": "Int"}),
            "title: it becomes Int, and its column holds values of another kind",
        ),
        (
            0,
            json!({"fieldname": "title", "fieldtype": "Password"}),
            "title: it becomes Password, and there are 2 values",
        ),
        (
            0,
            json!({"fieldname": "title", "fieldtype": "Table", "options": "Shop Step"}),
            "title: it becomes Table, and there are 2 values",
        ),
        (
            1,
            json!({"fieldname": "number", "fieldtype": "Check"}),
            "number: it becomes Check, and 2 values are out of its range",
        ),
        (
            1,
            json!({"fieldname": "number", "fieldtype": "Data"}),
            "number: it becomes Data",
        ),
        (
            2,
            json!({"fieldname": "code", "fieldtype": "Data", "length": 20, "unique": 1}),
            "code: it becomes unique, and 1 values are there twice",
        ),
        (
            3,
            json!({"fieldname": "steps", "fieldtype": "Data"}),
            "steps: it becomes Data, and there is a value",
        ),
    ] {
        let said = refusal(&place, &with(position, field)).await;
        assert!(said.contains(&format!("Shop Task: {reason}")), "{said}");
        let columns = site.database().columns("tabShop Task").await.unwrap();
        assert!(!columns.iter().any(|column| column.name == "extra"));
    }
    let mut single = task();
    single["issingle"] = json!(1);
    let said = refusal(&place, &single).await;
    assert!(
        said.contains("it becomes a single, and there are 2 documents of it"),
        "{said}"
    );

    fs::remove_file(place.bench.apps_folder().join(SETTINGS)).unwrap();
    let said = migrate(&place).await.unwrap_err().to_string();
    assert!(
        said.contains("Shop Settings: it is no longer defined, and there is a document"),
        "{said}"
    );
    assert!(site.registry().get("Shop Settings").is_some());
}

async fn an_app_leaves_and_comes_back(engine: Engine) {
    let place = place(engine).await;
    let site = &place.site;
    shop(&place.bench);
    put(
        &place.bench,
        "till/till/doctype/till/till.json",
        &json!({
            "doctype": "DocType", "name": "Till",
            "fields": [{"fieldname": "task", "fieldtype": "Link", "options": "Shop Task"}]
        }),
    );
    // One app may need another.
    let till = || AppFolder::read(&place.bench, "till").unwrap();
    let error = site
        .install_app(till(), NOW, Arc::clone(&place.random))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("till.json: task: there is no such DocType: Shop Task")
    );
    install(&place).await.unwrap();
    site.install_app(till(), NOW, Arc::clone(&place.random))
        .await
        .unwrap();
    let error = site.uninstall_app("shop", true).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the app shop is needed: Till:"),
        "{error}"
    );
    site.uninstall_app("till", true).await.unwrap();
    let error = site.uninstall_app("till", false).await.unwrap_err();
    assert_eq!(error.to_string(), "the app till is not installed");
    assert!(
        !site
            .database()
            .tables()
            .await
            .unwrap()
            .contains(&"tabTill".to_owned())
    );

    insert(site, "Shop Task", "t1", json!({"title": "One"})).await;
    let gone = site.uninstall_app("shop", false).await.unwrap();
    assert_eq!(gone, ["Shop Settings", "Shop Step", "Shop Task"]);
    assert!(site.registry().get("Shop Task").is_none());
    assert_eq!(installed(site.database()).await.unwrap(), []);
    assert_eq!(migrate(&place).await.unwrap(), []);
    let records = r#"SELECT COUNT(*) FROM "tabDocField" WHERE "parent" = 'Shop Task'"#;
    assert_eq!(value(site, records).await, Value::Int(0));
    // A definition that the table which is still there could not follow.
    let mut other = task();
    other["fields"][0]["fieldtype"] = json!("Int");
    put(&place.bench, TASK, &other);
    let said = install(&place).await.unwrap_err().to_string();
    assert!(
        said.contains("title: its table has a column of this name already"),
        "{said}"
    );
    put(&place.bench, TASK, &task());
    install(&place).await.unwrap();
    let count = r#"SELECT COUNT(*) FROM "tabShop Task""#;
    assert_eq!(value(site, count).await, Value::Int(1));

    site.uninstall_app("shop", true).await.unwrap();
    let tables = site.database().tables().await.unwrap();
    assert!(
        !tables.iter().any(|table| table.contains("Shop")),
        "{tables:?}"
    );
}

// spec: doctypes.md, Custom DocPerm as in Frappe
async fn a_site_puts_permissions_in_the_place_of_others(engine: Engine) {
    let place = place(engine).await;
    let site = &place.site;
    let other = Site::open(&place.bench, "a.localhost", registry()).unwrap();
    let rows = |doctype: &str| {
        let registry = other.registry();
        registry.get(doctype).unwrap().permissions.clone()
    };
    other.version().await.unwrap();
    let defined = registry().get("Note").unwrap().permissions.clone();
    assert_eq!(rows("Note"), defined);
    let own = json!({"parent": "Note", "role": "Sales User", "read": 1, "if_owner": 1});
    insert(site, "Custom DocPerm", "p1", own).await;
    let kept = json!({"parent": "Activity Log", "role": "System Manager", "read": 1, "delete": 1});
    insert(site, "Custom DocPerm", "p2", kept).await;
    insert(
        site,
        "Custom DocPerm",
        "p3",
        json!({"parent": "Role", "role": ""}),
    )
    .await;
    write(site.database(), |tx| Box::pin(version::bump(tx)))
        .await
        .unwrap();
    assert_eq!(rows("Note"), defined);
    other.version().await.unwrap();
    let note = rows("Note");
    assert_eq!(note.len(), 1);
    assert!(note[0].role == "Sales User" && note[0].if_owner && note[0].read && !note[0].write);
    // What nobody can remove, nobody can be allowed to remove.
    assert!(!rows("Activity Log")[0].delete);
    assert_eq!(rows("Role"), []);
    // The definition itself is not touched.
    assert_eq!(registry().get("Note").unwrap().permissions, defined);
}

async fn user_permissions_are_read_for_one_user(engine: Engine) {
    let place = place(engine).await;
    let site = &place.site;
    let read = || access::load(site.database(), "jo@example.com");
    assert_eq!(read().await.unwrap(), UserPermissions::default());
    let rows = [
        (
            "a",
            json!({"user": "jo@example.com", "allow": "Role", "for_value": "Guest"}),
        ),
        (
            "b",
            json!({"user": "jo@example.com", "allow": "Role", "for_value": "All",
            "apply_to_all_doctypes": 0, "applicable_for": "User"}),
        ),
        (
            "c",
            json!({"user": "jo@example.com", "allow": "User", "for_value": "x",
            "apply_to_all_doctypes": 1, "applicable_for": "Role"}),
        ),
        (
            "d",
            json!({"user": "JO@example.com", "allow": "User", "for_value": "y"}),
        ),
        (
            "e",
            json!({"user": "jo@example.com", "allow": "User", "for_value": ""}),
        ),
    ];
    for (name, fields) in rows {
        insert(site, "User Permission", name, fields).await;
    }
    let found = read().await.unwrap();
    let pairs = |doctype: &str| -> Vec<(String, Option<String>)> {
        let allowed = found.allowed[doctype].iter().cloned();
        allowed.map(|one| (one.name, one.applicable_for)).collect()
    };
    let user = Some("User".to_owned());
    assert_eq!(
        pairs("Role"),
        [("All".to_owned(), user), ("Guest".to_owned(), None)]
    );
    assert_eq!(pairs("User"), [("x".to_owned(), None)]);
    assert!(!found.strict);
    let now = site.local(NOW);
    write(site.database(), move |tx| {
        let fields = [("apply_strict_user_permissions", Some("1"))];
        Box::pin(async move { singles::set(tx, "System Settings", &fields, "x", now).await })
    })
    .await
    .unwrap();
    assert!(read().await.unwrap().strict);
}

#[tokio::test]
async fn an_app_replaces_nothing_of_the_program() {
    let place = place(Engine::Sqlite).await;
    for name in [
        "User",
        "Singles",
        "OAuth-Client",
        "oauth client",
        "Sessions",
    ] {
        let json = json!({"doctype": "DocType", "name": name, "fields": []});
        put(&place.bench, "shop/shop/doctype/x/x.json", &json);
        let error = install(&place).await.unwrap_err().to_string();
        let taken = error.contains("already") || error.contains("too like");
        assert!(taken && error.contains("x.json"), "{error}");
    }
    for (doctype, reason) in [
        ("Nothing", "there is no DocType Nothing"),
        ("DocType", "only the system makes its documents"),
        ("OAuth Bearer Token", "only the system makes its documents"),
        (
            "Has Role",
            "its documents stand in those that they belong to",
        ),
    ] {
        put(&place.bench, "shop/shop/doctype/x/x.json", &step());
        let fixture = json!([{"doctype": doctype, "name": "x"}]);
        put(&place.bench, "shop/fixtures/x.json", &fixture);
        let error = install(&place).await.unwrap_err().to_string();
        assert!(
            error.contains("fixtures/x.json: ") && error.contains(reason),
            "{error}"
        );
    }
    assert_eq!(installed(place.site.database()).await.unwrap(), []);
}
