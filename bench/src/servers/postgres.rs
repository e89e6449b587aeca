//! PostgreSQL with its usual durability: fsync, full pages, synchronous commit.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{DbServer, as_user, find, free_port, password, prepare, run, wait};
use crate::engine::Account;

const SETTINGS: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=1GB",
    "max_wal_size=4GB",
    "max_connections=200",
];

/// The newest installation: Debian keeps them off the path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut found: Vec<(u32, PathBuf)> = versions
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs
                .join("postgres")
                .exists()
                .then_some((version, programs))
        })
        .collect();
    found.sort();
    let on_path = || find(&["postgres"])?.parent().map(Path::to_owned);
    found.pop().map(|(_, programs)| programs).or_else(on_path)
}

pub(super) async fn start(folder: &Path) -> Result<Option<DbServer>> {
    let Some(programs) = programs() else {
        return Ok(None);
    };
    let user = "postgres";
    prepare(folder, user)?;
    let data = folder.join("data");
    let root = Account {
        port: free_port()?,
        user: "postgres".to_owned(),
        password: password(folder)?,
        database: "postgres".to_owned(),
    };
    if !data.exists() {
        let file = folder.join("password");
        std::fs::write(&file, &root.password)?;
        prepare(folder, user)?;
        run(as_user(user, &programs.join("initdb"))?
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "--auth=scram-sha-256"])
            .arg(format!("--pwfile={}", file.display()))
            .args(["--encoding=UTF8", "--locale=C"])
            .current_dir(folder))?;
        std::fs::remove_file(&file).context("the password file")?;
    }
    let log = folder.join("server.log");
    let mut command = as_user(user, &programs.join("postgres"))?;
    command
        .arg("-D")
        .arg(&data)
        .args(["-p", &root.port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log)?)
        .spawn()?;
    let options = root.postgres();
    let version = wait(&mut child, &log, || async {
        let mut connection: PgConnection = options.connect().await?;
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(version)
    })
    .await?;
    Ok(Some(DbServer {
        child,
        // Fast shutdown: does not wait for clients.
        stop: "INT",
        root,
        about: format!("PostgreSQL {version}, {}.", SETTINGS.join(" ")),
    }))
}
