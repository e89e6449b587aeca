//! Benches, commands and servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crema_testkit::{Http, Visitor};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const CREMA: &str = env!("CARGO_BIN_EXE_crema");
/// The site that most tests have.
pub(crate) const SITE: &str = "trust.localhost";
/// Administrator's password there.
pub(crate) const ADMIN_PASSWORD: &str = "correct-horse-battery-1";
/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bench in a folder that goes away.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A bench without anything.
    pub(crate) fn empty() -> Bench {
        Bench {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A bench with [`SITE`] as its current site.
    pub(crate) fn new() -> Bench {
        let bench = Bench::empty();
        let password = format!("--admin-password={ADMIN_PASSWORD}");
        bench
            .run(&["new-site", SITE, "--set-default", &password])
            .ok();
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn site_file(&self, site: &str, file: &str) -> PathBuf {
        self.path().join("sites").join(site).join(file)
    }

    /// A command of the program in this bench, which is its current folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(CREMA);
        command
            .args(args)
            .current_dir(self.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(args, self.command(args))
    }

    /// Runs a command that reads this from stdin.
    pub(crate) fn run_with(&self, args: &[&str], stdin: &str) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A command that does not read its stdin may be gone by now.
        pipe.write_all(stdin.as_bytes()).ok();
        drop(pipe);
        Run::ended(args, child.wait_with_output().unwrap())
    }

    /// Runs a shell script in this bench; `crema` is the program.
    pub(crate) fn shell(&self, script: &str) -> Run {
        let mut command = Command::new("sh");
        let script = format!("set -eu\ncrema() {{ '{CREMA}' \"$@\"; }}\n{script}");
        command
            .args(["-c", &script])
            .current_dir(self.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        Run::of(&["sh"], command)
    }

    /// The answer of a command as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        self.run(&args).ok().json()
    }

    /// Starts a server on a free port.
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        self.serve_with(args, "info")
    }

    /// Starts a server that logs so much.
    pub(crate) fn serve_with(&self, args: &[&str], log: &str) -> Server {
        let mut all = vec!["serve", "--port", "0", "--json"];
        all.extend(args);
        let mut command = self.command(&all);
        command.env("RUST_LOG", log);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Server::start(command)
    }
}

/// What a command left behind.
pub(crate) struct Run {
    what: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(args: &[&str], mut command: Command) -> Run {
        Run::ended(args, command.output().unwrap())
    }

    fn ended(args: &[&str], output: std::process::Output) -> Run {
        Run {
            what: args.join(" "),
            code: output.status.code().expect("ended by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It was done, and nothing was complained about.
    #[track_caller]
    pub(crate) fn ok(self) -> Run {
        assert_eq!(
            self.code, 0,
            "{}\n{}{}",
            self.what, self.stdout, self.stderr
        );
        self
    }

    /// It ended with this exit code, said this on stderr and answered nothing.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, reason: &str) -> Run {
        let all = format!("{}\n{}{}", self.what, self.stdout, self.stderr);
        assert_eq!(self.code, code, "{all}");
        assert!(self.stderr.contains(reason), "{reason:?} is not in: {all}");
        assert_eq!(self.stdout, "", "{all}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.stdout))
    }

    /// Its answer says this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Run {
        assert!(
            self.stdout.contains(text),
            "{text:?} is not in: {}",
            self.stdout
        );
        self
    }
}

/// A server process.
pub(crate) struct Server {
    child: Child,
    /// Its greeting.
    pub(crate) greeting: Value,
    pub(crate) address: SocketAddr,
    log: Receiver<String>,
    seen: Vec<String>,
}

impl Server {
    /// Starts the server that this command is, with its stdout and stderr as pipes.
    pub(crate) fn start(mut command: Command) -> Server {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let stdout = child.stdout.take().unwrap();
        // Ends with the object, although the pipe stays open.
        let mut greetings = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let Some(Ok(greeting)) = greetings.next() else {
            child.kill().ok();
            let said: Vec<String> = log.iter().collect();
            panic!("the server did not start: {}", said.join("\n"));
        };
        let address = greeting["listening"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap().parse().unwrap();
        Server {
            child,
            greeting,
            address,
            log,
            seen: Vec::new(),
        }
    }

    pub(crate) fn http(&self, host: &str) -> Http {
        Http::new(self.address, host)
    }

    pub(crate) fn visitor(&self, host: &str) -> Visitor {
        Visitor::new(self.http(host))
    }

    /// Sends it a signal, by the name that `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Its process.
    #[allow(dead_code, reason = "for the tests of faults, which take this file in")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as the kernel would, in the middle of whatever it does. Gives everything it logged.
    #[allow(dead_code, reason = "for the tests of faults, which take this file in")]
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.seen.extend(self.log.iter());
        self.seen.join("\n")
    }

    /// Waits for a line of its log.
    pub(crate) fn logged(&mut self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{text:?} was not logged: {:?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for its end. Gives the exit code and everything it logged.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        self.seen.extend(self.log.iter());
        let code = status.code().expect("ended by a signal");
        (code, self.seen.join("\n"))
    }

    /// Ends it as a supervisor does. Gives everything it logged.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (code, log) = self.ended();
        assert_eq!(code, 0, "{log}");
        log
    }
}

/// Sends a process a signal, by the name that `kill` knows.
pub(crate) fn signal(child: &Child, name: &str) {
    // The shell's own: there need not be a program of that name.
    let kill = format!("kill -s {name} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

/// Everything that a process writes until it closes stdout.
pub(crate) fn rest(mut source: impl Read) -> String {
    let mut text = String::new();
    source.read_to_string(&mut text).unwrap();
    text
}

/// A text member of a JSON object.
#[track_caller]
pub(crate) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {json}"))
}
