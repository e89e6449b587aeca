//! What administrators change: through the use cases in this process, which is none of the
//! servers, and sometimes through the command line in yet another one.

use std::process::Stdio;
use std::sync::Arc;

use crema_auth::Ctx;
use crema_auth::client::{self, ClientFields};
use crema_auth::token::admin::{TokenFilter, revoke};
use crema_auth::user::{self, ADMINISTRATOR};
use crema_crypto::Secret;
use crema_document::{Clock as _, SystemClock};
use crema_testkit::App;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::actor::Actor;
use crate::cluster::program;
use crate::group::READER;
use crate::time::{Ending, PENDING};
use crate::world::{Client, Sweep, User};

/// So many changes go through the use cases for one through the command line, which is slow.
const COMMANDS: usize = 6;

/// A change, with what the command line calls it.
#[derive(Clone, Debug)]
enum Change {
    Enabled(bool),
    Password(usize),
    Reader(bool),
    ClientEnabled(bool),
    /// Whether the old secrets count for a while.
    Secret(bool),
    Restricted(bool),
    All(bool),
    Grace(bool),
    /// Of the user, or of the client.
    Sweep(bool),
}

impl Actor {
    /// One change. Only one actor of a group makes changes.
    pub(crate) async fn administrate(&mut self, app: &App) {
        let (change, user, client) = self.choose();
        let sweeps = matches!(change, Change::Sweep(_));
        let ends = matches!(change, Change::Enabled(false) | Change::Password(_));
        let (sent, ()) = self.group.begin(|world, sent| {
            if let Some(user) = &user {
                world.user.begin(sent, user.clone(), ends);
            }
            if let Some(client) = &client {
                world.client.begin(sent, client.clone(), false);
            }
            if let Change::Sweep(of_user) = change {
                let answered = PENDING;
                let ending = Ending { sent, answered };
                world.sweeps.push(Sweep { ending, of_user });
            }
        });
        let by_command = self.dice.one_in(COMMANDS);
        let done = match by_command {
            true => self.command(app, &change).await,
            false => self.call(app, &change).await,
        };
        let how = if by_command { "by command" } else { "by call" };
        self.settle(("change", &format!("{change:?}")), sent, |world, seen| {
            if user.is_some() {
                world.user.finish(seen.answered);
            }
            if client.is_some() {
                world.client.finish(seen.answered);
            }
            if let Some(sweep) = world.sweeps.last_mut().filter(|_| sweeps) {
                sweep.ending.answered = seen.answered;
            }
            (how, done)
        });
    }

    fn choose(&mut self) -> (Change, Option<User>, Option<Client>) {
        let group = Arc::clone(&self.group);
        let world = group.world();
        let (mut user, mut client) = (world.user.latest().clone(), world.client.latest().clone());
        drop(world);
        // What is off is soon on again, or nothing else would be seen.
        let back = !self.dice.one_in(3);
        let change = match self.dice.weighted(&[1, 1, 2, 2, 3, 2, 2, 4, 1]) {
            _ if back && !user.enabled => Change::Enabled(true),
            _ if back && !client.enabled => Change::ClientEnabled(true),
            _ if back && client.restricted && !user.reader => Change::Reader(true),
            0 => Change::Enabled(!user.enabled),
            1 => Change::Password(user.password + 1),
            2 => Change::Reader(!user.reader),
            3 => Change::ClientEnabled(!client.enabled),
            4 => Change::Secret(self.dice.one_in(2)),
            5 => Change::Restricted(!client.restricted),
            6 => Change::All(!client.all),
            7 => Change::Grace(!client.grace),
            _ => Change::Sweep(self.dice.one_in(2)),
        };
        match change {
            Change::Enabled(on) => user.enabled = on,
            Change::Password(number) => user.password = number,
            Change::Reader(on) => user.reader = on,
            Change::ClientEnabled(on) => client.enabled = on,
            Change::Secret(overlap) => {
                let new = client.secrets.last().unwrap() + 1;
                if !overlap {
                    client.secrets.clear();
                }
                client.secrets.push(new);
            }
            Change::Restricted(on) => client.restricted = on,
            Change::All(on) => client.all = on,
            Change::Grace(on) => client.grace = on,
            Change::Sweep(_) => return (change, None, None),
        }
        match change {
            Change::Enabled(_) | Change::Password(_) | Change::Reader(_) => {
                (change, Some(user), None)
            }
            _ => (change, None, Some(client)),
        }
    }

