//! The databases that are measured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// A file in the site's folder.
    Sqlite,
    /// A server of our own.
    Mariadb,
    /// A server of our own.
    Postgres,
}

impl Engine {
    /// Its name in tables, folders and configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Mariadb => "mariadb",
            Engine::Postgres => "postgres",
        }
    }
}

/// The database of a site.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// This file.
    Sqlite(PathBuf),
    /// On MariaDB.
    Mariadb(Account),
    /// On PostgreSQL.
    Postgres(Account),
}

/// Where a database on a server is, and as whom to go there.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Port on this machine.
    pub(crate) port: u16,
    /// User.
    pub(crate) user: String,
    /// The user's password.
    pub(crate) password: String,
    /// Database.
    pub(crate) database: String,
}

impl Database {
    /// As the configuration in the site's folder says.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub(crate) fn of_site(site: &Path) -> Result<Database> {
        let file = site.join("site_config.json");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let config: Value = serde_json::from_str(&text)?;
        match config.get("db_type").and_then(Value::as_str) {
            None | Some("sqlite") => Ok(Database::Sqlite(sqlite_file(site)?)),
            Some("mariadb") => Ok(Database::Mariadb(Account::of(&config)?)),
            Some("postgres") => Ok(Database::Postgres(Account::of(&config)?)),
            Some(other) => bail!("no load for a database of type {other}"),
        }
    }
}

impl Account {
    fn of(config: &Value) -> Result<Account> {
        let text = |name: &str| -> Result<String> {
            let value = config.get(name).and_then(Value::as_str);
            Ok(value
                .with_context(|| format!("no {name} in the configuration"))?
                .to_owned())
        };
        let port = config.get("db_port").and_then(Value::as_u64);
        let name = text("db_name")?;
        Ok(Account {
            port: u16::try_from(port.context("no db_port in the configuration")?)?,
            user: text("db_user").unwrap_or_else(|_| name.clone()),
            password: text("db_password")?,
            database: name,
        })
    }

    /// For MariaDB, with the settings of crema-store that cost or save work.
    pub(crate) fn mariadb(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .ssl_mode(MySqlSslMode::Disabled)
            .collation("utf8mb4_nopad_bin")
    }

    /// For PostgreSQL, with the settings of crema-store that cost or save work.
    pub(crate) fn postgres(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .ssl_mode(PgSslMode::Disable)
    }
}

/// The one database file of a site on SQLite.
fn sqlite_file(site: &Path) -> Result<PathBuf> {
    let folder = site.join("db");
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            return Ok(path);
        }
    }
    bail!("no database file in {}", folder.display())
}
