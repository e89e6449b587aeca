//! `oauth-client registration-token revoke`.

use clap::Args;
use crema_auth::register::initial;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// End a token, or all: nobody registers with it any more. Applications that did stay.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client registration-token revoke --all")]
pub(crate) struct Revoke {
    /// The token's name, as `list` shows it.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    name: Option<String>,
    /// All that are active.
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

impl SiteCommand for Revoke {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let names: Vec<String> = match &self.name {
            Some(name) => vec![name.clone()],
            None => {
                let tokens = initial::list(&site.ctx).await?;
                let active = tokens.into_iter().filter(|token| token.active);
                active.map(|token| token.name).collect()
            }
        };
        for name in &names {
            initial::revoke(&site.ctx, BY, name).await?;
        }
        let text = match names.as_slice() {
            [] => "There was nothing to end.".to_owned(),
            [name] => format!("Token {name} has ended."),
            several => format!("{} tokens have ended.", several.len()),
        };
        Ok(Answer::new(text, json!({"revoked": names})))
    }
}
