//! `oauth-client delete`.

use clap::Args;
use crema_auth::client;
use serde_json::json;

use super::Named;
use crate::answer::Answer;
use crate::question::confirm;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Delete a client: its secrets, consents, tokens and codes end with it.
///
/// It asks first.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client delete 'Field App' --yes")]
pub(crate) struct Delete {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(short, long, alias = "force")]
    yes: bool,
}

/// The command after its question.
pub(crate) struct Ready(Named);

impl Delete {
    /// Asks.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let question = format!(
            "Delete the client {} with all its tokens?",
            self.named.client
        );
        confirm(&question, self.yes)?;
        Ok(Ready(self.named))
    }
}

impl SiteCommand for Ready {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let id = self.0.id(&site.ctx).await?;
        client::delete(&site.ctx, BY, &id).await?;
        let text = format!("Client {id} is deleted.");
        Ok(Answer::new(text, json!({"client_id": id, "deleted": true})))
    }
}
