//! Database servers of this test's own: with durability, to be killed.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crema_store::{Database, DatabaseConfig, Password, ServerConfig, Tls};
use crema_testkit::Engine;
use tempfile::TempDir;

use crate::exchange::until;
use crate::place::Root;

const PASSWORD: &str = "administrator-of-the-test-9";

/// A server whose data lie in a folder that goes away. What it has acknowledged is on disk.
pub(crate) struct DatabaseServer {
    engine: Engine,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl DatabaseServer {
    /// Installs and starts one.
    pub(crate) async fn new(engine: Engine) -> DatabaseServer {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let mut server = DatabaseServer {
            engine,
            folder,
            port,
            child: None,
        };
        server.install();
        server.start().await;
        server
    }

    /// Its administrator.
    pub(crate) fn root(&self) -> Root {
        Root {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.administrator().to_owned(),
            password: PASSWORD.to_owned(),
        }
    }

    fn administrator(&self) -> &'static str {
        match self.engine {
            Engine::Postgres => "postgres",
            _ => "root",
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program of the server, as a user that it accepts: none of them runs as root.
    fn command(&self, program: &str) -> Command {
        let user = match self.engine {
            Engine::Postgres => "postgres",
            _ => "mysql",
        };
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn install(&self) {
        std::fs::write(self.path().join("password"), PASSWORD).unwrap();
        let accounts = format!(
            "DROP USER IF EXISTS ''@'localhost';\n\
             CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
        );
        std::fs::write(self.path().join("accounts.sql"), accounts).unwrap();
        if is_root() {
            let user = if self.engine == Engine::Postgres {
                "postgres"
            } else {
                "mysql"
            };
            run(Command::new("chown").args(["-R", user]).arg(self.path()));
        }
        if self.engine == Engine::Postgres {
            let mut command = self.command(&postgres("initdb"));
            command.args(["-D", "data", "-U", "postgres", "--auth=scram-sha-256"]);
            command.args([
                "--pwfile=password",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]);
            run(&mut command);
        } else {
            let mut command = self.command("mariadb-install-db");
            command.arg("--no-defaults").arg(self.data());
            command.args(["--skip-test-db", "--auth-root-authentication-method=normal"]);
            command.arg("--skip-name-resolve");
            run(&mut command);
        }
    }

    fn data(&self) -> String {
        format!("--datadir={}/data", self.path().display())
    }

    fn spawn(&self) -> Child {
        let port = self.port.to_string();
        if self.engine == Engine::Postgres {
            let mut command = self.command(&postgres("postgres"));
            command.args(["-D", "data", "-p", &port]);
            for setting in [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "shared_buffers=32MB",
            ] {
                command.args(["-c", setting]);
            }
            return command.spawn().unwrap();
        }
        let program = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .unwrap_or("mariadbd");
        let mut command = self.command(program);
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--port", &port]);
        // The socket's name is relative to the data folder: absolute ones have a short limit.
        command
            .arg(self.data())
            .args(["--socket=own.sock", "--skip-log-bin"]);
        command.arg(format!(
            "--init-file={}/accounts.sql",
            self.path().display()
        ));
        command.args(["--skip-name-resolve", "--performance-schema=OFF"]);
        command.args([
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
        ]);
        command.arg("--innodb-flush-log-at-trx-commit=1");
        command.spawn().unwrap()
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let server = ServerConfig {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            socket: None,
            user: self.administrator().to_owned(),
            password: Password::new(PASSWORD),
            database: String::new(),
            tls: Tls::Off,
            max_connections: 1,
            timeout: Duration::from_secs(1),
        };
        let config = match self.engine {
            Engine::Postgres => DatabaseConfig::Postgres(server),
            _ => DatabaseConfig::MariaDb(server),
        };
        until("the database server starts", async || {
            // One that was killed leaves children and locks that the next one does not like.
            let gone = self
                .child
                .as_mut()
                .is_none_or(|child| child.try_wait().unwrap().is_some());
            if gone {
                self.child = Some(self.spawn());
            }
            let database = Database::open(&config).unwrap();
            let answers = database.tables().await.is_ok();
            database.close().await;
            answers
        })
        .await;
    }

    /// Ends it as a power cut would, as far as a process can tell.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it as its administrator would, without waiting for clients.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let name = if self.engine == Engine::Postgres {
            "INT"
        } else {
            "TERM"
        };
        crate::harness::signal(&child, name);
        child.wait().unwrap();
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}

/// A program of the newest PostgreSQL that is installed.
fn postgres(program: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    let newest = versions.and_then(|versions| {
        let names = versions.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.max_by_key(|name| name.parse::<u32>().unwrap_or_default())
    });
    match newest {
        Some(version) => format!("/usr/lib/postgresql/{version}/bin/{program}"),
        None => program.to_owned(),
    }
}

fn run(command: &mut Command) {
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
