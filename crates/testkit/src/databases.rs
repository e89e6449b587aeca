//! A database of each engine for a test, fresh and gone afterwards.
//!
//! The servers are private ones that `./test` starts; where they are and who administers
//! them is in `CREMA_TEST_MARIADB` and `CREMA_TEST_POSTGRES`. A test that cannot reach them
//! fails: a database that is left out is not a database that works.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::large_enum_variant,
    reason = "the test that asked for a database has failed when there is none"
)]

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crema_store::{
    Database, DatabaseConfig, Dialect, Password, ServerConfig, ServerDatabase, StoreError, Tls,
    create_server_database, drop_server_database,
};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// A file in a temporary folder.
    Sqlite,
    /// A database on the private MariaDB server.
    MariaDb,
    /// A database on the private PostgreSQL server.
    Postgres,
}

impl Engine {
    /// Every kind, for tests that run on all of them.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::MariaDb, Self::Postgres];

    /// The dialect of this engine.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Sqlite => Dialect::Sqlite,
            Self::MariaDb => Dialect::MariaDb,
            Self::Postgres => Dialect::Postgres,
        }
    }

    /// How to reach the private server as its administrator; none for SQLite.
    ///
    /// # Panics
    /// When the variable is missing or not understood.
    #[must_use]
    pub fn administrator(self) -> Option<DatabaseConfig> {
        let (variable, scheme, wrap): (_, _, fn(ServerConfig) -> DatabaseConfig) = match self {
            Self::Sqlite => return None,
            Self::MariaDb => ("CREMA_TEST_MARIADB", "mysql://", DatabaseConfig::MariaDb),
            Self::Postgres => (
                "CREMA_TEST_POSTGRES",
                "postgres://",
                DatabaseConfig::Postgres,
            ),
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that learns from the environment where the servers are"
        )]
        let url = std::env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set: run the tests with ./test, or first \
                 scripts/test-databases.sh start and eval \"$(scripts/test-databases.sh env)\""
            )
        });
        let server = server_of_url(&url, scheme).unwrap_or_else(|| {
            panic!("{variable} has not the form {scheme}user:password@host:port")
        });
        Some(wrap(server))
    }
}

/// A fresh, empty database. Dropping it removes it.
#[derive(Debug)]
pub struct TestDatabase {
    engine: Engine,
    config: DatabaseConfig,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder {
        _folder: tempfile::TempDir,
    },
    Server {
        administrator: DatabaseConfig,
        database: ServerDatabase,
    },
}

impl TestDatabase {
    /// Makes a database, on a server with a user of its own, as a site has it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let Some(administrator) = engine.administrator() else {
            let folder = tempfile::tempdir().expect("no temporary folder");
            let path: PathBuf = folder.path().join("site.db");
            return Self {
                engine,
                config: DatabaseConfig::Sqlite { path },
                place: Place::Folder { _folder: folder },
            };
        };
        let name = unique_name();
        let database = ServerDatabase {
            name: name.clone(),
            user: name.clone(),
            user_host: "%".to_owned(),
        };
        let password = format!("password-of-{name}");
        let own = |server: &ServerConfig| ServerConfig {
            user: name.clone(),
            password: Password::new(password.clone()),
            database: name.clone(),
            ..server.clone()
        };
        let config = match &administrator {
            DatabaseConfig::MariaDb(server) => DatabaseConfig::MariaDb(own(server)),
            DatabaseConfig::Postgres(server) => DatabaseConfig::Postgres(own(server)),
            DatabaseConfig::Sqlite { .. } => panic!("SQLite has no administrator"),
        };
        {
            let (administrator, database) = (administrator.clone(), database.clone());
            on_own_runtime(async move {
                let password = Password::new(password);
                create_server_database(&administrator, &database, &password).await
            })
            .expect("the test's database could not be made");
        }
        Self {
            engine,
            config,
            place: Place::Server {
                administrator,
                database,
            },
        }
    }

    /// The kind of database.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// How to reach it, with the rights that a site has.
    #[must_use]
    pub const fn config(&self) -> &DatabaseConfig {
        &self.config
    }

    /// Opens it, on a server inside of a tokio runtime. Every call opens it anew, as another
    /// process would.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn open(&self) -> Database {
        Database::open(&self.config).expect("the test's database could not be opened")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Server {
            administrator,
            database,
        } = &self.place
        {
            let (administrator, database) = (administrator.clone(), database.clone());
            // What is left over vanishes with the server; a failing test shall show its own
            // message.
            let _ = on_own_runtime(
                async move { drop_server_database(&administrator, &database).await },
            );
        }
    }
}

/// Waits on a thread of its own: a test may already be inside of a runtime.
fn on_own_runtime(
    work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
) -> Result<(), StoreError> {
    let waiting = thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("no runtime")
            .block_on(work)
    });
    waiting.join().expect("the database's thread panicked")
}

/// Test programs run side by side on the same servers, and a killed one leaves its databases
/// behind, so a number of this process is not enough.
fn unique_name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().hash_one(number);
    format!("test_{}_{number}_{random:016x}", std::process::id())
}

/// `scheme://user:password@host:port`
fn server_of_url(url: &str, scheme: &str) -> Option<ServerConfig> {
    let (account, address) = url
        .strip_prefix(scheme)?
        .trim_end_matches('/')
        .rsplit_once('@')?;
    let (user, password) = account.split_once(':')?;
    let (host, port) = address.rsplit_once(':')?;
    Some(ServerConfig {
        host: host.to_owned(),
        port: port.parse().ok()?,
        socket: None,
        user: user.to_owned(),
        password: Password::new(password),
        database: String::new(),
        tls: Tls::Off,
        max_connections: 10,
        timeout: ServerConfig::TIMEOUT,
    })
}
