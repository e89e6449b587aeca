//! Folders of apps: names, broken files, links that lead out.

use std::fs;
use std::path::Path;

use crema_document::Bench;
use crema_document::apps::{AppError, AppFolder};
use serde_json::{Value as Json, json};

use crate::support::bench;
use crate::{put, shop, task};

fn broken(bench: &Bench, app: &str) -> String {
    AppFolder::read(bench, app).unwrap_err().to_string()
}

#[test]
fn names_of_apps_are_no_paths() {
    let (_folder, bench) = bench();
    for name in [
        "", "..", "../x", "a/b", "Shop", "1shop", "sh op", "shöp", ".git",
    ] {
        assert!(matches!(
            AppFolder::read(&bench, name),
            Err(AppError::BadName(_))
        ));
    }
    assert!(matches!(
        AppFolder::read(&bench, "frappe"),
        Err(AppError::Reserved(_))
    ));
    assert!(broken(&bench, "shop").starts_with("there is no app shop: "));
}

#[test]
fn a_broken_file_is_named_with_the_reason() {
    let (_folder, bench) = bench();
    let file = "shop/shop/doctype/thing/thing.json";
    let with = |members: Json| {
        let mut json = json!({"doctype": "DocType", "name": "Thing", "fields": []});
        json.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        json
    };
    for (json, reason) in [
        (
            json!({"name": "Thing"}),
            r#"it does not say "doctype": "DocType""#,
        ),
        (
            with(json!({"name": "a/b"})),
            "the name has characters that no name may have",
        ),
        (
            with(json!({"name": "9 Things"})),
            "name: it needs letters, digits",
        ),
        (
            with(json!({"name": "Method"})),
            "name: scopes use this word",
        ),
        (
            with(json!({"issingle": 1, "istable": 1})),
            "it cannot be a single and rows",
        ),
        (with(json!({"is_virtual": 1})), "is_virtual:"),
        (
            with(json!({"autoname": "field:titel"})),
            "autoname: there is no field titel",
        ),
        (
            with(json!({"autoname": "format:{a}-{b}"})),
            "autoname: there is no field a",
        ),
        (
            with(json!({"fields": [{"fieldname": "x", "fieldtype": "Datum"}]})),
            r#"there is no field type "Datum""#,
        ),
        (
            with(json!({"fields": [{"fieldname": "doctype", "fieldtype": "Data"}]})),
            "doctype: no field can have this name",
        ),
        (
            with(json!({"fields": [{"fieldname": "x\"; --", "fieldtype": "Data"}]})),
            "the name has other characters",
        ),
        (
            with(json!({"fields": [{"fieldname": "x", "fieldtype": "Data", "permlevel": 10}]})),
            "x: the permission level is above 9",
        ),
        (
            with(json!({"owner_fields": ["x"]})),
            "owner_fields: there is no field x",
        ),
    ] {
        put(&bench, file, &json);
        let said = broken(&bench, "shop");
        assert!(said.contains("doctype/thing/thing.json: "), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    let path = bench.apps_folder().join(file);
    fs::write(&path, "{\"doctype\": \"DocType\",\n \"name\": }").unwrap();
    assert!(broken(&bench, "shop").contains("thing.json: expected value at line 2"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(broken(&bench, "shop").contains("thing.json: stream did not contain valid UTF-8"));
    // Test records and the like are passed over.
    fs::write(&path, "[]").unwrap();
    assert!(broken(&bench, "shop").contains("it has no DocTypes and no fixtures"));
    put(&bench, "shop/shop/doctype/one/one.json", &with(json!({})));
    put(&bench, "shop/shop/doctype/two/two.json", &with(json!({})));
    assert!(broken(&bench, "shop").contains("Thing is defined in "));
    put(
        &bench,
        "shop/shop/doctype/two/two.json",
        &with(json!({"name": "Two"})),
    );
    put(
        &bench,
        "shop/fixtures/role.json",
        &json!([{"doctype": "Role"}]),
    );
    assert!(broken(&bench, "shop").contains("role.json: document 1: it has no name"));
}

#[test]
fn nothing_outside_of_the_folder_is_read() {
    let (folder, bench) = bench();
    shop(&bench);
    let secret = folder.path().join("secret.json");
    fs::write(&secret, task().to_string()).unwrap();
    let link = |target: &Path, name: &str| {
        let path = bench.apps_folder().join(name);
        std::os::unix::fs::symlink(target, &path).unwrap();
        path
    };
    let file = link(&secret, "shop/shop/sales/doctype/link.json");
    assert!(broken(&bench, "shop").ends_with("link.json: it is a symbolic link"));
    fs::remove_file(file).unwrap();
    // A folder elsewhere is not looked into, and not complained about.
    link(folder.path(), "shop/everything");
    assert_eq!(
        AppFolder::read(&bench, "shop").unwrap().definitions.len(),
        3
    );
    link(&bench.apps_folder().join("shop"), "other");
    assert!(broken(&bench, "other").ends_with("other: it is a symbolic link"));
}
