//! From a site's configuration to its database.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crema_store::{DatabaseConfig, Password, ServerConfig, ServerDatabase, Tls};

use super::RootCredentials;
use crate::config::DbType;
use crate::{SecretText, SiteConfig, SiteError};

/// Where the database of a site is, and how it is reached.
pub(super) fn database_config(
    site: &str,
    folder: &Path,
    config: &SiteConfig,
) -> Result<DatabaseConfig, SiteError> {
    let missing = |key| SiteError::MissingKey {
        site: site.to_owned(),
        key,
    };
    let name = config.db_name().ok_or_else(|| missing("db_name"))?;
    if config.db_type() == DbType::Sqlite {
        let file = sqlite_file(name).ok_or_else(|| missing("db_name"))?;
        return Ok(DatabaseConfig::Sqlite {
            path: folder.join("db").join(file),
        });
    }
    let password = config.db_password().ok_or_else(|| missing("db_password"))?;
    let server = ServerConfig {
        user: config.db_user().unwrap_or(name).to_owned(),
        password: Password::new(password.expose()),
        database: name.to_owned(),
        ..server_config(config)
    };
    Ok(match config.db_type() {
        DbType::Postgres => DatabaseConfig::Postgres(server),
        DbType::MariaDb | DbType::Sqlite => DatabaseConfig::MariaDb(server),
    })
}

/// The server alone, without user and database.
pub(super) fn server_config(config: &SiteConfig) -> ServerConfig {
    let socket = config.db_socket();
    let tls = match config.db_tls() {
        Some("off") => Tls::Off,
        Some("unverified") => Tls::Unverified,
        None if socket.is_some() || is_local(config.db_host()) => Tls::Off,
        // spec: security.md, Inputs, outputs, network: TLS to remote databases
        _ => Tls::Verified {
            authorities: config.db_ssl_ca(),
        },
    };
    ServerConfig {
        host: config.db_host().to_owned(),
        port: config.db_port(),
        socket,
        user: String::new(),
        password: Password::default(),
        database: String::new(),
        tls,
        max_connections: config.db_max_connections(),
        timeout: config
            .db_timeout()
            .map_or(ServerConfig::TIMEOUT, Duration::from_secs),
    }
}

/// The file of a SQLite database; `None` when the name would lead out of its folder.
fn sqlite_file(name: &str) -> Option<String> {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    (plain && !name.is_empty()).then(|| format!("{name}.db"))
}

fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Makes the database and its user on the server; `false` when there is no server.
pub(super) async fn create_server_database(
    config: &SiteConfig,
    root: &RootCredentials,
) -> Result<bool, SiteError> {
    let Some((administrator, database)) = administration(config, root) else {
        return Ok(false);
    };
    let password = config.db_password().unwrap_or(SecretText::new(""));
    let password = Password::new(password.expose());
    crema_store::create_server_database(&administrator, &database, &password).await?;
    Ok(true)
}

/// Removes the database and its user from the server, as far as they exist.
pub(super) async fn drop_server_database(
    config: &SiteConfig,
    root: &RootCredentials,
) -> Result<(), SiteError> {
    if let Some((administrator, database)) = administration(config, root) {
        crema_store::drop_server_database(&administrator, &database).await?;
    }
    Ok(())
}

/// The server as its administrator sees it, and what is a site's own there.
fn administration(
    config: &SiteConfig,
    root: &RootCredentials,
) -> Option<(DatabaseConfig, ServerDatabase)> {
    let name = config.db_name()?;
    let database = ServerDatabase {
        name: name.to_owned(),
        user: config.db_user().unwrap_or(name).to_owned(),
        user_host: config.text("db_user_host").unwrap_or("%").to_owned(),
    };
    let server = ServerConfig {
        user: root.user.clone(),
        password: Password::new(root.password.expose()),
        ..server_config(config)
    };
    let administrator = match config.db_type() {
        DbType::Sqlite => return None,
        DbType::MariaDb => DatabaseConfig::MariaDb(server),
        DbType::Postgres => DatabaseConfig::Postgres(server),
    };
    Some((administrator, database))
}
