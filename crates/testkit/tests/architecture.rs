//! Checks on the shape of the workspace: which crate may use which, how long files are, that
//! unsafe code is forbidden, that every dependency is explained.
//!
//! The picture that these tests guard is in `ARCHITECTURE.md`; change both together.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check that cannot read the workspace has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Longest source file that is allowed, in lines.
const MAX_LINES: usize = 600;

/// Crate → the crates of this workspace that it may name in `[dependencies]`.
///
/// `crema-web` does not name `crema-store`, so that no SQL can stand in it.
const ARROWS: &[(&str, &[&str])] = &[
    ("crema-protocol", &[]),
    ("crema-crypto", &[]),
    ("crema-store", &[]),
    ("crema-document", &["crema-store"]),
    (
        "crema-auth",
        &[
            "crema-protocol",
            "crema-crypto",
            "crema-document",
            "crema-store",
        ],
    ),
    (
        "crema-web",
        &[
            "crema-auth",
            "crema-protocol",
            "crema-crypto",
            "crema-document",
        ],
    ),
    ("crema-crm", &["crema-auth", "crema-document"]),
    (
        "crema",
        &[
            "crema-crm",
            "crema-web",
            "crema-auth",
            "crema-protocol",
            "crema-crypto",
            "crema-document",
            "crema-store",
        ],
    ),
    ("crema-bench", &["crema-crypto", "crema-document"]),
    (
        "crema-testkit",
        &[
            "crema-crm",
            "crema-web",
            "crema-auth",
            "crema-protocol",
            "crema-crypto",
            "crema-document",
            "crema-store",
        ],
    ),
];

/// External crate → the only crates of this workspace that may name it in `[dependencies]`.
///
/// `deny.toml` guards the drivers and the cryptography in the same way, across the whole tree.
const OWNERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["crema-store", "crema-bench"]),
    ("sqlx", &["crema-store", "crema-bench"]),
    ("argon2", &["crema-crypto"]),
    ("jiff", &["crema-document"]),
    ("axum", &["crema-web"]),
    ("hyper", &["crema-web", "crema-testkit", "crema-bench"]),
    ("askama", &["crema-web"]),
    ("anyhow", &["crema", "crema-bench"]),
    ("clap", &["crema", "crema-bench"]),
    ("tracing-subscriber", &["crema"]),
    ("openidconnect", &["crema-testkit"]),
    ("proptest", &["crema-testkit"]),
    ("rcgen", &["crema-testkit"]),
    ("reqwest", &["crema-auth", "crema-testkit"]),
    ("rmcp", &["crema-web"]),
    ("rustls", &["crema-auth"]),
    ("rustls-platform-verifier", &["crema-auth"]),
    ("tempfile", &["crema-testkit", "crema-bench"]),
    ("thirtyfour", &["crema-testkit"]),
    ("tokio-rustls", &["crema-testkit"]),
];

/// What `crema-protocol`, rules without input or output, may build on.
const PROTOCOL_MAY_USE: &[&str] = &[
    "aws-lc-rs",
    "base64",
    "form_urlencoded",
    "percent-encoding",
    "serde",
    "serde_json",
    "subtle",
    "thiserror",
    "url",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One member of the workspace, as `cargo metadata` describes it.
struct Member {
    name: String,
    manifest: PathBuf,
    /// Sources of its library and its binaries.
    roots: Vec<PathBuf>,
    /// Names in `[dependencies]`, without those for tests and build scripts.
    dependencies: BTreeSet<String>,
    /// Names in every dependency table.
    all_dependencies: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let shipped = |target: &&Value| {
        let kinds = target["kind"].as_array().unwrap();
        kinds.iter().any(|kind| kind == "lib" || kind == "bin")
    };
    let names = |keep: &dyn Fn(&Value) -> bool| {
        let all = package["dependencies"].as_array().unwrap();
        all.iter()
            .filter(|dependency| keep(dependency))
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    Member {
        name: text(&package["name"]),
        manifest: PathBuf::from(text(&package["manifest_path"])),
        roots: (package["targets"].as_array().unwrap().iter())
            .filter(shipped)
            .map(|target| PathBuf::from(text(&target["src_path"])))
            .collect(),
        dependencies: names(&|dependency| dependency["kind"].is_null()),
        all_dependencies: names(&|_| true),
    }
}

/// Files of the repository, without what git ignores; the whole tree where there is no git.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others"])
        .arg("--exclude-standard")
        .current_dir(root())
        .output();
    match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let names = String::from_utf8(output.stdout).unwrap();
            (names.split_terminator('\0'))
                .map(|name| root().join(name))
                .filter(|path| path.is_file())
                .collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root(), &mut found);
            found
        }
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() {
            found.push(path);
        } else if !name.starts_with('.') && name != "target" && name != "sites" {
            walk(&path, found);
        }
    }
}

