//! `show-config`: what holds for a site, without its secrets.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::answer::{Answer, table};
use crate::shell::Shell;

/// Show the configuration that holds for a site, secrets hidden.
///
/// It is `site_config.json` over `common_site_config.json`; with -g the latter alone.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema show-config")]
pub(crate) struct ShowConfig {
    /// Show what all sites share.
    #[arg(short, long)]
    global: bool,
    /// `json` is the same as --json.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

impl ShowConfig {
    pub(crate) async fn run(&self, shell: &mut Shell) -> anyhow::Result<()> {
        shell.json |= self.format == Format::Json;
        let shell = &*shell;
        if self.global {
            return shell.print(&answer(shell.bench.common_config()?.redacted()));
        }
        let config = async |site: String| Ok(answer(shell.bench.site_config(&site)?.redacted()));
        shell.each(shell.sites()?, config).await
    }
}

fn answer(keys: Map<String, Value>) -> Answer {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|(key, value)| vec![key.clone(), text(value)])
        .collect();
    Answer::new(
        table(&["key", "value"], &rows, "Nothing is set."),
        Value::Object(keys),
    )
}
