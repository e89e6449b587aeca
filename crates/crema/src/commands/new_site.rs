//! `new-site`: a site with its database, tables, first records and Administrator's password.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use crema_auth::user::{self, ADMINISTRATOR};
use crema_crypto::{Secret, generate_encryption_key};
use crema_document::apps::AppFolder;
use crema_document::config::DbType;
use crema_document::site::RootCredentials;
use crema_document::{Bench, NewSite as Wanted, SecretText, Site};
use serde_json::{Value, json};

use super::install_app::install;
use crate::advice::Usage;
use crate::answer::{self, Answer};
use crate::secrets;
use crate::shell::{BY, OpenSite, Shell};

/// Create a site and its database.
///
/// With MariaDB or PostgreSQL the site gets a database and a database user of its own, made with
/// the account of the server's administrator, whose password is asked for and not kept.
/// Administrator's password is generated and shown once, unless one is given. A running server
/// picks the site up without a restart.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  crema new-site shop.localhost\n\n\
    With a database server:\n  crema new-site crm.localhost --db-type mariadb --db-host db1 \
    --db-root-username root")]
pub(crate) struct NewSite {
    /// The site's name: the host under which it is asked for.
    #[arg(value_name = "NAME")]
    name: String,
    /// Kind of database.
    #[arg(long, value_name = "TYPE", default_value = "sqlite")]
    db_type: Kind,
    /// Host of the database server; as in common_site_config.json, else 127.0.0.1.
    #[arg(long, value_name = "HOST")]
    db_host: Option<String>,
    /// Port of the database server.
    #[arg(long, value_name = "PORT")]
    db_port: Option<u16>,
    /// Unix socket of the database server.
    #[arg(long, value_name = "PATH")]
    db_socket: Option<String>,
    /// Name of the database; drawn at random without it.
    #[arg(long, value_name = "NAME")]
    db_name: Option<String>,
    /// The site's user on the database server; named like the database without it.
    #[arg(long, value_name = "USER")]
    db_user: Option<String>,
    /// Password of that user, at least 16 characters; drawn at random without it.
    #[arg(long, value_name = "PASSWORD")]
    db_password: Option<Secret<String>>,
    #[command(flatten)]
    root: RootOptions,
    /// Use a database and a user that are there already: give --db-name and --db-password.
    #[arg(long, requires = "db_name", requires = "db_password")]
    no_setup_db: bool,
    /// Administrator's password. Other users of this machine can see it while the command runs.
    #[arg(long, value_name = "PASSWORD")]
    admin_password: Option<Secret<String>>,
    /// Read Administrator's password from a file; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "admin_password")]
    admin_password_file: Option<PathBuf>,
    /// Read Administrator's password from stdin.
    #[arg(long, conflicts_with_all = ["admin_password", "admin_password_file", "db_root_password_stdin"])]
    admin_password_stdin: bool,
    /// An app to install: crm, or one of data, see `crema install-app`. May be repeated.
    #[arg(long = "install-app", value_name = "APP")]
    apps: Vec<String>,
    /// Make it the current site.
    #[arg(long)]
    set_default: bool,
}

/// The account of a database server's administrator.
#[derive(Args, Debug)]
pub(crate) struct RootOptions {
    /// The database server's administrator; root on MariaDB, postgres on PostgreSQL.
    #[arg(
        long,
        value_name = "USER",
        alias = "root-login",
        alias = "mariadb-root-username"
    )]
    db_root_username: Option<String>,
    /// The administrator's password. Other users of this machine can see it while the command
    /// runs: better leave it out and be asked.
    #[arg(
        long,
        value_name = "PASSWORD",
        alias = "root-password",
        alias = "mariadb-root-password"
    )]
    db_root_password: Option<Secret<String>>,
    /// Read the administrator's password from a file; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "db_root_password")]
    db_root_password_file: Option<PathBuf>,
    /// Read the administrator's password from stdin.
    #[arg(long, conflicts_with_all = ["db_root_password", "db_root_password_file"])]
    db_root_password_stdin: bool,
}

