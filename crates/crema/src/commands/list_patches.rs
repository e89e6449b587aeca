//! `list-patches`: which patches ran on a site, and which are still to run.

use clap::Args;
use crema_document::apps::installed;
use crema_document::patches;
use serde_json::{Value, json};

use crate::answer::{Answer, table, yes};
use crate::shell::{OpenSite, SiteCommand};

/// List the patches of this version and those in the site's Patch Log.
///
/// A patch that did not run yet is run by `migrate`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema list-patches")]
pub(crate) struct ListPatches {}

impl SiteCommand for ListPatches {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let ran = patches::ran(site.ctx.provider.database()).await?;
        let apps = installed(site.ctx.provider.database()).await?;
        let code = site.ctx.provider.environment().apps.iter();
        let of_apps = code
            .filter(|code| apps.iter().any(|app| app.name == code.name))
            .flat_map(|code| code.patches)
            .map(|patch| patch.name);
        let own = patches::builtin().iter().map(|patch| patch.name);
        let known: Vec<&str> = own.chain(of_apps).collect();
        let mut others: Vec<&str> = ran
            .iter()
            .map(String::as_str)
            .filter(|name| !known.contains(name))
            .collect();
        others.sort_unstable();
        let all: Vec<(&str, bool)> = known
            .into_iter()
            .chain(others)
            .map(|name| (name, ran.contains(name)))
            .collect();
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|(name, ran)| vec![(*name).to_owned(), yes(*ran)])
            .collect();
        let json: Vec<Value> = all
            .iter()
            .map(|(name, ran)| json!({"patch": name, "ran": ran}))
            .collect();
        Ok(Answer::new(
            table(&["patch", "ran"], &rows, "No patches."),
            Value::Array(json),
        ))
    }
}
