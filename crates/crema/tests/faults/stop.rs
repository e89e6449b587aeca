//! SIGTERM under load: every request that was sent is answered in full, or was never taken.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crema_testkit::http::Request;
use crema_testkit::{Engine, engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::exchange::Answer;
use crate::harness::Server;
use crate::load::Client;
use crate::place::{Place, kind};
use crate::{records, report, rounds};

const PATIENCE: Duration = Duration::from_secs(45);

/// A connection that is used again and again, as proxies do.
struct Line {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// What became of a request on such a line.
enum Told {
    Answer(Answer),
    /// Nobody took it.
    Refused,
}

impl Line {
    /// Sends a request and waits for the whole answer.
    async fn send(&mut self, request: &Request) -> Told {
        let bytes = String::from_utf8(request.to_bytes()).unwrap();
        let bytes = bytes.replace("Connection: close\r\n", "");
        let fresh = self.stream.is_none();
        if fresh {
            match TcpStream::connect(self.address).await {
                Ok(stream) => self.stream = Some(stream),
                Err(_) => return Told::Refused,
            }
        }
        let stream = self.stream.as_mut().unwrap();
        stream.set_nodelay(true).ok();
        let sent = stream.write_all(bytes.as_bytes()).await;
        let mut received = Vec::new();
        loop {
            if let Some(answer) = Answer::parse(&received) {
                let closes = answer.header("connection") == Some("close");
                if closes {
                    self.stream = None;
                }
                return Told::Answer(answer);
            }
            let read = stream.read_buf(&mut received).await;
            if matches!(read, Ok(1..)) {
                continue;
            }
            // The system may have let a connection in that the server never saw: between its
            // last look and the end of the listener. Nothing of it was taken.
            assert!(
                fresh && received.is_empty(),
                "dropped: {sent:?} {read:?} after {} bytes",
                received.len()
            );
            return Told::Refused;
        }
    }
}

/// Works until nobody takes anything any more. Gives the tokens that were answered.
async fn work(client: Client, count: watch::Sender<usize>) -> Vec<String> {
    let mut line = Line {
        address: client.address,
        stream: None,
    };
    let params = [("grant_type", "client_credentials")];
    let machine = &client.scene.machine;
    let request = client.http.client_request("get_token", machine, &params);
    let mut tokens = Vec::new();
    loop {
        let told = tokio::time::timeout(PATIENCE, line.send(&request)).await;
        match told.expect("no answer") {
            Told::Answer(answer) => {
                assert_eq!(answer.status, 200, "{answer:?}");
                tokens.push(answer.text("access_token"));
                count.send_modify(|count| *count += 1);
            }
            Told::Refused => return tokens,
        }
    }
}

fn stopped_under_load(engine: Engine) {
    engines::run(async {
        let place = Place::new(engine);
        // Nothing but the end of the server shall go wrong, on a slow machine too.
        place.wait_so_long(30, 6);
        let mut server: Server = place.bench.serve_with(&[], "warn");
        let scene = place.scene(&server).await;
        let rounds = rounds(1);
        for round in 0..rounds {
            let began = Instant::now();
            let client = Client::new(server.address, &scene);
            let (count, mut counted) = watch::channel(0);
            let mut workers = JoinSet::new();
            for _ in 0..16 {
                workers.spawn(work(client.clone(), count.clone()));
            }
            let enough = counted.wait_for(|count| *count >= 100 + round * 37 % 100);
            drop(
                tokio::time::timeout(PATIENCE, enough)
                    .await
                    .expect("slow")
                    .unwrap(),
            );
            server.signal("TERM");
            let mut tokens = Vec::new();
            while let Some(ended) = workers.join_next().await {
                tokens.extend(ended.unwrap());
            }
            let ended = tokio::task::spawn_blocking(|| server.ended()).await;
            let (code, log) = ended.unwrap();
            let complains = log.contains("ERROR") || log.contains("in time");
            assert!(code == 0 && !complains, "{code} {log}");
            server = place.bench.serve_with(&[], "warn");
            let client = Client::new(server.address, &scene);
            for token in &tokens {
                assert!(client.is_active(token).await, "a token is lost");
            }
            records::check(&place).await;
            report(&format!(
                "{}: SIGTERM under load, {} of {rounds}, {:.1?}: {} answers, none dropped",
                kind(engine),
                round + 1,
                began.elapsed(),
                tokens.len()
            ));
        }
        server.stop();
    });
}

#[test]
fn sqlite() {
    stopped_under_load(Engine::Sqlite);
}

#[test]
fn mariadb() {
    stopped_under_load(Engine::MariaDb);
}

#[test]
fn postgres() {
    stopped_under_load(Engine::Postgres);
}
