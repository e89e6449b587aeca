//! The CRM app from the shell: installed by name, bootstrapped by every way in, also at once.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Bench, CREMA, SITE};
use crate::readme::blocks;

const PATCH: &str = "crm.patches.v1_0.ensure_mobile_oauth_and_tokens";

/// What the bootstrap says of a site.
fn bootstrapped(site: &str, client_id: &Value) -> Value {
    json!({
        "ok": true,
        "site": site,
        "client_id": client_id,
        "redirect_uris": [
            "app.trust://oauth2redirect",
            format!("https://{site}/oauth/callback"),
        ],
        "grant_types": ["authorization_code", "password", "refresh_token"],
        "message": "OAuth Client configured successfully",
    })
}

/// The ids of the clients called Mobile App.
fn clients(bench: &Bench, site: &str) -> Vec<Value> {
    let clients = bench.json(&["--site", site, "oauth-client", "list"]);
    let clients = clients.as_array().unwrap().iter();
    let own = clients.filter(|client| client["app_name"] == "Mobile App");
    own.map(|client| client["client_id"].clone()).collect()
}

// spec: crm.md, Bootstrap; cli.md, `install-app`, `list-patches`, `migrate`
#[test]
fn the_app_comes_with_the_program() {
    let bench = Bench::new();
    bench
        .run(&["bootstrap"])
        .fails(1, "the app crm is not installed on trust.localhost");
    let run = bench.run(&["install-app", "crm"]).ok();
    run.says("App crm is installed.")
        .says("create table tabCRM Task");
    let version = env!("CARGO_PKG_VERSION");
    let installed = json!([{"app": "crm", "version": version, "doctypes": ["CRM Task"]}]);
    assert_eq!(bench.json(&["list-apps"]), installed);
    let patches = bench.json(&["list-patches"]);
    let ran = json!({"patch": PATCH, "ran": true});
    assert!(patches.as_array().unwrap().contains(&ran), "{patches}");
    bench.run(&["migrate"]).ok().says("Nothing to do.");
    let [client] = clients(&bench, SITE).try_into().unwrap();
    let shown = bench.json(&["bootstrap", "--print-secrets"]);
    assert_eq!(shown, bootstrapped(SITE, &client));
    let said = bench.run(&["bootstrap"]).ok();
    assert_eq!(said.json(), shown);

    // A client that was made confidential has a secret to show, when asked. It cannot have the
    // redirect URI of an app on a phone.
    let settings = r#"{"DEFAULT_REDIRECT_URIS": ["https://app.example/cb"]}"#;
    bench.run(&["set-config", "crm_oauth", settings]).ok();
    bench.run(&["bootstrap"]).ok();
    let id = client.as_str().unwrap();
    let basic = "token_endpoint_auth_method=Client Secret Basic";
    bench.run(&["oauth-client", "set", id, basic]).ok();
    let plain = bench.json(&["bootstrap"]);
    assert_eq!(plain["redirect_uris"], json!(["https://app.example/cb"]));
    assert!(plain.get("client_secret").is_none());
    let secret = bench.json(&["bootstrap", "--print-secrets"]);
    assert!(secret["client_secret"].as_str().unwrap().len() > 20);

    bench.run(&["uninstall-app", "crm", "--yes"]).ok();
    assert_eq!(bench.json(&["list-apps"]), json!([]));
    bench.run(&["install-app", "crm"]).ok();
    assert_eq!(clients(&bench, SITE), [client]);
}

