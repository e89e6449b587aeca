//! Help: every command of the specification is there, and every example does what it shows.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crema_testkit::Engine;

use crate::databases::root;
use crate::harness::{Bench, CREMA, signal};

/// Every command that ends a path of subcommands, found by reading the help.
pub(crate) fn leaves(bench: &Bench, path: &[String]) -> Vec<Vec<String>> {
    let help = help(bench, path);
    let Some((_, commands)) = help.split_once("\nCommands:\n") else {
        return vec![path.to_vec()];
    };
    let commands = commands.split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .flat_map(|name| leaves(bench, &[path, &[name.to_owned()]].concat()))
        .collect()
}

pub(crate) fn help(bench: &Bench, path: &[String]) -> String {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    bench.run(&args).ok().stdout
}

// spec: cli.md, Commands
#[test]
fn every_command_is_there() {
    let found: Vec<String> = leaves(&Bench::empty(), &[])
        .iter()
        .map(|path| path.join(" "))
        .collect();
    let wanted = [
        "serve",
        "restart",
        "new-site",
        "drop-site",
        "list-sites",
        "use",
        "migrate",
        "list-patches",
        "backup",
        "restore",
        "install-app",
        "uninstall-app",
        "list-apps",
        "bootstrap",
        "set-config",
        "show-config",
        "add-user",
        "add-system-manager",
        "disable-user",
        "enable-user",
        "set-password",
        "set-admin-password",
        "list-users",
        "destroy-all-sessions",
        "oauth-client add",
        "oauth-client list",
        "oauth-client show",
        "oauth-client set",
        "oauth-client rotate-secret",
        "oauth-client disable",
        "oauth-client enable",
        "oauth-client delete",
        "oauth-client report",
        "oauth-client registration-token add",
        "oauth-client registration-token list",
        "oauth-client registration-token revoke",
        "token list",
        "token revoke",
        "keys list",
        "keys rotate",
        "execute",
        "doctor",
        "version",
        "completions",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn help_and_usage_have_their_exit_codes() {
    let bench = Bench::empty();
    bench.run(&["--help"]).ok().says("serve");
    bench.run(&["-h"]).ok().says("Example:");
    bench
        .run(&["help", "oauth-client", "add"])
        .ok()
        .says("--redirect-uri");
    bench.run(&[]).fails(2, "Usage: crema");
    bench.run(&["conquer"]).fails(2, "conquer");
    bench.run(&["list-users", "--colour"]).fails(2, "--colour");
    bench.run(&["list-users", "extra"]).fails(2, "extra");
}

/// The commands after `Example:` and the like.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    let commands = lines.filter(|line| line.starts_with("crema ") || line.starts_with("echo "));
    commands.map(str::to_owned).collect()
}

/// A bench with everything that the examples name.
fn prepared() -> Bench {
    let bench = Bench::new();
    bench.run(&["new-site", "old.localhost"]).ok();
    bench
}

fn name_everything(bench: &Bench, example: &str) {
    let adds_user = example.contains("add-user") || example.contains("add-system-manager");
    if example.contains("jo@example.com") && !adds_user {
        bench.run(&["add-user", "jo@example.com"]).ok();
    }
    if example.contains("bootstrap") {
        bench.run(&["--site", "all", "install-app", "crm"]).ok();
    }
    if example.contains("crema restore ") {
        let made = bench.json(&["backup"]);
        let named = example.split(' ').nth(2).unwrap();
        let path = bench.path().join(made["database"].as_str().unwrap());
        std::fs::rename(&path, path.with_file_name(named)).unwrap();
    }
    if example.contains("install-app shop") {
        crate::apps::shop(bench);
    }
    if example.contains("uninstall-app shop") {
        bench.run(&["install-app", "shop"]).ok();
    }
    if !example.contains("oauth-client add") {
        let add = [
            "oauth-client",
            "add",
            "--id-token-alg",
            "ES256",
            "--app-name",
        ];
        let shop = [
            "Shop",
            "--redirect-uri",
            "https://shop.example.com/callback",
        ];
        let field = [
            "Field App",
            "--public",
            "--redirect-uri",
            "com.example.field://oauth2",
        ];
        bench.run(&[&add[..], &shop].concat()).ok();
        bench.run(&[&add[..], &field].concat()).ok();
    }
}

#[test]
fn every_example_works() {
    let finder = Bench::empty();
    let mut paths = leaves(&finder, &[]);
    paths.extend([
        vec![],
        vec!["oauth-client".to_owned()],
        vec!["oauth-client".to_owned(), "registration-token".to_owned()],
        vec!["token".to_owned()],
        vec!["keys".to_owned()],
    ]);
    for path in paths {
        let found = examples(&help(&finder, &path));
        assert!(!found.is_empty(), "{path:?} has no example");
        for example in found {
            if example.starts_with("crema serve") {
                serves(&example);
            } else if example == "crema restart" {
                let bench = Bench::new();
                let server = bench.serve(&[]);
                bench.shell(&example).ok();
                server.stop();
            } else if example.contains("--db-host db1") {
                makes_a_database(&example);
            } else {
                let bench = prepared();
                name_everything(&bench, &example);
                let run = bench.shell(&example);
                assert_eq!(run.code, 0, "{example}\n{}{}", run.stdout, run.stderr);
            }
        }
    }
}

/// The example on an empty bench, on a port that is free.
fn serves(example: &str) {
    let bench = Bench::empty();
    let port = if example.contains("--port") {
        ""
    } else {
        " --port 0"
    };
    let mut child = Command::new("sh")
        .args([
            "-c",
            &format!("exec {}{port}", example.replacen("crema", CREMA, 1)),
        ])
        .current_dir(bench.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.next().unwrap().unwrap().contains(" listens on "),
        "{example}"
    );
    // Read on, so that the greeting finds its reader.
    let last = lines.find(|line| line.as_ref().unwrap().contains("revoke_token"));
    assert!(last.is_some());
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
}

/// The example with the server of the tests in the place of `db1`.
fn makes_a_database(example: &str) {
    let bench = Bench::empty();
    let root = root(Engine::MariaDb);
    let server = format!("--db-host {} --db-port {}", root.host, root.port);
    let here = example.replace("--db-host db1", &server);
    let with_password = format!("{here} --db-root-password '{}'", root.password);
    bench.shell(&with_password).ok().says("is made");
    let drop = [
        "drop-site",
        "crm.localhost",
        "-y",
        "--db-root-password",
        &root.password,
    ];
    bench.run(&drop).ok();
}
