//! `oauth-client set`.

use clap::Args;
use crema_auth::client::{self, ClientFields};

use super::{Named, assign, with_secret};
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Change fields of a client. An empty value takes the field back to nothing.
///
/// A public client that becomes confidential gets a secret, which is printed once.
/// docs/configuration.md lists the fields and what each one risks.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client set 'Field App' access_token_lifetime=900")]
pub(crate) struct Set {
    #[command(flatten)]
    named: Named,
    /// A field and its new value.
    #[arg(value_name = "FIELD=VALUE", required = true)]
    fields: Vec<String>,
}

impl SiteCommand for Set {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let mut fields = ClientFields::new();
        assign(&mut fields, &self.fields)?;
        let id = self.named.id(&site.ctx).await?;
        let changed = client::update(&site.ctx, BY, &id, fields).await?;
        Ok(with_secret(format!("Client {id} changed."), &changed))
    }
}
