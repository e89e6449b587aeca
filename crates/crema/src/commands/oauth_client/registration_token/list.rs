//! `oauth-client registration-token list`.

use clap::Args;
use crema_auth::register::initial;
use crema_document::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// List the tokens that admit registrations, the newest first. The tokens themselves are not kept.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client registration-token list --json")]
pub(crate) struct List {}

impl SiteCommand for List {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let tokens = initial::list(&site.ctx).await?;
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for token in tokens {
            let state = if token.active { "active" } else { "ended" };
            let end = token.expires_at.map(moment);
            let uses = token.uses_left.map(|uses| uses.to_string());
            rows.push(vec![
                token.name.clone(),
                state.to_owned(),
                uses.unwrap_or_else(|| "any number".to_owned()),
                moment(token.issued_at),
                end.clone().unwrap_or_default(),
            ]);
            json.push(json!({
                "name": token.name,
                "active": token.active,
                "uses_left": token.uses_left,
                "issued_at": moment(token.issued_at),
                "expires_at": end,
            }));
        }
        let headings = ["token", "state", "uses left", "issued", "expires"];
        let text = table(&headings, &rows, "No tokens.");
        Ok(Answer::new(text, Value::Array(json)))
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(moment: Timestamp) -> String {
    Timestamp::from_seconds(moment.seconds()).to_string()
}
