//! `destroy-all-sessions`: everybody has to sign in again.

use clap::Args;
use crema_auth::user;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// End every session of a site: everybody has to sign in again.
///
/// Tokens live on; `token revoke` ends them.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema destroy-all-sessions")]
pub(crate) struct DestroyAllSessions {}

impl SiteCommand for DestroyAllSessions {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let ended = user::destroy_all_sessions(&site.ctx, BY).await?;
        let text = match ended {
            1 => "1 session has ended.".to_owned(),
            more => format!("{more} sessions have ended."),
        };
        Ok(Answer::new(text, json!({"sessions": ended})))
    }
}
