//! `oauth-client registration-token`, and the page about clients that register themselves.

use serde_json::{Value, json};

use crate::harness::{Bench, SITE, text};
use crate::readme::blocks;

const REGISTER: &str = "/api/method/frappe.integrations.oauth2.register_client";

fn tokens(bench: &Bench) -> Vec<Value> {
    let listed = bench.json(&["oauth-client", "registration-token", "list"]);
    listed.as_array().unwrap().clone()
}

#[test]
fn tokens_are_made_shown_once_listed_and_ended() {
    let bench = Bench::new();
    let command = ["oauth-client", "registration-token"];
    let run = |args: &[&str]| bench.run(&[&command, args].concat());
    run(&["list"]).ok().says("No tokens.");
    let made = run(&["add"]).ok();
    made.says("any number of registrations")
        .says("initial_access_token, shown this once: ");
    let limited =
        bench.json(&[&command[..], &["add", "--uses", "2", "--expires-in", "1h"]].concat());
    assert_eq!(text(&limited, "initial_access_token").len(), 43);
    assert_eq!(limited["uses_left"], 2);
    let listed = tokens(&bench);
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one["active"] == true));
    let named = |name: &str| {
        let found = tokens(&bench).into_iter().find(|one| one["name"] == name);
        found.unwrap()
    };
    let name = text(&limited, "name");
    assert_eq!(
        (
            &named(name)["uses_left"],
            named(name)["expires_at"].is_string()
        ),
        (&json!(2), true)
    );
    let shown = run(&["list"]).ok();
    assert!(
        !shown
            .stdout
            .contains(text(&limited, "initial_access_token"))
    );
    shown.says("any number");
    run(&["revoke", name]).ok().says("has ended");
    assert_eq!(named(name)["active"], false);
    run(&["revoke", "--all"]).ok();
    assert!(tokens(&bench).iter().all(|one| one["active"] == false));
    run(&["revoke", "--all"]).ok().says("nothing to end");

    run(&["revoke", "nosuch"]).fails(1, "nosuch");
    run(&["revoke"]).fails(2, "NAME");
    run(&["revoke", name, "--all"]).fails(2, "--all");
    run(&["add", "--uses", "0"]).fails(2, "--uses");
    run(&["add", "--expires-in", "soon"]).fails(2, "--expires-in");
    run(&["add", "--expires-in", "0"]).fails(1, "ten years");
}

// A server that runs obeys what the command line has changed.
#[test]
fn a_running_server_takes_a_token_and_refuses_an_ended_one() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let add = ["oauth-client", "registration-token", "add"];
    let made = bench.json(&add);
    let register = async |expected: u16| {
        let metadata = json!({"redirect_uris": ["https://notes.example.com/cb"]});
        let request = server.http(SITE).post(REGISTER).json(&metadata);
        let answer = request
            .bearer(text(&made, "initial_access_token"))
            .send()
            .await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    };
    crema_testkit::engines::run(async { register(201).await });
    bench
        .run(&["oauth-client", "registration-token", "revoke", "--all"])
        .ok();
    crema_testkit::engines::run(async { register(401).await });
    server.stop();
}

#[test]
fn the_page_about_registration_works() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let mut script = format!("SITE=http://{SITE}:{}\n", server.address.port());
    for (name, code) in blocks("docs/registration.md") {
        script.push_str(&format!("printf '\\n== %s\\n' '{name}'\n{code}\n"));
    }
    let run = bench.shell(&script).ok();
    server.stop();
    let sections: Vec<&str> = run.stdout.split("\n== ").skip(1).collect();
    let says = |section: usize, wanted: &[&str]| {
        for text in wanted {
            assert!(
                sections[section].contains(text),
                "{text} is not in: {}",
                sections[section]
            );
        }
    };
    says(
        0,
        &[
            "register\n",
            "\"client_name\":\"Field Notes\"",
            "\"scope\":\"openid email\"",
        ],
    );
    says(1, &["manage\n", "\"registration_client_uri\":", "}204\n"]);
    says(
        2,
        &[
            "initial\n",
            "admits one registration until ",
            "\n201\n",
            "tokens have ended",
        ],
    );
    assert_eq!(sections.len(), 3);
}
