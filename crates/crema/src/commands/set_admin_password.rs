//! `set-admin-password`: a new password for Administrator.

use clap::Args;
use crema_auth::user::ADMINISTRATOR;

use super::set_password::{NewPassword, Ready};

/// Set Administrator's password.
///
/// It signs Administrator out everywhere: sessions and tokens end.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  echo 'correct-horse-battery-9' | \
    crema set-admin-password --password-stdin")]
pub(crate) struct SetAdminPassword {
    #[command(flatten)]
    new: NewPassword,
}

impl SetAdminPassword {
    /// Asks for the password where it is not given.
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let password = self.new.read(ADMINISTRATOR)?;
        Ok(Ready::new(ADMINISTRATOR.to_owned(), password))
    }
}
