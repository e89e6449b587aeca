//! `docs/command-line.md`: what `--help` says, of every command.
//!
//! `UPDATE=1 cargo test -p crema --test cli command_line` writes the page anew.

use std::fs;
use std::path::Path;

use crate::harness::Bench;
use crate::help::{help, leaves};

const HEAD: &str = "\
# The command line

`crema [--bench DIR] [--site NAME|all] COMMAND`. The bench, the folder that holds `sites/`, is the current
folder unless `--bench` names another. Most commands are for one site: `--site`, else the current one
(`crema use`); `--site all` does it for each and goes on when it fails for one of them.

- `--json` makes every answer JSON, for scripts.
- Exit code 0: done. 1: failed, the reason is on stderr, with what to do about it. 2: wrong usage.
- Passwords and secrets are asked for on a terminal, or read from a file or stdin with the option that the
  command has for it. What is made is shown once, and never kept in clear.
- What a command changes, a running server obeys at its next request.
- `crema completions bash` (or zsh, fish) writes what a shell needs to complete commands and options.

This page is what `crema COMMAND --help` says.

";

/// A section for each command, with its name.
fn sections() -> Vec<(String, String)> {
    let bench = Bench::empty();
    let mut paths = vec![Vec::new()];
    paths.extend(leaves(&bench, &[]));
    let section = |path: Vec<String>| {
        let name = format!("crema {}", path.join(" ")).trim_end().to_owned();
        let text = section(&name, &help(&bench, &path));
        (name, text)
    };
    paths.into_iter().map(section).collect()
}

fn section(name: &str, help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let text = lines.join("\n");
    // Commands have sections of their own, and what all of them take is told once.
    let (left_out, next) = match name {
        "crema" => ("\n\nCommands:", "\n\nOptions"),
        _ => ("\n\nOptions of every command:", "\n\nExample"),
    };
    let (before, after) = text.split_once(left_out).unwrap();
    let after = after.find(next).map_or("", |place| &after[place..]);
    format!(
        "## {name}\n\n<!-- not run: the help's examples are, with the help -->\n```\n{before}{after}\n```\n"
    )
}

#[test]
fn the_page_says_what_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
    let wanted = sections();
    if std::env::var_os("UPDATE").is_some() {
        let all: Vec<&str> = wanted.iter().map(|(_, text)| text.as_str()).collect();
        fs::write(&path, format!("{HEAD}{}", all.join("\n"))).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.starts_with(HEAD));
    let other = wanted.iter().filter(|(_, text)| !page.contains(text));
    let other: Vec<&str> = other.map(|(name, _)| name.as_str()).collect();
    assert!(
        other.is_empty(),
        "docs/command-line.md does not say what --help does for {other:?}: \
         UPDATE=1 cargo test -p crema --test cli command_line"
    );
}
