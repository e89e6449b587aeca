//! Whom a request is sent to is proven by a certificate.

use crema_auth::outgoing::{Outgoing, OutgoingError, Roots};
use crema_testkit::outgoing::{Certificate, Internet};
use serde_json::json;

use super::{Traveller, document, request};

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn certificates_that_prove_nothing() {
    let traveller = Traveller::new(json!({}));
    for certificate in [
        Certificate::For("other.example".to_owned()),
        Certificate::For("*.app.example".to_owned()),
        Certificate::For("93.184.215.1".to_owned()),
        Certificate::Expired,
        Certificate::Unknown,
    ] {
        let site = traveller.internet.serve_with("app.example", &certificate);
        let site = site.await;
        site.answer("/", document());
        let end = traveller.end("https://app.example/").await;
        assert_eq!(end, Some(OutgoingError::Unreachable), "{certificate:?}");
        assert_eq!((site.connections(), site.requests()), (1, 0));
    }
    // Nor does it help that the server is one of the administrator's.
    let traveller = Traveller::new(json!({"outgoing_allow": "idp.internal", "developer_mode": 1}));
    let site = traveller
        .internet
        .serve_with("idp.internal", &Certificate::Unknown);
    let site = site.await;
    let end = traveller.end("https://idp.internal/").await;
    assert_eq!(
        (end, site.requests()),
        (Some(OutgoingError::Unreachable), 0)
    );
}

/// What one server trusts is no other's matter, and the system's certificates do not vouch for
/// an authority of a test.
#[tokio::test]
async fn another_authority() {
    let traveller = Traveller::new(json!({}));
    let site = traveller.internet.serve("app.example").await;
    site.answer("/", document());
    let network = Internet::new();
    let address = network.connect(&site);
    network.name("app.example", vec![vec![address]]);
    let request = request("https://app.example/");
    let end = network.outgoing().get(&traveller.config, &request).await;
    assert_eq!(end.err(), Some(OutgoingError::Unreachable));
    assert_eq!((site.connections(), site.requests()), (1, 0));
    let nobody = Outgoing::new(traveller.internet.resolver(), Roots::Only(Vec::new()));
    let end = nobody.get(&traveller.config, &request).await;
    assert_eq!(end.err(), Some(OutgoingError::Unreachable));
    assert_eq!(site.requests(), 0);
    assert_eq!(traveller.end("https://app.example/").await, None);
}
