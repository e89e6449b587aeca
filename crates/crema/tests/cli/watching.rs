//! Watching a server: figures, readiness, request ids.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crema_testkit::flow::method;
use crema_testkit::{Http, Redirect, VERIFIER, engines};
use serde_json::Value;

use crate::harness::{Bench, SITE, Server, text};

const CALLBACK: &str = "https://shop.example.com/cb";
const PASSWORD: &str = "correct-horse-battery-9";
const LISTEN: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// The listener for figures of a server that has one.
pub(crate) fn figures_of(server: &Server) -> Http {
    let url = text(&server.greeting, "metrics");
    let address = url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap();
    Http::new(address.parse().unwrap(), "metrics.example.com")
}

/// An exposition, read as Prometheus reads it.
#[derive(Default)]
struct Figures {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Figures {
    async fn of(server: &Server) -> Figures {
        let answer = figures_of(server).get("/metrics").send().await;
        assert_eq!(answer.status, 200);
        let media_type = answer.header("content-type").unwrap();
        assert_eq!(media_type, "text/plain; version=0.0.4; charset=utf-8");
        Figures::read(&answer.text())
    }

    fn read(text: &str) -> Figures {
        let mut figures = Figures::default();
        let mut family = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split(' ').next().unwrap().to_owned();
                assert!(!figures.kinds.contains_key(&family), "{family} twice");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, family);
                figures.kinds.insert(name.to_owned(), kind.to_owned());
            } else {
                let (series, value) = line.rsplit_once(' ').expect(line);
                let name = series.split('{').next().unwrap();
                let is_of_family = match figures.kinds[&family].as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|end| name.strip_suffix(end) == Some(&family)),
                    _ => name == family,
                };
                assert!(is_of_family, "{line}");
                let value = value.parse().expect(line);
                let old = figures.samples.insert(series.to_owned(), value);
                assert_eq!(old, None, "{series} twice");
            }
        }
        figures
    }

    fn get(&self, series: &str) -> f64 {
        let known = self.samples.get(series);
        *known.unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples))
    }

    fn requests(&self, endpoint: &str, grant: &str, outcome: &str) -> f64 {
        let grant = match grant {
            "" => String::new(),
            grant => format!("grant=\"{grant}\","),
        };
        self.get(&format!(
            "crema_http_requests_total{{endpoint=\"{endpoint}\",{grant}outcome=\"{outcome}\"}}"
        ))
    }
}

/// A bench with a user and a client that may do everything; the client's id and secret.
pub(crate) fn scene() -> (Bench, String, String) {
    let bench = Bench::new();
    let user = ["add-user", "jo@example.com", "--password", PASSWORD];
    bench.run(&user).ok();
    let made = bench.json(&[
        "oauth-client",
        "add",
        "--app-name",
        "Shop",
        "--redirect-uri",
        CALLBACK,
        "--allowed-role",
        "All",
    ]);
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let (id, secret) = (id.to_owned(), secret.to_owned());
    (bench, id, secret)
}

