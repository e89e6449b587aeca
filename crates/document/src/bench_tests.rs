#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Map, json};

use super::*;

fn bench() -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::create(folder.path().join("bench")).unwrap();
    (folder, bench)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

// spec: cli.md, A bench folder; security.md, Inputs, outputs, network: site files have mode 0600
#[test]
fn a_bench_and_a_site_have_the_layout_and_the_modes() {
    let (_folder, bench) = bench();
    let site = bench.make_site("trust.localhost", Map::new()).unwrap();
    for name in ["common_site_config.json", "apps.txt"] {
        assert_eq!(mode(&bench.sites_folder().join(name)), 0o600, "{name}");
    }
    assert!(bench.apps_folder().is_dir());
    for name in ["private/backups", "public/files", "logs", "db"] {
        assert_eq!(mode(&site.join(name)), 0o700, "{name}");
    }
    assert_eq!(mode(&site), 0o700);
    assert_eq!(
        mode(&bench.site_config_path("trust.localhost").unwrap()),
        0o600
    );
    assert_eq!(bench.sites().unwrap(), ["trust.localhost"]);
    assert!(matches!(
        bench.make_site("trust.localhost", Map::new()),
        Err(BenchError::SiteExists(_))
    ));
}

#[test]
fn a_folder_that_is_there_is_never_touched() {
    let (_folder, bench) = bench();
    let folder = bench.sites_folder().join("old.localhost");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("precious"), "x").unwrap();
    assert!(matches!(
        bench.make_site("old.localhost", Map::new()),
        Err(BenchError::SiteExists(_))
    ));
    assert!(folder.join("precious").is_file());
}

#[test]
fn making_a_bench_again_keeps_what_is_there() {
    let (_folder, bench) = bench();
    bench
        .set_config(None, "maintenance_mode", json!(1))
        .unwrap();
    let again = Bench::create(bench.root()).unwrap();
    assert!(again.common_config().unwrap().maintenance_mode());
    assert!(Bench::at("/nowhere/at/all").sites().unwrap().is_empty());
}

#[test]
fn names_that_lead_elsewhere_are_no_sites() {
    let (_folder, bench) = bench();
    for name in [
        "", ".", "..", "../x", "a/b", "-a", "a:80", "[::1]", "a.", "assets", "a b", "a\0",
    ] {
        assert!(
            matches!(bench.site_folder(name), Err(BenchError::BadSiteName(_))),
            "{name:?}"
        );
        assert!(!bench.has_site(name));
    }
    for name in ["a", "site1.local", "Site_2", "münchen.example"] {
        assert!(is_site_name(name), "{name}");
    }
}

#[test]
fn set_config_changes_one_key_and_keeps_the_others() {
    let (_folder, bench) = bench();
    let keys = json!({"from_an_app": {"a": [1, 2]}, "db_name": "x"});
    bench
        .make_site("a.localhost", keys.as_object().unwrap().clone())
        .unwrap();
    let site = Some("a.localhost");
    bench
        .set_config(site, "host_name", json!("https://a.example"))
        .unwrap();
    bench
        .set_config(site, "developer_mode", json!(true))
        .unwrap();
    bench
        .set_config(site, "db_name", serde_json::Value::Null)
        .unwrap();
    let config = bench.site_config("a.localhost").unwrap();
    assert_eq!(config.host_name(), Some("https://a.example"));
    assert!(config.developer_mode());
    assert_eq!(config.db_name(), None);
    assert_eq!(config.get("from_an_app"), Some(&json!({"a": [1, 2]})));
    let left: Vec<_> = fs::read_dir(bench.site_folder("a.localhost").unwrap())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.contains("tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn set_config_refuses_what_would_break_the_site() {
    let (_folder, bench) = bench();
    bench.make_site("a", Map::new()).unwrap();
    let error = bench
        .set_config(Some("a"), "db_type", json!("oracle"))
        .unwrap_err();
    assert!(error.to_string().contains("db_type"), "{error}");
    assert!(matches!(
        bench.set_config(Some("b"), "x", json!(1)),
        Err(BenchError::NoSuchSite(_))
    ));
}

#[test]
fn writers_do_not_lose_each_others_keys() {
    let (_folder, bench) = bench();
    bench.make_site("a", Map::new()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let bench = &bench;
            scope.spawn(move || {
                bench
                    .set_config(Some("a"), &format!("key{number}"), json!(number))
                    .unwrap();
            });
        }
    });
    assert_eq!(bench.site_config("a").unwrap().keys().len(), 8);
}

