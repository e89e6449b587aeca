//! `serve`: listening, signals, logs, and what a running server sees of its bench.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Bench, SITE, Server, rest, signal};

async fn status(server: &Server, host: &str, path: &str) -> u16 {
    server.http(host).get(path).send().await.status
}

// spec: cli.md, `serve [--host 127.0.0.1] [--port 8000]`
#[test]
fn the_greeting_names_address_and_sites() {
    let bench = Bench::new();
    bench.run(&["new-site", "id.localhost"]).ok();
    bench
        .run(&[
            "--site",
            "id.localhost",
            "set-config",
            "host_name",
            "https://id.example.com",
        ])
        .ok();
    let server = bench.serve(&["--host", "localhost"]);
    let port = server.address.port();
    assert_ne!(port, 0);
    assert!(server.address.ip().is_loopback());
    assert_eq!(
        server.greeting["sites"],
        json!([
            {"site": "id.localhost", "url": "https://id.example.com"},
            {"site": SITE, "url": format!("http://{SITE}:{port}")},
        ])
    );
    assert_eq!(server.greeting["quickstart"], Value::Null);
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/login").await, 200);
        assert_eq!(status(&server, "id.example.com", "/login").await, 200);
        assert_eq!(status(&server, "other.localhost", "/login").await, 404);
    });
    server.stop();
}

#[test]
fn the_greeting_is_text_for_people() {
    let bench = Bench::new();
    let mut command = bench.command(&["serve", "--port", "0"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let (program, address) = first.split_once(" listens on http://127.0.0.1:").unwrap();
    assert_eq!(program, concat!("Crema ", env!("CARGO_PKG_VERSION")));
    let second = lines.next().unwrap().unwrap();
    assert_eq!(second, format!("  http://{SITE}:{address}"));
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
    // Nothing else on stdout: logs go to stderr, without colours where no terminal is.
    assert!(lines.next().is_none());
    let log = rest(child.stderr.take().unwrap());
    assert!(log.contains("SIGTERM") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_port_that_is_taken_says_so() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = bench
        .run(&["serve", "--port", &port])
        .fails(1, "cannot listen on 127.0.0.1:");
    assert!(run.stderr.contains("--port"), "{}", run.stderr);
    bench
        .run(&["serve", "--host", "192.0.2.1", "--port", "0"])
        .fails(1, "--host");
    bench.run(&["serve", "--port", "http"]).fails(2, "http");
    // The port is looked at before a site is made.
    let empty = Bench::empty();
    empty
        .run(&["serve", "--quickstart", "--port", &port])
        .fails(1, "cannot listen");
    assert_eq!(empty.json(&["list-sites"]), json!([]));
}

// spec: security.md, Inputs, outputs, network, line 3: timeouts on slow headers and bodies
#[test]
fn connections_are_limited_and_the_idle_give_way() {
    let bench = Bench::new();
    bench
        .run(&["serve", "--max-connections", "0"])
        .fails(2, "at least 1");
    bench
        .run(&["serve", "--max-connections", "many"])
        .fails(2, "whole number");
    let server = bench.serve(&["--max-connections", "2"]);
    let mut idle: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/login").await, 200);
    });
    // Two places, one of them for the request: three of the five cannot be there any more.
    for stream in &mut idle[..3] {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or_default(), 0);
    }
    drop(idle);
    server.stop();
}

#[test]
fn without_a_site_and_a_terminal_nothing_is_made() {
    let bench = Bench::empty();
    let mut server = bench.serve(&[]);
    server.logged("crema new-site NAME");
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/healthz").await, 200);
        assert_eq!(status(&server, SITE, "/login").await, 404);
        // The server finds what is made later.
        bench.run(&["new-site", SITE]).ok();
        assert_eq!(status(&server, SITE, "/login").await, 200);
    });
    server.stop();
}

