//! `oauth-client enable`.

use clap::Args;
use crema_auth::client;
use serde_json::json;

use super::Named;
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Enable a client that was disabled.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client enable 'Field App'")]
pub(crate) struct Enable {
    #[command(flatten)]
    named: Named,
}

impl SiteCommand for Enable {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let id = self.named.id(&site.ctx).await?;
        client::set_enabled(&site.ctx, BY, &id, true).await?;
        let text = format!("Client {id} is enabled.");
        Ok(Answer::new(text, json!({"client_id": id, "enabled": true})))
    }
}
