//! The databases that are measured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A kind of database, and for a server how to make a site on it.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// A file in the site's folder.
    Sqlite,
}

impl Engine {
    /// Its name in tables and folders.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
        }
    }

    /// Options of `crema new-site`.
    pub(crate) fn new_site_options(&self) -> Vec<String> {
        match self {
            Engine::Sqlite => Vec::new(),
        }
    }
}

/// The database of a site.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Database {
    /// This file.
    Sqlite(PathBuf),
}

impl Database {
    /// As the site's configuration says.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub(crate) fn of_site(site: &Path) -> Result<Database> {
        let file = site.join("site_config.json");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let config: Value = serde_json::from_str(&text)?;
        match config.get("db_type").and_then(Value::as_str) {
            None | Some("sqlite") => Ok(Database::Sqlite(crate::site::sqlite_file(site)?)),
            Some(other) => bail!("no load for a database of type {other}"),
        }
    }

    /// What the raw server is told.
    pub(crate) fn raw_option(&self) -> String {
        match self {
            Database::Sqlite(file) => format!("sqlite:{}", file.display()),
        }
    }
}
