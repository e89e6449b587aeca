//! `new-site`, `drop-site`, `list-sites`, `use`, `migrate`, `list-patches`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{ADMIN_PASSWORD, Bench, SITE, text};

// spec: cli.md, `new-site`
#[test]
fn a_site_is_made_with_everything_it_needs() {
    let bench = Bench::empty();
    let run = bench.run(&["new-site", "shop.localhost"]).ok();
    let run = run.says("Site shop.localhost is made.");
    let password = run.stdout.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    for folder in ["private/backups", "public/files", "logs", "db"] {
        assert!(
            bench.site_file("shop.localhost", folder).is_dir(),
            "{folder}"
        );
    }
    // spec: security.md, "Site files have mode 0600"
    let file = bench.site_file("shop.localhost", "site_config.json");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Not the current one: nobody said so.
    bench.run(&["list-users"]).fails(1, "no site is chosen");
    let users = bench.json(&["--site", "shop.localhost", "list-users"]);
    assert_eq!(users[0]["name"], "Administrator");
}

#[test]
fn the_answer_of_new_site_is_json_too() {
    let bench = Bench::empty();
    let made = bench.json(&["new-site", "a.localhost", "--set-default"]);
    assert_eq!(made["site"], "a.localhost");
    assert_eq!(made["db_type"], "sqlite");
    assert_eq!(made["current"], true);
    assert_eq!(text(&made, "administrator_password").len(), 20);
    let chosen = bench.json(&[
        "new-site",
        "b.localhost",
        "--admin-password",
        ADMIN_PASSWORD,
    ]);
    assert_eq!(
        chosen,
        json!({"site": "b.localhost", "db_type": "sqlite", "current": false})
    );
}

#[test]
fn administrators_password_comes_from_where_it_is_said() {
    let bench = Bench::empty();
    fs::write(bench.path().join("password"), "from-a-file-9\n").unwrap();
    bench
        .run(&[
            "new-site",
            "file.localhost",
            "--admin-password-file",
            "password",
        ])
        .ok();
    bench
        .run_with(
            &["new-site", "stdin.localhost", "--admin-password-stdin"],
            "from-stdin-9\r\n",
        )
        .ok();
    bench
        .run_with(
            &["new-site", "dash.localhost", "--admin-password-file", "-"],
            "from-a-dash-9",
        )
        .ok();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        for (site, password) in [
            ("file.localhost", "from-a-file-9"),
            ("stdin.localhost", "from-stdin-9"),
            ("dash.localhost", "from-a-dash-9"),
        ] {
            server.visitor(site).login("Administrator", password).await;
        }
    });
    server.stop();
}

#[test]
fn what_cannot_be_a_site_is_refused_before_anything_is_made() {
    let bench = Bench::new();
    bench.run(&["new-site", SITE]).fails(1, "exists already");
    bench
        .run(&["new-site", "../evil"])
        .fails(1, "cannot be the name of a site");
    bench.run(&["new-site"]).fails(2, "<NAME>");
    bench
        .run(&["new-site", "x.localhost", "--db-type", "oracle"])
        .fails(2, "oracle");
    bench
        .run(&["new-site", "x.localhost", "--admin-password", ""])
        .fails(2, "empty");
    let long = "x".repeat(513);
    bench
        .run(&["new-site", "x.localhost", "--admin-password", &long])
        .fails(2, "512");
    bench
        .run(&["new-site", "x.localhost", "--install-app", "shop"])
        .fails(1, "no app shop");
    bench
        .run(&["new-site", "x.localhost", "--no-setup-db"])
        .fails(2, "--db-name");
    bench
        .run(&[
            "new-site",
            "x.localhost",
            "--admin-password-stdin",
            "--db-root-password-stdin",
        ])
        .fails(2, "cannot be used with");
    bench
        .run(&["new-site", "x.localhost", "--db-type", "postgres"])
        .fails(2, "--db-root-password-file");
    bench
        .run(&["new-site", "x.localhost", "--db-name", "../../x"])
        .fails(1, "letters, digits");
    assert!(!bench.site_file("x.localhost", "").exists());
}

#[test]
fn a_site_is_dropped_with_all_it_has() {
    let bench = Bench::new();
    bench.run(&["drop-site", SITE]).fails(2, "--yes");
    assert!(bench.site_file(SITE, "site_config.json").exists());
    let dropped = bench.json(&["drop-site", SITE, "--yes", "--no-backup"]);
    assert_eq!(
        dropped,
        json!({"site": SITE, "dropped": true, "database_left": null})
    );
    assert!(!bench.site_file(SITE, "").exists());
    // It was the current one.
    bench.run(&["list-users"]).fails(1, "there is no site in");
    bench
        .run(&["drop-site", SITE, "--yes"])
        .fails(1, "there is no site trust.localhost");
    bench.run(&["new-site", SITE]).ok();
    bench
        .run(&["drop-site", SITE, "--force"])
        .ok()
        .says("is dropped");
}

