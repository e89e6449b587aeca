//! One file per command.

pub(crate) mod add_system_manager;
pub(crate) mod add_user;
pub(crate) mod backup;
pub(crate) mod bootstrap;
pub(crate) mod completions;
pub(crate) mod destroy_all_sessions;
pub(crate) mod disable_user;
pub(crate) mod doctor;
pub(crate) mod drop_site;
pub(crate) mod enable_user;
pub(crate) mod execute;
pub(crate) mod install_app;
pub(crate) mod keys;
pub(crate) mod list_apps;
pub(crate) mod list_patches;
pub(crate) mod list_sites;
pub(crate) mod list_users;
pub(crate) mod migrate;
pub(crate) mod new_site;
pub(crate) mod oauth_client;
pub(crate) mod restart;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod set_admin_password;
pub(crate) mod set_config;
pub(crate) mod set_password;
pub(crate) mod show_config;
pub(crate) mod token;
pub(crate) mod uninstall_app;
pub(crate) mod use_site;
pub(crate) mod version;

use anyhow::Context as _;
use crema_auth::user::{self, ADMINISTRATOR, GUEST};
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;

use crate::cli::{Cli, Command};
use crate::logging::{self, Log};
use crate::shell::Shell;

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let mut shell = Shell::new(cli.globals);
    match cli.command {
        Command::Serve(command) => {
            let log = logging::start_server(command.log_format, LevelFilter::INFO)?;
            runtime(Builder::new_multi_thread())?.block_on(command.run(&shell, &log))
        }
        command => {
            let log = logging::start(LevelFilter::WARN);
            runtime(Builder::new_current_thread())?.block_on(once(command, &mut shell, &log))
        }
    }
}

fn runtime(mut builder: Builder) -> anyhow::Result<Runtime> {
    builder
        .enable_all()
        .build()
        .context("the runtime cannot be started")
}

/// Every command that ends by itself.
async fn once(command: Command, shell: &mut Shell, log: &Log) -> anyhow::Result<()> {
    match command {
        Command::Serve(command) => Box::pin(command.run(shell, log)).await,
        Command::Restart(command) => command.run(shell).await,
        Command::NewSite(command) => Box::pin(command.run(shell)).await,
        Command::DropSite(command) => Box::pin(command.run(shell)).await,
        Command::ListSites(command) => command.run(shell),
        Command::Use(command) => command.run(shell),
        Command::Migrate(command) => Box::pin(command.run(shell)).await,
        Command::Backup(command) => Box::pin(command.run(shell)).await,
        Command::Restore(command) => Box::pin(command.run(shell)).await,
        Command::ListPatches(command) => shell.on_sites(|| Ok(command)).await,
        Command::InstallApp(command) => shell.on_sites(|| Ok(command)).await,
        Command::UninstallApp(command) => shell.on_sites(|| Ok(command)).await,
        Command::ListApps(command) => shell.on_sites(|| Ok(command)).await,
        Command::Bootstrap(command) => Box::pin(command.run(shell)).await,
        Command::SetConfig(command) => command.run(shell).await,
        Command::ShowConfig(command) => command.run(shell).await,
        Command::AddUser(command) => shell.on_sites(|| command.ready()).await,
        Command::AddSystemManager(command) => shell.on_sites(|| command.ready()).await,
        Command::DisableUser(command) => shell.on_sites(|| Ok(command)).await,
        Command::EnableUser(command) => shell.on_sites(|| Ok(command)).await,
        Command::SetPassword(command) => shell.on_sites(|| command.ready()).await,
        Command::SetAdminPassword(command) => shell.on_sites(|| command.ready()).await,
        Command::ListUsers(command) => shell.on_sites(|| Ok(command)).await,
        Command::DestroyAllSessions(command) => shell.on_sites(|| Ok(command)).await,
        Command::OauthClient(command) => Box::pin(command.run(shell)).await,
        Command::Token(command) => Box::pin(command.run(shell)).await,
        Command::Keys(command) => Box::pin(command.run(shell)).await,
        Command::Execute(command) => shell.on_sites(|| command.ready()).await,
        Command::Doctor(command) => Box::pin(command.run(shell)).await,
        Command::Version(command) => command.run(shell),
        Command::Completions(command) => command.run(),
    }
}

/// The name of the user whom somebody means: addresses in any case, `Administrator` and `Guest`
/// too.
fn user_name(text: &str) -> String {
    let fixed = [ADMINISTRATOR, GUEST]
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(text));
    fixed
        .map(str::to_owned)
        .or_else(|| user::normal_email(text))
        .unwrap_or_else(|| text.to_owned())
}
