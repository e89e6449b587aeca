//! `version`.

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::Shell;

/// Print the version of the program.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema version")]
pub(crate) struct Version {}

impl Version {
    pub(crate) fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        shell.print(&Answer::new(
            format!("crema {version}"),
            json!({"crema": version}),
        ))
    }
}
