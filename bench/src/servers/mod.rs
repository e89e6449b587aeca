//! Private database servers that lose nothing: those of the tests run without durability.

mod mariadb;
mod postgres;

use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use crema_crypto::SystemEntropy;

use crate::clock;
use crate::engine::{Account, Engine};

/// A server of ours; it ends properly when this is dropped, so that its data can be used again.
pub(crate) struct DbServer {
    child: Child,
    stop: &'static str,
    /// Its administrator.
    pub(crate) root: Account,
    /// Version and settings.
    pub(crate) about: String,
}

impl DbServer {
    /// Starts a server whose data lies in that folder. Gives none when it is not installed.
    ///
    /// # Errors
    /// When it is installed and does not start.
    pub(crate) async fn start(engine: Engine, folder: &Path) -> Result<Option<DbServer>> {
        match engine {
            Engine::Sqlite => Ok(None),
            Engine::Mariadb => mariadb::start(folder).await,
            Engine::Postgres => postgres::start(folder).await,
        }
    }

    /// Options of `crema new-site` for a site on it.
    pub(crate) fn new_site_options(&self, engine: Engine) -> Vec<String> {
        vec![
            format!("--db-type={}", engine.name()),
            "--db-host=127.0.0.1".to_owned(),
            format!("--db-port={}", self.root.port),
            format!("--db-root-username={}", self.root.user),
            format!("--db-root-password={}", self.root.password),
        ]
    }
}

impl Drop for DbServer {
    fn drop(&mut self) {
        // Nobody is left to tell when it is gone already.
        let pid = self.child.id().to_string();
        let kill = format!("kill -s {} \"$0\"", self.stop);
        Command::new("sh").args(["-c", &kill, &pid]).status().ok();
        self.child.wait().ok();
    }
}

/// The first of these that is a file or on the path.
fn find(candidates: &[&str]) -> Option<PathBuf> {
    candidates.iter().find_map(|candidate| {
        let which = format!("command -v {candidate}");
        let found = Command::new("sh").args(["-c", &which]).output().ok()?;
        let path = String::from_utf8(found.stdout).ok()?;
        (!path.trim().is_empty()).then(|| PathBuf::from(path.trim()))
    })
}

/// Whether this process is root, whom database servers refuse to run as.
fn is_root() -> Result<bool> {
    let id = Command::new("id").arg("-u").output()?;
    Ok(id.stdout.trim_ascii() == b"0")
}

/// A command as the server's own user when this process is root.
fn as_user(user: &str, program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
        .arg(program);
    Ok(command)
}

/// The folder, which the server's own user can write to.
fn prepare(folder: &Path, user: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    if !is_root()? {
        return Ok(());
    }
    // The way to it; what lies beside it has its own permissions.
    for above in folder.ancestors().skip(1).take(2) {
        std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o711))?;
    }
    run(Command::new("chown").args(["-R", user]).arg(folder))?;
    let reached = as_user(user, Path::new("test"))?
        .arg("-w")
        .arg(folder)
        .status()?;
    ensure!(
        reached.success(),
        "the user {user} cannot reach {}; choose another folder with --keep",
        folder.display()
    );
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// The administrator's password: drawn once and kept beside the data.
fn password(folder: &Path) -> Result<String> {
    let file = folder.with_extension("password");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return Ok(text);
    }
    let password = crema_crypto::token::random_token(&SystemEntropy);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&file)?;
    std::io::Write::write_all(&mut file, password.expose().as_bytes())?;
    Ok(password.expose().clone())
}

/// A port that nobody listens on just now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Asks again and again until the server answers or its process ends.
async fn wait<T, F>(child: &mut Child, log: &Path, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    for _ in 0..1_200 {
        if let Some(status) = child.try_wait()? {
            bail!("the server ended ({status}): see {}", log.display());
        }
        if let Ok(answer) = ask().await {
            return Ok(answer);
        }
        clock::pause(Duration::from_millis(100)).await;
    }
    bail!("the server did not answer: see {}", log.display())
}
