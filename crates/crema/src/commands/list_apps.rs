//! `list-apps`: which apps a site has.

use clap::Args;
use crema_document::apps::installed;
use serde_json::{Value, json};

use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// List the apps of data that are installed on a site.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema list-apps")]
pub(crate) struct ListApps {}

impl SiteCommand for ListApps {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let apps = installed(site.ctx.provider.database()).await?;
        let rows: Vec<Vec<String>> = apps
            .iter()
            .map(|app| {
                let doctypes = app.doctypes.len().to_string();
                vec![app.name.clone(), app.version.clone(), doctypes]
            })
            .collect();
        let json: Vec<Value> = apps
            .iter()
            .map(|app| json!({"app": app.name, "version": app.version, "doctypes": app.doctypes}))
            .collect();
        Ok(Answer::new(
            table(&["app", "version", "doctypes"], &rows, "No apps."),
            Value::Array(json),
        ))
    }
}
