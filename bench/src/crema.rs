//! The program that is measured: finding it, its commands, its server.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::clock;

/// The program and the bench that it works on.
#[derive(Debug, Clone)]
pub(crate) struct Crema {
    program: PathBuf,
    bench: PathBuf,
}

impl Crema {
    /// This program on that bench.
    pub(crate) fn new(program: &Path, bench: &Path) -> Crema {
        Crema {
            program: program.to_owned(),
            bench: bench.to_owned(),
        }
    }

    /// The bench.
    pub(crate) fn bench(&self) -> &Path {
        &self.bench
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // The default level of logging is what an operator has.
        command
            .arg("--bench")
            .arg(&self.bench)
            .args(args)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command. Gives what it answered.
    ///
    /// # Errors
    /// When it fails; with what it said.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let output = self
            .command(args)
            .output()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        if !output.status.success() {
            bail!(
                "crema {}: {}",
                args.first().unwrap_or(&""),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command that answers with a JSON object.
    ///
    /// # Errors
    /// As [`Crema::run`].
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let mut args = args.to_vec();
        args.push("--json");
        Ok(serde_json::from_str(&self.run(&args)?)?)
    }

    /// Starts the server. Its log goes to a file in the bench, as under a supervisor.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn serve(&self) -> Result<Server> {
        self.serve_with(&[])
    }

    /// Starts the server with further options.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn serve_with(&self, options: &[&str]) -> Result<Server> {
        let log = std::fs::File::create(self.bench.join("serve.log"))?;
        let mut child = self
            .command(&["serve", "--port", "0", "--json"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut server = Server::new(child);
        // Ends with the object, although the pipe stays open.
        let mut greetings = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let greeting = greetings.next().with_context(|| {
            format!(
                "the server did not start: see {}/serve.log",
                self.bench.display()
            )
        })??;
        let address = greeting
            .get("listening")
            .and_then(Value::as_str)
            .and_then(|url| url.strip_prefix("http://"))
            .context("no address in the greeting")?;
        server.address = address.parse()?;
        Ok(server)
    }
}

/// A server process, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// A process that listens somewhere still unknown.
    pub(crate) fn new(child: Child) -> Server {
        Server {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a supervisor does, and waits.
    ///
    /// # Errors
    /// When it does not end within half a minute.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.pid().to_string();
        Command::new("sh")
            .args(["-c", "kill -s TERM \"$0\"", &pid])
            .status()?;
        for _ in 0..3_000 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            clock::pause(Duration::from_millis(10)).await;
        }
        bail!("the server did not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already, or a run that failed: there is nobody to tell.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts this program as the raw server.
///
/// # Errors
/// When it does not start.
pub(crate) fn serve_raw(args: &[String]) -> Result<Server> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("raw")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().context("no stdout")?;
    let mut server = Server::new(child);
    let mut line = Vec::new();
    let mut byte = [0];
    while stdout.read(&mut byte)? == 1 && byte != *b"\n" {
        line.extend_from_slice(&byte);
    }
    let line = String::from_utf8(line)?;
    server.address = line
        .parse()
        .with_context(|| format!("the raw server did not start: {line}"))?;
    Ok(server)
}

/// The release build of the program, made with `cargo` when it is not there or old.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn build(cargo: &str) -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    eprintln!("building the release server (cargo build --release -p crema)");
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "-p",
            "crema",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {cargo}; name the program with --crema"))?;
    if !output.status.success() {
        bail!("the server could not be built");
    }
    let messages = String::from_utf8(output.stdout)?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| {
            message
                .pointer("/target/name")
                .is_some_and(|name| name == "crema")
        })
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .context("cargo named no executable")
}
