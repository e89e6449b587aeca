//! MariaDB with its usual durability: the log is flushed at each commit.

use std::path::Path;
use std::process::Stdio;

use anyhow::Result;
use sqlx::mysql::MySqlConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{DbServer, as_user, find, free_port, password, prepare, run, wait};
use crate::engine::Account;

const SETTINGS: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=1G",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--local-infile=ON",
    "--max-connections=200",
];

pub(super) async fn start(folder: &Path) -> Result<Option<DbServer>> {
    let server = find(&["mariadbd", "/usr/sbin/mariadbd", "/usr/libexec/mariadbd"]);
    let (Some(server), Some(install)) = (server, find(&["mariadb-install-db"])) else {
        return Ok(None);
    };
    let user = "mysql";
    prepare(folder, user)?;
    let data = folder.join("data");
    if !data.exists() {
        run(as_user(user, &install)?
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .args(["--skip-test-db", "--skip-name-resolve"])
            .arg("--auth-root-authentication-method=normal")
            .current_dir(folder))?;
    }
    let root = Account {
        port: free_port()?,
        user: "root".to_owned(),
        password: password(folder)?,
        database: "mysql".to_owned(),
    };
    let accounts = folder.join("accounts.sql");
    std::fs::write(
        &accounts,
        format!(
            "DROP USER IF EXISTS ''@'localhost';\n\
             CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY '{0}';\n\
             GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION;\n\
             CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{0}';\n\
             GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n",
            root.password
        ),
    )?;
    // The folder belongs to the server's user now, and so does this file.
    prepare(folder, user)?;
    let log = folder.join("error.log");
    let mut child = as_user(user, &server)?
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        // Relative to the data folder: absolute names have a short limit.
        .arg("--socket=mariadb.sock")
        .arg(format!("--log-error={}", log.display()))
        .args(["--bind-address=127.0.0.1", &format!("--port={}", root.port)])
        .arg(format!("--init-file={}", accounts.display()))
        .args(SETTINGS)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let options = root.mariadb();
    let version = wait(&mut child, &log, || async {
        let mut connection: MySqlConnection = options.connect().await?;
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(version)
    })
    .await?;
    Ok(Some(DbServer {
        child,
        stop: "TERM",
        root,
        about: format!("MariaDB {version}, {}.", SETTINGS.join(" ")),
    }))
}
