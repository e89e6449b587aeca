//! Questions and prompts, on a terminal as `script` makes one.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::harness::{Bench, CREMA, SITE, Server};

/// A command on a terminal, and what is typed there: for passwords only once the terminal does
/// not show it.
fn typed(bench: &Bench, command: &str, lines: &[(&str, &str)]) -> (String, i32) {
    let mut child = on_terminal(bench, &format!("tty; exec {CREMA} {command}"));
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let terminal = until(&mut screen, "\n").trim().to_owned();
    let mut seen = String::new();
    for (question, line) in lines {
        seen.push_str(&until(&mut screen, question));
        if !question.ends_with("[y/N] ") {
            while !hides(&terminal) {
                std::thread::yield_now();
            }
        }
        keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }
    let mut rest = Vec::new();
    screen.read_to_end(&mut rest).ok();
    seen.push_str(&String::from_utf8_lossy(&rest));
    let code = child.wait().unwrap().code().unwrap();
    drop(keyboard);
    (seen, code)
}

/// Reads up to this text.
fn until(screen: &mut impl Read, text: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(text.as_bytes()) {
        let read = screen.read(&mut byte).unwrap_or(0);
        assert_eq!(
            read,
            1,
            "{text:?} did not come: {}",
            String::from_utf8_lossy(&seen)
        );
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Whether the terminal does not show what is typed.
fn hides(terminal: &str) -> bool {
    let settings = Command::new("stty")
        .args(["-F", terminal, "-a"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&settings.stdout).contains("-echo ")
}

fn on_terminal(bench: &Bench, command: &str) -> Child {
    Command::new("script")
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .current_dir(bench.path())
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of bsdutils")
}

async fn signs_in(server: &Server, usr: &str, pwd: &str) -> bool {
    server.visitor(SITE).try_login(usr, pwd).await.status == 200
}

// spec: cli.md, "Secrets are read from a prompt, … and never echoed unless asked for"
#[test]
fn passwords_are_asked_for_and_not_shown() {
    let bench = Bench::new();
    let (seen, code) = typed(
        &bench,
        "add-user jo@example.com",
        &[
            ("Password of jo@example.com (empty for none): ", "typed-9"),
            ("The same again: ", "typed-9"),
        ],
    );
    assert_eq!(code, 0, "{seen}");
    assert!(
        seen.contains("User jo@example.com added.") && !seen.contains("typed-9"),
        "{seen}"
    );
    let (seen, code) = typed(
        &bench,
        "set-admin-password",
        &[
            ("Password of Administrator: ", "admins-9"),
            ("The same again: ", "admins-9"),
        ],
    );
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("admins-9"), "{seen}");
    let (seen, code) = typed(
        &bench,
        "set-password jo@example.com",
        &[
            ("Password of jo@example.com: ", "one-9"),
            ("The same again: ", "other-9"),
        ],
    );
    assert_eq!(code, 1, "{seen}");
    assert!(seen.contains("the two passwords differ"), "{seen}");
    let (seen, code) = typed(
        &bench,
        "set-admin-password",
        &[("Password of Administrator: ", "")],
    );
    assert_eq!(code, 2, "{seen}");
    let (seen, code) = typed(
        &bench,
        "add-system-manager ann@example.com",
        &[("Password of ann@example.com (empty for none): ", "")],
    );
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("No password yet"), "{seen}");
    let (seen, code) = typed(
        &bench,
        "new-site x.localhost --db-type mariadb --db-port 1",
        &[("Password of root on the database server: ", "t0p-9")],
    );
    assert_eq!(code, 1, "{seen}");
    assert!(!seen.contains("t0p-9"), "{seen}");
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        assert!(signs_in(&server, "jo@example.com", "typed-9").await);
        assert!(signs_in(&server, "Administrator", "admins-9").await);
    });
    server.stop();
}

#[test]
fn what_cannot_be_undone_is_asked_about() {
    let bench = Bench::new();
    let add = [
        "oauth-client",
        "add",
        "--app-name",
        "Shop",
        "--redirect-uri",
        "https://a.b/c",
    ];
    bench.run(&add).ok();
    let question = "Delete the client Shop with all its tokens? [y/N] ";
    let (seen, code) = typed(&bench, "oauth-client delete Shop", &[(question, "")]);
    assert_eq!(code, 1, "{seen}");
    assert!(seen.contains("nothing was changed"), "{seen}");
    let (seen, code) = typed(&bench, "oauth-client delete Shop", &[(question, "yes")]);
    assert_eq!(code, 0, "{seen}");
    assert_eq!(bench.json(&["oauth-client", "list"]), json!([]));
    let (seen, code) = typed(
        &bench,
        "token revoke",
        &[("Revoke all tokens of all users? [y/N] ", "y")],
    );
    assert_eq!(code, 0, "{seen}");
    let question = "Drop trust.localhost with its database and all its files? [y/N] ";
    let (seen, code) = typed(&bench, &format!("drop-site {SITE}"), &[(question, "n")]);
    assert_eq!(code, 1, "{seen}");
    assert!(bench.site_file(SITE, "site_config.json").exists());
    let (seen, code) = typed(&bench, &format!("drop-site {SITE}"), &[(question, "Y")]);
    assert_eq!(code, 0, "{seen}");
    assert!(!bench.site_file(SITE, "").exists());
}

// spec: cli.md, `serve`: "with no site yet, on a terminal or with `--quickstart`, create one"
#[test]
fn on_a_terminal_the_first_start_makes_a_site() {
    let bench = Bench::empty();
    let mut child = on_terminal(&bench, &format!("exec {CREMA} serve --port 0"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        seen.push(line);
        if seen.last().unwrap().contains("$OAUTH.revoke_token") {
            break;
        }
    }
    assert!(
        seen.iter()
            .any(|line| line.contains("Administrator's password")),
        "{seen:?}"
    );
    // Ctrl-C, as the terminal sends it.
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(&[3]).unwrap();
    keyboard.flush().unwrap();
    seen.extend(lines.map_while(Result::ok));
    assert_eq!(child.wait().unwrap().code(), Some(0), "{seen:?}");
    assert_eq!(bench.json(&["list-sites"])[0]["current"], true);
}
