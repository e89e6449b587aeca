//! `oauth-client registration-token add`.

use clap::Args;
use crema_auth::register::initial;
use crema_document::Timestamp;
use serde_json::json;

use crate::answer::Answer;
use crate::commands::oauth_client::seconds;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Make a token that admits registrations; it is printed once.
///
/// Whoever has it registers an application with `Authorization: Bearer <token>`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    crema oauth-client registration-token add --uses 1 --expires-in 2d")]
pub(crate) struct Add {
    /// How many registrations it admits; any number when not said.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    uses: Option<u32>,
    /// When it ends: seconds from now, or a number with s, m, h or d; never when not said.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    expires_in: Option<i64>,
}

impl SiteCommand for Add {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let made = initial::add(&site.ctx, BY, self.uses, self.expires_in).await?;
        let end = self.expires_in.map(|seconds| {
            let end = site.ctx.now.plus_seconds(seconds).seconds();
            Timestamp::from_seconds(end).to_string()
        });
        let uses = match self.uses {
            Some(1) => "one registration".to_owned(),
            Some(uses) => format!("{uses} registrations"),
            None => "any number of registrations".to_owned(),
        };
        let until = end.as_deref().map(|end| format!(" until {end}"));
        let text = format!(
            "Token {} admits {uses}{}.\ninitial_access_token, shown this once: {}",
            made.name,
            until.unwrap_or_default(),
            made.token.expose()
        );
        let json = json!({
            "name": made.name,
            "initial_access_token": made.token.expose(),
            "uses_left": self.uses,
            "expires_at": end,
        });
        Ok(Answer::new(text, json))
    }
}
