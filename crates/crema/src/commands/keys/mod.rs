//! `keys`: the keys that sign ID tokens.

mod list;
mod rotate;

use clap::{Args, Subcommand};

use crate::shell::Shell;

/// Signing keys of ID tokens.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema keys list")]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    List(list::List),
    Rotate(rotate::Rotate),
}

impl Keys {
    pub(crate) async fn run(self, shell: &Shell) -> anyhow::Result<()> {
        match self.command {
            Command::List(command) => shell.on_sites(|| Ok(command)).await,
            Command::Rotate(command) => shell.on_sites(|| Ok(command)).await,
        }
    }
}
