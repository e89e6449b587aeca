//! The examples of `docs/mcp.md`, sent as they stand, and its table of tools.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::docs::{CALLBACK, Example, ID, JO, PASSWORD};
use crate::harness::{Bench, Server};
use crate::resource_docs::{is_like, token};

const PAGE: &str = "docs/mcp.md";
const BOSS: &str = "boss@example.com";

#[test]
fn the_examples_of_the_mcp_endpoint_are_true() {
    let bench = Bench::empty();
    let script = format!(
        "crema new-site {ID} --set-default >&2\n\
         crema set-config host_name https://{ID} >&2\n\
         crema --site {ID} add-user {JO} --first-name Jo --password {PASSWORD} \
         --user-type 'System User' >&2\n\
         crema --site {ID} add-user {BOSS} --first-name Boss --password {PASSWORD} \
         --add-role 'System Manager' >&2\n\
         crema --site {ID} oauth-client add --app-name App --redirect-uri {CALLBACK} \
         --scopes 'all openid todo:read' --json"
    );
    let client = bench.shell(&script).ok().json();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(walk(&server, &client));
    server.stop();
}

async fn walk(server: &Server, client: &Value) {
    let http = server.http(ID);
    let mut boss = server.visitor(ID);
    boss.login(BOSS, PASSWORD).await;
    let settings = "/api/resource/OAuth%20Settings/OAuth%20Settings";
    let switch = http
        .request("PUT", settings)
        .json(&json!({"enable_mcp": 1}));
    assert_eq!(boss.send(switch).await.status, 200);

    let everything = token(server, client, "all").await;
    for (name, token) in [
        ("call", &everything),
        ("new-revision", &everything),
        ("refused", &everything),
        ("scope", &token(server, client, "todo:read").await),
    ] {
        let example = Example::on(PAGE, name, |text| {
            text.replace("Bearer …", &format!("Bearer {token}"))
        });
        is_like(&example, &example.request(&http).send().await);
    }

    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let listed = http
        .post("/mcp")
        .bearer(&everything)
        .json(&list)
        .send()
        .await;
    let tools = listed.json()["result"]["tools"].take();
    let rows = tools.as_array().unwrap().iter().map(|tool| {
        let arguments = tool["inputSchema"]["properties"].as_object().unwrap();
        let arguments = arguments.keys().map(|name| format!("`{name}`"));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        format!("| `{}` | {arguments} |", tool["name"].as_str().unwrap())
    });
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PAGE);
    let page = fs::read_to_string(page).unwrap();
    let (_, shown) = page.split_once("## Tools").unwrap();
    let shown = shown.lines().filter(|line| line.starts_with("| `"));
    let shown: Vec<_> = shown.take(rows.len()).collect();
    assert_eq!(shown.len(), rows.len());
    for (shown, row) in shown.iter().zip(rows) {
        assert!(shown.starts_with(&row), "{shown}: {row}");
    }
}
