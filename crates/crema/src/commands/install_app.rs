//! `install-app`: the DocTypes and documents of an app come to a site.

use clap::Args;
use crema_auth::apps;
use crema_document::apps::{AppFolder, installed};
use serde_json::json;

use crate::answer::Answer;
use crate::shell::{OpenSite, SiteCommand};

/// Install an app: its DocTypes with their tables, its documents.
///
/// `crm` comes with the program, see docs/crm.md. Any other app is a folder below `apps/` with DocTypes in Frappe's JSON format and documents in
/// `fixtures/`; see docs/apps.md. A running server serves it at its next request. An app that is
/// installed already is brought up to what its folder holds, as `migrate` does it.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema install-app shop")]
pub(crate) struct InstallApp {
    /// The apps: crm, or folders of these names below `apps/`.
    #[arg(value_name = "APP", required = true)]
    apps: Vec<String>,
    /// Install again. Accepted for the habit: what differs is brought up to date anyway.
    #[arg(long)]
    force: bool,
}

impl SiteCommand for InstallApp {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        install(site, &self.apps).await
    }
}

/// Installs apps one after the other.
///
/// # Errors
/// When one cannot be used. All are looked at before the first is installed.
pub(crate) async fn install(site: &OpenSite, names: &[String]) -> anyhow::Result<Answer> {
    let on_site = site.ctx.provider.site();
    let mut folders = Vec::new();
    for name in names {
        folders.push(AppFolder::read(on_site.bench(), name)?);
    }
    let known = installed(on_site.database()).await?;
    let mut texts = Vec::new();
    let mut answers = Vec::new();
    for folder in folders {
        let (name, version) = (folder.name.clone(), folder.version.clone());
        let before = known.iter().any(|app| app.name == name);
        let changes = apps::install(&site.ctx, folder).await?;
        texts.push(match (before, changes.is_empty()) {
            (false, _) => format!("App {name} is installed."),
            (true, true) => format!("App {name} is installed already."),
            (true, false) => format!("App {name} is brought up to date."),
        });
        texts.extend(changes.iter().map(|change| format!("  {change}")));
        answers.push(json!({
            "app": name,
            "version": version,
            "new": !before,
            "changes": changes,
        }));
    }
    Ok(Answer::new(texts.join("\n"), json!(answers)))
}
