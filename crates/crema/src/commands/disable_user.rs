//! `disable-user`: nothing of a user works any more.

use clap::Args;
use crema_auth::user;
use serde_json::json;

use super::user_name;
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Disable a user: sessions, tokens and codes end now, and none can begin.
///
/// `enable-user` lets the user sign in again; what ended stays ended.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema disable-user jo@example.com")]
pub(crate) struct DisableUser {
    /// The user's e-mail address.
    #[arg(value_name = "EMAIL")]
    user: String,
}

impl SiteCommand for DisableUser {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let name = user_name(&self.user);
        user::disable(&site.ctx, BY, &name).await?;
        let text = format!("User {name} is disabled; sessions and tokens have ended.");
        Ok(Answer::new(text, json!({"user": name, "enabled": false})))
    }
}