#[test]
fn arrows_point_downwards_only() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for member in members() {
        let Some(allowed) = arrows.get(member.name.as_str()) else {
            wrong.push(format!("{} is not in the table", member.name));
            continue;
        };
        for used in &member.dependencies {
            let ours = arrows.contains_key(used.as_str());
            if ours && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} -> {used}", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that must not be: {wrong:#?}");
}

#[test]
fn crates_with_an_owner_are_used_by_the_owner_only() {
    let members = members();
    let mut wrong = Vec::new();
    for (external, owners) in OWNERS {
        for member in &members {
            let uses = member.dependencies.contains(*external);
            if uses && !owners.contains(&member.name.as_str()) {
                wrong.push(format!("{} -> {external}", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "crates outside their rooms: {wrong:#?}");
}

#[test]
fn protocol_is_free_of_input_and_output() {
    let members = members();
    let protocol = (members
        .iter()
        .find(|member| member.name == "crema-protocol"))
    .unwrap();
    let allowed: BTreeSet<_> = PROTOCOL_MAY_USE.iter().map(|s| (*s).to_owned()).collect();
    let wrong: Vec<_> = protocol.dependencies.difference(&allowed).collect();
    assert!(wrong.is_empty(), "crema-protocol -> {wrong:?}");
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let workspace = read(&root().join("Cargo.toml"));
    let by_workspace = workspace.contains("unsafe_code = \"forbid\"");
    let mut wrong = Vec::new();
    for member in members() {
        let manifest = read(&member.manifest);
        let inherits = (manifest.split("[lints]").nth(1))
            .is_some_and(|rest| rest.trim_start().starts_with("workspace = true"));
        for source in &member.roots {
            let by_itself = read(source).contains("#![forbid(unsafe_code)]");
            if !(by_itself || by_workspace && inherits) {
                wrong.push(source.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "unsafe code is possible in {wrong:#?}");
}

#[test]
fn no_source_file_is_too_long() {
    let mut lengths: Vec<(usize, PathBuf)> = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| (read(&path).lines().count(), path))
        .collect();
    lengths.sort();
    let median = lengths
        .get(lengths.len() / 2)
        .map_or(0, |(lines, _)| *lines);
    println!("{} files, median {median} lines", lengths.len());
    lengths.retain(|(lines, _)| *lines > MAX_LINES);
    assert!(
        lengths.is_empty(),
        "longer than {MAX_LINES} lines: {lengths:#?}"
    );
}

#[test]
fn versions_are_stated_in_one_place() {
    let mut wrong = Vec::new();
    for member in members() {
        let manifest = read(&member.manifest);
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies
                && line.contains('=')
                && !line.starts_with('#')
                && !line.contains("workspace = true")
            {
                wrong.push(format!("{}: {line}", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "not `workspace = true`: {wrong:#?}");
}

#[test]
fn every_dependency_is_used_and_explained() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let used: BTreeSet<String> = (members().into_iter())
        .flat_map(|member| member.all_dependencies)
        .collect();
    let mut wrong = Vec::new();
    for name in workspace_dependencies() {
        if name.starts_with("crema-") {
            continue;
        }
        if !used.contains(&name) {
            wrong.push(format!("{name}: no crate uses it"));
        }
        if !text.contains(&format!("| `{name}`")) {
            wrong.push(format!("{name}: no row in ARCHITECTURE.md"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Names in `[workspace.dependencies]`.
fn workspace_dependencies() -> Vec<String> {
    let manifest = read(&root().join("Cargo.toml"));
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    (table.lines())
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

/// The repository must make sense on any machine and speak of the product alone.
#[test]
fn no_file_names_a_place_outside_the_repository() {
    // Written in halves, so that this file passes its own test.
    let patterns = [
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["agent ses", "sion"].concat(),
    ];
    let mut wrong = Vec::new();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue; // not text
        };
        for (number, line) in text.to_lowercase().lines().enumerate() {
            let bad = patterns
                .iter()
                .find(|pattern| line.contains(pattern.as_str()));
            if let Some(pattern) = bad {
                wrong.push(format!("{}:{}: {pattern}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
