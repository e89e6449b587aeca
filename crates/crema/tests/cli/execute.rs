//! `execute`: methods from the shell, as over HTTP.

use serde_json::json;

use crate::harness::{Bench, SITE};

// spec: cli.md, `execute`: "call a whitelisted or admin method, print its result"
#[test]
fn a_method_does_what_it_does_over_http() {
    let bench = Bench::new();
    bench.run(&["execute", "ping"]).ok().says("\"pong\"");
    let who = bench.json(&["execute", "frappe.auth.get_logged_user"]);
    assert_eq!(who, "Administrator");
    let args = ["execute", "frappe.client.insert", "--kwargs"];
    let todo = r#"{"doc": {"doctype": "ToDo", "description": "Water the plants"}}"#;
    let made = bench.json(&[&args[..], &[todo]].concat());
    assert_eq!(made["owner"], "Administrator");
    let name = made["name"].as_str().unwrap();
    let get = format!("[\"ToDo\", \"{name}\"]");
    let got = bench.json(&["execute", "frappe.client.get", "--args", &get]);
    assert_eq!(got["description"], "Water the plants");
    let list = r#"{"doctype": "ToDo", "fields": ["description"]}"#;
    let run = bench.run_with(
        &["execute", "frappe.client.get_list", "--kwargs", "-"],
        list,
    );
    assert_eq!(
        run.ok().json(),
        json!([{"description": "Water the plants"}])
    );
    let gone = bench.json(&["execute", "frappe.client.delete", "--args", &get]);
    assert_eq!(gone, json!(null));
    let keys = [
        "execute",
        "frappe.core.doctype.user.user.generate_keys",
        "--args",
    ];
    bench.run(&["add-user", "jo@example.com"]).ok();
    let pair = bench.json(&[&keys[..], &["[\"jo@example.com\"]"]].concat());
    assert!(
        pair["api_secret"]
            .as_str()
            .is_some_and(|secret| secret.len() > 10)
    );
}

#[test]
fn a_running_server_obeys_a_setting_at_once() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let set = |value: &str| {
        let kwargs = format!(
            r#"{{"doctype": "OAuth Settings", "name": "OAuth Settings",
                "fieldname": "enable_dynamic_client_registration", "value": {value}}}"#
        );
        bench
            .run(&["execute", "frappe.client.set_value", "--kwargs", &kwargs])
            .ok();
    };
    let offered = || {
        let mut offered = false;
        crema_testkit::engines::run(async {
            let path = "/.well-known/openid-configuration";
            let metadata = server.http(SITE).get(path).send().await.json();
            offered = metadata.get("registration_endpoint").is_some();
        });
        offered
    };
    for (value, wanted) in [("1", true), ("0", false), ("1", true)] {
        set(value);
        assert_eq!(offered(), wanted);
    }
    server.stop();
}

#[test]
fn permissions_are_those_of_the_user() {
    let bench = Bench::new();
    bench.run(&["add-user", "jo@example.com"]).ok();
    let jo = ["execute", "--as", "Jo@example.com"];
    let run = |args: &[&str]| bench.run(&[&jo[..], args].concat());
    run(&["frappe.auth.get_logged_user"])
        .ok()
        .says("jo@example.com");
    run(&["frappe.client.get_list", "--args", "[\"OAuth Client\"]"]).fails(1, "PermissionError");
    let keys = [
        "frappe.core.doctype.user.user.generate_keys",
        "--args",
        "[\"Administrator\"]",
    ];
    run(&keys).fails(1, "PermissionError");
    bench.run(&["disable-user", "jo@example.com"]).ok();
    run(&["frappe.auth.get_logged_user"]).fails(1, "is disabled");
    bench
        .run(&[
            "execute",
            "frappe.auth.get_logged_user",
            "--as",
            "nobody@example.com",
        ])
        .fails(1, "User nobody@example.com not found");
    bench
        .run(&["execute", "frappe.auth.get_logged_user", "--as", "Guest"])
        .fails(1, "AuthenticationError");
}

#[test]
fn what_cannot_be_called_is_refused() {
    let bench = Bench::new();
    let run = |args: &[&str]| bench.run(&[&["execute"], args].concat());
    run(&["frappe.no.such"]).fails(1, "not whitelisted");
    run(&["os.system"]).fails(1, "App os is not installed");
    run(&["not a name"]).fails(1, "no name of a method");
    run(&["frappe.integrations.oauth2.get_token"]).fails(1, "over HTTP");
    run(&[
        "frappe.client.get",
        "--kwargs",
        "{\"doctype\": \"No Such\", \"name\": \"x\"}",
    ])
    .fails(1, "No Such");
    run(&["ping", "--kwargs", "{'a': \"s3cret\"}"]).fails(2, "JSON object");
    let secret = run(&["ping", "--kwargs", "\"s3cret\""]);
    assert!(!secret.stderr.contains("s3cret"), "{}", secret.stderr);
    run(&["ping", "--args", "{}"]).fails(2, "JSON list");
    run(&["ping", "--args", "[1]"]).fails(2, "by name only");
    run(&["frappe.client.delete", "--args", "[1, 2, 3]"]).fails(2, "doctype, name");
    run(&[]).fails(2, "METHOD");
}
