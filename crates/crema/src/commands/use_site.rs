//! `use`: the current site.

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::shell::Shell;

/// Choose the current site: the one that commands mean without `--site`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema use trust.localhost")]
pub(crate) struct Use {
    /// The site.
    #[arg(value_name = "NAME")]
    name: String,
}

impl Use {
    pub(crate) fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        shell.bench.set_current_site(&self.name)?;
        let text = format!("The current site is {}.", self.name);
        shell.print(&Answer::new(text, json!({"current": self.name})))
    }
}
