//! `list-users`.

use clap::Args;
use crema_auth::user;
use serde_json::{Value, json};

use crate::answer::{Answer, table, yes};
use crate::shell::{OpenSite, SiteCommand};

/// List the users of a site with their roles.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema list-users")]
pub(crate) struct ListUsers {}

impl SiteCommand for ListUsers {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let users = user::list(&site.ctx).await?;
        let rows: Vec<Vec<String>> = users
            .iter()
            .map(|user| {
                vec![
                    user.name.clone(),
                    user.full_name.clone(),
                    yes(user.enabled),
                    user.user_type.clone(),
                    user.roles.join(", "),
                ]
            })
            .collect();
        let text = table(
            &["user", "name", "enabled", "type", "roles"],
            &rows,
            "No users.",
        );
        let users: Vec<Value> = users
            .into_iter()
            .map(|user| {
                json!({
                    "name": user.name,
                    "full_name": user.full_name,
                    "enabled": user.enabled,
                    "user_type": user.user_type,
                    "roles": user.roles,
                    "last_login": user.last_login,
                })
            })
            .collect();
        Ok(Answer::new(text, Value::Array(users)))
    }
}
