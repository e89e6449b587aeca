//! `drop-site`: a site with its database and all its files goes.

use std::fs;

use anyhow::Context as _;
use clap::Args;
use crema_document::config::DbType;
use crema_document::{BenchError, Site};
use serde_json::json;

use super::new_site::RootOptions;
use crate::answer::{self, Answer};
use crate::question::confirm;
use crate::shell::Shell;

/// Drop a site: its database, its database user and all its files.
///
/// It asks first. There is no way back: copy what you want to keep before, see
/// docs/operations.md.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema drop-site old.localhost --yes")]
pub(crate) struct DropSite {
    /// The site.
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Do not ask, and remove the folder even if the database cannot be removed.
    #[arg(long)]
    force: bool,
    /// Leave the database on its server; only the folder goes.
    #[arg(long)]
    keep_database: bool,
    /// Make no backup. Accepted for the habit: none is made.
    #[arg(long)]
    no_backup: bool,
    #[command(flatten)]
    root: RootOptions,
}

impl DropSite {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let folder = shell.bench.site_folder(&self.name)?;
        if !shell.bench.has_site(&self.name) {
            return Err(BenchError::NoSuchSite(self.name.clone()).into());
        }
        let question = format!("Drop {} with its database and all its files?", self.name);
        confirm(&question, self.yes || self.force)?;
        let dropped = self.drop(shell).await;
        let mut left = None;
        if let Err(error) = dropped {
            if !self.force {
                return Err(
                    error.context("nothing was removed, or not all; --force removes the folder")
                );
            }
            left = Some(format!("{error:#}"));
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
            }
        }
        if let Some(reason) = &left {
            answer::note(&format!("The database may be left on its server: {reason}"));
        }
        let json = json!({"site": self.name, "dropped": true, "database_left": left});
        shell.print(&Answer::new(
            format!("Site {} is dropped.", self.name),
            json,
        ))
    }

    async fn drop(&self, shell: &Shell) -> anyhow::Result<()> {
        let kind = shell.bench.site_config(&self.name)?.db_type();
        let root = match kind {
            DbType::Sqlite => None,
            _ if self.keep_database => None,
            server => Some(self.root.credentials(server)?),
        };
        Ok(Site::drop_site(&shell.bench, &self.name, root.as_ref()).await?)
    }
}
