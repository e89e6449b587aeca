//! `restart`: running servers of the bench read everything again.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use crate::advice::Advised;
use crate::answer::{Answer, visible};
use crate::control;
use crate::shell::Shell;

/// Make the running servers of this bench read everything again, without losing a request.
///
/// It returns when each of them has done so. Sites, configuration and records need no restart: they
/// are obeyed at the next request. What runs is still the program that was started; after an
/// upgrade, restart its service.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema restart")]
pub(crate) struct Restart {}

impl Restart {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        let reloaded = control::reload_all(&shell.bench).await;
        let servers = reloaded.context("a server could not be asked")?;
        if servers.is_empty() {
            return Err(Advised::error(
                "no server of this bench runs",
                "Start one: crema serve. Is it another bench? crema --bench DIR restart",
            ));
        }
        let lines: Vec<String> = servers.iter().map(line).collect();
        shell.print(&Answer::new(lines.join("\n"), Value::Array(servers)))
    }
}

fn line(server: &Value) -> String {
    let text = |member: &str| {
        let value = server.get(member);
        let text = value.map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        visible(&text.unwrap_or_default())
    };
    format!(
        "Server {} on {} has read everything again.",
        text("pid"),
        text("listening")
    )
}
