//! `token revoke`.

use clap::Args;
use crema_auth::token::admin;
use serde_json::json;

use super::Filter;
use crate::advice::Advised;
use crate::answer::Answer;
use crate::question::confirm;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Revoke tokens and codes: of a user, of a client, of both together, or all of the site.
///
/// Applications have to ask again; sessions live on. All of the site is asked about first.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema token revoke --user jo@example.com")]
pub(crate) struct Revoke {
    #[command(flatten)]
    filter: Filter,
    /// Do not ask.
    #[arg(short, long, alias = "force")]
    yes: bool,
}

/// The command after its question.
pub(crate) struct Ready(Filter);

impl Revoke {
    /// Asks when everything is meant.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        if self.filter.user.is_none() && self.filter.client.is_none() {
            confirm("Revoke all tokens of all users?", self.yes)?;
        }
        Ok(Ready(self.filter))
    }
}

impl SiteCommand for Ready {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let filter = self.0.resolve(&site.ctx).await?;
        let revoked = admin::revoke(&site.ctx, BY, &filter).await?;
        // Nothing to revoke because of a slip of the hand must not look like success.
        if let (0, Some(user)) = (revoked, &filter.user)
            && site.ctx.user(user).await?.is_none()
        {
            let advice = "crema list-users shows those there are.";
            return Err(Advised::error(format!("there is no user {user}"), advice));
        }
        if let (0, Some(client)) = (revoked, &filter.client)
            && site.ctx.client_record(client).await?.is_none()
        {
            let advice = "crema oauth-client list shows those there are.";
            return Err(Advised::error(
                format!("there is no client {client}"),
                advice,
            ));
        }
        let text = match revoked {
            1 => "1 token is revoked.".to_owned(),
            more => format!("{more} tokens are revoked."),
        };
        Ok(Answer::new(text, json!({"revoked": revoked})))
    }
}
