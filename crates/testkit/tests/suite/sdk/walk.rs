//! A program of a client that logs somebody in: it asks for the browser, and goes on.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use super::*;

/// A running walk. Its lines are JSON, `{"ask", "argument"}`; each is answered by one line, and the
/// last one is `done`.
pub(super) struct Walk {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    complaints: JoinHandle<String>,
}

/// What a walk wants.
pub(super) struct Ask {
    pub(super) what: String,
    pub(super) argument: Value,
}

impl Walk {
    /// Starts a program with its task as an argument.
    pub(super) fn start(program: &Path, script: &str, task: &Value) -> Walk {
        let mut child = Command::new(program)
            .arg(installed(script))
            .arg(task.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("http_proxy")
            .env("NO_PROXY", "*")
            .env("no_proxy", "*")
            .kill_on_drop(true)
            .spawn()
            .expect("it does not start");
        let mut errors = child.stderr.take().unwrap();
        Walk {
            input: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            complaints: tokio::spawn(async move {
                let mut text = String::new();
                errors.read_to_string(&mut text).await.ok();
                text
            }),
            child,
        }
    }

    /// What it wants next; nothing when it has come to its end.
    pub(super) async fn next(&mut self) -> Option<Ask> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("the walk is too slow").unwrap();
        let Some(line) = line else {
            panic!("the walk failed\n{}", self.complaints().await);
        };
        if line == "done" {
            assert!(self.child.wait().await.unwrap().success());
            return None;
        }
        let Ok(mut ask) = serde_json::from_str::<Value>(&line) else {
            panic!("{line}\n{}", self.complaints().await);
        };
        Some(Ask {
            what: ask["ask"].as_str().expect("no question").to_owned(),
            argument: ask["argument"].take(),
        })
    }

    /// Lets it go on.
    pub(super) async fn answer(&mut self, answer: Value) {
        let line = format!("{answer}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    async fn complaints(&mut self) -> String {
        self.child.start_kill().ok();
        (&mut self.complaints).await.unwrap_or_default()
    }
}

/// Opens an authorization request in the browser, signs in when asked to, and allows. Gives what
/// the page of consent said.
pub(super) async fn allow(browser: &Browser, url: &str) -> String {
    decide(browser, url, "#allow").await
}

/// The same with either button.
pub(super) async fn decide(browser: &Browser, url: &str, button: &str) -> String {
    browser.open(url).await;
    browser.find("#login_email, #allow").await;
    if browser.has("#login_email").await {
        browser.sign_in(USER, PASSWORD).await;
    }
    browser.find(button).await;
    let page = browser.text("main").await;
    browser.click(button).await;
    page
}
