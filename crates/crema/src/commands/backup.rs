//! `backup`: what a site holds, in files, while it is served.

use std::fs::{self, DirBuilder, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use crema_document::backup::{FileMark, Header, Progress, key_check, pack};
use crema_document::{Site, Timestamp};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::shell::Shell;

/// What the name of a backup's main file ends with.
pub(super) const DATABASE: &str = "-database.jsonl.gz";
/// What the name of the configuration beside it ends with.
pub(super) const SITE_CONFIG: &str = "-site_config_backup.json";

/// Back up a site: its database and its configuration, and on demand its uploaded files.
///
/// The backup is what the database held at one moment; the site may be served meanwhile. The files
/// go to the site's `private/backups/`, with the names that bench gives them and mode 0600:
/// `-database.jsonl.gz`, `-site_config_backup.json`, and with --with-files `-files.tar` and
/// `-private-files.tar`. The configuration holds the `encryption_key` and the database's password:
/// whoever has it and the database reads every secret of the site. Keep the two apart, or encrypt
/// them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  crema backup --with-files\n  crema --site all backup")]
pub(crate) struct Backup {
    /// Also the uploaded files, public and private, as archives.
    #[arg(long)]
    with_files: bool,
    /// Put the files there instead.
    #[arg(long, value_name = "DIR")]
    backup_path: Option<PathBuf>,
}

impl Backup {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let sites = shell.sites()?;
        shell
            .each(sites, async |name: String| {
                let site = shell.open(&name).await?;
                let now = shell.environment.clock.now();
                let made = Box::pin(self.back_up(site.ctx.provider.site(), now)).await;
                site.close().await;
                made
            })
            .await
    }

    async fn back_up(&self, site: &Site, now: Timestamp) -> anyhow::Result<Answer> {
        let folder = match &self.backup_path {
            Some(folder) => folder.clone(),
            None => site.folder().join("private").join("backups"),
        };
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.with_context(|| folder.display().to_string())?;
        let mut files = Files::named(&folder, site, now);
        let written = self.write(site, now, &mut files).await;
        if written.is_err() {
            files.remove();
        }
        written
    }

    async fn write(
        &self,
        site: &Site,
        now: Timestamp,
        files: &mut Files,
    ) -> anyhow::Result<Answer> {
        let config = site.config();
        let mut header = Header::new(site.name(), config.db_type().name(), now.to_string());
        let key = config.encryption_key();
        header.key_check = key.map(|key| key_check(key.expose()));
        let mut answer = json!({"site": site.name()});
        let mut lines = Vec::new();
        if self.with_files {
            for (folder, ending) in [("public", "-files.tar"), ("private", "-private-files.tar")] {
                let target = files.add(ending);
                let prefix = format!("./{}/{folder}/files", site.name());
                let packed = pack(&site.folder().join(folder).join("files"), &prefix, &target)?;
                header.files.push(FileMark {
                    folder: folder.to_owned(),
                    sha256: packed.sha256,
                });
                lines.push(format!("{} ({} files)", target.display(), packed.files));
                set(&mut answer, &format!("{folder}_files"), json!(target));
            }
        }
        let target = files.add(SITE_CONFIG);
        write_config(site, &target).with_context(|| target.display().to_string())?;
        lines.insert(0, target.display().to_string());
        set(&mut answer, "site_config", json!(target));
        let target = files.add(DATABASE);
        let dumped = site.dump(&target, header, progress()).await;
        end_of_progress();
        let dumped = dumped?;
        let (tables, rows) = (dumped.tables, dumped.rows);
        lines.insert(
            0,
            format!("{} ({tables} tables, {rows} rows)", target.display()),
        );
        set(&mut answer, "database", json!(target));
        set(&mut answer, "tables", json!(tables));
        set(&mut answer, "rows", json!(rows));
        set(&mut answer, "bytes", json!(dumped.bytes));
        Ok(Answer::new(lines.join("\n"), answer))
    }
}

/// The files of one backup.
struct Files {
    folder: PathBuf,
    stem: String,
    made: Vec<PathBuf>,
}

impl Files {
    /// Named after the site's clock, as bench does it; a second later when there is such a backup.
    fn named(folder: &Path, site: &Site, now: Timestamp) -> Files {
        let slug = site.name().replace('.', "_");
        let mut moment = now;
        loop {
            let stem = format!("{}-{slug}", stamp(&site.local(moment).to_string()));
            let taken = |ending: &&str| folder.join(format!("{stem}{ending}")).exists();
            let endings = [DATABASE, SITE_CONFIG, "-files.tar", "-private-files.tar"];
            if !endings.iter().any(taken) {
                return Files {
                    folder: folder.to_owned(),
                    stem,
                    made: Vec::new(),
                };
            }
            moment = moment.plus_seconds(1);
        }
    }

    fn add(&mut self, ending: &str) -> PathBuf {
        let path = self.folder.join(format!("{}{ending}", self.stem));
        self.made.push(path.clone());
        path
    }

    fn remove(&self) {
        for path in &self.made {
            fs::remove_file(path).ok();
        }
    }
}

/// `2026-11-21 23:15:00.123456` → `20261121_231500`.
fn stamp(local: &str) -> String {
    let whole = local.split('.').next().unwrap_or(local);
    let kept = whole
        .chars()
        .filter(|character| !matches!(character, '-' | ':'));
    kept.map(|character| if character == ' ' { '_' } else { character })
        .collect()
}

/// The site's own configuration, and its `encryption_key` also when all sites share one.
fn write_config(site: &Site, target: &Path) -> anyhow::Result<()> {
    let own = fs::read(site.bench().site_config_path(site.name())?)?;
    let mut config: Value = serde_json::from_slice(&own)?;
    if let Some(key) = site.config().encryption_key() {
        set(&mut config, "encryption_key", json!(key.expose()));
    }
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    file.write_all(format!("{config:#}\n").as_bytes())?;
    Ok(file.sync_all()?)
}

fn set(object: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(member.to_owned(), value);
    }
}

/// Shows on a terminal how far the work is.
pub(super) fn progress() -> Progress {
    let shown = io::stderr().is_terminal();
    Arc::new(move |table: &str, rows: u64| {
        if shown {
            write!(io::stderr(), "\r\x1b[K{rows} rows, {table}").ok();
        }
    })
}

/// Leaves the line empty for what comes.
pub(super) fn end_of_progress() {
    if io::stderr().is_terminal() {
        write!(io::stderr(), "\r\x1b[K").ok();
    }
}
