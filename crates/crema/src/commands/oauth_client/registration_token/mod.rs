//! `oauth-client registration-token`: who may register a client where a token is needed for it.

mod add;
mod list;
mod revoke;

use clap::{Args, Subcommand};

use crate::shell::Shell;

/// Initial access tokens: with one an application may register itself where OAuth Settings ask
/// for it (Initial Access Token Required).
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client registration-token list")]
pub(crate) struct RegistrationToken {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Add(add::Add),
    List(list::List),
    Revoke(revoke::Revoke),
}

impl RegistrationToken {
    pub(crate) async fn run(self, shell: &Shell) -> anyhow::Result<()> {
        match self.command {
            Command::Add(command) => shell.on_sites(|| Ok(command)).await,
            Command::List(command) => shell.on_sites(|| Ok(command)).await,
            Command::Revoke(command) => shell.on_sites(|| Ok(command)).await,
        }
    }
}
