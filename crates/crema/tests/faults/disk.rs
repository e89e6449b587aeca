//! A disk that is full, under a database in a file. Once by the limit that the system sets to
//! the size of a process's files, which works everywhere; once by a small file system that is
//! really full, where the kernel lets this user have one.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crema_store::{Database, DatabaseConfig};
use crema_testkit::{Engine, engines};

use crate::harness::{CREMA, SITE, Server};
use crate::load::{Client, Load, Pair};
use crate::place::Place;
use crate::{records, report, rounds};

const NO_HANG: Duration = Duration::from_secs(20);

/// Fills the disk under a load, and makes room again: who would change something is told to come
/// again, who only asks is answered, nothing is half done, and nothing has to be restarted.
async fn fills_up(client: &Client, fill: impl Fn(), make_room: impl Fn()) -> String {
    let pair = client.pair().await;
    let mut load = Load::start(client);
    load.acknowledges(40).await;
    fill();
    load.hears_no(20).await;
    let began = Instant::now();
    for outcome in [
        client.refresh(&pair.refresh).await,
        client.machine_token().await,
        client.revoke(&pair.refresh).await,
    ] {
        outcome.answer().is_temporarily_unavailable();
    }
    client.authorize().await.answer().is_unavailable_page();
    assert!(
        client.is_active(&pair.access).await,
        "reading needs no room"
    );
    assert_eq!(client.get("/healthz").await.answer().status, 200);
    assert!(began.elapsed() < NO_HANG, "{:?}", began.elapsed());
    make_room();
    load.acknowledges(40).await;
    let heard_no = load.heard_no();
    let ledger = load.stop().await;
    let summary = ledger.summary();
    ledger.check(client).await;
    let next = Pair::of(&client.refresh(&pair.refresh).await.answer());
    assert!(client.is_active(&next.access).await);
    format!("{heard_no} times 503; {summary}")
}

/// A server in a shell that prepares something first.
fn serve_after(place: &Place, before: &str, wrap: &[&str]) -> Server {
    let script = format!("{before}\nexec '{CREMA}' serve --port 0 --json");
    let mut words = wrap.to_vec();
    words.extend(["sh", "-eu", "-c", &script]);
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .current_dir(place.bench.path())
        .env("RUST_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Server::start(command)
}

#[test]
fn files_may_not_grow() {
    engines::run(async {
        let place = Place::new(Engine::Sqlite);
        // Who is not told by a signal is told by an error, as with a full disk.
        let server = serve_after(&place, "trap '' XFSZ", &[]);
        let client = Client::new(server.address, &place.scene(&server).await);
        let limit = |size: &str| {
            let process = server.id().to_string();
            let limit = format!("--fsize={size}:unlimited");
            let done = Command::new("prlimit")
                .args(["--pid", &process, &limit])
                .status()
                .unwrap();
            assert!(done.success(), "prlimit (util-linux) is needed");
        };
        let rounds = rounds(1);
        for round in 0..rounds {
            let summary = fills_up(&client, || limit("65536"), || limit("unlimited")).await;
            records::check(&place).await;
            report(&format!(
                "sqlite: files limited, {} of {rounds}: {summary}",
                round + 1
            ));
        }
        server.stop();
    });
}

#[test]
fn the_file_system_is_full() {
    // As root without a user namespace of its own, which not every kernel gives.
    let own = [&["unshare", "-m"][..], &["unshare", "-rm"][..]];
    let allowed = |wrap: &&&[&str]| {
        Command::new(wrap[0])
            .args(&wrap[1..])
            .args(["sh", "-c", "mount -t tmpfs -o size=1m none /mnt"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let Some(wrap) = own.iter().find(allowed) else {
        // The other test of this file has made the same with a limit.
        report("NOT CHECKED with a full file system: this user may mount none");
        return;
    };
    engines::run(async {
        let place = Place::new(Engine::Sqlite);
        let accounts = place.accounts();
        let db = place.bench.site_file(SITE, "db");
        let before = format!(
            "cp -a '{db}' kept\nmount -t tmpfs -o size=64m,mode=700 none '{db}'\ncp -a kept/. '{db}'",
            db = db.display()
        );
        let server = serve_after(&place, &before, wrap);
        let client = Client::new(server.address, &accounts.sign_in(&server).await);
        // The mount is seen by this process only through that one.
        let inside = seen_through(&server, &db);
        let filler = inside.join("filler");
        let rounds = rounds(1);
        for round in 0..rounds {
            let summary = fills_up(
                &client,
                || fill(&filler),
                || fs::remove_file(&filler).unwrap(),
            )
            .await;
            let DatabaseConfig::Sqlite { path } = place.config() else {
                panic!("SQLite is meant")
            };
            let path = inside.join(path.file_name().unwrap());
            let database = Database::open(&DatabaseConfig::Sqlite { path }).unwrap();
            records::check_in(&database).await;
            database.close().await;
            report(&format!(
                "sqlite: disk full, {} of {rounds}: {summary}",
                round + 1
            ));
        }
        server.stop();
    });
}

fn seen_through(server: &Server, path: &Path) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", server.id()));
    root.join(path.strip_prefix("/").unwrap())
}

fn fill(filler: &Path) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(filler)
        .unwrap();
    for size in [64 * 1024, 1024, 1] {
        let piece = vec![b'x'; size];
        while file.write_all(&piece).is_ok() {}
    }
}
