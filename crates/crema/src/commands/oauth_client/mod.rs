//! `oauth-client`: the applications that may ask for tokens.

mod add;
mod delete;
mod disable;
mod enable;
mod list;
mod registration_token;
mod report;
mod rotate_secret;
mod set;
mod show;

use clap::{Args, Subcommand};
use crema_auth::Ctx;
use crema_auth::client::{self, ClientFields, CreatedClient};
use serde_json::{Value, json};

use crate::advice::{Advised, Usage};
use crate::answer::Answer;
use crate::shell::Shell;

/// OAuth clients: the applications that may ask for tokens.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema oauth-client list")]
pub(crate) struct OauthClient {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Add(Box<add::Add>),
    List(list::List),
    Show(show::Show),
    Set(set::Set),
    RotateSecret(rotate_secret::RotateSecret),
    Disable(disable::Disable),
    Enable(enable::Enable),
    Delete(delete::Delete),
    Report(report::Report),
    RegistrationToken(registration_token::RegistrationToken),
}

impl OauthClient {
    pub(crate) async fn run(self, shell: &Shell) -> anyhow::Result<()> {
        match self.command {
            Command::Add(command) => shell.on_sites(|| Ok(*command)).await,
            Command::List(command) => shell.on_sites(|| Ok(command)).await,
            Command::Show(command) => shell.on_sites(|| Ok(command)).await,
            Command::Set(command) => shell.on_sites(|| Ok(command)).await,
            Command::RotateSecret(command) => shell.on_sites(|| Ok(command)).await,
            Command::Disable(command) => shell.on_sites(|| Ok(command)).await,
            Command::Enable(command) => shell.on_sites(|| Ok(command)).await,
            Command::Delete(command) => shell.on_sites(|| command.ready()).await,
            Command::Report(command) => shell.on_sites(|| Ok(command)).await,
            Command::RegistrationToken(command) => command.run(shell).await,
        }
    }
}

/// The client that is named on the command line.
#[derive(Args, Debug, Clone)]
struct Named {
    /// The client's id, or its app name when only one client made by hand has it. The id of a
    /// client with a metadata document is the document's address or the name of its record.
    #[arg(value_name = "CLIENT")]
    client: String,
}

impl Named {
    /// The client's id.
    ///
    /// # Errors
    /// When there is none, or several have that name.
    async fn id(&self, ctx: &Ctx) -> anyhow::Result<String> {
        id_of(ctx, &self.client).await
    }
}

/// The name of the record of a client that is named by its id or its app name. Names that clients gave themselves
/// do not count: anybody could take another's.
///
/// # Errors
/// When there is none, or several have that name.
pub(crate) async fn id_of(ctx: &Ctx, client: &str) -> anyhow::Result<String> {
    let found = match ctx.client_record(client).await? {
        Some(found) => Some(found),
        None => {
            let version = ctx.version().await?;
            ctx.provider.client_by_document(client, version).await?
        }
    };
    if let Some(found) = found {
        return Ok(found.name.clone());
    }
    let mut named = client::list(ctx).await?;
    named.retain(|one| one.app_name == client && !one.dynamically_registered);
    match named.as_slice() {
        [one] => Ok(one.name.clone()),
        [] => Err(Advised::error(
            format!("there is no client {client}"),
            "crema oauth-client list shows those there are.",
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
            Err(Advised::error(
                format!("several clients have the name {client}"),
                format!("Give the id of the one that is meant: {}", ids.join(", ")),
            ))
        }
    }
}

/// Adds `FIELD=VALUE` pairs to the fields.
///
/// # Errors
/// [`Usage`] when there is no `=`, or a field is set twice.
fn assign(fields: &mut ClientFields, pairs: &[String]) -> anyhow::Result<()> {
    for pair in pairs {
        let Some((field, value)) = pair.split_once('=') else {
            let text = format!("{pair:?} is not of the form FIELD=VALUE.");
            return Err(Usage(text).into());
        };
        // Labels as forms show them count too: `App Name` is `app_name`.
        let field = field.trim().to_lowercase().replace([' ', '-'], "_");
        if fields.get(&field).is_some() {
            return Err(Usage(format!("{field} is set twice.")).into());
        }
        fields.set(&field, value);
    }
    Ok(())
}

/// The answer about a client that has, or has not, a secret that was just made.
fn with_secret(text: String, made: &CreatedClient) -> Answer {
    let mut text = text;
    let mut json = json!({"client_id": made.client_id});
    if let (Some(secret), Value::Object(members)) = (&made.client_secret, &mut json) {
        let secret = secret.expose();
        text.push_str(&format!("\nclient_secret, shown this once: {secret}"));
        members.insert("client_secret".to_owned(), json!(secret));
    }
    Answer::new(text, json)
}

/// `90`, `90s`, `15m`, `24h`, `7d` in seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let (number, factor) = match text.char_indices().next_back() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3600),
        Some((at, 'd')) => (text.get(..at), 86_400),
        _ => (Some(text), 1),
    };
    let number = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|text| text.parse::<i64>().ok())
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "a number of seconds, or a number with s, m, h or d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn overlaps_have_units() {
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds("24h"), Ok(86_400));
        assert_eq!(seconds("7d"), Ok(604_800));
        for text in ["", "h", "-1", "1.5h", "1w", "9999999999999999d", "+1"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }
}
