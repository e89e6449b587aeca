//! `restore`: a site becomes what a backup holds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use crema_document::backup::{self, Unpacked, key_check, unpack};
use crema_document::{SecretText, Site};
use serde_json::{Value, json};

use super::backup::{DATABASE, SITE_CONFIG, end_of_progress, progress};
use super::migrate;
use crate::advice::{Advised, Usage};
use crate::answer::Answer;
use crate::question::confirm;
use crate::shell::Shell;

/// Replace what a site holds by a backup, whichever of the three databases it came from.
///
/// It asks first. The backup is read to its end before anything is touched; then all rows are
/// replaced in one transaction, so that the site is wholly the old one or wholly the new one. It may
/// be served meanwhile: who wants to change something has to wait, and hears 503 after some seconds.
/// At the end it is migrated. Tokens and sessions that lived in the backup live again, also those
/// that were ended since. For a new site, make it first: crema new-site NAME.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crema restore 20261121_231500-trust_localhost-database.jsonl.gz --yes"
)]
pub(crate) struct Restore {
    /// The backup: a file that `crema backup` made, or its name in the site's `private/backups/`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the site's public files by those of this archive.
    #[arg(long, value_name = "TAR")]
    with_public_files: Option<PathBuf>,
    /// Replace the site's private files by those of this archive.
    #[arg(long, value_name = "TAR")]
    with_private_files: Option<PathBuf>,
    /// The configuration that was backed up, for its `encryption_key`. Without it, the one beside
    /// the backup.
    #[arg(long, value_name = "JSON")]
    site_config: Option<PathBuf>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// The same as --yes.
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        if shell.means_all() {
            let text = "A backup is one site's: name it with --site NAME.";
            return Err(Usage(text.to_owned()).into());
        }
        for name in shell.sites()? {
            let answer = Box::pin(self.restore(shell, &name)).await?;
            shell.print(&answer)?;
        }
        Ok(())
    }

    async fn restore(&self, shell: &Shell, name: &str) -> anyhow::Result<Answer> {
        let file = found(&self.file, &shell.bench.site_folder(name)?);
        let backup = backup::Backup::check(&file)?;
        let key = self.new_key(shell, name, &backup, &file)?;
        let of = &backup.header;
        let question = format!(
            "Replace everything in {name} by the backup of {}, {}?",
            of.site, of.at
        );
        confirm(&question, self.yes || self.force)?;
        let archives = self.archives(shell, name, &backup)?;
        let site = Site::open(&shell.bench, name, shell.registry()?)?;
        site.database().unhurried();
        let restored = site.restore(&backup, progress()).await;
        end_of_progress();
        site.close().await;
        restored.context("nothing was restored")?;
        if let Some(key) = &key {
            // From here on a second run completes what is left.
            let key = Value::from(key.expose());
            let set = shell.bench.set_config(Some(name), "encryption_key", key);
            set.context("the database is restored, but not the encryption_key; restore it again")?;
        }
        let files = archives.iter().map(|unpacked| unpacked.files).sum::<u64>();
        for unpacked in archives {
            unpacked
                .swap()
                .context("the database is restored, but not all files; restore them again")?;
        }
        let changes = migrate::one(shell, name).await;
        let changes = changes.context("the backup is restored, but not migrated")?;
        let (tables, rows) = (backup.tables(), backup.rows);
        let mut text = format!(
            "Site {name} is restored: {tables} tables, {rows} rows, {files} files, as of {}.",
            of.at
        );
        if key.is_some() {
            text.push_str("\nIts encryption_key is the one of the backup again.");
        }
        let json = json!({
            "site": name,
            "of": of.site,
            "at": of.at,
            "tables": tables,
            "rows": rows,
            "files": files,
            "encryption_key_restored": key.is_some(),
            "changes": changes,
        });
        Ok(Answer::new(text, json))
    }

    /// The key that the backup's secrets need, when the site has another.
    fn new_key(
        &self,
        shell: &Shell,
        name: &str,
        backup: &backup::Backup,
        file: &Path,
    ) -> anyhow::Result<Option<SecretText>> {
        let Some(wanted) = backup.header.key_check.as_deref() else {
            return Ok(None);
        };
        let fits = |key: &SecretText| key_check(key.expose()) == wanted;
        let config = shell.bench.site_config(name)?;
        if config.encryption_key().as_ref().is_some_and(fits) {
            return Ok(None);
        }
        let beside = file.to_string_lossy();
        let beside = beside
            .strip_suffix(DATABASE)
            .map(|stem| PathBuf::from(format!("{stem}{SITE_CONFIG}")));
        let from = match &self.site_config {
            Some(path) => Some(path.clone()),
            None => beside.filter(|path| path.exists()),
        };
        let key = from.as_deref().map(key_of).transpose()?.flatten();
        key.filter(fits).map(Some).ok_or_else(|| {
            Advised::error(
                "the secrets in the backup were encrypted under another encryption_key than that of \
                 this site; nothing was changed",
                "Give the configuration that was backed up with it: --site-config FILE",
            )
        })
    }

    /// The archives, laid out beside what they will replace.
    fn archives(
        &self,
        shell: &Shell,
        name: &str,
        backup: &backup::Backup,
    ) -> anyhow::Result<Vec<Unpacked>> {
        let site = shell.bench.site_folder(name)?;
        let given = [
            ("public", &self.with_public_files),
            ("private", &self.with_private_files),
        ];
        let mut archives = Vec::new();
        for (folder, archive) in given {
            let Some(archive) = archive else {
                continue;
            };
            let mut marks = backup.header.files.iter();
            let mark = marks.find(|mark| mark.folder == folder);
            let sha256 = mark.map(|mark| mark.sha256.as_str());
            let archive = found(archive, &site);
            archives.push(unpack(&archive, sha256, &site.join(folder).join("files"))?);
        }
        Ok(archives)
    }
}

/// The file of that path, else the one of that name among the site's backups.
fn found(path: &Path, site_folder: &Path) -> PathBuf {
    let kept = site_folder.join("private").join("backups").join(path);
    if !path.exists() && path.components().count() == 1 && kept.exists() {
        return kept;
    }
    path.to_owned()
}

/// The `encryption_key` in a configuration that was backed up.
fn key_of(path: &Path) -> anyhow::Result<Option<SecretText>> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    // What it says about a syntax error may quote the file.
    let config: Value = serde_json::from_slice(&text)
        .map_err(|_| anyhow::anyhow!("{}: this is no JSON", path.display()))?;
    Ok(config
        .get("encryption_key")
        .and_then(Value::as_str)
        .map(SecretText::from))
}
