//! `execute`: a whitelisted method, called from the shell.

use std::io::{self, Read as _};

use anyhow::Context as _;
use clap::Args;
use crema_auth::user::ADMINISTRATOR;
use crema_web::execute::{Execution, execute};
use serde_json::{Map, Value};

use crate::advice::Usage;
use crate::answer::Answer;
use crate::shell::{OpenSite, SiteCommand, USER_AGENT};

/// Call a whitelisted method and print its result as JSON.
///
/// It is the method that `/api/method/METHOD` calls, with the same checks and permissions, as a
/// user who has just signed in. No server needs to run; one that does obeys at its next request.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    crema execute frappe.client.get_count --kwargs '{\"doctype\": \"User\"}'\n  \
    crema execute frappe.client.get_single_value --args '[\"OAuth Settings\", \"enable_mcp\"]'\n  \
    crema execute frappe.client.get_value --args '[\"User\", \"full_name\", \"Guest\"]'\n  \
    echo '{\"doctype\": \"User\"}' | crema execute frappe.client.get_list --kwargs -")]
pub(crate) struct Execute {
    /// The method's dotted name.
    #[arg(value_name = "METHOD")]
    method: String,
    /// Its arguments by name, as a JSON object; `-` reads it from stdin, as for what is secret.
    #[arg(long, value_name = "JSON")]
    kwargs: Option<String>,
    /// Its first arguments, as a JSON list.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// The user who calls it.
    #[arg(long = "as", value_name = "USER", default_value = ADMINISTRATOR)]
    user: String,
}

/// The call, read from the command line.
pub(crate) struct Ready {
    execution: Execution,
}

impl Execute {
    pub(crate) fn ready(self) -> anyhow::Result<Ready> {
        let arguments = match self.kwargs.as_deref() {
            None => Map::new(),
            Some("-") => {
                let mut text = String::new();
                io::stdin()
                    .lock()
                    .read_to_string(&mut text)
                    .context("stdin")?;
                object(&text)?
            }
            Some(text) => object(text)?,
        };
        let mut execution = Execution {
            method: self.method,
            arguments,
            user: super::user_name(&self.user),
            user_agent: USER_AGENT,
        };
        let first = self.args.as_deref().map(list).transpose()?;
        let placed = execution.place(first.unwrap_or_default());
        placed.map_err(|error| Usage(format!("--args: {}", error.message)))?;
        Ok(Ready { execution })
    }
}

impl SiteCommand for Ready {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let ctx = &site.ctx;
        let result = Box::pin(execute(&ctx.provider, &ctx.issuer, &self.execution)).await?;
        let text = serde_json::to_string_pretty(&result)?;
        Ok(Answer::new(text, result))
    }
}

// What was given is not repeated: it may be a secret.
fn object(text: &str) -> anyhow::Result<Map<String, Value>> {
    let read = serde_json::from_str(text);
    read.map_err(|error| Usage(format!("--kwargs needs a JSON object: {}", place(&error))).into())
}

fn list(text: &str) -> anyhow::Result<Vec<Value>> {
    let read = serde_json::from_str(text);
    read.map_err(|error| Usage(format!("--args needs a JSON list: {}", place(&error))).into())
}

fn place(error: &serde_json::Error) -> String {
    format!("see line {}, column {}", error.line(), error.column())
}
