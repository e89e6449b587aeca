//! `docs/connect-mcp-client.md`: its requests against the server, with Chromium for the person.

use crema_testkit::Browser;
use serde_json::{Value, json};

use super::{JO, Reader, allow};

const PAGE: &str = "docs/connect-mcp-client.md";
const CALLBACK: &str = "http://127.0.0.1:9999/callback";

/// The body of the last answer that `curl -i` printed.
fn body(said: &str) -> Value {
    let last = said.lines().rfind(|line| line.starts_with('{'));
    serde_json::from_str(last.unwrap_or_else(|| panic!("no JSON: {said}"))).unwrap()
}

/// The answer has the lines that the page shows.
#[track_caller]
fn is_like(said: &str, shown: &str) {
    for line in shown.lines() {
        assert!(
            said.lines().any(|own| own.trim_end() == line),
            "no {line} in: {said}"
        );
    }
}

/// Hands the code that the browser came back with to the page's commands.
async fn redeem(reader: &mut Reader, browser: &Browser) {
    let url = browser.arrives_at(CALLBACK).await;
    let code = url
        .split_once("?code=")
        .unwrap()
        .1
        .split_once('&')
        .unwrap()
        .0;
    let block = reader
        .block("token")
        .replace("CODE='…'", &format!("CODE={code}"));
    let tokens = body(&reader.shell.run(&block));
    assert_eq!(tokens["token_type"], "Bearer");
}

async fn walk(reader: &mut Reader) {
    let said = reader.run("unauthorized");
    is_like(&said, &reader.block("challenge"));
    let said = reader.run("discovery");
    let resource = body(&said);
    assert!(
        resource["resource"].as_str().unwrap().ends_with("/mcp"),
        "{said}"
    );
    let client = body(&reader.run("register"));
    let allowed = "openid profile email offline_access todo:read todo:create";
    assert_eq!(client["scope"], allowed);

    let browser = Browser::start().await;
    browser.open(reader.run("authorize").trim()).await;
    allow(&browser).await;
    redeem(reader, &browser).await;
    let said = reader.run("tools");
    assert!(
        said.contains("\"protocolVersion\":\"2025-11-25\""),
        "{said}"
    );
    assert!(said.contains("\"name\":\"list_documents\""), "{said}");
    assert_eq!(
        body(&said)["result"]["structuredContent"],
        json!({"documents": []})
    );

    let said = reader.run("create");
    is_like(&said, &reader.block("insufficient"));
    browser.open(reader.run("step-up").trim()).await;
    allow(&browser).await;
    browser.arrives_at(CALLBACK).await;
    redeem(reader, &browser).await;
    browser.close().await;
    let made = body(&reader.run("create"));
    let document = &made["result"]["structuredContent"]["document"];
    assert_eq!(document["owner"], JO, "{made}");

    assert_eq!(body(&reader.run("refresh"))["result"], json!({}));
    let said = reader.run("revoke");
    assert!(said.contains("HTTP/1.1 401 "), "{said}");
    let found = body(&reader.run("key"));
    let documents = json!({"documents": [{"description": "Water the plants"}]});
    assert_eq!(found["result"]["structuredContent"], documents, "{found}");
}

#[test]
fn the_requests_of_a_client_work() {
    let mut reader = Reader::of(PAGE, "localhost");
    for block in ["prepare", "switch-on", "helpers"] {
        reader.run(block);
    }
    crema_testkit::engines::run(async { walk(&mut reader).await });
    reader.stop();
}

/// The settings of clients are JSON that lead to `/mcp` of the site.
#[test]
fn the_settings_of_clients_are_well_formed() {
    for (file, servers) in [
        (".vscode/mcp.json", "servers"),
        (".cursor/mcp.json", "mcpServers"),
        (".vscode/mcp.json with a key", "servers"),
    ] {
        let settings = crate::docs::block(PAGE, file);
        let settings: Value = serde_json::from_str(&settings).unwrap();
        assert_eq!(
            settings[servers]["crema"]["url"],
            "https://id.example.com/mcp"
        );
    }
}
