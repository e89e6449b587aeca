//! `token`: the tokens that are out.

mod list;
mod revoke;

use clap::{Args, Subcommand};
use crema_auth::Ctx;
use crema_auth::token::admin::TokenFilter;

use super::oauth_client::id_of;
use super::user_name;
use crate::shell::Shell;

/// Tokens: list those that are out, end them.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema token list --user jo@example.com")]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    List(list::List),
    Revoke(revoke::Revoke),
}

impl Token {
    pub(crate) async fn run(self, shell: &Shell) -> anyhow::Result<()> {
        match self.command {
            Command::List(command) => shell.on_sites(|| Ok(command)).await,
            Command::Revoke(command) => shell.on_sites(|| command.ready()).await,
        }
    }
}

/// Which tokens are meant.
#[derive(Args, Debug, Clone)]
struct Filter {
    /// Those of this user.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Those of this client: its id, or its app name.
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
}

impl Filter {
    /// The filter in ids.
    async fn resolve(&self, ctx: &Ctx) -> anyhow::Result<TokenFilter> {
        let client = match &self.client {
            // A client that was deleted has left tokens behind under its id.
            Some(client) => Some(id_of(ctx, client).await.unwrap_or_else(|_| client.clone())),
            None => None,
        };
        Ok(TokenFilter {
            user: self.user.as_deref().map(user_name),
            client,
        })
    }
}
