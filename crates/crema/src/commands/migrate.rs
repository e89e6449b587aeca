//! `migrate`: tables, patches and apps up to this version of the program and to the apps' folders.

use clap::Args;
use crema_auth::{Environment, apps};
use crema_document::apps::AppFolder;
use crema_document::schema::Change;
use crema_document::{Site, SiteError};
use serde_json::json;

use crate::answer::Answer;
use crate::shell::{OpenSite, Shell};

/// Bring a site's tables up to this version, and its apps up to what their folders hold.
///
/// What is missing is added, what is too narrow is widened, patches that did not run yet are run
/// and recorded in Patch Log; nothing is dropped. A change of an app that would lose data is
/// refused with the reason, before anything is done. It may be repeated. Run it after every upgrade, before the new version
/// serves.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema --site all migrate")]
pub(crate) struct Migrate {}

impl Migrate {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let sites = shell.sites()?;
        shell
            .each(sites, async |name: String| {
                let changes = one(shell, &name).await?;
                let text = match changes.as_slice() {
                    [] => "Nothing to do.".to_owned(),
                    some => some.join("\n"),
                };
                Ok(Answer::new(text, json!({"changes": changes})))
            })
            .await
    }
}

/// Migrates one site. Answers what was done.
///
/// # Errors
/// When something could not be done; what came before it is done.
pub(crate) async fn one(shell: &Shell, name: &str) -> anyhow::Result<Vec<String>> {
    let site = Site::open(&shell.bench, name, shell.registry()?)?;
    // Rebuilding a large table takes as long as it takes.
    site.database().unhurried();
    let now = shell.environment.clock.now();
    match site.migrate(now, shell.random()).await {
        Ok(changes) => with_fixtures(site, &shell.environment, &changes).await,
        Err(error) => {
            site.close().await;
            Err(error.into())
        }
    }
}

/// What was done, with the documents and patches of the apps.
async fn with_fixtures(
    site: Site,
    environment: &Environment,
    changes: &[Change],
) -> anyhow::Result<Vec<String>> {
    let mut done: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let folders = site.app_folders().await?;
    let is_code = |app: &AppFolder| environment.apps.iter().any(|code| code.name == app.name);
    if (folders.iter()).all(|app| app.fixtures.is_empty() && !is_code(app)) {
        site.close().await;
        return Ok(done);
    }
    let site = OpenSite::of(site, environment.clone()).await?;
    let rest = of_apps(&site, &folders).await;
    site.close().await;
    done.extend(rest?);
    Ok(done)
}

async fn of_apps(site: &OpenSite, folders: &[AppFolder]) -> Result<Vec<String>, SiteError> {
    let mut done = apps::fixtures(&site.ctx, folders).await?;
    done.extend(apps::patches(&site.ctx).await?);
    Ok(done)
}
