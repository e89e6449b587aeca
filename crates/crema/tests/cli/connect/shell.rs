//! A shell that stays, so that the blocks of a page belong together.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::harness::{Bench, CREMA};

/// How long a command may say nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the shell says when a block has ended.
const ENDED: &str = "== the block has ended ==";

/// A terminal of the reader.
pub(super) struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    /// Opens one in the folder of a bench; `crema` is the program under test.
    pub(super) fn start(bench: &Bench) -> Shell {
        let mut child = Command::new("sh")
            .current_dir(bench.path())
            // Programs that want to show a page say which.
            .env("BROWSER", "echo browser %s")
            .env("HOME", bench.path())
            .env("PYTHONUNBUFFERED", "1")
            .env("NO_PROXY", "*")
            .env("no_proxy", "*")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        let mut shell = Shell {
            child,
            input,
            lines,
        };
        shell.run(&format!(
            "exec 2>&1\nset -eu\ncrema() {{ '{CREMA}' \"$@\"; }}"
        ));
        shell
    }

    /// Runs commands to their end; gives what they said.
    #[track_caller]
    pub(super) fn run(&mut self, script: &str) -> String {
        self.begin(script);
        self.end()
    }

    /// Begins to run commands, which need somebody's help.
    pub(super) fn begin(&mut self, script: &str) {
        let script = format!("{{\n{script}\n}} < /dev/null\nprintf '\\n%s\\n' '{ENDED}'\n");
        self.input.write_all(script.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for a line that begins so; gives the rest of it.
    #[track_caller]
    pub(super) fn line(&mut self, begin: &str) -> String {
        let mut said = String::new();
        loop {
            let line = self.next(&said);
            assert!(line != ENDED, "no {begin:?} in: {said}");
            if let Some(rest) = line.strip_prefix(begin) {
                return rest.trim().to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        }
    }

    /// Waits for the end of the commands; gives what they said.
    #[track_caller]
    pub(super) fn end(&mut self) -> String {
        let mut said = String::new();
        loop {
            let line = self.next(&said);
            if line == ENDED {
                return said;
            }
            said.push_str(&line);
            said.push('\n');
        }
    }

    #[track_caller]
    fn next(&mut self, said: &str) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(_) => panic!("the commands failed, or do not end: {said}"),
        }
    }

    /// Closes it.
    pub(super) fn stop(self) {
        let Shell {
            mut child, input, ..
        } = self;
        drop(input);
        assert!(child.wait().unwrap().success());
    }
}
