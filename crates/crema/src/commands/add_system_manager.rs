//! `add-system-manager`: a user who may administer the site.

use clap::Args;
use crema_auth::Failure;
use crema_auth::user::{self, NewUser};
use crema_crypto::Secret;
use serde_json::json;

use super::user_name;
use crate::answer::Answer;
use crate::secrets::PasswordOptions;
use crate::shell::{BY, OpenSite, SiteCommand};

const ROLE: &str = "System Manager";

/// Add a user with the role System Manager, or give the role to one who is there.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema add-system-manager ann@example.com --first-name Ann")]
pub(crate) struct AddSystemManager {
    /// E-mail address.
    #[arg(value_name = "EMAIL")]
    email: String,
    /// First name of a new user.
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Last name of a new user.
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
}

/// The command with its password.
pub(crate) struct Ready {
    command: AddSystemManager,
    password: Option<Secret<String>>,
}

impl AddSystemManager {
    /// Asks for the password where there is somebody to ask.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let password = self.password.optional(&self.email)?;
        Ok(Ready {
            command: self,
            password,
        })
    }
}

impl SiteCommand for Ready {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let new = NewUser {
            email: self.command.email.clone(),
            first_name: self.command.first_name.clone(),
            last_name: self.command.last_name.clone(),
            password: self.password.clone(),
            roles: vec![ROLE.to_owned()],
            email_verified: true,
            ..NewUser::default()
        };
        let name = user_name(&self.command.email);
        let added = match user::create(&site.ctx, BY, new).await {
            Ok(_) => true,
            Err(Failure::Duplicate(_)) => {
                user::add_role(&site.ctx, BY, &name, ROLE).await?;
                if let Some(password) = &self.password {
                    user::set_password(&site.ctx, BY, &name, password).await?;
                }
                false
            }
            Err(other) => return Err(other.into()),
        };
        let mut text = match added {
            true => format!("User {name} added, with the role {ROLE}."),
            false => format!("User {name} has the role {ROLE} now."),
        };
        if added && self.password.is_none() {
            text.push_str(&format!("\nNo password yet: crema set-password {name}"));
        }
        Ok(Answer::new(text, json!({"user": name, "added": added})))
    }
}