    /// The field of the client that says so.
    fn field(change: &Change) -> Option<(&'static str, &'static str)> {
        Some(match change {
            Change::Restricted(true) => ("allowed_roles", READER),
            Change::Restricted(false) => ("allowed_roles", "All"),
            Change::All(true) => ("scopes", "all openid"),
            Change::All(false) => ("scopes", "openid"),
            Change::Grace(true) => ("refresh_grace_seconds", "300"),
            Change::Grace(false) => ("refresh_grace_seconds", "0"),
            _ => return None,
        })
    }

    async fn call(&self, app: &App, change: &Change) -> Result<(), String> {
        app.clock.set(SystemClock.now());
        let ctx = app.ctx().await;
        self.apply(&ctx, change)
            .await
            .map_err(|failure| failure.to_string())
    }

    async fn apply(&self, ctx: &Ctx, change: &Change) -> Result<(), crema_auth::Failure> {
        let (name, id) = (&self.group.user, &self.group.client.client_id);
        match change {
            Change::Enabled(true) => user::enable(ctx, ADMINISTRATOR, name).await,
            Change::Enabled(false) => user::disable(ctx, ADMINISTRATOR, name).await,
            Change::Password(number) => {
                let password = Secret::new(self.group.password(*number));
                user::set_password(ctx, ADMINISTRATOR, name, &password).await
            }
            Change::Reader(true) => user::add_role(ctx, ADMINISTRATOR, name, READER).await,
            Change::Reader(false) => user::remove_role(ctx, ADMINISTRATOR, name, READER).await,
            Change::ClientEnabled(on) => client::set_enabled(ctx, ADMINISTRATOR, id, *on).await,
            Change::Secret(overlap) => {
                let seconds = if *overlap { 86_400 } else { 0 };
                let secret = client::rotate_secret(ctx, ADMINISTRATOR, id, seconds).await?;
                self.group.add_secret(secret.expose().clone());
                Ok(())
            }
            Change::Sweep(of_user) => {
                let (user, client) = match of_user {
                    true => (Some(name.clone()), None),
                    false => (None, Some(id.clone())),
                };
                revoke(ctx, ADMINISTRATOR, &TokenFilter { user, client }).await?;
                Ok(())
            }
            other => {
                let fields: ClientFields = Self::field(other).into_iter().collect();
                client::update(ctx, ADMINISTRATOR, id, fields).await?;
                Ok(())
            }
        }
    }

    async fn command(&self, app: &App, change: &Change) -> Result<(), String> {
        let (name, id) = (
            self.group.user.as_str(),
            self.group.client.client_id.as_str(),
        );
        let field = Self::field(change).map(|(field, value)| format!("{field}={value}"));
        let mut input = String::new();
        let arguments = match change {
            Change::Enabled(true) => vec!["enable-user", name],
            Change::Enabled(false) => vec!["disable-user", name],
            Change::Password(number) => {
                input = self.group.password(*number);
                vec!["set-password", name, "--password-stdin"]
            }
            Change::ClientEnabled(true) => vec!["oauth-client", "enable", id],
            Change::ClientEnabled(false) => vec!["oauth-client", "disable", id],
            Change::Secret(overlap) => {
                let overlap = if *overlap { "1d" } else { "0" };
                vec!["oauth-client", "rotate-secret", id, "--overlap", overlap]
            }
            Change::Sweep(true) => vec!["token", "revoke", "--user", name, "--yes"],
            Change::Sweep(false) => vec!["token", "revoke", "--client", id, "--yes"],
            // The command line has no word for a single role.
            Change::Reader(_) => return self.call(app, change).await,
            _ => vec!["oauth-client", "set", id, field.as_deref().unwrap()],
        };
        let answer = run(app, &arguments, &input).await?;
        if let Change::Secret(_) = change {
            let secret = answer["client_secret"].as_str().ok_or("no secret")?;
            self.group.add_secret(secret.to_owned());
        }
        Ok(())
    }
}

/// Runs a command of the program on the site. Gives its JSON.
async fn run(app: &App, arguments: &[&str], input: &str) -> Result<serde_json::Value, String> {
    let mut child = Command::new(program())
        .arg("--bench")
        .arg(app.bench().root())
        .args(["--site", app.site(), "--json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut pipe = child.stdin.take().ok_or("no pipe")?;
    pipe.write_all(input.as_bytes()).await.ok();
    drop(pipe);
    let output = child.wait_with_output().await;
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{arguments:?}: {said}"));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
