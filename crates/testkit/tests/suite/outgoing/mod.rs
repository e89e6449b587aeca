//! Requests to other servers, attacked: by what is asked for, by names, by answers.

mod answers;
mod authorization;
mod bounds;
mod certificates;
mod inside;

use std::time::Duration;

use crema_auth::outgoing::{Answer, Outgoing, OutgoingError, OutgoingRequest};
use crema_document::config::SiteConfig;
use crema_testkit::outgoing::{Internet, Reply};
use serde_json::{Value, json};

/// Longer than anything takes that is answered at all.
const PATIENT: Duration = Duration::from_secs(30);

/// For what is not going to be answered.
const HASTY: Duration = Duration::from_millis(400);

/// The largest answer that a test reads.
const LARGEST: usize = 1000;

/// A way out, and the configuration of the site that goes it.
struct Traveller {
    internet: Internet,
    outgoing: Outgoing,
    config: SiteConfig,
}

impl Traveller {
    fn new(config: Value) -> Traveller {
        let internet = Internet::new();
        Traveller {
            outgoing: internet.outgoing(),
            internet,
            config: site_config(config),
        }
    }

    async fn get(&self, url: &str) -> Result<Answer, OutgoingError> {
        self.get_within(url, PATIENT).await
    }

    async fn get_within(&self, url: &str, time: Duration) -> Result<Answer, OutgoingError> {
        let request = OutgoingRequest {
            time,
            ..request(url)
        };
        self.outgoing.get(&self.config, &request).await
    }

    /// How a request ends.
    async fn end(&self, url: &str) -> Option<OutgoingError> {
        self.get(url).await.err()
    }
}

fn site_config(keys: Value) -> SiteConfig {
    let keys = keys.as_object().cloned().unwrap();
    SiteConfig::from_keys(keys).unwrap()
}

fn request(url: &str) -> OutgoingRequest<'_> {
    OutgoingRequest {
        url,
        accept: "application/json",
        if_none_match: None,
        largest: LARGEST,
        time: PATIENT,
    }
}

fn document() -> Reply {
    Reply::json(&json!({"client_name": "App"}))
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn a_document_is_fetched() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    let reply = Reply::document("Application/JSON; charset=utf-8", "{}")
        .header("ETag", "\"1\"")
        .header("Cache-Control", "max-age=600");
    site.answer("/client.json", reply);
    let answer = traveller.get("https://app.example/client.json?v=1").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(answer.media_type, "application/json");
    assert_eq!(answer.etag.as_deref(), Some("\"1\""));
    assert_eq!(answer.fresh_for, Some(600));
    // Nothing but what it takes, and nothing about the site or whoever asked.
    let received = site.received().remove(0).to_ascii_lowercase();
    let mut lines: Vec<_> = received.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "get /client.json?v=1 http/1.1");
    lines.sort_unstable();
    let agent = format!("user-agent: crema/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "accept-encoding: identity",
            "accept: application/json",
            "host: app.example",
            agent.as_str(),
        ]
    );
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    let unchanged = Reply::status(304).header("Cache-Control", "max-age=60");
    site.answer("/", unchanged);
    let mut request = request("https://app.example/");
    request.if_none_match = Some("\"1\"");
    let answer = traveller.outgoing.get(&traveller.config, &request).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    assert_eq!(answer.fresh_for, Some(60));
    assert!(site.received()[0].contains("if-none-match: \"1\"\r\n"));
    // Nobody asked whether it has changed.
    let end = traveller.end("https://app.example/").await;
    assert_eq!(end, Some(OutgoingError::Status));
}

#[tokio::test]
async fn nothing_of_one_request_is_left_for_the_next() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    let keeping = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nSet-Cookie: a=b; Path=/\r\n\
                   Alt-Svc: h2=\"inside.example:443\"\r\nContent-Length: 2\r\n\r\n{}";
    site.answer("/", Reply::raw(keeping));
    for number in 1..=2 {
        assert_eq!(traveller.end("https://app.example/").await, None);
        assert_eq!(site.connections(), number);
        assert!(!site.received()[number - 1].contains("cookie"));
    }
    assert_eq!(traveller.internet.lookups("app.example"), 2);
}

#[tokio::test]
async fn debug_shows_no_query_and_no_body() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", Reply::json(&json!("a secret")));
    let request = request("https://app.example/?secret");
    let answer = traveller.outgoing.get(&traveller.config, &request).await;
    let shown = format!("{request:?} {:?} {:?}", answer.unwrap(), traveller.outgoing);
    assert!(!shown.contains("secret"), "{shown}");
}
