//! `oauth-client disable`.

use clap::Args;
use crema_auth::client;
use serde_json::json;

use super::Named;
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Disable a client: nothing of it works from the next request on.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client disable 'Field App'")]
pub(crate) struct Disable {
    #[command(flatten)]
    named: Named,
}

impl SiteCommand for Disable {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let id = self.named.id(&site.ctx).await?;
        client::set_enabled(&site.ctx, BY, &id, false).await?;
        let text = format!("Client {id} is disabled.");
        Ok(Answer::new(
            text,
            json!({"client_id": id, "enabled": false}),
        ))
    }
}