// spec: product.md, "`/healthz`, `/readyz`, Prometheus `/metrics` (own port or token)"
#[test]
fn figures_tell_what_was_asked_and_how_it_ended() {
    let (bench, id, secret) = scene();
    let server = bench.serve(&LISTEN);
    engines::run(async {
        let http = server.http(SITE);
        let post = async |name: &str, form: &[(&str, &str)]| {
            let request = http.post(&method(name)).basic(&id, &secret);
            request.form(form).send().await
        };
        let mut jo = server.visitor(SITE);
        jo.try_login("jo@example.com", "a-wrong-password").await;
        jo.login("jo@example.com", PASSWORD).await;
        let challenge = crema_testkit::challenge(VERIFIER);
        let request = [
            ("client_id", id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid all"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let redirect = Redirect::of(&jo.authorize_and_allow(&request).await);
        let code = [
            ("grant_type", "authorization_code"),
            ("code", redirect.param("code")),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let tokens = post("get_token", &code).await.tokens();
        assert_eq!(http.userinfo(&tokens.access_token).await.status, 200);
        let refresh = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh_token.as_str()),
        ];
        assert_eq!(post("get_token", &refresh).await.status, 200);
        assert_eq!(post("get_token", &code).await.status, 400);
        assert_eq!(post("get_token", &[("grant_type", "x")]).await.status, 400);
        assert_eq!(http.userinfo("unknown-token").await.status, 401);
        assert_eq!(http.get("/no-such-page").send().await.status, 404);
        let called = http.post("/").form(&[("cmd", "frappe.ping")]).send().await;
        assert_eq!(called.status, 200);
        let mut refused = request;
        refused[3] = ("scope", "no-such-scope");
        let refused = refused.map(|(name, value)| format!("{name}={value}"));
        let refused = format!("{}?{}", method("authorize"), refused.join("&"));
        assert_eq!(jo.get(&refused).await.status, 302);
        assert_eq!(
            server
                .http("nobody.example.com")
                .get("/")
                .send()
                .await
                .status,
            404
        );

        let figures = Figures::of(&server).await;
        let requests = |endpoint, grant, outcome| figures.requests(endpoint, grant, outcome);
        assert_eq!(requests("token", "authorization_code", "success"), 1.0);
        assert_eq!(
            requests("token", "authorization_code", "invalid_grant"),
            1.0
        );
        assert_eq!(requests("token", "refresh_token", "success"), 1.0);
        assert_eq!(requests("token", "password", "success"), 0.0);
        assert_eq!(requests("token", "other", "unsupported_grant_type"), 1.0);
        assert_eq!(requests("userinfo", "", "success"), 1.0);
        assert_eq!(requests("userinfo", "", "invalid_token"), 1.0);
        assert_eq!(requests("login", "", "success"), 1.0);
        assert_eq!(requests("login", "", "unauthorized"), 1.0);
        assert_eq!(requests("authorize", "", "invalid_scope"), 1.0);
        assert_eq!(requests("approve", "", "redirect"), 1.0);
        assert_eq!(requests("ping", "", "success"), 1.0);
        assert_eq!(requests("other", "", "not_found"), 1.0);
        assert_eq!(requests("home", "", "not_found"), 1.0);

        let name = "crema_http_request_duration_seconds";
        let userinfo = |end: &str, more: &str| {
            figures.get(&format!("{name}_{end}{{endpoint=\"userinfo\"{more}}}"))
        };
        assert_eq!(userinfo("count", ""), 2.0);
        assert_eq!(userinfo("bucket", ",le=\"+Inf\""), 2.0);
        assert!(userinfo("sum", "") > 0.0);
        assert!(userinfo("bucket", ",le=\"0.0001\"") <= userinfo("bucket", ",le=\"1\""));

        let audit = |operation, status| {
            let labels = format!("operation=\"{operation}\",status=\"{status}\"");
            figures.get(&format!("crema_audit_records_total{{{labels}}}"))
        };
        assert_eq!(audit("login", "success"), 1.0);
        assert_eq!(audit("login", "failed"), 1.0);
        assert_eq!(audit("code_reuse", "failed"), 1.0);
        assert_eq!(audit("lockout", "failed"), 0.0);
        assert_eq!(figures.get("crema_password_hashes_total"), 2.0);
        assert_eq!(figures.get("crema_sites_open"), 1.0);
        assert_eq!(figures.get("crema_http_requests_in_flight"), 0.0);
        assert_eq!(figures.get("crema_log_lines_dropped_total"), 0.0);
        let site = |name: &str| figures.get(&format!("{name}{{site=\"{SITE}\"}}"));
        assert!(site("crema_database_write_transactions_total") > 3.0);
        assert!(site("crema_database_write_operations_total") > 3.0);
        assert_eq!(site("crema_database_writer_queue"), 0.0);
        let size = format!("crema_database_size_bytes{{site=\"{SITE}\",file=\"database\"}}");
        assert!(figures.get(&size) > 10_000.0);
        assert!(figures.get("process_resident_memory_bytes") > 1e6);
        assert!(figures.get("process_start_time_seconds") > 1.7e9);
    });
    server.stop();
}

#[test]
fn figures_are_on_their_own_listener_only() {
    let (bench, _, _) = scene();
    let server = bench.serve(&LISTEN);
    engines::run(async {
        let figures = figures_of(&server);
        for host in [SITE, "localhost", "127.0.0.1"] {
            let answer = server.http(host).get("/metrics").send().await;
            assert_eq!(answer.status, 404);
            assert!(!answer.text().contains("crema_"), "{}", answer.text());
        }
        for (path, status) in [
            ("/", 404),
            ("/login", 404),
            ("/healthz", 200),
            ("/readyz", 200),
        ] {
            assert_eq!(figures.get(path).send().await.status, status, "{path}");
        }
        assert_eq!(figures.post("/metrics").send().await.status, 405);
        let head = figures.request("HEAD", "/metrics").send().await;
        assert_eq!((head.status, head.text().as_str()), (200, ""));
    });
    let taken = figures_of(&server).origin();
    let address = taken.replace("http://metrics.example.com", "127.0.0.1");
    let second = ["serve", "--port", "0", "--metrics-listen", &address];
    bench.run(&second).fails(1, "for metrics");
    server.stop();
}

// Nothing of what is shown may be one of a kind: neither text of a client nor a client's id.
#[test]
fn clients_cannot_make_series() {
    let (bench, id, _) = scene();
    let server = bench.serve(&LISTEN);
    engines::run(async {
        let http = server.http(SITE);
        let before = Figures::of(&server).await.samples.len();
        for number in 0..40 {
            let path = format!("/page-{number}");
            assert_eq!(http.get(&path).send().await.status, 404);
            let unknown = method(&format!("method_{number}"));
            assert_eq!(http.get(&unknown).send().await.status, 401);
            let grant = format!("grant-{number}");
            let form = [("grant_type", grant.as_str()), ("client_id", id.as_str())];
            let answer = http.post(&method("get_token")).form(&form).send().await;
            assert_eq!(answer.status / 100, 4);
        }
        let after = Figures::of(&server).await;
        let text = format!("{:?}", after.samples);
        assert!(!text.contains("page-") && !text.contains("grant-") && !text.contains(&id));
        // The site itself, and three rows with their outcome and latencies.
        assert!(after.samples.len() < before + 90, "{text}");
    });
    server.stop();
}

/// Names of figures in a text.
fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c))
        .filter(|name| name.starts_with("crema_") || name.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_examples_in_deploy_name_figures_that_exist() {
    let (bench, _, _) = scene();
    let server = bench.serve(&LISTEN);
    let mut figures = Figures::default();
    engines::run(async {
        server.http(SITE).get("/login").send().await;
        figures = Figures::of(&server).await;
    });
    server.stop();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let dashboard = read("grafana-dashboard.json");
    serde_json::from_str::<Value>(&dashboard).expect("the dashboard is JSON");
    let mut used = names(&dashboard);
    assert!(used.len() > 15, "{used:?}");
    used.extend(names(&read("prometheus-alerts.yml")));
    for name in used {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|family| {
                figures
                    .kinds
                    .get(*family)
                    .is_some_and(|kind| kind == "histogram")
            })
            .unwrap_or(&name);
        assert!(figures.kinds.contains_key(family), "there is no {name}");
    }
    assert!(read("prometheus.yml").contains("prometheus-alerts.yml"));
}

