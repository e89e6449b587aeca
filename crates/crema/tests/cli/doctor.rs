//! `doctor`: what it finds, what it advises, and its exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::harness::{Bench, Run, SITE, text};

/// The findings of that check as `level: text`.
fn findings<'a>(report: &'a Value, check: &str) -> Vec<(&'a str, &'a str)> {
    let all = report["findings"].as_array().unwrap().iter();
    let own = all.filter(|finding| finding["check"] == check);
    own.map(|finding| (text(finding, "level"), text(finding, "text")))
        .collect()
}

fn doctor(bench: &Bench, args: &[&str]) -> Run {
    bench.run(&[&["doctor", "--json"], args].concat())
}

/// The report of a site with something wrong.
#[track_caller]
fn ill(bench: &Bench, args: &[&str], check: &str, reason: &str) -> Value {
    let run = doctor(bench, args);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let report = run.json();
    assert_eq!(report["healthy"], false);
    let found = findings(&report, check);
    let wrong = |(level, text): &(&str, &str)| *level == "wrong" && text.contains(reason);
    assert!(found.iter().any(wrong), "{reason:?} is not in {found:?}");
    report
}

// spec: cli.md, `doctor`: "checks config, database, clocks, issuer reachability, keys, clients at
// risk; says what to do"
#[test]
fn a_new_site_is_healthy_and_every_check_says_so() {
    let bench = Bench::new();
    let report = doctor(&bench, &["--strict"]).ok().json();
    assert_eq!(report["healthy"], true);
    for check in [
        "configuration",
        "proxies",
        "files",
        "database",
        "schema",
        "clock",
        "issuer",
        "keys",
        "secrets",
        "clients",
        "senders",
    ] {
        let found = findings(&report, check);
        assert!(
            matches!(found.as_slice(), [("fine", _)]),
            "{check}: {found:?}"
        );
    }
    let run = bench
        .run(&["doctor", "--offline"])
        .ok()
        .says("fine   database");
    assert!(!run.stdout.contains("issuer"), "{}", run.stdout);
    bench
        .run(&["doctor", "--offline", "--server", "127.0.0.1:1"])
        .fails(2, "--server");
    bench
        .run(&["doctor", "--site", "no.localhost"])
        .fails(1, "no.localhost");
}

#[test]
fn the_issuer_is_asked_where_it_is_said_to_be() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let address = server.address.to_string();
    let direct = ["--server", address.as_str()];
    let report = doctor(&bench, &direct).ok().json();
    let found = findings(&report, "issuer");
    assert!(
        found[0]
            .1
            .contains(&format!("http://{SITE}:{}", server.address.port())),
        "{found:?}"
    );

    // Its own address, which leads to this machine by its name.
    let own = format!("http://{SITE}:{}", server.address.port());
    bench.run(&["set-config", "host_name", &own]).ok();
    doctor(&bench, &[]).ok();
    // Behind a proxy that is not there.
    bench
        .run(&["set-config", "host_name", "https://id.localhost:9"])
        .ok();
    bench
        .run(&["set-config", "trusted_proxies", "[\"127.0.0.1\"]"])
        .ok();
    ill(&bench, &[], "issuer", "nobody answers");
    doctor(&bench, &direct).ok();
    // The name leads to the server of somebody else.
    let others = Bench::empty();
    others
        .run(&["new-site", "other.localhost", "--set-default"])
        .ok();
    others
        .run(&["set-config", "host_name", "https://other.example.com"])
        .ok();
    let elsewhere = others.serve(&[]);
    let other = format!("http://other.localhost:{}", elsewhere.address.port());
    bench.run(&["set-config", "host_name", &other]).ok();
    ill(&bench, &[], "issuer", "is answered for the issuer");
    elsewhere.stop();
    server.stop();
}

