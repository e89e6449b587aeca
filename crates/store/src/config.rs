//! How to reach a database.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::Dialect;

/// Which database, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// A file of this process; it is created with mode 0600 when it does not exist.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A MariaDB server.
    MariaDb(ServerConfig),
    /// A PostgreSQL server.
    Postgres(ServerConfig),
}

impl DatabaseConfig {
    /// The dialect that this database speaks.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::MariaDb(_) => Dialect::MariaDb,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// A database on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Host name or address. Ignored when there is a socket.
    pub host: String,
    /// TCP port. On PostgreSQL also part of the socket's name.
    pub port: u16,
    /// Unix socket: the file on MariaDB, its folder on PostgreSQL.
    pub socket: Option<PathBuf>,
    /// The user who signs in.
    pub user: String,
    /// The user's password.
    pub password: Password,
    /// The database. For administration it may be empty: no database on MariaDB, `postgres`
    /// on PostgreSQL.
    pub database: String,
    /// Encryption of the connection.
    pub tls: Tls,
    /// At most so many connections are open at a time.
    pub max_connections: u32,
    /// How long an operation waits for a connection, and a statement for a lock, in whole
    /// seconds, at least one. An operation is given up after three times as long.
    pub timeout: Duration,
}

impl ServerConfig {
    /// The usual [`timeout`](ServerConfig::timeout).
    pub const TIMEOUT: Duration = Duration::from_secs(5);
}

/// Encryption of a connection to a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tls {
    /// None: for sockets and loopback addresses.
    #[default]
    Off,
    /// Encrypted, with whatever certificate the server shows. Keeps out listeners only.
    Unverified,
    /// Encrypted, and the certificate is valid for the host name.
    Verified {
        /// PEM file with authorities that are accepted besides the public ones.
        authorities: Option<PathBuf>,
    },
}

/// A database password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
