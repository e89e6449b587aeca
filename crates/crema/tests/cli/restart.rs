//! `restart`: servers of a bench read everything again, and nobody notices.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crema_testkit::engines;
use serde_json::json;

use crate::harness::{Bench, SITE};

// spec: cli.md, `restart`: "asks a running server of this bench to reload everything without
// dropping requests"
#[test]
fn no_request_is_lost_while_everything_is_read_again() {
    let bench = Bench::new();
    let client = bench.json(&[
        "oauth-client",
        "add",
        "--app-name",
        "Robot",
        "--grant-type",
        "client_credentials",
        "--scopes",
        "all",
        "--redirect-uri",
        "https://robot.example.com/cb",
        "--set",
        "user=Administrator",
    ]);
    let server = bench.serve(&[]);
    let http = server.http(SITE);
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = || {
        engines::run(async {
            while !done.load(Ordering::Relaxed) {
                let form = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client["client_id"].as_str().unwrap()),
                    ("client_secret", client["client_secret"].as_str().unwrap()),
                ];
                let path = "/api/method/frappe.integrations.oauth2.get_token";
                let reply = http.post(path).form(&form).send().await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                let reply = http.get("/.well-known/jwks.json").send().await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                answered.fetch_add(2, Ordering::Relaxed);
            }
        });
    };
    thread::scope(|scope| {
        let loads: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        let wait_for_more = || {
            let before = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < before + 8 {
                assert!(
                    loads.iter().all(|load| !load.is_finished()),
                    "a request was lost"
                );
                thread::yield_now();
            }
        };
        for _ in 0..10 {
            wait_for_more();
            let restarted = bench.json(&["restart"]);
            let listening = format!("http://{}", server.address);
            let wanted = json!([{"pid": server.id(), "listening": listening}]);
            assert_eq!(restarted, wanted);
        }
        wait_for_more();
        done.store(true, Ordering::Relaxed);
        for load in loads {
            load.join().expect("a request was lost");
        }
    });
    let log = server.stop();
    assert_eq!(
        log.matches("crema restart: reading the bench again")
            .count(),
        10
    );
}

#[test]
fn every_server_of_the_bench_is_asked_and_none_of_another() {
    let bench = Bench::new();
    let other = Bench::new();
    let elsewhere = other.serve(&[]);
    bench
        .run(&["restart"])
        .fails(1, "no server of this bench runs");
    let (first, second) = (bench.serve(&[]), bench.serve(&[]));
    let asked = bench.json(&["restart"]);
    assert_eq!(asked.as_array().unwrap().len(), 2);
    // One that was killed leaves its socket behind.
    first.kill();
    let run = bench.run(&["restart"]).ok();
    let wanted = format!(
        "Server {} on http://{} has read",
        second.id(),
        second.address
    );
    assert!(run.stdout.starts_with(&wanted), "{}", run.stdout);
    second.stop();
    let left: Vec<_> = fs::read_dir(bench.path().join("sites/.servers"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    bench.run(&["restart"]).fails(1, "crema serve");
    assert!(!elsewhere.stop().contains("crema restart"));
}
