//! `migrate`: tables and patches up to this version of the program.

use clap::Args;
use crema_document::Site;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::Shell;

/// Bring a site's tables up to this version.
///
/// What is missing is added, patches that did not run yet are run and recorded in Patch Log;
/// nothing is dropped. It may be repeated. Run it after every upgrade, before the new version
/// serves.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema --site all migrate")]
pub(crate) struct Migrate {}

impl Migrate {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let sites = shell.sites()?;
        let registry = shell.registry()?;
        let (registry, environment) = (&registry, &shell.environment);
        shell
            .each(sites, async |name: String| {
                let site = Site::open(&shell.bench, &name, registry.clone())?;
                // Rebuilding a large table takes as long as it takes.
                site.database().unhurried();
                let now = environment.clock.now();
                let migrated = site.migrate(now, shell.random()).await;
                site.close().await;
                let changes: Vec<String> = migrated?.iter().map(ToString::to_string).collect();
                let text = match changes.as_slice() {
                    [] => "Nothing to do.".to_owned(),
                    some => some.join("\n"),
                };
                Ok(Answer::new(text, json!({"changes": changes})))
            })
            .await
    }
}
