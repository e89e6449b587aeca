//! The options that every command takes, and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    add_system_manager, add_user, backup, bootstrap, completions, destroy_all_sessions,
    disable_user, doctor, drop_site, enable_user, execute, install_app, keys, list_apps,
    list_patches, list_sites, list_users, migrate, new_site, oauth_client, restart, restore, serve,
    set_admin_password, set_config, set_password, show_config, token, uninstall_app, use_site,
    version,
};

/// OAuth 2 and OpenID Connect for Frappe-style sites.
///
/// One bench, a folder that holds `sites/`, has many sites; each has its own names, users,
/// clients, keys and database. What a command changes, a running server obeys at its next
/// request.
#[derive(Parser, Debug)]
#[command(
    name = "crema",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Example:\n  crema serve --quickstart\n\n\
        Exit code: 0 done, 1 failed (the reason is on stderr), 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command, before it or after it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// The bench: the folder that holds `sites/`.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) bench: PathBuf,
    /// The site that is meant, `all` for each in turn. Without it the current site, see `crema
    /// use`.
    #[arg(long, global = true, value_name = "NAME|all")]
    pub(crate) site: Option<String>,
    /// Answer in JSON, for scripts.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Restart(restart::Restart),
    NewSite(new_site::NewSite),
    DropSite(drop_site::DropSite),
    ListSites(list_sites::ListSites),
    Use(use_site::Use),
    Migrate(migrate::Migrate),
    ListPatches(list_patches::ListPatches),
    Backup(backup::Backup),
    Restore(restore::Restore),
    InstallApp(install_app::InstallApp),
    UninstallApp(uninstall_app::UninstallApp),
    ListApps(list_apps::ListApps),
    Bootstrap(bootstrap::Bootstrap),
    SetConfig(set_config::SetConfig),
    ShowConfig(show_config::ShowConfig),
    AddUser(add_user::AddUser),
    AddSystemManager(add_system_manager::AddSystemManager),
    DisableUser(disable_user::DisableUser),
    EnableUser(enable_user::EnableUser),
    SetPassword(set_password::SetPassword),
    SetAdminPassword(set_admin_password::SetAdminPassword),
    ListUsers(list_users::ListUsers),
    DestroyAllSessions(destroy_all_sessions::DestroyAllSessions),
    OauthClient(oauth_client::OauthClient),
    Token(token::Token),
    Keys(keys::Keys),
    Execute(execute::Execute),
    Doctor(doctor::Doctor),
    Version(version::Version),
    Completions(completions::Completions),
}
