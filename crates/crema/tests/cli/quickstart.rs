//! `serve --quickstart`: the first minute with the program, followed to its end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crema_testkit::{Http, Redirect, Visitor};
use serde_json::{Value, json};

use crate::harness::{Bench, SITE, signal, text};

/// Opens the printed address, signs in, presses Allow. Gives the code.
async fn allow(http: Http, password: &str, authorize_url: &str) -> Redirect {
    let mut visitor = Visitor::new(http);
    // As a browser: to the sign-in page, by its form, and back.
    let to_login = visitor.get(authorize_url).await;
    let back = visitor.sent_to_login(&to_login);
    let form = [
        ("usr", "Administrator"),
        ("pwd", password),
        ("redirect-to", back.as_str()),
    ];
    let signed_in = visitor.post("/login", &form).await;
    let back = signed_in.location().expect("signed in").to_owned();
    let page = visitor.get(&back).await;
    assert!(page.text().contains("Demo"), "{}", page.text());
    Redirect::of(&visitor.decide(&page, "allow").await)
}

/// What stands on the line after this label.
fn after<'a>(greeting: &'a str, label: &str) -> &'a str {
    let mut lines = greeting.lines();
    let line = lines.find_map(|line| line.trim().strip_prefix(label));
    line.unwrap_or_else(|| panic!("{label:?} is not in: {greeting}"))
        .trim()
}

// spec: cli.md, `serve`: "with `--quickstart`, create one and print where to go and the generated
// Administrator password once"
#[test]
fn the_printed_walk_can_be_followed() {
    let bench = Bench::empty();
    let mut command = bench.command(&["serve", "--quickstart", "--port", "0"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        greeting.push_str(&line);
        greeting.push('\n');
        if line.contains("revoke_token") {
            break;
        }
    }
    let address = after(
        &greeting,
        concat!("Crema ", env!("CARGO_PKG_VERSION"), " listens on http://"),
    );
    let http = Http::new(address.parse().unwrap(), SITE);
    let password = after(&greeting, "Administrator's password");
    let authorize_url = greeting
        .lines()
        .find(|line| line.contains("authorize?"))
        .unwrap()
        .trim();
    assert!(authorize_url.starts_with(&http.origin()), "{authorize_url}");

    crema_testkit::engines::run(async {
        let redirect = allow(http, password, authorize_url).await;
        assert_eq!(redirect.uri, "http://127.0.0.1:9999/callback");
        // The commands as they were printed, with what the browser and the answers said.
        let mut script = String::from(
            "member() { sed -n \"s/.*\\\"$1\\\": *\\\"\\([^\\\"]*\\)\\\".*/\\1/p\"; }\n",
        );
        let commands = greeting.split_once("In a second terminal:").unwrap().1;
        let commands = commands.replace("CODE=…", &format!("CODE={}", redirect.param("code")));
        for line in commands.lines().filter_map(|line| line.strip_prefix("  ")) {
            let line = match line {
                "ACCESS=…" => "ACCESS=$(member access_token < answer.1)",
                "REFRESH=…" => "REFRESH=$(member refresh_token < answer.1)",
                other => other,
            };
            script.push_str(line);
            let answers = script.matches("curl ").count();
            if !line.ends_with('\\') && (line.contains("curl ") || line.starts_with("  ")) {
                script.push_str(&format!(" > answer.{answers}"));
            }
            script.push('\n');
        }
        bench.shell(&script).ok();
    });
    let answer = |number: u32| -> Value {
        let file = std::fs::read_to_string(bench.path().join(format!("answer.{number}")));
        serde_json::from_str(&file.unwrap()).unwrap()
    };
    assert_eq!(answer(1)["token_type"], "Bearer");
    assert!(answer(1)["id_token"].is_string());
    assert_eq!(answer(2)["name"], "Administrator");
    assert_eq!(answer(3)["active"], true);
    assert_ne!(answer(4)["access_token"], answer(1)["access_token"]);
    assert_eq!(answer(5), json!({}));
    // Everything that stems from the sign-in has ended.
    assert_eq!(bench.json(&["token", "list"]), json!([]));

    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_walk_is_there_for_scripts_too() {
    let bench = Bench::empty();
    let server = bench.serve(&["--quickstart"]);
    let begun = &server.greeting["quickstart"];
    let demo = &begun["demo"];
    assert_eq!(begun["site"], SITE);
    assert_eq!(text(demo, "client_secret").len(), 43);
    crema_testkit::engines::run(async {
        let password = text(begun, "administrator_password");
        let redirect = allow(server.http(SITE), password, text(demo, "authorize_url")).await;
        assert_eq!(redirect.uri, text(demo, "redirect_uri"));
        assert_eq!(redirect.param("state"), text(demo, "state"));
        assert_eq!(redirect.param("iss"), server.http(SITE).origin());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", redirect.param("code")),
            ("redirect_uri", text(demo, "redirect_uri")),
            ("code_verifier", text(demo, "code_verifier")),
        ];
        let post = server
            .http(SITE)
            .post(&crema_testkit::flow::method("get_token"));
        let post = post.basic(text(demo, "client_id"), text(demo, "client_secret"));
        assert!(post.form(&form).send().await.tokens().id_token.is_some());
    });
    server.stop();
    // The site is the current one.
    bench.run(&["list-users"]).ok().says("Administrator");
}

#[test]
fn the_second_time_it_just_serves() {
    let bench = Bench::empty();
    let first = bench.serve(&["--quickstart"]);
    let begun = first.greeting["quickstart"].clone();
    let log = first.stop();
    assert!(
        !log.contains(text(&begun, "administrator_password")),
        "{log}"
    );
    let second = bench.serve(&["--quickstart"]);
    assert_eq!(second.greeting["quickstart"], Value::Null);
    assert_eq!(second.greeting["sites"][0]["site"], SITE);
    crema_testkit::engines::run(async {
        let password = text(&begun, "administrator_password");
        second.visitor(SITE).login("Administrator", password).await;
    });
    second.stop();
    assert_eq!(
        bench
            .json(&["oauth-client", "list"])
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // In words: where to go, and how to get a new password. The bench is named as it was given.
    let mut command = bench.command(&["serve", "--quickstart", "--port", "0", "--bench", "./"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let advice = format!("  crema --bench ./ --site {SITE} set-admin-password");
    let said: Vec<String> = lines.take_while(|line| *line != advice).collect();
    assert!(said[1].starts_with("  http://trust.localhost:"), "{said:?}");
    assert!(
        said.last()
            .unwrap()
            .contains("was shown when the site was made"),
        "{said:?}"
    );
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_bench_with_other_sites_is_left_alone() {
    let bench = Bench::empty();
    bench.run(&["new-site", "own.localhost"]).ok();
    let server = bench.serve(&["--quickstart"]);
    assert_eq!(server.greeting["quickstart"], Value::Null);
    server.stop();
    assert_eq!(bench.json(&["list-sites"]).as_array().unwrap().len(), 1);
}
