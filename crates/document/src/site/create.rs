//! Making and dropping sites.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Site, connect, require};
use crate::config::DbType;
use crate::names::{RandomSource, random_hex};
use crate::schema::Change;
use crate::{Bench, Registry, SecretText, SiteConfig, SiteError, Timestamp};

/// Who may make databases on a server.
#[derive(Clone, Debug)]
pub struct RootCredentials {
    /// The server's administrator.
    pub user: String,
    /// The administrator's password.
    pub password: SecretText,
}

/// What a new site is to be like.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Its name: the host under which it is asked for.
    pub name: String,
    /// Its kind of database.
    pub db_type: DbType,
    /// The database server; as in the common configuration when absent.
    pub db_host: Option<String>,
    /// The server's port.
    pub db_port: Option<u16>,
    /// The server's Unix socket.
    pub db_socket: Option<String>,
    /// The name of the database; random when absent.
    pub db_name: Option<String>,
    /// The database's user; named like the database when absent.
    pub db_user: Option<String>,
    /// That user's password; random when absent.
    pub db_password: Option<SecretText>,
    /// MariaDB: the hosts that the user may come from; any when absent.
    pub db_user_host: Option<String>,
    /// Who makes database and user on the server. Without, both must be there already.
    pub root: Option<RootCredentials>,
    /// The Fernet key under which the site's secrets are stored.
    pub encryption_key: SecretText,
    /// Further keys of `site_config.json`.
    pub config: Map<String, Value>,
}

impl NewSite {
    /// A site with a SQLite database.
    pub fn sqlite(name: impl Into<String>, encryption_key: impl Into<SecretText>) -> NewSite {
        NewSite {
            name: name.into(),
            db_type: DbType::Sqlite,
            db_host: None,
            db_port: None,
            db_socket: None,
            db_name: None,
            db_user: None,
            db_password: None,
            db_user_host: None,
            root: None,
            encryption_key: encryption_key.into(),
            config: Map::new(),
        }
    }

    /// The site's own configuration file.
    fn keys(&self, random: &dyn RandomSource) -> Map<String, Value> {
        let mut keys = Map::new();
        let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
        // Frappe's names begin with an underscore, so that none begins with a digit.
        let db_name = self.db_name.clone();
        let db_name = db_name.unwrap_or_else(|| format!("_{}", random_hex(random, 16)));
        put("db_type", self.db_type.name().into());
        put("db_name", db_name.as_str().into());
        if self.db_type != DbType::Sqlite {
            let user = self.db_user.clone().unwrap_or(db_name);
            let password = self.db_password.as_ref().map_or_else(
                || random_hex(random, 40),
                |password| password.expose().to_owned(),
            );
            put("db_user", user.into());
            put("db_password", password.into());
            if let Some(host) = &self.db_host {
                put("db_host", host.as_str().into());
            }
            if let Some(port) = self.db_port {
                put("db_port", port.into());
            }
            if let Some(user_host) = &self.db_user_host {
                put("db_user_host", user_host.as_str().into());
            }
            if let Some(socket) = &self.db_socket {
                put("db_socket", socket.as_str().into());
            }
        }
        put("encryption_key", self.encryption_key.expose().into());
        keys.extend(self.config.clone());
        keys
    }
}

impl Site {
    /// Makes a site: folder, configuration, database, tables, first records. When something
    /// fails, what was made of it is removed again.
    ///
    /// # Errors
    /// When the name is taken or none, the database cannot be made, or a step of the migration
    /// fails.
    pub async fn create(
        bench: &Bench,
        new: &NewSite,
        registry: Arc<Registry>,
        now: Timestamp,
        random: Arc<dyn RandomSource>,
    ) -> Result<(Site, Vec<Change>), SiteError> {
        let keys = new.keys(&*random);
        bench.make_site(&new.name, keys)?;
        let made = make(bench, new, registry, now, random).await;
        if made.is_err() {
            bench.remove_site(&new.name).ok();
        }
        made
    }

    /// Drops a site: its database with the user, and its folder with all files. `root` makes
    /// the server do so; without it a database on a server stays, and only the folder goes,
    /// also when the configuration is broken.
    ///
    /// # Errors
    /// When there is no such site, or something cannot be removed; the folder goes last.
    pub async fn drop_site(
        bench: &Bench,
        name: &str,
        root: Option<&RootCredentials>,
    ) -> Result<(), SiteError> {
        require(bench, name)?;
        if let Some(root) = root {
            let config = bench.site_config(name)?;
            connect::drop_server_database(&config, root).await?;
        }
        bench.remove_site(name)?;
        Ok(())
    }
}

async fn make(
    bench: &Bench,
    new: &NewSite,
    registry: Arc<Registry>,
    now: Timestamp,
    random: Arc<dyn RandomSource>,
) -> Result<(Site, Vec<Change>), SiteError> {
    let config: SiteConfig = bench.site_config(&new.name)?;
    let made_database = match &new.root {
        Some(root) => connect::create_server_database(&config, root).await?,
        None => false,
    };
    let opened = async {
        let site = Site::open(bench, &new.name, registry)?;
        let changes = site.migrate(now, random).await?;
        Ok((site, changes))
    };
    let opened: Result<_, SiteError> = opened.await;
    if opened.is_err()
        && made_database
        && let Some(root) = &new.root
    {
        // Best effort: the first error is the one to report.
        connect::drop_server_database(&config, root).await.ok();
    }
    opened
}
