//! The wire between a server and commands of the same bench: a Unix socket per server, below
//! `sites/.servers/`, for the owner of the bench only.
//!
//! One question a connection, one line; the answer is one line of JSON. That somebody answers
//! tells that a server runs: a file that was left behind by a crash refuses connections.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crema_document::Bench;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// What a server is asked.
const RELOAD: &str = "reload";
/// The longest question or answer, in bytes.
const LONGEST: u64 = 4096;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);

fn folder(bench: &Bench) -> PathBuf {
    bench.sites_folder().join(".servers")
}

/// The socket of a running server. It goes away with this.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the folder cannot be written, or the bench's path is longer than sockets may have.
    pub(crate) fn listen(bench: &Bench) -> io::Result<Control> {
        let folder = folder(bench);
        // Whoever may not enter the folder cannot connect, whatever the umask made of the socket.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = folder.join(format!("{}.sock", std::process::id()));
        // Of an earlier process with this number.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        Ok(Control { listener, path })
    }

    /// Obeys until it is dropped. `answer` says who it is, `reload` makes it read everything again.
    pub(crate) async fn obey(self, answer: Value, reload: impl Fn()) {
        loop {
            match self.listener.accept().await {
                // One after the other: nobody but the owner is here.
                Ok((stream, _)) => {
                    let talk = tokio::time::timeout(PATIENCE, talk(stream, &answer, &reload));
                    if let Ok(Err(error)) = talk.await {
                        tracing::debug!(%error, "a command hung up");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "commands cannot reach this server any more");
                    return;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // What is left behind is removed by the next command that finds nobody there.
        fs::remove_file(&self.path).ok();
    }
}

async fn talk(mut stream: UnixStream, answer: &Value, reload: &impl Fn()) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    BufReader::new(reader.take(LONGEST))
        .read_line(&mut line)
        .await?;
    let reply = if line.trim_end() == RELOAD {
        tracing::info!("crema restart: reading the bench again");
        reload();
        answer.clone()
    } else {
        json!({"error": "this server is of another version"})
    };
    writer.write_all(format!("{reply}\n").as_bytes()).await?;
    writer.shutdown().await
}

/// Makes every running server of the bench read everything again. Gives what they answered, those
/// of them that did.
///
/// # Errors
/// When the folder cannot be read or a server does not answer.
pub(crate) async fn reload_all(bench: &Bench) -> io::Result<Vec<Value>> {
    let mut answers = Vec::new();
    for path in sockets(&folder(bench))? {
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                let asked = tokio::time::timeout(PATIENCE, ask(stream));
                let answer = asked.await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))?;
                answers.push(answer);
            }
            // Nobody listens: its process is gone.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(&path).ok();
            }
            // It ended between the look and now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answers)
}

fn sockets(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "sock") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

async fn ask(mut stream: UnixStream) -> io::Result<Value> {
    stream.write_all(format!("{RELOAD}\n").as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST))
        .read_line(&mut line)
        .await?;
    serde_json::from_str(&line).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}
