//! `add-user`: a new user.

use clap::{Args, ValueEnum};
use crema_auth::user::{self, NewUser};
use crema_crypto::Secret;
use serde_json::json;

use crate::answer::Answer;
use crate::secrets::PasswordOptions;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Add a user.
///
/// Without a password the user cannot sign in with one until `set-password` gives one. The
/// e-mail address counts as verified, because an administrator says so.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    crema add-user jo@example.com --first-name Jo --last-name Doe --add-role 'Sales User'")]
pub(crate) struct AddUser {
    /// E-mail address; becomes the user's name.
    #[arg(value_name = "EMAIL")]
    email: String,
    /// First name; without it the part of the address before the `@`.
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Last name.
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
    /// A role, for example `System Manager`; may be given several times. A role with access to
    /// the Desk makes a System User.
    #[arg(long = "add-role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Make a System User also without such a role.
    #[arg(long, value_name = "TYPE")]
    user_type: Option<UserType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UserType {
    #[value(name = "System User")]
    System,
    #[value(name = "Website User")]
    Website,
}

/// The command with its password.
pub(crate) struct Ready {
    command: AddUser,
    password: Option<Secret<String>>,
}

impl AddUser {
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
        let command = &self.command;
        let new = NewUser {
            email: command.email.clone(),
            first_name: command.first_name.clone(),
            last_name: command.last_name.clone(),
            password: self.password.clone(),
            roles: command.roles.clone(),
            system_user: command.user_type == Some(UserType::System),
            // spec: http.md, openid_profile: true for users made by an administrator
            email_verified: true,
            ..NewUser::default()
        };
        let name = user::create(&site.ctx, BY, new).await?;
        let mut text = format!("User {name} added.");
        if self.password.is_none() {
            text.push_str(&format!("\nNo password yet: crema set-password {name}"));
        }
        let has_password = self.password.is_some();
        Ok(Answer::new(
            text,
            json!({"user": name, "has_password": has_password}),
        ))
    }
}