impl RootOptions {
    /// The account, its password asked for when no option gives it.
    pub(crate) fn credentials(&self, kind: DbType) -> anyhow::Result<RootCredentials> {
        let usual = if kind == DbType::Postgres {
            "postgres"
        } else {
            "root"
        };
        let user = self
            .db_root_username
            .clone()
            .unwrap_or_else(|| usual.to_owned());
        let given = secrets::given(
            self.db_root_password.as_ref(),
            self.db_root_password_file.as_deref(),
            self.db_root_password_stdin,
        )?;
        let password = match given {
            Some(password) => password,
            None if secrets::is_terminal() => {
                secrets::asked(&format!("Password of {user} on the database server"))?
            }
            None => {
                let text = format!(
                    "The password of {user} on the database server is needed: give \
                     --db-root-password-file FILE or --db-root-password-stdin."
                );
                return Err(Usage(text).into());
            }
        };
        Ok(RootCredentials {
            user,
            password: SecretText::new(password.expose().as_str()),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Sqlite,
    #[value(alias = "mysql")]
    Mariadb,
    #[value(alias = "postgresql")]
    Postgres,
}

impl Kind {
    fn db_type(self) -> DbType {
        match self {
            Kind::Sqlite => DbType::Sqlite,
            Kind::Mariadb => DbType::MariaDb,
            Kind::Postgres => DbType::Postgres,
        }
    }
}

impl NewSite {
    pub(crate) async fn run(&self, shell: &Shell) -> anyhow::Result<()> {
        for app in &self.apps {
            AppFolder::read(&shell.bench, app)?;
        }
        // What can be wrong without looking at a database comes before the questions.
        if shell.bench.site_folder(&self.name).is_ok() && shell.bench.has_site(&self.name) {
            return Err(crema_document::BenchError::SiteExists(self.name.clone()).into());
        }
        shell.bench.site_folder(&self.name)?;
        let chosen = secrets::given(
            self.admin_password.as_ref(),
            self.admin_password_file.as_deref(),
            self.admin_password_stdin,
        )?;
        let chosen = chosen.map(secrets::checked).transpose()?;
        let wanted = self.wanted(shell)?;
        if io::stderr().is_terminal() {
            answer::note(&format!("Creating {} …", self.name));
        }
        let made = make(shell, &wanted, chosen.as_ref()).await?;
        let installed = match self.apps.as_slice() {
            [] => Ok(()),
            apps => install(&made.site, apps).await.map(drop),
        };
        made.site.close().await;
        if self.set_default {
            shell.bench.set_current_site(&self.name)?;
        }
        // Before anything else goes wrong: the password is shown this once.
        shell.print(&self.answer(&made))?;
        installed.with_context(|| format!("the site {} is made, but not all apps are", self.name))
    }

    fn wanted(&self, shell: &Shell) -> anyhow::Result<Wanted> {
        let db_type = self.db_type.db_type();
        let key = generate_encryption_key(&*shell.environment.entropy);
        let root = match db_type {
            DbType::Sqlite => None,
            _ if self.no_setup_db => None,
            server => Some(self.root.credentials(server)?),
        };
        let db_password = self.db_password.as_ref();
        Ok(Wanted {
            db_type,
            db_host: self.db_host.clone(),
            db_port: self.db_port,
            db_socket: self.db_socket.clone(),
            db_name: self.db_name.clone(),
            db_user: self.db_user.clone(),
            db_password: db_password.map(|secret| SecretText::new(secret.expose().as_str())),
            root,
            ..Wanted::sqlite(self.name.as_str(), key.expose().as_str())
        })
    }

    fn answer(&self, made: &Made) -> Answer {
        let mut text = format!("Site {} is made.", self.name);
        let mut json = json!({
            "site": self.name,
            "db_type": self.db_type.db_type().name(),
            "current": self.set_default,
        });
        if let (false, Value::Object(members)) = (self.apps.is_empty(), &mut json) {
            members.insert("apps".to_owned(), json!(self.apps));
        }
        if let Some(password) = &made.generated {
            let password = password.expose();
            text.push_str(&format!(
                "\nAdministrator's password, shown this once: {password}"
            ));
            if let Value::Object(members) = &mut json {
                members.insert("administrator_password".to_owned(), json!(password));
            }
        }
        Answer::new(text, json)
    }
}

/// A site that was just made.
pub(crate) struct Made {
    /// The site, open.
    pub(crate) site: OpenSite,
    /// Administrator's password, when nobody chose it.
    pub(crate) generated: Option<Secret<String>>,
}

/// Makes a site and gives Administrator the chosen password, or one that is generated.
///
/// # Errors
/// When something cannot be made; what was made of it is removed again.
pub(crate) async fn make(
    shell: &Shell,
    wanted: &Wanted,
    chosen: Option<&Secret<String>>,
) -> anyhow::Result<Made> {
    Bench::create(shell.bench.root())?;
    let now = shell.environment.clock.now();
    let (site, _) =
        Site::create(&shell.bench, wanted, shell.registry()?, now, shell.random()).await?;
    let site = OpenSite::of(site, shell.environment.clone()).await?;
    let generated = match chosen {
        Some(_) => None,
        None => Some(secrets::generated(&*shell.environment.entropy)),
    };
    if let Some(password) = chosen.or(generated.as_ref()) {
        let set = user::set_password(&site.ctx, BY, ADMINISTRATOR, password).await;
        set.with_context(|| format!("the site {} is made, but has no password", site.name))?;
    }
    Ok(Made { site, generated })
}
