//! The whole program once, with few tokens and short windows: whether it measures, not what.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

const BENCH: &str = env!("CARGO_BIN_EXE_crema-bench");

/// The server of the same build. `cargo test --workspace` has made it; alone it is made here.
fn crema() -> PathBuf {
    let program = Path::new(BENCH).with_file_name("crema");
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--locked", "-p", "crema"])
            .status()
            .unwrap();
        assert!(built.success());
    }
    program
}

/// Runs the program to its end. Gives what it printed.
fn bench(args: &[&str], folder: &Path) -> String {
    let output = Command::new(BENCH)
        .args(args)
        .arg("--crema")
        .arg(crema())
        .arg("--keep")
        .arg(folder)
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}\n{stdout}\n{stderr}");
    stdout
}

#[test]
fn every_scenario_works_without_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("performance.md");
    std::fs::write(&page, "<!-- notes -->\nKept.\n<!-- /notes -->\n").unwrap();
    let written = page.to_str().unwrap();
    let printed = bench(&["run", "--quick", "--write", written], folder.path());
    let text = std::fs::read_to_string(&page).unwrap();
    for scenario in [
        "introspection",
        "userinfo",
        "unknown token",
        "refresh chain",
        "refresh chain with ID token",
        "code issue with a session",
        "whole code flow",
        "password grant",
        "client credentials",
        "document by name",
        "list of 20",
        "document by a tool",
        "discovery",
        "login page",
    ] {
        let row = format!("| {scenario} ");
        assert!(printed.contains(&row), "{scenario}: {printed}");
        assert!(text.contains(&row), "{scenario}: {text}");
    }
    assert!(text.contains("\nKept.\n"), "{text}");
    assert!(text.contains("2000 tokens"), "{text}");
    assert!(text.contains("From start to first answer"), "{text}");
    assert!(text.contains("clients tried wrong passwords"), "{text}");
    assert!(text.contains("expired rows were cleared"), "{text}");

    // The same data set once more: nothing of the first run is in the way.
    let soaked = bench(
        &["soak", "--tokens=2000", "--minutes=0.001", "--every=0.5"],
        folder.path(),
    );
    assert!(soaked.contains("memory at the end"), "{soaked}");
}
