//! `oauth-client`.

use serde_json::{Value, json};

use crate::harness::{Bench, text};

fn add(bench: &Bench, args: &[&str]) -> Value {
    let mut all = vec!["oauth-client", "add", "--app-name", "Shop"];
    all.extend(args);
    bench.json(&all)
}

/// The grants of a client, separated by one blank.
fn grants(fields: &Value) -> String {
    let text = text(fields, "grant_types");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn show(bench: &Bench, client: &str) -> Value {
    bench.json(&["oauth-client", "show", client])
}

const URI: &str = "https://shop.example.com/cb";

// spec: cli.md, `oauth-client add`
#[test]
fn a_confidential_client_gets_a_secret_once() {
    let bench = Bench::new();
    let made = add(&bench, &["--redirect-uri", URI]);
    let members: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(members, ["client_id", "client_secret"]);
    assert_eq!(text(&made, "client_secret").len(), 43);
    let fields = show(&bench, text(&made, "client_id"));
    assert_eq!(fields["app_name"], "Shop");
    assert_eq!(fields["scopes"], "all openid");
    assert_eq!(fields["default_redirect_uri"], URI);
    assert_eq!(fields["allowed_roles"], json!(["Desk User"]));
    assert_eq!(fields["token_endpoint_auth_method"], "Client Secret Basic");
    let run = bench
        .run(&[
            "oauth-client",
            "add",
            "--app-name",
            "Other",
            "--redirect-uri",
            URI,
        ])
        .ok();
    assert!(run.stdout.contains("client_id: "), "{}", run.stdout);
    assert!(
        run.stdout.contains("client_secret, shown this once: "),
        "{}",
        run.stdout
    );
}

#[test]
fn every_option_of_add_reaches_the_record() {
    let bench = Bench::new();
    bench.run(&["add-user", "robot@example.com"]).ok();
    let made = add(
        &bench,
        &[
            "--redirect-uri",
            URI,
            "https://shop.example.com/cb2",
            "--redirect-uri",
            "http://127.0.0.1/cb",
            "--scopes",
            "openid email",
            "--skip-authorization",
            "--id-token-alg",
            "ES256",
            "--allowed-role",
            "All",
            "--allowed-role",
            "Sales User",
            "--grant-type",
            "authorization_code,client_credentials",
            "--set",
            "user=robot@example.com",
            "--set",
            "Access Token Lifetime=900",
        ],
    );
    let fields = show(&bench, text(&made, "client_id"));
    assert_eq!(
        fields["redirect_uris"],
        format!("{URI}\nhttps://shop.example.com/cb2\nhttp://127.0.0.1/cb")
    );
    assert_eq!(fields["scopes"], "openid email");
    assert_eq!(fields["skip_authorization"], 1);
    assert_eq!(fields["id_token_signed_response_alg"], "ES256");
    assert_eq!(fields["allowed_roles"], json!(["All", "Sales User"]));
    assert_eq!(grants(&fields), "authorization_code client_credentials");
    assert_eq!(fields["user"], "robot@example.com");
    assert_eq!(fields["access_token_lifetime"], 900);

    let legacy = add(&bench, &["--redirect-uri", URI, "--response-type", "Token"]);
    let fields = show(&bench, text(&legacy, "client_id"));
    assert_eq!(fields["grant_type"], "Implicit");
    assert_eq!(fields["response_type"], "Token");
    let label = add(
        &bench,
        &["--redirect-uri", URI, "--grant-type", "Authorization Code"],
    );
    let fields = show(&bench, text(&label, "client_id"));
    assert_eq!(grants(&fields), "authorization_code refresh_token");
    assert_eq!(fields["response_type"], "Code");
}

#[test]
fn a_public_client_has_no_secret_and_needs_pkce() {
    let bench = Bench::new();
    let made = add(
        &bench,
        &["--public", "--redirect-uri", "com.example.shop://oauth2"],
    );
    let id = text(&made, "client_id");
    assert_eq!(made, json!({"client_id": id}));
    let fields = show(&bench, id);
    assert_eq!(fields["token_endpoint_auth_method"], "None");
    assert_eq!(fields["require_pkce"], 1);
    bench
        .run(&["oauth-client", "rotate-secret", id])
        .fails(1, "public client has no secret");
    // A public client that becomes confidential gets a secret.
    let set = [
        "oauth-client",
        "set",
        id,
        "token_endpoint_auth_method=Client Secret Post",
        "redirect_uris=https://shop.example.com/cb",
        "default_redirect_uri=",
    ];
    let changed = bench.json(&set);
    assert_eq!(text(&changed, "client_secret").len(), 43);
}

#[test]
fn what_cannot_be_a_client_is_refused() {
    let bench = Bench::new();
    let refused = |args: &[&str], code: i32, reason: &str| {
        let mut all = vec!["oauth-client", "add", "--app-name", "X"];
        all.extend(args);
        bench.run(&all).fails(code, reason);
    };
    refused(&[], 1, "redirect_uris is required");
    refused(
        &["--redirect-uri", "http://shop.example.com/cb"],
        1,
        "redirect_uris",
    );
    refused(
        &["--redirect-uri", URI, "--grant-type", "magic"],
        2,
        "there are: authorization_code",
    );
    refused(
        &["--redirect-uri", URI, "--id-token-alg", "none"],
        1,
        "id_token_signed_response_alg",
    );
    refused(
        &["--redirect-uri", URI, "--allowed-role", "King"],
        1,
        "King",
    );
    refused(
        &["--redirect-uri", URI, "--response-type", "Both"],
        2,
        "Both",
    );
    refused(
        &["--redirect-uri", URI, "--set", "nothing"],
        2,
        "FIELD=VALUE",
    );
    refused(&["--redirect-uri", URI, "--set", "colour=red"], 1, "colour");
    refused(
        &["--redirect-uri", URI, "--set", "app_name=Y"],
        2,
        "app_name is set twice",
    );
    refused(
        &["--public", "--redirect-uri", URI, "--id-token-alg", "HS256"],
        1,
        "HS256",
    );
    refused(
        &["--redirect-uri", URI, "--set", "client_secret=mine"],
        1,
        "client_secret",
    );
    bench.run(&["oauth-client", "add"]).fails(2, "--app-name");
    assert_eq!(bench.json(&["oauth-client", "list"]), json!([]));
}

#[test]
fn clients_are_listed_shown_changed_and_named() {
    let bench = Bench::new();
    bench
        .run(&["oauth-client", "list"])
        .ok()
        .says("No clients.");
    let made = add(&bench, &["--redirect-uri", URI]);
    let id = text(&made, "client_id");
    let list = bench.json(&["oauth-client", "list"]);
    assert_eq!(
        list,
        json!([{
            "client_id": id, "app_name": "Shop", "public": false, "enabled": true,
            "enforcement": "Enforce", "dynamically_registered": false, "last_used": null,
        }])
    );
    let changed = bench.json(&[
        "oauth-client",
        "set",
        "Shop",
        "enforcement=Observe",
        "skip_authorization=1",
    ]);
    assert_eq!(changed, json!({"client_id": id}));
    assert_eq!(show(&bench, "Shop")["enforcement"], "Observe");
    bench
        .run(&["oauth-client", "show", id])
        .ok()
        .says("skip_authorization");
    bench
        .run(&["oauth-client", "set", id, "enforcement=Sometimes"])
        .fails(1, "Enforce, Observe");
    bench
        .run(&["oauth-client", "set", id])
        .fails(2, "FIELD=VALUE");
    add(&bench, &["--redirect-uri", URI]);
    bench.run(&["oauth-client", "show", "Shop"]).fails(1, id);
    let run = bench
        .run(&["oauth-client", "show", "nobody"])
        .fails(1, "there is no client nobody");
    assert!(run.stderr.contains("oauth-client list"), "{}", run.stderr);
}

#[test]
fn a_client_is_disabled_enabled_and_deleted() {
    let bench = Bench::new();
    let made = add(&bench, &["--redirect-uri", URI]);
    let id = text(&made, "client_id");
    let disabled = bench.json(&["oauth-client", "disable", id]);
    assert_eq!(disabled, json!({"client_id": id, "enabled": false}));
    assert_eq!(show(&bench, id)["enabled"], 0);
    bench
        .run(&["oauth-client", "enable", "Shop"])
        .ok()
        .says("is enabled");
    assert_eq!(show(&bench, id)["enabled"], 1);
    bench.run(&["oauth-client", "delete", id]).fails(2, "--yes");
    let deleted = bench.json(&["oauth-client", "delete", id, "--yes"]);
    assert_eq!(deleted, json!({"client_id": id, "deleted": true}));
    bench
        .run(&["oauth-client", "show", id])
        .fails(1, "there is no client");
}

const BOSS: &str = "correct-horse-battery-9";

// spec: security.md, Clients, "Rotation keeps the previous secret valid for a chosen overlap"
#[test]
fn a_secret_is_rotated_with_an_overlap() {
    let bench = Bench::new();
    let made = add(&bench, &["--redirect-uri", URI]);
    let id = text(&made, "client_id");
    let rotated = bench.json(&["oauth-client", "rotate-secret", "Shop", "--overlap", "2h"]);
    assert_eq!(rotated["client_id"], id);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert!(text(&rotated, "previous_secret_until").ends_with('Z'));
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let http = server.http(crate::harness::SITE);
        let status = async |secret: &str| {
            let path = crema_testkit::flow::method("introspect_token");
            http.post(&path)
                .basic(id, secret)
                .form(&[("token", "x")])
                .send()
                .await
                .status
        };
        let (first, second) = (
            text(&made, "client_secret"),
            text(&rotated, "client_secret"),
        );
        assert_eq!((status(first).await, status(second).await), (200, 200));
        let at_once = bench.json(&["oauth-client", "rotate-secret", id, "--overlap", "0"]);
        assert_eq!(at_once.get("previous_secret_until"), None);
        let third = text(&at_once, "client_secret");
        assert_eq!((status(first).await, status(second).await), (401, 401));
        assert_eq!(status(third).await, 200);
        let run = bench.run(&["oauth-client", "rotate-secret", id]).ok();
        run.says("the old one counts until");
        assert_eq!(status(third).await, 200);

        // What nobody chooses is OAuth Settings' Previous Secret Overlap.
        let manager = ["add-system-manager", "boss@example.com", "--password", BOSS];
        bench.run(&manager).ok();
        let mut boss = crema_testkit::Visitor::new(http.clone());
        boss.login("boss@example.com", BOSS).await;
        let path = "/api/resource/OAuth%20Settings/OAuth%20Settings";
        let none = serde_json::json!({"previous_secret_overlap": 0});
        let set = boss.send(http.request("PUT", path).json(&none)).await;
        assert_eq!(set.status, 200, "{}", set.text());
        let run = bench.run(&["oauth-client", "rotate-secret", id]).ok();
        run.says("the old one has ended");
        assert_eq!(status(third).await, 401);
    });
    server.stop();
    bench
        .run(&["oauth-client", "rotate-secret", id, "--overlap", "soon"])
        .fails(2, "soon");
    bench
        .run(&["oauth-client", "rotate-secret", id, "--overlap", "91d"])
        .fails(1, "90 days");
}

// spec: cli.md, "`report` is the enforcement report"
#[test]
fn the_report_names_whom_enforce_would_refuse() {
    let bench = Bench::new();
    bench
        .run(&["oauth-client", "report"])
        .ok()
        .says("Nothing that Enforce would refuse");
    assert_eq!(bench.json(&["oauth-client", "report"]), json!([]));
    let made = add(
        &bench,
        &["--redirect-uri", URI, "--set", "enforcement=Observe"],
    );
    let id = text(&made, "client_id");
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        // A confidential client that does not prove itself: let pass, and written down.
        let path = crema_testkit::flow::method("revoke_token");
        let form = [("client_id", id), ("token", "unknown")];
        let http = server.http(crate::harness::SITE);
        assert_eq!(http.post(&path).form(&form).send().await.status, 200);
    });
    server.stop();
    let report = bench.json(&["oauth-client", "report"]);
    assert_eq!(report[0]["client_id"], id);
    assert_eq!(report[0]["app_name"], "Shop");
    assert_eq!(report[0]["enforcement"], "Observe");
    assert_eq!(report[0]["count"], 1);
    assert!(!text(&report[0], "violation").is_empty());
    bench.run(&["oauth-client", "report"]).ok().says(id);
}
