//! `enable-user`: a disabled user may sign in again.

use clap::Args;
use crema_auth::user;
use serde_json::json;

use super::user_name;
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Let a disabled user sign in again.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema enable-user jo@example.com")]
pub(crate) struct EnableUser {
    /// The user's e-mail address.
    #[arg(value_name = "EMAIL")]
    user: String,
}

impl SiteCommand for EnableUser {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let name = user_name(&self.user);
        user::enable(&site.ctx, BY, &name).await?;
        let text = format!("User {name} may sign in.");
        Ok(Answer::new(text, json!({"user": name, "enabled": true})))
    }
}
