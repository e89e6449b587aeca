//! Client libraries that people use, as their registries have them, against the server.
//!
//! `scripts/test-sdks.sh` installs them, which `./test` does.

mod frappe;
mod mcp;
mod mcp_page;
mod oauth4webapi;
mod oidc_client_ts;
mod pages;
mod walk;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crema_testkit::{App, AppBuilder, Browser};
use serde_json::{Value, json};
use tokio::process::Command;

const USER: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";

/// How long a walk may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the libraries are.
fn installed(file: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/sdk");
    let path = PathBuf::from(root).join(file);
    assert!(
        path.exists(),
        "{} is missing: run scripts/test-sdks.sh",
        path.display()
    );
    path
}

/// A site that is also called `localhost`, the one name that every resolver knows.
fn builder() -> AppBuilder {
    App::builder().config("domains", json!(["localhost"]))
}

async fn started(builder: AppBuilder) -> App {
    let app = builder.build().await;
    app.add_user(USER, PASSWORD, &["Desk User"]).await;
    app
}

fn address(app: &App) -> String {
    app.http_of("localhost").origin()
}

fn node() -> PathBuf {
    PathBuf::from("node")
}

fn python() -> PathBuf {
    installed("python/bin/python")
}

/// Runs a program with its task as an argument.
async fn run(program: PathBuf, script: &str, task: Value) {
    let mut command = Command::new(program);
    command
        .arg(installed(script))
        .arg(task.to_string())
        .stdin(Stdio::null())
        .env_remove("http_proxy")
        .env("NO_PROXY", "*")
        .env("no_proxy", "*")
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it does not end").expect("it does not start");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success() && text(&output.stdout).trim_end().ends_with("done"),
        "{script}: {}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// A pair of API keys as a System Manager makes it for the user.
async fn keys(app: &App) -> (String, String) {
    app.add_user("manager@example.com", PASSWORD, &["System Manager"])
        .await;
    let mut manager = app.signed_in("manager@example.com", PASSWORD).await;
    let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
    let answer = manager.post(path, &[("user", USER)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let message = &answer.json()["message"];
    let text = |name: &str| message[name].as_str().expect(name).to_owned();
    (text("api_key"), text("api_secret"))
}

// The page names the versions that are installed.
#[test]
fn the_page_about_libraries_is_true() {
    let read = |path: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        std::fs::read_to_string(Path::new(root).join(path)).expect(path)
    };
    let page = read("docs/libraries.md");
    let package = read("crates/testkit/tests/sdk/js/package.json");
    let package: Value = serde_json::from_str(&package).unwrap();
    let mut installed: Vec<(String, String)> = Vec::new();
    for (name, version) in package["dependencies"].as_object().unwrap() {
        installed.push((name.clone(), version.as_str().unwrap().to_owned()));
    }
    for (file, name) in [
        ("requirements.txt", "frappe-client"),
        ("mcp1.txt", "mcp"),
        ("mcp2.txt", "mcp"),
    ] {
        let text = read(&format!("crates/testkit/tests/sdk/python/{file}"));
        let pinned = text.lines().find_map(|line| {
            let version = line.strip_prefix(name)?.strip_prefix("==")?;
            version.split_whitespace().next()
        });
        installed.push((name.to_owned(), pinned.expect(file).to_owned()));
    }
    for (name, version) in installed {
        let named = format!("| `{name}` (");
        let row = page.lines().find(|line| line.starts_with(&named));
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/libraries.md"));
        let versions = row.split('|').nth(2).unwrap();
        let is_there = versions.split_whitespace().any(|one| one == version);
        assert!(is_there, "{name} {version}: {versions}");
    }
}
