//! `keys rotate`.

use clap::Args;
use crema_auth::keys;
use crema_crypto::SigningAlgorithm;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Replace signing keys.
///
/// The new key is published at once and signs after ten minutes, so that relying parties have it
/// by then; the old one stays published until what it signed is dead. After a leak take --now.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema keys rotate --alg RS256")]
pub(crate) struct Rotate {
    /// The algorithm whose key is replaced: RS256, ES256, EdDSA or PS256. Without it all that
    /// the site has.
    #[arg(long, value_name = "ALG")]
    alg: Option<SigningAlgorithm>,
    /// Sign with the new key at once.
    #[arg(long)]
    now: bool,
}

impl SiteCommand for Rotate {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let made = keys::rotate(&site.ctx, BY, self.alg, self.now).await?;
        let when = if self.now {
            "at once"
        } else {
            "in ten minutes"
        };
        let text = match made.as_slice() {
            [] => "No keys yet: one is made when it is first needed.".to_owned(),
            [one] => format!("Key {one} signs {when}."),
            more => format!("Keys {} sign {when}.", more.join(", ")),
        };
        Ok(Answer::new(text, json!({"keys": made})))
    }
}
