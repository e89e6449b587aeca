//! `set-password`: a new password, and a sign-out everywhere.

use std::path::PathBuf;

use clap::Args;
use crema_auth::user;
use crema_crypto::Secret;
use serde_json::json;

use super::user_name;
use crate::advice::Usage;
use crate::answer::Answer;
use crate::secrets;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Set a user's password.
///
/// It signs the user out everywhere: sessions and tokens end.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  echo 'correct-horse-battery-9' | \
    crema set-password jo@example.com --password-stdin")]
pub(crate) struct SetPassword {
    /// The user's e-mail address.
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    new: NewPassword,
}

/// A password as an argument, as `bench` takes it, or by a better way.
#[derive(Args, Debug)]
pub(crate) struct NewPassword {
    /// The new password. Other users of this machine can see it while the command runs: better
    /// leave it out and be asked, or use one of the options.
    #[arg(value_name = "PASSWORD")]
    password: Option<Secret<String>>,
    /// Read the password from a file; `-` is stdin. A line break at its end does not count.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
    /// Read the password from stdin.
    #[arg(long, conflicts_with_all = ["password", "password_file"])]
    password_stdin: bool,
    /// End all sessions of the user. Accepted for the habit: it always happens.
    #[arg(long)]
    logout_all_sessions: bool,
}

impl NewPassword {
    /// The password, asked for when it is not given.
    pub(crate) fn read(&self, of: &str) -> anyhow::Result<Secret<String>> {
        let file = self.password_file.as_deref();
        if let Some(given) = secrets::given(self.password.as_ref(), file, self.password_stdin)? {
            return secrets::checked(given);
        }
        secrets::required(of)
    }
}

/// The command with its password.
pub(crate) struct Ready {
    user: String,
    password: Secret<String>,
}

impl Ready {
    /// A new password for that user.
    pub(crate) fn new(user: String, password: Secret<String>) -> Ready {
        Ready { user, password }
    }
}

impl SetPassword {
    /// Asks for the password where it is not given.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        if self.user.trim().is_empty() {
            return Err(Usage("The user is empty.".to_owned()).into());
        }
        let user = user_name(&self.user);
        let password = self.new.read(&user)?;
        Ok(Ready { user, password })
    }
}

impl SiteCommand for Ready {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        user::set_password(&site.ctx, BY, &self.user, &self.password).await?;
        let text = format!(
            "{} has a new password; sessions and tokens have ended.",
            self.user
        );
        Ok(Answer::new(text, json!({"user": self.user})))
    }
}
