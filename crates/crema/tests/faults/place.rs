//! Benches with one site on a database of each kind, and what the load needs there.

use std::sync::atomic::{AtomicU32, Ordering};

use crema_protocol::client_rules::AuthMethod;
use crema_store::{DatabaseConfig, Password, ServerConfig, Tls};
use crema_testkit::{Engine, TestClient};

use crate::harness::{Bench, SITE, Server, text};

pub(crate) const USER: &str = "jo@example.com";
const USER_PASSWORD: &str = "correct-horse-battery-9";
const DATABASE_PASSWORD: &str = "own-database-password-9";
const CALLBACK: &str = "https://app.example.com/callback";

/// A database server and its administrator.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Root {
    /// The private server of that kind that `./test` starts; none for SQLite.
    fn of(engine: Engine) -> Option<Root> {
        let variable = match engine {
            Engine::Sqlite => return None,
            Engine::MariaDb => "CREMA_TEST_MARIADB",
            Engine::Postgres => "CREMA_TEST_POSTGRES",
        };
        // Says what to do when the variable is missing.
        engine.administrator()?;
        let url = std::env::var(variable).unwrap();
        let (_, url) = url.split_once("://")?;
        let (account, address) = url.rsplit_once('@')?;
        let (user, password) = account.split_once(':')?;
        let (host, port) = address.trim_end_matches('/').rsplit_once(':')?;
        Some(Root {
            host: host.to_owned(),
            port: port.parse().unwrap(),
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// A bench with [`SITE`]; its database goes with it.
pub(crate) struct Place {
    pub(crate) bench: Bench,
    pub(crate) engine: Engine,
    root: Option<Root>,
    name: String,
}

impl Place {
    /// On the server of that kind that `./test` starts.
    pub(crate) fn new(engine: Engine) -> Place {
        Place::on(engine, Root::of(engine))
    }

    /// On that server.
    pub(crate) fn on(engine: Engine, root: Option<Root>) -> Place {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("faults_{}_{number}", std::process::id());
        let bench = match &root {
            None => Bench::new(),
            Some(root) => {
                let bench = Bench::empty();
                let port = root.port.to_string();
                let mut make = vec!["new-site", SITE, "--set-default"];
                make.extend(["--db-type", kind(engine), "--db-host", &root.host]);
                make.extend(["--db-port", &port, "--db-name", &name, "--db-user", &name]);
                make.extend(["--db-password", DATABASE_PASSWORD]);
                make.extend(["--db-root-username", &root.user]);
                make.extend(["--db-root-password", &root.password]);
                bench.run(&make).ok();
                bench
            }
        };
        Place {
            bench,
            engine,
            root,
            name,
        }
    }

    /// How long the site waits for its database, in seconds, and how many connections it may
    /// have: few, because to open one is work too.
    pub(crate) fn wait_so_long(&self, timeout: u32, connections: u32) {
        let (timeout, connections) = (timeout.to_string(), connections.to_string());
        self.bench
            .run(&["set-config", "db_max_connections", &connections])
            .ok();
        self.bench.run(&["set-config", "db_timeout", &timeout]).ok();
    }

    /// The port that the site looks for its database at.
    pub(crate) fn reach_through(&self, port: u16) {
        let port = port.to_string();
        self.bench.run(&["set-config", "db_port", &port]).ok();
    }

    /// The port of the database's server.
    pub(crate) fn database_port(&self) -> u16 {
        self.root.as_ref().expect("a server is meant").port
    }

    /// The database as the site reaches it, at the server's own address.
    pub(crate) fn config(&self) -> DatabaseConfig {
        let Some(root) = &self.root else {
            let folder = self.bench.site_file(SITE, "db");
            let file = std::fs::read_dir(folder).unwrap().find_map(|entry| {
                let path = entry.unwrap().path();
                path.extension()
                    .is_some_and(|end| end == "db")
                    .then_some(path)
            });
            return DatabaseConfig::Sqlite {
                path: file.unwrap(),
            };
        };
        let server = ServerConfig {
            host: root.host.clone(),
            port: root.port,
            socket: None,
            user: self.name.clone(),
            password: Password::new(DATABASE_PASSWORD),
            database: self.name.clone(),
            tls: Tls::Off,
            max_connections: 4,
            timeout: ServerConfig::TIMEOUT,
        };
        match self.engine {
            Engine::Postgres => DatabaseConfig::Postgres(server),
            _ => DatabaseConfig::MariaDb(server),
        }
    }

    /// Makes a user and two clients and signs the user in.
    pub(crate) async fn scene(&self, server: &Server) -> Scene {
        self.accounts().sign_in(server).await
    }

    /// Makes a user and two clients.
    pub(crate) fn accounts(&self) -> Accounts {
        let bench = &self.bench;
        bench
            .run(&["add-user", USER, "--password", USER_PASSWORD])
            .ok();
        let client = |args: &[&str]| {
            let all = [&["oauth-client", "add", "--redirect-uri", CALLBACK], args].concat();
            let made = bench.json(&all);
            TestClient {
                client_id: text(&made, "client_id").to_owned(),
                client_secret: Some(text(&made, "client_secret").to_owned()),
                redirect_uri: CALLBACK.to_owned(),
                auth_method: AuthMethod::ClientSecretBasic,
            }
        };
        // A lost answer may be asked for again for so long: a machine under load is slow.
        let app = client(&[
            "--app-name=App",
            "--allowed-role=All",
            "--skip-authorization",
            "--id-token-alg=EdDSA",
            "--set=refresh_grace_seconds=300",
        ]);
        let as_user = format!("--set=user={USER}");
        let machine = client(&[
            "--app-name=Machine",
            "--allowed-role=All",
            "--grant-type=client_credentials",
            &as_user,
        ]);
        Accounts { app, machine }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(root) = &self.root {
            // What is left over vanishes with the server; a failing test shall show its own words.
            let port = root.port.to_string();
            self.bench.run(&["set-config", "db_port", &port]);
            let drop = [
                "drop-site",
                SITE,
                "-y",
                "--force",
                "--db-root-username",
                &root.user,
            ];
            self.bench
                .run(&[&drop[..], &["--db-root-password", &root.password]].concat());
        }
    }
}

/// Who works there.
pub(crate) struct Accounts {
    app: TestClient,
    machine: TestClient,
}

impl Accounts {
    /// Signs the user in.
    pub(crate) async fn sign_in(self, server: &Server) -> Scene {
        let mut visitor = server.visitor(SITE);
        visitor.login(USER, USER_PASSWORD).await;
        Scene {
            app: self.app,
            machine: self.machine,
            cookie: visitor.cookie_header(),
        }
    }
}

/// What survives every restart: clients, and the cookie of a session.
#[derive(Clone)]
pub(crate) struct Scene {
    /// Gets codes without a question.
    pub(crate) app: TestClient,
    /// Acts as the user.
    pub(crate) machine: TestClient,
    pub(crate) cookie: String,
}

pub(crate) fn kind(engine: Engine) -> &'static str {
    match engine {
        Engine::MariaDb => "mariadb",
        Engine::Postgres => "postgres",
        Engine::Sqlite => "sqlite",
    }
}
