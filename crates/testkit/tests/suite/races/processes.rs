//! The same between real processes: two `crema serve` on one database, which share nothing else.
//!
//! The program is the one that cargo has built beside this test: `cargo test --workspace` (and so
//! `./test`) builds it, `cargo build -p crema` as well. It is started with `--port 0` and tells on
//! its standard output where it listens.
// spec: product.md, "Several processes, one database"

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crema_auth::client as clients;
use crema_auth::user::{self, ADMINISTRATOR};
use crema_testkit::{App, Engine};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::*;

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process. Killed when dropped.
struct Process {
    http: Http,
    _child: Child,
    /// Kept open: a server that cannot write its greeting would end.
    _output: BufReader<ChildStdout>,
}

fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    // target/debug/deps/suite-… beside target/debug/crema
    let folder = this.ancestors().nth(2).unwrap();
    let program = folder.join(format!("crema{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: run ./test, or first cargo build -p crema",
        program.display()
    );
    program
}

impl Process {
    async fn start(app: &App) -> Process {
        let mut child = Command::new(program())
            .arg("--bench")
            .arg(app.bench().root())
            .args(["serve", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = tokio::time::timeout(PATIENCE, address(&mut output)).await;
        Process {
            http: Http::new(address.expect("the server is too slow"), app.site()),
            _child: child,
            _output: output,
        }
    }
}

async fn address(output: &mut BufReader<ChildStdout>) -> SocketAddr {
    let mut line = String::new();
    while output.read_line(&mut line).await.unwrap() > 0 {
        if let Some((_, address)) = line.trim_end().split_once("listens on http://") {
            return address.parse().unwrap();
        }
        line.clear();
    }
    panic!("the server ended at once");
}

/// An app whose database two processes serve, and the client of these tests.
struct Pair {
    app: App,
    client: TestClient,
    processes: [Process; 2],
}

impl Pair {
    async fn start(engine: Engine) -> Pair {
        // Processes have the computer's clock.
        let app = App::builder().engine(engine).real_time().build().await;
        let client = setup(&app).await;
        let processes = [Process::start(&app).await, Process::start(&app).await];
        for process in &processes {
            let ready = process.http.get("/api/method/ping").send().await;
            assert_eq!(ready.status, 200);
        }
        Pair {
            app,
            client,
            processes,
        }
    }

    fn at(&self, index: usize) -> Http {
        self.processes[index % 2].http.clone()
    }

    async fn tokens(&self) -> Tokens {
        tokens(&self.at(0), &self.client, USER, PASSWORD).await
    }

    /// Nothing of these tokens works, whichever process is asked.
    async fn assert_dead(&self, pair: &Tokens) {
        for process in &self.processes {
            let http = &process.http;
            assert_eq!(http.logged_user(&pair.access_token).await.status, 401);
            let refreshed = http.refresh(&self.client, &pair.refresh_token).await;
            assert_eq!(refreshed.status, 400, "{}", refreshed.text());
        }
    }

    async fn close(self) {
        drop(self.processes);
        self.app.close().await;
    }
}

async fn a_code_is_redeemed_once(engine: Engine) {
    let pair = Pair::start(engine).await;
    let mut visitor = pair.app.signed_in(USER, PASSWORD).await.at(pair.at(0));
    let code = visitor.code(&pair.client, &[("scope", "openid all")]).await;
    let answers = together(50, |index| {
        let (http, client, code) = (pair.at(index), pair.client.clone(), code.clone());
        async move { http.redeem(&client, &code, &[]).await }
    })
    .await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert_nothing_lives(&pair.app, &pair.client, &answers).await;
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        pair.assert_dead(&answer.tokens()).await;
    }
    pair.close().await;
}

async fn a_family_has_one_living_pair(engine: Engine) {
    let pair = Pair::start(engine).await;
    let mut current = pair.tokens().await;
    for _ in 0..3 {
        let answers = together(50, |index| {
            refresh(
                pair.at(index),
                pair.client.clone(),
                current.refresh_token.clone(),
            )
        })
        .await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        current = the_one_pair(&pair.app, &answers).await;
    }
    for process in &pair.processes {
        assert_eq!(
            process.http.logged_user(&current.access_token).await.status,
            200
        );
    }
    pair.close().await;
}

async fn an_end_at_one_process_is_an_end_at_both(engine: Engine) {
    let pair = Pair::start(engine).await;
    for _ in 0..5 {
        let old = pair.tokens().await;
        let answers = together(8, |index| {
            let (http, client) = (pair.at(index), pair.client.clone());
            let token = old.refresh_token.clone();
            async move {
                match index {
                    4 => http.revoke(&client, &token).await,
                    _ => http.refresh(&client, &token).await,
                }
            }
        })
        .await;
        assert_eq!(answers[4].text(), "{}");
        pair.assert_dead(&old).await;
        let refreshed: Vec<_> = answers
            .into_iter()
            .filter(|answer| answer.text() != "{}")
            .collect();
        assert_nothing_lives(&pair.app, &pair.client, &refreshed).await;
    }
    pair.close().await;
}

// What memory holds of users and clients is never older than the request.
async fn what_another_process_changes_counts_at_the_next_request(engine: Engine) {
    let pair = Pair::start(engine).await;
    let (app, client) = (&pair.app, &pair.client);
    let opens = async |tokens: &Tokens| {
        let mut statuses = Vec::new();
        for process in &pair.processes {
            statuses.push(process.http.logged_user(&tokens.access_token).await.status);
        }
        statuses
    };
    let tokens = pair.tokens().await;
    assert_eq!(opens(&tokens).await, [200, 200]);
    let ctx = app.ctx().await;
    clients::set_enabled(&ctx, ADMINISTRATOR, &client.client_id, false)
        .await
        .unwrap();
    assert_eq!(opens(&tokens).await, [401, 401]);
    for process in &pair.processes {
        let refused = process.http.refresh(client, &tokens.refresh_token).await;
        assert_eq!(refused.error(), "invalid_client");
    }
    clients::set_enabled(&ctx, ADMINISTRATOR, &client.client_id, true)
        .await
        .unwrap();
    assert_eq!(opens(&tokens).await, [200, 200]);
    user::disable(&ctx, ADMINISTRATOR, USER).await.unwrap();
    assert_eq!(opens(&tokens).await, [401, 401]);
    user::enable(&ctx, ADMINISTRATOR, USER).await.unwrap();
    pair.assert_dead(&tokens).await;
    pair.close().await;
}

/// Only databases that processes can share.
macro_rules! for_each_server {
    ($($name:ident)*) => {$(
        mod $name {
            use crema_testkit::{Engine, engines};

            #[test]
            fn mariadb() {
                engines::run(super::$name(Engine::MariaDb));
            }

            #[test]
            fn postgres() {
                engines::run(super::$name(Engine::Postgres));
            }
        }
    )*};
}

for_each_server! {
    a_code_is_redeemed_once
    a_family_has_one_living_pair
    an_end_at_one_process_is_an_end_at_both
    what_another_process_changes_counts_at_the_next_request
}
