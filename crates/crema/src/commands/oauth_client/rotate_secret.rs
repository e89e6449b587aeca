//! `oauth-client rotate-secret`.

use clap::Args;
use crema_auth::client::{self, CreatedClient};
use serde_json::{Value, json};

use super::{Named, seconds, with_secret};
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Give a client a new secret, which is printed once.
///
/// The old one stays valid for the overlap, so that the application can be told in between. After
/// a leak take `--overlap 0`: then it ends at once, with all earlier ones. Without `--overlap` it is
/// Previous Secret Overlap of OAuth Settings.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client rotate-secret Shop --overlap 2h")]
pub(crate) struct RotateSecret {
    #[command(flatten)]
    named: Named,
    /// How long the old secret still counts: seconds, or a number with s, m, h or d; at most 90d.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    overlap: Option<i64>,
}

impl SiteCommand for RotateSecret {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let id = self.named.id(&site.ctx).await?;
        let overlap = match self.overlap {
            Some(seconds) => seconds,
            None => site.ctx.settings().await?.previous_secret_overlap,
        };
        let secret = client::rotate_secret(&site.ctx, BY, &id, overlap).await?;
        let until = site.ctx.now.plus_seconds(overlap).seconds();
        let until = crema_document::Timestamp::from_seconds(until).to_string();
        let text = match overlap {
            0 => format!("Client {id} has a new secret; the old one has ended."),
            _ => format!("Client {id} has a new secret; the old one counts until {until}."),
        };
        let made = CreatedClient {
            client_id: id,
            client_secret: Some(secret),
        };
        let mut answer = with_secret(text, &made);
        if let (Value::Object(members), true) = (&mut answer.json, overlap > 0) {
            members.insert("previous_secret_until".to_owned(), json!(until));
        }
        Ok(answer)
    }
}