// spec: cli.md, "What a command changes, a running server … obeys at its next request";
// configuration: "Changes take effect without a restart"
#[test]
fn a_running_server_sees_sites_come_change_and_go() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        let issuer = async |host: &str| {
            let path = "/.well-known/openid-configuration";
            server.http(host).get(path).send().await.member("issuer")
        };
        assert_eq!(issuer(SITE).await, server.http(SITE).origin());
        bench
            .run(&["set-config", "host_name", "https://id.example.com"])
            .ok();
        assert_eq!(issuer(SITE).await, "https://id.example.com");
        assert_eq!(issuer("id.example.com").await, "https://id.example.com");
        bench.run(&["set-config", "host_name", "null"]).ok();
        bench
            .run(&["set-config", "domains", "[\"also.localhost\"]"])
            .ok();
        assert_eq!(status(&server, "also.localhost", "/login").await, 200);
        bench.run(&["set-config", "maintenance_mode", "1"]).ok();
        assert_eq!(status(&server, SITE, "/login").await, 503);
        bench.run(&["set-config", "maintenance_mode", "0"]).ok();
        assert_eq!(status(&server, SITE, "/login").await, 200);

        bench
            .run(&["new-site", "new.localhost", "--admin-password", "first-9"])
            .ok();
        server
            .visitor("new.localhost")
            .login("Administrator", "first-9")
            .await;
        bench.run(&["drop-site", "new.localhost", "-y"]).ok();
        assert_eq!(status(&server, "new.localhost", "/login").await, 404);
        // Another site of the same name has nothing of the old one.
        bench
            .run(&["new-site", "new.localhost", "--admin-password", "second-9"])
            .ok();
        let mut visitor = server.visitor("new.localhost");
        assert_eq!(
            visitor.try_login("Administrator", "first-9").await.status,
            401
        );
        visitor.login("Administrator", "second-9").await;
    });
    server.stop();
}

// spec: cli.md, "SIGTERM drains: stop accepting, finish what runs (30 s), exit 0"
#[test]
fn sigterm_finishes_what_runs() {
    let bench = Bench::new();
    for name in ["TERM", "INT"] {
        let mut server = bench.serve(&[]);
        let mut running = TcpStream::connect(server.address).unwrap();
        let body = "usr=Administrator&pwd=wrong";
        let head = format!(
            "POST /api/method/login HTTP/1.1\r\nHost: {SITE}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\nusr=",
            body.len()
        );
        running.write_all(head.as_bytes()).unwrap();
        // The server has this connection once it has answered a later one.
        crema_testkit::engines::run(async {
            assert_eq!(status(&server, SITE, "/readyz").await, 200);
        });
        server.signal(name);
        server.logged(&format!("SIG{name}: finishing what runs"));
        while TcpStream::connect(server.address).is_ok() {
            // Until the listener is gone.
            std::thread::yield_now();
        }
        running.write_all(&body.as_bytes()[4..]).unwrap();
        let mut answer = String::new();
        running.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("Invalid login credentials"), "{answer}");
        let (code, log) = server.ended();
        assert_eq!(code, 0, "{log}");
    }
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let bench = Bench::new();
    let mut server = bench.serve(&[]);
    let mut running = TcpStream::connect(server.address).unwrap();
    running
        .write_all(b"POST /login HTTP/1.1\r\nHost: trust.localhost\r\nContent-Length: 9\r\n\r\nx")
        .unwrap();
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/readyz").await, 200);
    });
    server.signal("INT");
    server.logged("SIGINT");
    server.signal("INT");
    let (code, log) = server.ended();
    assert_eq!(code, 1, "{log}");
    assert!(
        log.contains("stopped before every request was answered"),
        "{log}"
    );
}

// spec: cli.md, "SIGHUP reloads"
#[test]
fn sighup_reads_everything_again() {
    let bench = Bench::new();
    let mut server = bench.serve(&[]);
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/login").await, 200);
        server.signal("HUP");
        server.logged("SIGHUP: reading the bench again");
        assert_eq!(status(&server, SITE, "/login").await, 200);
    });
    server.stop();
}

// spec: cli.md, "Logs are one JSON object a line with `--log-format json`"; "`RUST_LOG` works"
#[test]
fn logs_are_json_where_asked_for() {
    let bench = Bench::new();
    let server = bench.serve(&["--log-format", "json"]);
    crema_testkit::engines::run(async {
        assert_eq!(
            status(&server, SITE, "/login?redirect-to=%2Fsecret-path").await,
            200
        );
    });
    let log = server.stop();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let request = lines
        .iter()
        .find(|line| line["message"] == "request")
        .unwrap();
    assert_eq!(request["site"], SITE);
    assert_eq!(request["path"], "/login");
    assert_eq!(request["status"], 200);
    assert_eq!(request["level"], "INFO");
    assert!(!log.contains("secret-path"), "{log}");
    assert!(
        lines
            .iter()
            .any(|line| line["message"].as_str().unwrap().contains("SIGTERM"))
    );

    let server = bench.serve_with(&[], "error");
    crema_testkit::engines::run(async {
        assert_eq!(status(&server, SITE, "/login").await, 200);
    });
    assert_eq!(server.stop(), "");
}
