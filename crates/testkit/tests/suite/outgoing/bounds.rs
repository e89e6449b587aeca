//! How much of this server a request to another one may take.

use std::future::{Future, pending};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crema_auth::outgoing::{MOST_AT_ONCE, Outgoing, OutgoingError, Resolver, Roots};
use crema_testkit::outgoing::{Piece, Reply};
use serde_json::json;
use tokio::process::Command;

use super::{LARGEST, Traveller, document, request, site_config};

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn so_many_at_once() {
    let traveller = Arc::new(Traveller::new(json!({})));
    let site = traveller.internet.serve("slow.example").await;
    site.answer("/slow", Reply::pieces(vec![Piece::Silence]));
    site.answer("/", document());
    let waiting: Vec<_> = (0..MOST_AT_ONCE)
        .map(|_| {
            let traveller = Arc::clone(&traveller);
            tokio::spawn(async move { traveller.end("https://slow.example/slow").await })
        })
        .collect();
    site.under_way(MOST_AT_ONCE).await;
    // Another one is told at once, by every copy of the way out, and asks nobody.
    let lookups = traveller.internet.lookups("slow.example");
    let copy = traveller.outgoing.clone();
    let end = copy
        .get(&traveller.config, &request("https://slow.example/"))
        .await;
    assert_eq!(end.err(), Some(OutgoingError::Busy));
    assert_eq!(traveller.internet.lookups("slow.example"), lookups);
    // What cannot be sent at all is told so.
    let end = traveller.end("https://127.0.0.1/").await;
    assert_eq!(end, Some(OutgoingError::Refused));
    // A request that nobody waits for any more gives its place back.
    for task in waiting {
        task.abort();
    }
    site.under_way(0).await;
    assert_eq!(traveller.end("https://slow.example/").await, None);
}

/// Never finds a name, and never says so.
struct Silent;

impl Resolver for Silent {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn the_time_limit_holds_for_names_too() {
    let outgoing = Outgoing::new(Arc::new(Silent), Roots::Only(Vec::new()));
    let mut request = request("https://slow.example/");
    request.time = Duration::from_millis(50);
    let end = outgoing.get(&site_config(json!({})), &request).await;
    assert_eq!(end.err(), Some(OutgoingError::Unreachable));
}

#[tokio::test]
async fn an_address_that_does_not_answer_leaves_time_for_another() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", document());
    let nobody = traveller.internet.public_address();
    let good = traveller.internet.connect(&site);
    traveller
        .internet
        .name("app.example", vec![vec![nobody, good]]);
    assert_eq!(traveller.end("https://app.example/").await, None);
    // Of a name with very many addresses, a few are tried.
    let mut many: Vec<IpAddr> = (0..50)
        .map(|_| traveller.internet.public_address())
        .collect();
    many.push(good);
    traveller.internet.name("app.example", vec![many]);
    let end = traveller.end("https://app.example/").await;
    assert_eq!(end, Some(OutgoingError::Unreachable));
    assert_eq!(site.requests(), 1);
}

/// The variables by which programs are told to use a proxy are not read: through one, nobody could
/// say where a connection ends. This program runs once more, with them set.
#[tokio::test]
async fn no_proxy_of_the_environment() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([
        "--exact",
        "outgoing::bounds::a_request_with_a_proxy",
        "--ignored",
    ]);
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
        "http_proxy",
    ] {
        again.env(name, "http://127.0.0.1:1");
    }
    let output = again.env_remove("NO_PROXY").env_remove("no_proxy").output();
    let output = output.await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "run by the test before it, in an environment of its own"]
async fn a_request_with_a_proxy() {
    let traveller = Traveller::new(json!({"developer_mode": 1}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", document());
    assert_eq!(traveller.end("https://app.example/").await, None);
    let plain = traveller.internet.inside().await;
    plain.answer("/", document());
    let address = traveller.internet.connect(&plain);
    traveller
        .internet
        .name("plain.example", vec![vec![address]]);
    assert_eq!(traveller.end("http://plain.example/").await, None);
}

/// How requests end is counted, over all copies of the way out.
#[tokio::test]
async fn figures() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", document());
    site.answer(
        "/large",
        Reply::document("text/plain", vec![b'a'; 2 * LARGEST]),
    );
    for url in [
        "https://app.example/",
        "https://app.example/?again",
        "https://app.example/nothing",
        "https://app.example/large",
        "https://10.0.0.1/",
        "https://nowhere.example/",
    ] {
        traveller.end(url).await;
    }
    let ended: Vec<_> = traveller.outgoing.clone().ended().collect();
    assert_eq!(
        ended,
        [
            ("answered", 2),
            ("refused", 2),
            ("unreachable", 0),
            ("no_document", 1),
            ("too_large", 1),
            ("busy", 0),
        ]
    );
    assert_eq!(traveller.outgoing.under_way(), 0);
}
