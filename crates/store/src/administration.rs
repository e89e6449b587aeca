//! Making and removing databases on a server, as its administrator.

use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, MySqlConnection, PgConnection};

use crate::dialect::MARIADB_COLLATION;
use crate::error::Failure;
use crate::{DatabaseConfig, Password, ServerConfig, StoreError, mariadb, postgres};

/// A database on a server and the one user who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerDatabase {
    /// The database: ASCII letters, digits and `_`, at most 63 characters.
    pub name: String,
    /// The user, with the same letters.
    pub user: String,
    /// MariaDB: the hosts that the user may come from; `%` for any.
    pub user_host: String,
}

/// Creates a database and its user, who owns it and nothing else. On MariaDB text is
/// `utf8mb4` and compared byte for byte, trailing blanks included; on PostgreSQL it sorts by
/// code point, and other users cannot connect.
///
/// # Errors
/// [`StoreError::AlreadyExists`] when either exists: nothing has changed then. Also when the
/// server cannot be reached, refuses, or the names have other characters.
pub async fn create_server_database(
    administrator: &DatabaseConfig,
    database: &ServerDatabase,
    password: &Password,
) -> Result<(), StoreError> {
    check_name(&database.name)?;
    check_name(&database.user)?;
    check_host(&database.user_host)?;
    check_password(password.expose())?;
    match Administrator::connect(administrator).await? {
        Administrator::MariaDb(mut server) => {
            create_on_mariadb(&mut server, database, password.expose()).await
        }
        Administrator::Postgres(mut server) => {
            create_on_postgres(&mut server, database, password.expose()).await
        }
    }
}

/// Removes a database and its user, as far as they exist. Open connections are ended.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn drop_server_database(
    administrator: &DatabaseConfig,
    database: &ServerDatabase,
) -> Result<(), StoreError> {
    check_name(&database.name)?;
    check_name(&database.user)?;
    check_host(&database.user_host)?;
    let ServerDatabase {
        name,
        user,
        user_host,
    } = database;
    match Administrator::connect(administrator).await? {
        Administrator::MariaDb(mut server) => {
            on_mariadb(&mut server, format!(r#"DROP DATABASE IF EXISTS "{name}""#)).await?;
            let text = format!("DROP USER IF EXISTS '{user}'@'{user_host}'");
            on_mariadb(&mut server, text).await
        }
        Administrator::Postgres(mut server) => {
            let text = format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#);
            on_postgres(&mut server, text).await?;
            on_postgres(&mut server, format!(r#"DROP ROLE IF EXISTS "{user}""#)).await
        }
    }
}

async fn create_on_mariadb(
    server: &mut MySqlConnection,
    database: &ServerDatabase,
    password: &str,
) -> Result<(), StoreError> {
    let ServerDatabase {
        name,
        user,
        user_host,
    } = database;
    let account = format!("'{user}'@'{user_host}'");
    let text = format!("CREATE USER {account} IDENTIFIED BY '{password}'");
    on_mariadb(server, text).await?;
    let text =
        format!(r#"CREATE DATABASE "{name}" CHARACTER SET utf8mb4 COLLATE {MARIADB_COLLATION}"#);
    if let Err(error) = on_mariadb(server, text).await {
        on_mariadb(server, format!("DROP USER {account}")).await?;
        return Err(error);
    }
    // In a grant `_` stands for any character, so that one name would cover another.
    let pattern = name.replace('_', r"\_");
    let text = format!(r#"GRANT ALL PRIVILEGES ON "{pattern}".* TO {account}"#);
    on_mariadb(server, text).await
}

async fn create_on_postgres(
    server: &mut PgConnection,
    database: &ServerDatabase,
    password: &str,
) -> Result<(), StoreError> {
    let ServerDatabase { name, user, .. } = database;
    let text = format!(r#"CREATE ROLE "{user}" LOGIN PASSWORD '{password}'"#);
    on_postgres(server, text).await?;
    // An administrator who is not superuser may give a database only to a role of his own.
    let member = on_postgres(server, format!(r#"GRANT "{user}" TO CURRENT_USER"#)).await;
    let text = format!(
        r#"CREATE DATABASE "{name}" OWNER "{user}" ENCODING 'UTF8' LC_COLLATE 'C' TEMPLATE template0"#
    );
    let created = match member {
        Ok(()) => on_postgres(server, text).await,
        Err(error) => Err(error),
    };
    if let Err(error) = created {
        on_postgres(server, format!(r#"DROP ROLE "{user}""#)).await?;
        return Err(error);
    }
    on_postgres(
        server,
        format!(r#"REVOKE ALL ON DATABASE "{name}" FROM PUBLIC"#),
    )
    .await
}

enum Administrator {
    MariaDb(MySqlConnection),
    Postgres(PgConnection),
}

impl Administrator {
    async fn connect(config: &DatabaseConfig) -> Result<Self, StoreError> {
        match config {
            DatabaseConfig::Sqlite { .. } => Err(StoreError::Other(
                "SQLite has no server: its database is a file".to_owned(),
            )),
            DatabaseConfig::MariaDb(config) => Self::connect_mariadb(config).await,
            DatabaseConfig::Postgres(config) => Self::connect_postgres(config).await,
        }
    }

    async fn connect_mariadb(config: &ServerConfig) -> Result<Self, StoreError> {
        let options = mariadb::options(config);
        let mut server = in_time(config.timeout, options.connect(), mariadb::error).await?;
        let prepared = mariadb::prepare_session(&mut server, config.timeout);
        in_time(config.timeout, prepared, mariadb::error).await?;
        Ok(Self::MariaDb(server))
    }

    async fn connect_postgres(config: &ServerConfig) -> Result<Self, StoreError> {
        let options = postgres::options(config);
        let server = in_time(config.timeout, options.connect(), postgres::error).await?;
        Ok(Self::Postgres(server))
    }
}

async fn in_time<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
    error: fn(&sqlx::Error) -> Failure,
) -> Result<T, StoreError> {
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result.map_err(|failure| error(&failure).error),
        Err(_) => Err(error(&sqlx::Error::PoolTimedOut).error),
    }
}

async fn on_mariadb(server: &mut MySqlConnection, text: String) -> Result<(), StoreError> {
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(server).await;
    done.map(drop).map_err(|error| mariadb::error(&error).error)
}

async fn on_postgres(server: &mut PgConnection, text: String) -> Result<(), StoreError> {
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(server).await;
    done.map(drop)
        .map_err(|error| postgres::error(&error).error)
}

/// Names are part of statements: nothing that would need quoting gets in.
fn check_name(name: &str) -> Result<(), StoreError> {
    let valid = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if valid {
        return Ok(());
    }
    Err(StoreError::Other(
        "a database or user name has other characters than letters, digits and _, or more than 63"
            .to_owned(),
    ))
}

fn check_host(host: &str) -> Result<(), StoreError> {
    let valid = host.len() <= 255
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"%.:-_/".contains(&byte));
    if valid {
        return Ok(());
    }
    Err(StoreError::Other(
        "a user's host has characters that hosts do not have".to_owned(),
    ))
}

/// The password is part of a statement too.
fn check_password(password: &str) -> Result<(), StoreError> {
    let valid = password.len() >= 16
        && password
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"'\"\\".contains(&byte));
    if valid {
        return Ok(());
    }
    Err(StoreError::Other(
        "a database password has at least 16 printable ASCII characters without quotes and \\"
            .to_owned(),
    ))
}
