//! Ways to an address inside: written down, hidden in a name, or behind an answer.

use std::net::IpAddr;

use crema_auth::outgoing::OutgoingError;
use crema_testkit::outgoing::Reply;
use serde_json::json;

use super::{HASTY, Traveller, document};

/// One or more of every class that is not on the Internet.
const INSIDE: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.215.14",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

/// Addresses inside, written in ways that somebody may read as another host.
pub(super) const WRITTEN: &[&str] = &[
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "0",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "[::1%25lo]",
    "[::ffff:7f00:1]",
    "user@127.0.0.1",
    "inside.example@127.0.0.1",
    "127.0.0.1\\@inside.example",
];

pub(super) fn addresses() -> impl Iterator<Item = IpAddr> {
    INSIDE.iter().map(|address| address.parse().unwrap())
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn names_that_lead_inside() {
    let traveller = Traveller::new(json!({}));
    let inside = traveller.internet.serve("inside.example").await;
    inside.answer("/", document());
    for address in addresses() {
        // Whoever got as far as a connection would be answered.
        traveller.internet.connect_at(address, &inside);
        let outside = traveller.internet.connect(&inside);
        let before = traveller.internet.reached().len();
        // Alone, before, behind and between good ones.
        for found in [
            vec![address],
            vec![address, outside],
            vec![outside, address],
            vec![outside, address, outside],
        ] {
            traveller.internet.name("inside.example", vec![found]);
            let end = traveller.end("https://inside.example/").await;
            assert_eq!(end, Some(OutgoingError::Refused), "{address}");
        }
        assert_eq!(traveller.internet.reached().len(), before, "{address}");
    }
    assert_eq!(inside.connections(), 0);
    // That server can be reached: it is the addresses that were refused.
    let outside = traveller.internet.connect(&inside);
    traveller
        .internet
        .name("inside.example", vec![vec![outside]]);
    assert_eq!(traveller.end("https://inside.example/").await, None);
}

/// It is the judgement that stops them: where everything is admitted, all of them get through.
#[tokio::test]
async fn without_the_judgement_all_of_them_would_be_reached() {
    let traveller = Traveller::new(json!({"outgoing_allow": ["0.0.0.0/0", "::/0"]}));
    let inside = traveller.internet.serve("inside.example").await;
    inside.answer("/", document());
    for (number, address) in addresses().enumerate() {
        traveller.internet.connect_at(address, &inside);
        traveller
            .internet
            .name("inside.example", vec![vec![address]]);
        let end = traveller.end("https://inside.example/").await;
        assert_eq!((end, inside.requests()), (None, number + 1), "{address}");
    }
}

#[tokio::test]
async fn addresses_written_down() {
    let traveller = Traveller::new(json!({}));
    let inside = traveller.internet.serve("inside.example").await;
    inside.answer("/", document());
    let port = inside.port();
    for address in addresses() {
        let host = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let url = format!("https://{host}:{port}/");
        let end = traveller.end(&url).await;
        assert_eq!(end, Some(OutgoingError::Refused), "{url}");
    }
    for host in WRITTEN {
        let url = format!("https://{host}:{port}/");
        let end = traveller.end(&url).await;
        assert_eq!(end, Some(OutgoingError::Refused), "{url}");
    }
    assert_eq!(inside.connections(), 0);
    assert_eq!(traveller.internet.reached(), []);
}

/// `localhost` in its spellings goes through the resolver like any other name.
#[tokio::test]
async fn the_own_machine_by_name() {
    let traveller = Traveller::new(json!({}));
    let inside = traveller.internet.inside().await;
    for host in ["LOCALHOST", "localhost.", "a.localhost", "trust.localhost"] {
        let name = host.to_ascii_lowercase();
        let own = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        traveller.internet.name(&name, vec![own]);
        let end = traveller
            .end(&format!("https://{host}:{}/", inside.port()))
            .await;
        assert_eq!(end, Some(OutgoingError::Refused), "{host}");
        assert_eq!(traveller.internet.lookups(&name), 1, "{host}");
    }
    assert_eq!(inside.connections(), 0);
}

/// A name that is good when it is judged and leads inside when it is used: it is looked up once,
/// and the connection goes where that look-up said.
#[tokio::test]
async fn a_name_that_changes_between_judgement_and_connection() {
    let traveller = Traveller::new(json!({}));
    let outside = traveller.internet.serve("rebinding.example").await;
    outside.answer("/", document());
    let inside = traveller.internet.inside().await;
    let own: IpAddr = "127.0.0.1".parse().unwrap();
    traveller.internet.connect_at(own, &inside);
    let good = traveller.internet.connect(&outside);
    let answers = vec![vec![good], vec![own]];
    traveller.internet.name("rebinding.example", answers);
    assert_eq!(traveller.end("https://rebinding.example/").await, None);
    assert_eq!(traveller.internet.lookups("rebinding.example"), 1);
    let reached = traveller.internet.reached();
    assert_eq!(reached, [(good, 443).into()]);
    // Another request is another look-up and another judgement.
    let end = traveller.end("https://rebinding.example/").await;
    assert_eq!(end, Some(OutgoingError::Refused));
    assert_eq!((outside.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let traveller = Traveller::new(json!({}));
    let outside = traveller.internet.serve("app.example").await;
    let inside = traveller.internet.inside().await;
    outside.answer("/there", document());
    let targets = [
        inside.url("/"),
        "https://app.example/there".to_owned(),
        "/there".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    let mut requests = 0;
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for target in &targets {
            outside.answer("/", Reply::redirect(status, target));
            let end = traveller.end("https://app.example/").await;
            assert_eq!(end, Some(OutgoingError::Status), "{status} {target}");
            requests += 1;
        }
    }
    // Nor are the other ways to send somebody elsewhere.
    let refresh = document().header("Refresh", &format!("0; url={}", inside.url("/")));
    outside.answer("/", refresh);
    assert_eq!(traveller.end("https://app.example/").await, None);
    assert_eq!(outside.requests(), requests + 1);
    assert_eq!(inside.connections(), 0);
}

/// Whether an internal name exists is nobody's business: refused and not found look the same.
#[tokio::test]
async fn names_inside_cannot_be_found_out() {
    let traveller = Traveller::new(json!({}));
    let own = vec![vec!["10.0.0.1".parse().unwrap()]];
    traveller.internet.name("intranet.example", own);
    traveller.internet.name("empty.example", vec![vec![]]);
    for host in ["intranet.example", "empty.example", "nowhere.example"] {
        let end = traveller.end(&format!("https://{host}/")).await;
        assert_eq!(end, Some(OutgoingError::Refused), "{host}");
    }
}

#[tokio::test]
async fn other_schemes_and_ports() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.inside().await;
    let address = traveller.internet.connect(&site);
    traveller.internet.name("app.example", vec![vec![address]]);
    for scheme in [
        "http", "ftp", "ws", "gopher", "file", "data", "unix", "HTTP",
    ] {
        let url = format!("{scheme}://app.example:{}/", site.port());
        let end = traveller.end(&url).await;
        assert_eq!(end, Some(OutgoingError::Refused), "{url}");
    }
    assert_eq!(
        (
            site.connections(),
            traveller.internet.lookups("app.example")
        ),
        (0, 0)
    );
    // Any port is good for TLS; what speaks something else there learns nothing but a greeting.
    let url = format!("https://app.example:{}/", site.port());
    let end = traveller.get_within(&url, HASTY).await;
    assert_eq!(end.err(), Some(OutgoingError::Unreachable));
    assert_eq!((site.connections(), site.requests()), (1, 0));
}

/// What a site's configuration lists can be reached, and nothing else inside.
#[tokio::test]
async fn what_is_admitted() {
    let own: IpAddr = "10.1.2.3".parse().unwrap();
    for (entry, admitted) in [
        ("idp.internal", true),
        ("10.1.2.3", true),
        ("10.1.2.3:443", true),
        ("10.0.0.0/8", true),
        ("other.internal", false),
        ("idp.internal:8443", false),
        ("10.1.2.4", false),
        ("::/0", false),
    ] {
        let traveller = Traveller::new(json!({"outgoing_allow": [entry]}));
        let site = traveller.internet.serve("idp.internal").await;
        site.answer("/", document());
        traveller.internet.connect_at(own, &site);
        traveller.internet.name("idp.internal", vec![vec![own]]);
        let end = traveller.end("https://idp.internal/").await;
        let expected = (!admitted).then_some(OutgoingError::Refused);
        assert_eq!(end, expected, "{entry}");
        assert_eq!(site.requests(), usize::from(admitted), "{entry}");
        // Still with TLS only.
        let end = traveller.end("http://idp.internal/").await;
        assert_eq!(end, Some(OutgoingError::Refused), "{entry}");
    }
    // An address as the host, for which its certificate is good.
    let traveller = Traveller::new(json!({"outgoing_allow": "127.0.0.1"}));
    let site = traveller.internet.serve("idp.internal").await;
    site.answer("/", document());
    let url = format!("https://127.0.0.1:{}/", site.port());
    assert_eq!(traveller.end(&url).await, None);
}

/// In developer mode: `http`, and the own machine, but nothing else inside.
#[tokio::test]
async fn on_a_developers_machine() {
    let traveller = Traveller::new(json!({"developer_mode": 1}));
    let site = traveller.internet.inside().await;
    site.answer("/", document());
    let own: IpAddr = "127.0.0.1".parse().unwrap();
    traveller.internet.name("localhost", vec![vec![own]]);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", site.port());
        assert_eq!(traveller.end(&url).await, None, "{url}");
    }
    let requests = site.requests();
    for address in addresses().filter(|address| !address.is_loopback()) {
        traveller.internet.connect_at(address, &site);
        traveller
            .internet
            .name("inside.example", vec![vec![address]]);
        let end = traveller.end("http://inside.example/").await;
        assert_eq!(end, Some(OutgoingError::Refused), "{address}");
    }
    assert_eq!(site.requests(), requests);
}