#[test]
fn what_is_wrong_with_files_and_configuration_is_found() {
    let bench = Bench::new();
    let file = bench.site_file(SITE, "site_config.json");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let report = ill(&bench, &[], "files", "site_config.json (mode 644)");
    let advice = report["findings"].as_array().unwrap().iter();
    let advice = advice.filter_map(|finding| finding["advice"].as_str());
    assert!(
        advice
            .into_iter()
            .any(|advice| advice.starts_with("chmod 600 "))
    );
    mode(0o640);
    doctor(&bench, &[]).ok();
    doctor(&bench, &["--strict"]).json();
    assert_eq!(doctor(&bench, &["--strict"]).code, 1);
    mode(0o600);
    bench
        .run(&["set-config", "trusted_proxies", "[\"0.0.0.0/0\"]"])
        .ok();
    ill(&bench, &[], "proxies", "0.0.0.0/0");
    bench.run(&["set-config", "trusted_proxies", "null"]).ok();

    let kept = fs::read_to_string(&file).unwrap();
    let key = "\"encryption_key\": \"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\"";
    let (before, after) = kept.split_once("\"encryption_key\"").unwrap();
    let (_, after) = after
        .split_once('"')
        .and_then(|(_, rest)| rest.split_once('"'))
        .unwrap();
    let add = ["oauth-client", "add", "--app-name", "Shop"];
    let uri = ["--redirect-uri", "https://shop.example.com/cb"];
    bench.run(&[&add[..], &uri].concat()).ok();
    fs::write(&file, format!("{before}{key}{after}")).unwrap();
    let report = ill(
        &bench,
        &[],
        "secrets",
        "2 of 2: private_key of Signing Key ",
    );
    assert!(!report.to_string().contains("MDEyMzQ1"), "{report}");
    fs::write(&file, format!("{{\n{kept}")).unwrap();
    ill(&bench, &[], "configuration", "site_config.json");
    // The other sites are looked at all the same.
    bench.run(&["new-site", "other.localhost"]).ok();
    let all = doctor(&bench, &["--site", "all"]);
    assert_eq!(all.code, 1);
    let all = all.json();
    let healthy: Vec<&Value> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|site| &site["answer"]["healthy"])
        .collect();
    assert_eq!(healthy, [true, false]);
}

#[test]
fn clients_at_risk_are_named() {
    let bench = Bench::new();
    let add = |name: &str, args: &[&str]| {
        let add = ["oauth-client", "add", "--app-name", name, "--json"];
        let made = bench.run(&[&add[..], args].concat()).ok().json();
        text(&made, "client_id").to_owned()
    };
    let uri = ["--redirect-uri", "https://shop.example.com/cb"];
    let legacy = add(
        "Legacy",
        &[
            &uri[..],
            &["--set", "enforcement=Observe", "--skip-authorization"],
        ]
        .concat(),
    );
    let good = add("Good", &uri);
    let gone = add("Gone", &[&uri[..], &["--skip-authorization"]].concat());
    bench.run(&["oauth-client", "disable", &gone]).ok();
    let report = doctor(&bench, &[]).ok().json();
    let found = findings(&report, "clients");
    assert!(
        found
            .iter()
            .all(|(level, text)| *level == "risk" && text.contains(&legacy))
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!report.to_string().contains(&good));
    assert_eq!(doctor(&bench, &["--strict"]).code, 1);
}

// spec: security.md, Sign-in and sessions, line 3
#[test]
fn everybody_behind_one_address_is_wrong_unless_it_is_ones_own_machine() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        for number in 0..3 {
            let user = format!("jo{number}@example.com");
            let password = "correct-horse-battery-9";
            bench.run(&["add-user", &user, "--password", password]).ok();
            server.visitor(SITE).login(&user, password).await;
        }
    });
    let report = doctor(&bench, &[]).ok().json();
    assert!(
        findings(&report, "senders")[0].1.contains("127.0.0.1"),
        "{report}"
    );
    bench
        .run(&["set-config", "host_name", "https://id.example.com"])
        .ok();
    ill(&bench, &["--offline"], "senders", "127.0.0.1");
    server.stop();
}
