//! `token list`.

use clap::Args;
use crema_auth::token::admin;
use crema_document::Timestamp;
use serde_json::{Value, json};

use super::Filter;
use crate::answer::{Answer, table};
use crate::shell::{OpenSite, SiteCommand};

/// List the tokens that live, the newest first: whose they are and until when. The tokens
/// themselves are not kept.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema token list --user jo@example.com")]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    /// Also those that have expired or were revoked.
    #[arg(long)]
    all: bool,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

impl SiteCommand for List {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let filter = self.filter.resolve(&site.ctx).await?;
        let tokens = admin::list(&site.ctx, &filter, self.all, self.limit).await?;
        let full = tokens.len() == usize::try_from(self.limit)?;
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for token in tokens {
            let state = if token.active { "active" } else { "ended" };
            let refresh_end = token.refresh_expires_at.map(moment);
            rows.push(vec![
                token.name.clone(),
                token.user.clone(),
                token.client.clone(),
                token.scopes.clone(),
                state.to_owned(),
                moment(token.issued_at),
                moment(token.expires_at),
                refresh_end.clone().unwrap_or_default(),
            ]);
            json.push(json!({
                "name": token.name,
                "user": token.user,
                "client": token.client,
                "scopes": token.scopes,
                "grant_type": token.grant_type,
                "active": token.active,
                "issued_at": moment(token.issued_at),
                "expires_at": moment(token.expires_at),
                "refresh_expires_at": refresh_end,
                "last_used": token.last_used.map(|moment| moment.to_string()),
            }));
        }
        let headings = [
            "token",
            "user",
            "client",
            "scopes",
            "state",
            "issued",
            "expires",
            "refresh until",
        ];
        let mut text = table(&headings, &rows, "No tokens.");
        if full {
            text.push_str("\nThere may be more: --limit.");
        }
        Ok(Answer::new(text, Value::Array(json)))
    }
}

/// RFC 3339 in UTC, to the second.
fn moment(moment: Timestamp) -> String {
    Timestamp::from_seconds(moment.seconds()).to_string()
}
