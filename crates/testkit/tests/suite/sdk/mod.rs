//! Client libraries that people use, as their registries have them, against the server.
//!
//! `scripts/test-sdks.sh` installs them, which `./test` does.

mod frappe;
mod mcp;
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
