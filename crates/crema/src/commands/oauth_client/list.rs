//! `oauth-client list`.

use clap::Args;
use crema_auth::client;
use serde_json::{Value, json};

use crate::answer::{Answer, table, yes};
use crate::shell::{OpenSite, SiteCommand};

/// List the clients of a site.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client list --json")]
pub(crate) struct List {}

impl SiteCommand for List {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let clients = client::list(&site.ctx).await?;
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for client in clients {
            let last_used = client.last_used.map(|moment| moment.to_string());
            rows.push(vec![
                client.client_id.clone(),
                client.app_name.clone(),
                if client.public {
                    "public"
                } else {
                    "confidential"
                }
                .to_owned(),
                yes(client.enabled),
                client.enforcement.clone(),
                last_used.clone().unwrap_or_default(),
            ]);
            json.push(json!({
                "client_id": client.client_id,
                "app_name": client.app_name,
                "public": client.public,
                "enabled": client.enabled,
                "enforcement": client.enforcement,
                "dynamically_registered": client.dynamically_registered,
                "last_used": last_used,
            }));
        }
        let headings = [
            "client_id",
            "app name",
            "kind",
            "enabled",
            "rules",
            "last used",
        ];
        let text = table(&headings, &rows, "No clients.");
        Ok(Answer::new(text, Value::Array(json)))
    }
}