#[test]
fn the_sites_keys_win_over_the_common_ones() {
    let (_folder, bench) = bench();
    bench.make_site("a", Map::new()).unwrap();
    bench.set_config(None, "db_host", json!("common")).unwrap();
    bench.set_config(None, "db_port", json!(3307)).unwrap();
    bench
        .set_config(Some("a"), "db_host", json!("own"))
        .unwrap();
    let config = bench.site_config("a").unwrap();
    assert_eq!((config.db_host(), config.db_port()), ("own", 3307));
}

// spec: cli.md, "Changes take effect without a restart"
#[test]
fn a_change_moves_the_stamp() {
    let (_folder, bench) = bench();
    bench.make_site("a", Map::new()).unwrap();
    let before = bench.site_config_stamp("a").unwrap();
    assert_eq!(before, bench.site_config_stamp("a").unwrap());
    bench.set_config(Some("a"), "x", json!(1)).unwrap();
    let after = bench.site_config_stamp("a").unwrap();
    assert_ne!(before, after);
    // The same length, at once: the file is another one.
    bench.set_config(Some("a"), "x", json!(2)).unwrap();
    assert_ne!(after, bench.site_config_stamp("a").unwrap());
}

// spec: cli.md, "A broken file stops that site only, with file, line and reason"
#[test]
fn a_broken_file_stops_that_site_only() {
    let (_folder, bench) = bench();
    for (site, domain) in [("good", "good.example"), ("bad", "bad.example")] {
        bench.make_site(site, Map::new()).unwrap();
        bench
            .set_config(Some(site), "domains", json!([domain]))
            .unwrap();
    }
    fs::write(
        bench.site_config_path("bad").unwrap(),
        "{\n  \"db_password\": \"hunter2\"\n  \"db_name\": \"x\"\n}",
    )
    .unwrap();
    let error = bench.site_config("bad").unwrap_err().to_string();
    assert!(error.contains("bad/site_config.json:3:"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let (map, broken) = bench.host_map().unwrap();
    assert_eq!(map.site_for("good.example").unwrap(), Some("good"));
    assert_eq!(map.site_for("bad").unwrap(), Some("bad"));
    assert_eq!(map.site_for("bad.example").unwrap(), None);
    assert_eq!(broken.len(), 1);
    assert!(
        bench.set_config(Some("bad"), "x", json!(1)).is_err(),
        "nothing is overwritten"
    );
}

// spec: cli.md, default_site / currentsite.txt only if dns_multitenant is off
#[test]
fn the_current_site_is_the_fallback_only_without_dns_multitenant() {
    let (_folder, bench) = bench();
    for site in ["a", "b"] {
        bench.make_site(site, Map::new()).unwrap();
    }
    assert_eq!(bench.current_site(), None);
    bench.set_current_site("b").unwrap();
    assert_eq!(bench.current_site().as_deref(), Some("b"));
    assert!(matches!(
        bench.set_current_site("c"),
        Err(BenchError::NoSuchSite(_))
    ));
    let site_for = |host| {
        bench
            .host_map()
            .unwrap()
            .0
            .site_for(host)
            .unwrap()
            .map(str::to_owned)
    };
    assert_eq!(site_for("other"), None);
    bench.set_config(None, "dns_multitenant", json!(0)).unwrap();
    assert_eq!(site_for("other").as_deref(), Some("b"));
    assert_eq!(site_for("a").as_deref(), Some("a"));
    bench.remove_site("b").unwrap();
    assert_eq!(site_for("other"), None);
    bench.set_config(None, "default_site", json!("a")).unwrap();
    assert_eq!(site_for("other").as_deref(), Some("a"));
}

#[test]
fn apps_are_the_lines_of_the_file() {
    let (_folder, bench) = bench();
    assert!(bench.apps().is_empty());
    fs::write(
        bench.sites_folder().join("apps.txt"),
        "frappe\n\n# off\ncrm \n",
    )
    .unwrap();
    assert_eq!(bench.apps(), ["frappe", "crm"]);
}
