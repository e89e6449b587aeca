//! `set-config`, `show-config`, `version`, `completions`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::{Bench, SITE};

fn stored(bench: &Bench) -> Value {
    let text = fs::read_to_string(bench.site_file(SITE, "site_config.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

// spec: cli.md, `set-config`: "`true`, `false`, numbers and JSON are read as such, unless
// `--string`; `--parse` is accepted"
#[test]
fn values_are_read_as_what_they_look_like() {
    let bench = Bench::new();
    for (value, wanted) in [
        ("true", json!(true)),
        ("false", json!(false)),
        ("42", json!(42)),
        ("-1", json!(-1)),
        ("1.5", json!(1.5)),
        ("[\"a\", 1]", json!(["a", 1])),
        ("{\"a\": {\"b\": null}}", json!({"a": {"b": null}})),
        ("text with blanks", json!("text with blanks")),
        ("True", json!(true)),
        ("", json!("")),
    ] {
        bench.run(&["set-config", "own_key", value]).ok();
        assert_eq!(stored(&bench)["own_key"], wanted, "{value}");
        bench.run(&["set-config", "-p", "own_key", value]).ok();
        assert_eq!(stored(&bench)["own_key"], wanted, "{value}");
        bench
            .run(&["set-config", "--string", "own_key", value])
            .ok();
        assert_eq!(stored(&bench)["own_key"], value);
    }
    let removed = bench.json(&["set-config", "own_key", "null"]);
    assert_eq!(removed, json!({"key": "own_key", "removed": true}));
    assert_eq!(stored(&bench).get("own_key"), None);
    let mode = fs::metadata(bench.site_file(SITE, "site_config.json"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn a_value_that_a_key_cannot_have_is_refused() {
    let bench = Bench::new();
    let before = stored(&bench);
    bench
        .run(&["set-config", "developer_mode", "perhaps"])
        .fails(1, "developer_mode needs true or false");
    bench
        .run(&["set-config", "trusted_proxies", "[\"300.0.0.1\"]"])
        .fails(1, "10.0.0.0/8");
    bench.run(&["set-config", "", "1"]).fails(2, "empty");
    bench.run(&["set-config", "a"]).fails(2, "VALUE");
    bench
        .run(&["set-config", "a", "1", "--string", "--parse"])
        .fails(2, "cannot be used");
    assert_eq!(stored(&bench), before);
}

#[test]
fn the_common_file_holds_what_all_sites_share() {
    let bench = Bench::empty();
    let set = bench.json(&["set-config", "-g", "db_host", "db1"]);
    assert_eq!(set, json!({"key": "db_host", "removed": false}));
    assert_eq!(
        bench.json(&["show-config", "-g"]),
        json!({"db_host": "db1"})
    );
    bench.run(&["new-site", SITE, "--set-default"]).ok();
    assert_eq!(bench.json(&["show-config"])["db_host"], "db1");
    bench.run(&["set-config", "db_host", "db2"]).ok();
    assert_eq!(bench.json(&["show-config"])["db_host"], "db2");
    assert_eq!(bench.json(&["show-config", "--global"])["db_host"], "db1");
    bench.run(&["set-config", "x", "1", "--site", "all"]).ok();
    assert_eq!(bench.json(&["show-config"])["x"], 1);
}

#[test]
fn secrets_are_set_from_stdin_and_never_shown() {
    let bench = Bench::new();
    let run = bench
        .run_with(&["set-config", "db_password", "--stdin"], "t0p-s3cret\n")
        .ok();
    assert!(!run.stdout.contains("t0p"), "{}", run.stdout);
    assert_eq!(stored(&bench)["db_password"], "t0p-s3cret");
    let key = stored(&bench)["encryption_key"]
        .as_str()
        .unwrap()
        .to_owned();
    for args in [
        &["show-config"][..],
        &["show-config", "--json"],
        &["show-config", "--format", "json"],
        &["show-config", "-f", "text"],
    ] {
        let run = bench.run(args).ok().says("********");
        assert!(
            !run.stdout.contains("t0p") && !run.stdout.contains(&key),
            "{}",
            run.stdout
        );
    }
    let shown = bench.run(&["show-config", "-f", "json"]).ok().json();
    assert_eq!(shown["encryption_key"], "********");
    assert_eq!(shown["db_type"], "sqlite");
}

#[test]
fn the_version_is_told() {
    let bench = Bench::empty();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        bench.run(&["version"]).ok().stdout,
        format!("crema {version}\n")
    );
    assert_eq!(
        bench.run(&["--version"]).ok().stdout,
        format!("crema {version}\n")
    );
    assert_eq!(bench.json(&["version"]), json!({"crema": version}));
}

#[test]
fn completions_name_every_command() {
    let bench = Bench::empty();
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.run(&["completions", shell]).ok().stdout;
        for word in [
            "oauth-client",
            "rotate-secret",
            "set-admin-password",
            "quickstart",
        ] {
            assert!(script.contains(word), "{word} is not completed by {shell}");
        }
    }
    bench.run(&["completions", "tcsh"]).fails(2, "tcsh");
    // bash is there to try it: it must be able to read the script.
    let run = bench.shell(
        "crema completions bash > c.bash\n\
         bash -c 'source ./c.bash; COMP_WORDS=(crema oauth-client ro); COMP_CWORD=2; \
         _crema crema ro oauth-client; echo \"${COMPREPLY[@]}\"'",
    );
    assert_eq!(run.ok().stdout.trim(), "rotate-secret");
}