#[test]
fn a_request_has_an_id_that_its_answer_and_its_lines_carry() {
    let (bench, _, _) = scene();
    let mut server = bench.serve(&["--log-format", "json"]);
    let line = |server: &mut Server| -> Value {
        serde_json::from_str(&server.logged("\"message\":\"request\"")).unwrap()
    };
    engines::run(async {
        let http = server.http(SITE);
        let first = http.get("/login").send().await;
        let id = first.header("x-frappe-request-id").unwrap().to_owned();
        assert_eq!(line(&mut server)["request_id"], *id);
        let claim = |value: &str| http.get("/login").header("X-Request-Id", value);
        // Nobody is trusted so far.
        let own = claim("from-a-proxy").send().await;
        let own = own.header("x-frappe-request-id").unwrap().to_owned();
        assert_ne!(own, "from-a-proxy");
        assert_ne!(own, id);
        assert_eq!(line(&mut server)["request_id"], *own);
        let trust = ["set-config", "-g", "trusted_proxies", "[\"127.0.0.1\"]"];
        bench.run(&trust).ok();
        let taken = claim("from-a-proxy").send().await;
        assert_eq!(taken.header("x-frappe-request-id").unwrap(), "from-a-proxy");
        let taken = line(&mut server);
        assert_eq!(taken["request_id"], "from-a-proxy");
        assert_eq!(taken["outcome"], "success");
        assert!(taken["micros"].as_u64().is_some());
        for bad in ["a b", "a\"b", &"z".repeat(65), "{}"] {
            let answer = claim(bad).send().await;
            let id = answer.header("x-frappe-request-id").unwrap().to_owned();
            assert_ne!(id, bad);
            assert_eq!(line(&mut server)["request_id"], *id);
        }
        // Also when the request leads nowhere.
        let lost = server.http("nobody.example.com").get("/x").send().await;
        let id = lost.header("x-frappe-request-id").unwrap().to_owned();
        let line = line(&mut server);
        assert_eq!(line["request_id"], *id);
        assert_eq!(line["status"], 404);
    });
    server.stop();
}

/// A collector that takes whatever is posted to it until its end.
#[cfg(feature = "otel")]
fn collector() -> (String, std::sync::mpsc::Receiver<(String, Vec<u8>)>) {
    use std::io::{BufRead, BufReader, Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let (request, mut length) = (line.clone(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if sender.send((request, body)).is_err() {
                return;
            }
        }
    });
    (address, received)
}

// spec: security.md, "Secrets and tokens never in logs, traces, metrics, errors, `Debug`, URLs"
#[cfg(feature = "otel")]
#[test]
fn traces_reach_a_collector_before_the_end_and_hold_no_secret() {
    use std::process::Stdio;

    let (collector, received) = collector();
    let (bench, id, secret) = scene();
    let mut command = bench.command(&["serve", "--port", "0", "--json"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    command.env("RUST_LOG", "error");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let server = Server::start(command);
    let mut request_id = String::new();
    engines::run(async {
        let http = server.http(SITE);
        let answer = http.userinfo("a-token-t0-be-kept").await;
        assert_eq!(answer.status, 401);
        answer
            .header("x-frappe-request-id")
            .unwrap()
            .clone_into(&mut request_id);
        let form = [("token", "a-token-t0-be-kept")];
        let introspect = http.post(&method("introspect_token")).basic(&id, &secret);
        assert_eq!(introspect.form(&form).send().await.status, 200);
    });
    // Nothing is logged at this level, and traced all the same.
    assert_eq!(server.stop(), "");
    let (request, body) = received.recv().unwrap();
    assert!(request.starts_with("POST /v1/traces "), "{request}");
    let text = String::from_utf8_lossy(&body);
    for part in [
        "crema",
        "userinfo",
        "introspect",
        &request_id,
        "http.response.status_code",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(
        !text.contains("t0-be-kept") && !text.contains(&secret),
        "{text}"
    );
}
