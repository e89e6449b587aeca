//! `completions`: what a shell needs to complete commands and options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell as ShellName;

use crate::answer;
use crate::cli::Cli;

/// Print the completions for a shell.
///
/// bash: into `~/.local/share/bash-completion/completions/crema`; zsh: into a file `_crema` in a
/// folder of `$fpath`; fish: into `~/.config/fish/completions/crema.fish`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema completions bash")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: ShellName,
}

impl Completions {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "crema", &mut script);
        Ok(answer::print(String::from_utf8(script)?.trim_end())?)
    }
}
