//! `set-config`: one key of `site_config.json`, or of the file that all sites share.

use clap::Args;
use crema_document::config::parse_value;
use crema_document::{Bench, BenchError, ConfigError};
use serde_json::{Value, json};

use crate::advice::{Advised, Usage};
use crate::answer::Answer;
use crate::secrets;
use crate::shell::Shell;

/// Set a key in `site_config.json`; with -g in `common_site_config.json`.
///
/// `true`, `false`, numbers and JSON are taken as such, anything else as text; `null` removes the
/// key. A running server obeys at its next request. docs/configuration.md lists the keys.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  crema set-config host_name https://id.example.com\n  \
    crema set-config -g trusted_proxies '[\"10.0.0.5\"]'"
)]
pub(crate) struct SetConfig {
    /// The key.
    #[arg(value_name = "KEY")]
    key: String,
    /// Its value.
    #[arg(
        value_name = "VALUE",
        required_unless_present = "stdin",
        allow_hyphen_values = true
    )]
    value: Option<String>,
    /// Take the value as text, whatever it looks like.
    #[arg(long, conflicts_with = "parse")]
    string: bool,
    /// Read the value as JSON. Accepted for the habit: it is what happens without --string.
    #[arg(short, long)]
    parse: bool,
    /// Set it for all sites.
    #[arg(short, long)]
    global: bool,
    /// Read the value from stdin, so that a secret does not show among the processes.
    #[arg(long, conflicts_with = "value")]
    stdin: bool,
}

impl SetConfig {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        if self.key.is_empty() {
            return Err(Usage("The key is empty.".to_owned()).into());
        }
        let value = self.value()?;
        if self.global {
            Bench::create(shell.bench.root())?;
            self.set(shell, None, &value)?;
            return shell.print(&self.done(&value, "for all sites"));
        }
        let sites = shell.sites()?;
        shell
            .each(sites, async |site: String| {
                self.set(shell, Some(&site), &value)?;
                Ok(self.done(&value, &format!("for {site}")))
            })
            .await
    }

    fn set(&self, shell: &Shell, site: Option<&str>, value: &Value) -> anyhow::Result<()> {
        let set = shell.bench.set_config(site, &self.key, value.clone());
        set.map_err(|error| match error {
            // Line 0: the value is not in a file yet, and does not get there.
            BenchError::Config(ConfigError::Key {
                key,
                reason,
                line: 0,
                ..
            }) => {
                let advice = "docs/configuration.md says what each key takes.";
                Advised::error(format!("{key} {reason}"), advice)
            }
            other => other.into(),
        })
    }

    fn value(&self) -> anyhow::Result<Value> {
        let text = match &self.value {
            Some(text) => text.clone(),
            None => secrets::from_stdin()?.expose().clone(),
        };
        Ok(if self.string {
            Value::String(text)
        } else {
            parse_value(&text)
        })
    }

    /// Never the value: it may be a secret.
    fn done(&self, value: &Value, whom: &str) -> Answer {
        let removed = value.is_null();
        let what = if removed { "removed" } else { "set" };
        let text = format!("{} {what} {whom}.", self.key);
        Answer::new(text, json!({"key": self.key, "removed": removed}))
    }
}
