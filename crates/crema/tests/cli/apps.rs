//! `install-app`, `uninstall-app`, `list-apps`, `new-site --install-app`, `migrate` with apps; the
//! walk of `docs/apps.md`.

use std::fs;

use serde_json::json;

use crate::harness::{Bench, SITE};
use crate::readme::blocks;

const THING: &str = "apps/shop/shop/stock/doctype/thing/thing.json";
const START: &str = "apps/shop/shop/fixtures/start.json";

fn write(bench: &Bench, file: &str, json: &serde_json::Value) {
    let path = bench.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, json.to_string()).unwrap();
}

fn thing(field: serde_json::Value) -> serde_json::Value {
    json!({
        "doctype": "DocType", "name": "Thing", "autoname": "prompt", "fields": [field],
        "permissions": [{"role": "System Manager", "read": 1, "write": 1, "create": 1}]
    })
}

/// An app with a DocType and two documents of it.
pub(crate) fn shop(bench: &Bench) {
    write(
        bench,
        THING,
        &thing(json!({"fieldname": "label", "fieldtype": "Data", "label": "Label"})),
    );
    write(
        bench,
        START,
        &json!([
            {"doctype": "Thing", "name": "chair", "label": "A chair"},
            {"doctype": "Thing", "name": "table", "label": "A table"},
        ]),
    );
}

// spec: cli.md, `install-app APP`, `uninstall-app APP`, `list-apps`
#[test]
fn an_app_comes_changes_and_goes() {
    let bench = Bench::new();
    bench.run(&["list-apps"]).ok().says("No apps.");
    bench
        .run(&["install-app", "shop"])
        .fails(1, "there is no app shop");
    bench.run(&["install-app", "../shop"]).fails(1, "../shop");
    bench.run(&["install-app"]).fails(2, "<APP>");
    shop(&bench);
    let run = bench.run(&["install-app", "shop"]).ok();
    let run = run
        .says("App shop is installed.")
        .says("create table tabThing");
    run.says("add Thing chair").says("add Thing table");
    let again = bench.run(&["install-app", "shop"]).ok();
    assert_eq!(again.stdout, "App shop is installed already.\n");
    bench.run(&["migrate"]).ok().says("Nothing to do.");
    assert_eq!(
        bench.json(&["list-apps"]),
        json!([{"app": "shop", "version": "", "doctypes": ["Thing"]}])
    );

    // A file of the app wins over a change by hand; a definition changes.
    write(
        &bench,
        START,
        &json!({"doctype": "Thing", "name": "chair", "label": "An armchair"}),
    );
    let changed = thing(json!({"fieldname": "label", "fieldtype": "Text", "label": "Label"}));
    write(&bench, THING, &changed);
    let run = bench.run(&["migrate"]).ok();
    run.says("change DocType Thing").says("change Thing chair");

    let lossy = thing(json!({"fieldname": "label", "fieldtype": "Date", "label": "Label"}));
    write(&bench, THING, &lossy);
    let reason = "- Thing: label: it becomes Date, and its column holds values of another kind";
    bench.run(&["migrate"]).fails(1, reason);
    bench.run(&["install-app", "shop"]).fails(1, reason);
    fs::write(bench.path().join(THING), "{").unwrap();
    bench.run(&["migrate"]).fails(1, "thing.json: EOF");
    write(&bench, THING, &changed);

    bench
        .run(&["uninstall-app", "shop"])
        .fails(2, "Nobody is here to answer: give --yes.");
    let dry = bench.run(&["uninstall-app", "shop", "--dry-run"]).ok();
    dry.says("This would remove shop with its DocType, and leave the table: Thing");
    let gone = bench.run(&["uninstall-app", "shop", "--yes"]).ok();
    gone.says("App shop is removed. Its tables are left as they are");
    bench
        .run(&["uninstall-app", "shop", "--yes"])
        .fails(1, "the app shop is not installed");
    // Its data is there again: nothing is added.
    let back = bench.run(&["install-app", "shop"]).ok();
    assert!(!back.stdout.contains("Thing chair"), "{}", back.stdout);
    let dropped = bench.json(&["uninstall-app", "shop", "--yes", "--drop-data"]);
    assert_eq!(
        dropped,
        json!({"app": "shop", "uninstalled": true, "doctypes": ["Thing"], "data_dropped": true})
    );
    let back = bench.json(&["install-app", "shop"]);
    assert_eq!(back[0]["new"], true);
    assert!(back.to_string().contains("add Thing chair"), "{back}");
}

// spec: cli.md, `new-site NAME [--install-app crm]`
#[test]
fn a_site_is_made_with_its_apps() {
    let bench = Bench::empty();
    shop(&bench);
    bench
        .run(&["new-site", SITE, "--install-app", "till"])
        .fails(1, "there is no app till");
    let made = bench.json(&["new-site", SITE, "--install-app", "shop", "--set-default"]);
    assert_eq!(made["apps"], json!(["shop"]));
    assert_eq!(bench.json(&["list-apps"])[0]["app"], "shop");
    // The password is not lost when an app does not fit.
    write(&bench, START, &json!({"doctype": "Nothing", "name": "x"}));
    let run = bench.run(&["new-site", "b.localhost", "--install-app", "shop"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("the site b.localhost is made, but not all apps are")
    );
    assert!(
        run.stderr
            .contains("start.json: there is no DocType Nothing")
    );
    run.says("Administrator's password, shown this once: ");
}

#[test]
fn the_walk_of_the_page_works() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let mut script = format!("SITE=http://{SITE}:{}\n", server.address.port());
    for (name, code) in blocks("docs/apps.md") {
        script.push_str(&format!("printf '\\n== %s\\n' '{name}'\n{code}\n"));
    }
    let run = bench.shell(&script).ok();
    server.stop();
    let said = |block: &str, text: &str| {
        let mut sections = run.stdout.split("\n== ");
        let section = sections.find(|section| section.starts_with(&format!("{block}\n")));
        let section = section.unwrap_or_else(|| panic!("no block {block}"));
        assert!(
            section.contains(text),
            "{block}: {text:?} is not in: {section}"
        );
    };
    said("install", "add DocType Book");
    said("install", "add Role Librarian");
    said("install", "add Shelf Poetry");
    said("use", "\"name\":\"BOOK-0001\"");
    said("use", "\"price\":12.5");
    said(
        "use",
        r#"{"data":[{"name":"BOOK-0001","title":"Leaves of Grass","room":"Hall"}]}"#,
    );
    said("change", "add tabShelf.places");
    said("refused", "nothing was done");
    assert!(
        run.stderr.contains("Book: title: it becomes Int"),
        "{}",
        run.stderr
    );
    said("remove", "App library is removed.");
}