#[test]
fn force_drops_a_site_that_is_broken() {
    let bench = Bench::new();
    fs::write(
        bench.site_file(SITE, "site_config.json"),
        "{\n \"db_type\": sqlite\n}",
    )
    .unwrap();
    let run = bench
        .run(&["drop-site", SITE, "-y"])
        .fails(1, "site_config.json:2");
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    let run = bench.run(&["drop-site", SITE, "--force"]).ok();
    assert!(run.stderr.contains("may be left"), "{}", run.stderr);
    assert!(!bench.site_file(SITE, "").exists());
}

#[test]
fn sites_are_listed_and_chosen() {
    let bench = Bench::empty();
    bench.run(&["list-sites"]).ok().says("crema new-site NAME");
    assert_eq!(bench.json(&["list-sites"]), json!([]));
    bench.run(&["new-site", "a.localhost"]).ok();
    bench.run(&["new-site", "b.localhost"]).ok();
    let chosen = bench.json(&["use", "b.localhost"]);
    assert_eq!(chosen, json!({"current": "b.localhost"}));
    bench
        .run(&["set-config", "host_name", "https://b.example.com"])
        .ok();
    let sites = bench.json(&["list-sites"]);
    let first = json!({
        "site": "a.localhost", "current": false, "db_type": "sqlite", "host_name": null,
        "domains": [],
    });
    assert_eq!(sites[0], first);
    assert_eq!(sites[1]["current"], true);
    assert_eq!(sites[1]["host_name"], "https://b.example.com");
    bench
        .run(&["use", "c.localhost"])
        .fails(1, "there is no site c.localhost");
    // A broken site is shown, and spoils no other.
    fs::write(bench.site_file("a.localhost", "site_config.json"), "[]").unwrap();
    bench.run(&["list-sites"]).ok().says("broken");
    assert!(text(&bench.json(&["list-sites"])[0], "error").contains("site_config.json"));
    bench.run(&["list-users"]).ok();
}

// spec: cli.md, `--site NAME|all`
#[test]
fn all_sites_are_done_and_what_fails_is_told() {
    let bench = Bench::new();
    bench.run(&["new-site", "second.localhost"]).ok();
    let all = bench.json(&["--site", "all", "add-user", "jo@example.com"]);
    assert_eq!(all[0]["site"], "second.localhost");
    assert_eq!(
        all[1],
        json!({
            "site": SITE,
            "answer": {"user": "jo@example.com", "has_password": false},
        })
    );
    let run = bench.run(&["--site", "all", "list-users"]).ok();
    assert!(
        run.stdout.starts_with("second.localhost:\n  user "),
        "{}",
        run.stdout
    );
    // The option may stand after the command too.
    bench
        .run(&["disable-user", "jo@example.com", "--site", SITE])
        .ok();
    bench
        .run(&[
            "--site",
            "second.localhost",
            "oauth-client",
            "add",
            "--app-name",
            "Only Here",
            "--redirect-uri",
            "https://a.example/cb",
        ])
        .ok();
    let run = bench.run(&[
        "--site",
        "all",
        "oauth-client",
        "disable",
        "Only Here",
        "--json",
    ]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("there is no client Only Here"),
        "{}",
        run.stderr
    );
    let answers = run.json();
    assert_eq!(answers[0]["answer"]["enabled"], false);
    assert_eq!(answers[1]["error"], "there is no client Only Here");
    Bench::empty()
        .run(&["--site", "all", "list-users"])
        .fails(1, "there is no site in");
    bench
        .run(&["--site", "nowhere.localhost", "list-users"])
        .fails(1, "there is no site nowhere");
    bench
        .run(&["--site", "../x", "list-users"])
        .fails(1, "cannot be the name of a site");
}

#[test]
fn another_folder_can_be_the_bench() {
    let bench = Bench::new();
    let elsewhere = Bench::empty();
    let path = bench.path().to_str().unwrap();
    elsewhere
        .run(&["--bench", path, "list-users"])
        .ok()
        .says("Administrator");
    elsewhere
        .run(&["list-users", "--bench", path])
        .ok()
        .says("Administrator");
    elsewhere.run(&["list-users"]).fails(1, "crema --bench DIR");
}

// spec: cli.md, "`migrate`: schema and patches, idempotent, recorded in Patch Log"
#[test]
fn a_migrated_site_has_nothing_to_do() {
    let bench = Bench::new();
    assert_eq!(bench.json(&["migrate"]), json!({"changes": []}));
    bench
        .run(&["--site", "all", "migrate"])
        .ok()
        .says("trust.localhost:\n  Nothing to do.");
    let patches = bench.json(&["list-patches"]);
    let patches = patches.as_array().unwrap();
    assert!(patches.len() >= 3);
    for patch in patches {
        assert!(text(patch, "patch").starts_with("crema.v"), "{patch}");
        assert_eq!(patch["ran"], true);
    }
    bench
        .run(&["list-patches"])
        .ok()
        .says("crema.v0_1.initial_users");
}

#[test]
fn a_site_without_tables_says_what_to_do() {
    let bench = Bench::new();
    for entry in fs::read_dir(bench.site_file(SITE, "db")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let run = bench.run(&["list-users"]).fails(1, "migrate");
    assert!(run.stderr.starts_with("crema: "), "{}", run.stderr);
    let run = bench.run(&["migrate"]).ok().says("create table tabUser");
    run.says("patch crema.v0_1.initial_users");
    bench.run(&["list-users"]).ok().says("Administrator");
}