// spec: crm.md, "`bootstrap --site all` prints per site as the guide's script does, goes on after
// a failure, and exits 1 if any failed"
#[test]
fn all_sites_are_bootstrapped_as_the_guide_shows_it() {
    let bench = Bench::empty();
    for site in ["a.localhost", "c.localhost"] {
        bench.run(&["new-site", site, "--install-app", "crm"]).ok();
    }
    let double = "═".repeat(63);
    let single = "─".repeat(61);
    let success = |site: &str| {
        let [client] = clients(&bench, site).try_into().unwrap();
        let result = serde_json::to_string_pretty(&bootstrapped(site, &client)).unwrap();
        format!(
            "{single}\nProcessing site: {site}\n{single}\n\n✅ SUCCESS for {site}\n\n{result}\n\n"
        )
    };
    let head = |count: usize, sites: &str| {
        format!(
            "{double}\n  OAuth2 Bootstrap for All Sites\n{double}\n\nFound {count} site(s): {sites}\n\n"
        )
    };
    let expected = [
        head(2, "a.localhost c.localhost"),
        success("a.localhost"),
        success("c.localhost"),
    ]
    .concat();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/bootstrap_all_sites.sh");
    let script = script.to_str().unwrap();
    assert_eq!(
        bench.run(&["--site", "all", "bootstrap"]).ok().stdout,
        expected
    );
    let by_script = bench.shell(&format!("CREMA='{CREMA}' '{script}' --print-secrets"));
    assert_eq!(by_script.ok().stdout, expected);
    let wrong = bench.shell(&format!("CREMA='{CREMA}' '{script}' --all"));
    assert_eq!(wrong.code, 2);

    bench.run(&["new-site", "b.localhost"]).ok();
    let run = bench.run(&["--site", "all", "bootstrap"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("the app crm is not installed on b.localhost")
    );
    let failed = format!(
        "{single}\nProcessing site: b.localhost\n{single}\n\n❌ FAILED for b.localhost\n\n"
    );
    let expected = [
        head(3, "a.localhost b.localhost c.localhost"),
        success("a.localhost"),
        failed,
        success("c.localhost"),
    ]
    .concat();
    assert_eq!(run.stdout, expected);
    let run = bench.run(&["--site", "all", "bootstrap", "--json"]);
    assert_eq!((run.code, run.json()[1]["ok"].clone()), (1, json!(false)));
}

// spec: crm.md, Bootstrap, "idempotent"; safe to run in parallel
#[test]
fn of_many_at_once_one_makes_the_client() {
    let bench = Bench::new();
    bench.run(&["install-app", "crm"]).ok();
    bench
        .run(&["add-user", "sue@example.com", "--add-role", "Sales User"])
        .ok();
    let [old] = clients(&bench, SITE).try_into().unwrap();
    bench
        .run(&["oauth-client", "delete", old.as_str().unwrap(), "--yes"])
        .ok();
    let racers: Vec<_> = (0..6)
        .map(|_| {
            let mut command = bench.command(&["bootstrap", "--generate-user-keys", "--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut ids = Vec::new();
    let mut secrets = 0;
    for racer in racers {
        let output = racer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        let keys = &result["user_keys"]["sue@example.com"];
        assert!(keys["api_key"].is_string(), "{result}");
        secrets += usize::from(keys["api_secret"].is_string());
        ids.push(result["client_id"].clone());
    }
    ids.dedup();
    assert_eq!(ids, clients(&bench, SITE));
    assert_eq!((ids.len(), secrets), (1, 1));
}

#[test]
fn the_examples_of_the_page_are_true() {
    let bench = Bench::empty();
    let mut script = String::new();
    let server = bench.serve(&[]);
    script.push_str(&format!(
        "SITE=http://crm.localhost:{}\n",
        server.address.port()
    ));
    for (name, code) in blocks("docs/crm.md") {
        script.push_str(&format!("printf '\\n== %s\\n' '{name}'\n{code}\n"));
    }
    let run = bench.shell(&script).ok();
    server.stop();
    fs::metadata(bench.site_file("crm.localhost", "site_config.json")).unwrap();
    for text in [
        PATCH,
        "https://trust.example.org/oauth/callback",
        "\"api_secret\"",
        "✅ SUCCESS for crm.localhost",
        r#"{"message":{"name":1,"title":"Call client","status":"Open","priority":"High""#,
        r#""due_date":"2099-12-31 17:00:00","assigned_to":"sue@example.com"}"#,
        r#""limit":5}}"#,
        r#""status":"In Progress""#,
        r#""description":null}]}}"#,
    ] {
        assert!(
            run.stdout.contains(text),
            "{text:?} is not in: {}",
            run.stdout
        );
    }
}
