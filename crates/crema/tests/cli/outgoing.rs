//! Requests to other servers, by the binary: with the system's resolver and certificates.

use std::fs;
use std::process::Stdio;

use crema_testkit::http::encode;
use crema_testkit::outgoing::{FakeServer, Internet, Reply};
use crema_testkit::visitor::AUTHORIZE;
use crema_testkit::{VERIFIER, challenge, engines};
use serde_json::json;

use crate::harness::{Bench, SITE, Server};
use crate::watching::figures_of;

/// A server with variables that would send its requests elsewhere, and these certificates.
fn serve(bench: &Bench, certificates: &str) -> Server {
    let file = bench.path().join("authority.pem");
    fs::write(&file, certificates).unwrap();
    let serve = [
        "serve",
        "--port",
        "0",
        "--json",
        "--metrics-listen",
        "127.0.0.1:0",
    ];
    let mut command = bench.command(&serve);
    command.env("RUST_LOG", "debug").env("SSL_CERT_FILE", file);
    command.env_remove("SSL_CERT_DIR");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Server::start(command)
}

/// Asks for authorization of the client that the other server describes.
async fn ask(server: &Server, client_id: &str) -> u16 {
    let pairs = [
        ("client_id", client_id),
        ("redirect_uri", "http://127.0.0.1:7/cb"),
        ("response_type", "code"),
        ("code_challenge", &challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ];
    let path = format!("{AUTHORIZE}?{}", encode(&pairs));
    let answer = server.visitor(SITE).get(&path).await;
    if answer.status == 302 {
        let location = answer.location().unwrap_or_default();
        assert!(location.contains("/login"), "{location}");
    }
    answer.status
}

fn client_id(site: &FakeServer) -> String {
    format!(
        "https://localhost:{}/client.json?v=marker-4711",
        site.port()
    )
}

async fn figure(server: &Server, outcome: &str) -> bool {
    let answer = figures_of(server).get("/metrics").send().await;
    let line = format!("crema_outgoing_requests_total{{outcome=\"{outcome}\"}} 1");
    answer.text().lines().any(|own| own == line)
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[test]
fn an_internal_server_is_reached_when_it_is_listed_and_trusted() {
    engines::run(async {
        let internet = Internet::new();
        let site = internet.serve("localhost").await;
        let client_id = client_id(&site);
        let document = json!({
            "client_id": client_id,
            "client_name": "App",
            "redirect_uris": ["http://127.0.0.1/cb"],
            "token_endpoint_auth_method": "none",
        });
        site.answer("/client.json", Reply::json(&document));

        let bench = Bench::new();
        let server = serve(&bench, &internet.authority().pem());
        assert_eq!(ask(&server, &client_id).await, 400);
        assert_eq!(site.connections(), 0);
        assert!(figure(&server, "refused").await);
        server.stop();

        let listed = format!("[\"localhost:{}\"]", site.port());
        bench.run(&["set-config", "outgoing_allow", &listed]).ok();
        let server = serve(&bench, &internet.authority().pem());
        assert_eq!(ask(&server, &client_id).await, 302);
        assert_eq!(site.requests(), 1);
        assert!(figure(&server, "answered").await);
        let log = server.stop();
        assert!(log.contains("a request to another server"), "{log}");
        let own = log
            .lines()
            .filter(|line| line.contains("to another server"));
        assert!(own.clone().all(|line| line.contains("localhost")));
        assert!(
            own.clone().all(|line| !line.contains("marker-4711")),
            "{log}"
        );

        // A machine that knows other authorities only.
        let server = serve(&bench, &Internet::new().authority().pem());
        assert_eq!(ask(&server, &client_id).await, 400);
        assert_eq!(site.requests(), 1);
        assert!(figure(&server, "unreachable").await);
        server.stop();
    });
}

#[test]
fn entries_that_admit_nothing_are_refused() {
    let bench = Bench::new();
    for entry in [
        "https://idp.internal",
        "*.internal",
        "10.0.0.0/33",
        "idp.internal:0",
    ] {
        let value = format!("[\"{entry}\"]");
        bench
            .run(&["set-config", "outgoing_allow", &value])
            .fails(1, "outgoing_allow");
    }
}
