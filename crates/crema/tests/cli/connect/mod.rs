//! The pages `docs/connect-*.md` and `docs/discovery.md`, followed as they stand: commands in a
//! shell, programs as programs, and the person in front of them in Chromium.

mod command_line;
mod discovery;
mod mcp;
mod mobile;
mod shell;
mod single_page;

use std::fs;
use std::path::{Path, PathBuf};

use crema_testkit::Browser;

use crate::docs::block;
use crate::harness::{Bench, Server, text};
use shell::Shell;

/// Who signs in on the pages.
const JO: &str = "jo@example.com";
const PASSWORD: &str = "correct-horse-battery-9";

/// A reader of a page, with a server of their own.
struct Reader {
    page: &'static str,
    bench: Bench,
    server: Server,
    /// What stands on the page, and what is used instead.
    instead: Vec<(String, String)>,
    shell: Shell,
}

impl Reader {
    /// Starts a server as the page says, and a shell in its folder. `host` is the name by which
    /// the page calls the site.
    fn of(page: &'static str, host: &str) -> Reader {
        let bench = Bench::empty();
        let server = bench.serve(&["--quickstart"]);
        let port = server.address.port();
        let password = text(&server.greeting["quickstart"], "administrator_password");
        let mut shell = Shell::start(&bench);
        let site = format!("http://{host}:{port}");
        shell.run(&format!("SITE={site}\nADMIN_PASSWORD='{password}'"));
        let instead = vec![(format!("http://{host}:8000"), site)];
        Reader {
            page,
            bench,
            server,
            instead,
            shell,
        }
    }

    /// From now on this is used where the page shows that.
    fn replace(&mut self, shown: &str, used: impl Into<String>) {
        self.instead.push((shown.to_owned(), used.into()));
    }

    /// A block of the page, with what is used instead.
    fn block(&self, name: &str) -> String {
        let mut code = block(self.page, name);
        for (shown, used) in &self.instead {
            code = code.replace(shown, used);
        }
        code
    }

    /// Runs a block of commands; gives what they said.
    fn run(&mut self, name: &str) -> String {
        let code = self.block(name);
        self.shell.run(&code)
    }

    /// Saves a block under its name, as the page asks to.
    fn save(&self, name: &str) -> PathBuf {
        let path = self.bench.path().join(name);
        fs::write(&path, self.block(name)).unwrap();
        path
    }

    /// What a command printed after this label.
    #[track_caller]
    fn said<'a>(said: &'a str, label: &str) -> &'a str {
        let mut lines = said.lines();
        let found = lines.find_map(|line| line.strip_prefix(label));
        found
            .unwrap_or_else(|| panic!("no {label:?} in: {said}"))
            .trim()
    }

    fn stop(self) {
        self.shell.stop();
        self.server.stop();
    }
}

/// Jo, who presses Allow where the browser is, after signing in where nobody is signed in yet.
async fn allow(browser: &Browser) {
    browser.find("#login_email, #allow").await;
    if browser.has("#login_email").await {
        browser.sign_in(JO, PASSWORD).await;
    }
    browser.click("#allow").await;
}

/// The shell of many readers takes `#` at its prompt for a word like any other.
#[test]
fn what_is_typed_has_no_comments() {
    for page in [
        "docs/connect-cli.md",
        "docs/connect-mcp-client.md",
        "docs/connect-mobile-app.md",
        "docs/connect-single-page-app.md",
        "docs/discovery.md",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(page);
        let text = fs::read_to_string(path).unwrap();
        for code in text.split("\n```sh\n").skip(1) {
            let code = code.split_once("\n```").unwrap().0;
            assert!(!code.contains("# "), "{page}: {code}");
        }
    }
}
