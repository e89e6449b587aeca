//! `state`, `nonce` and `iss`: what goes in comes out, byte for byte, on every way there is.
// spec: RFC 6749 §4.1.2; RFC 9207; security.md, "`state` is returned byte-exact"

use crema_testkit::for_each_engine;
use crema_testkit::visitor::AUTHORIZE;
use percent_encoding_of::every_byte;

use super::*;

mod percent_encoding_of {
    /// Every byte as `%XX`.
    pub(super) fn every_byte(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }
}

const ODD: [&str; 12] = [
    "a b+c%20d",
    "a&b=c#d?e/f;g",
    "\"><script>alert(1)</script>'`",
    "line\nbreak\r\nand\ttab\r",
    " leading and trailing ",
    "{\"json\":[1,\"\\u0000\"]}",
    "ünïcödé €🦀\u{202e}rtl\u{feff}",
    "%",
    "%00%zz%C3",
    "&amp;&lt;",
    "\u{1}\u{7f}\u{85}\u{2028}",
    "eyJhbGciOiJub25lIn0.e30.~._-",
];

/// The bytes of a parameter in an address.
fn raw_param(location: &str, name: &str) -> Vec<u8> {
    let (_, query) = location.split_once(['?', '#']).unwrap();
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    let mut bytes = Vec::new();
    let mut rest = value.unwrap().bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    bytes
}

async fn request(visitor: &mut Visitor, client: &TestClient, state: &str) -> Response {
    let more = format!("&state={}", every_byte(state));
    let pairs = client.authorization(&[("state", "")]);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let query = crema_testkit::http::encode(&pairs);
    visitor.get(&format!("{AUTHORIZE}?{query}{more}")).await
}

#[tokio::test]
async fn a_state_comes_back_through_sign_in_and_consent() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let long = "x".repeat(8000);
    for state in ODD.into_iter().chain([long.as_str()]) {
        let mut guest = app.visitor();
        let answer = request(&mut guest, &client, state).await;
        let page = sign_in(&app, &mut guest, &answer, USER).await;
        for button in ["allow", "deny"] {
            let answer = guest.decide(&page, button).await;
            let location = answer.location().unwrap();
            assert_eq!(
                raw_param(location, "state"),
                state.as_bytes(),
                "{button}: {location}"
            );
            assert_eq!(raw_param(location, "iss"), app.issuer().as_bytes());
        }
    }
    app.close().await;
}

#[tokio::test]
async fn a_state_comes_back_with_every_error() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for state in ODD {
        for change in [
            ("prompt", "none"),
            ("response_type", "nothing"),
            ("scope", "unknown"),
            ("response_mode", "fragment"),
            ("request", "x"),
            ("code_challenge_method", "S256"),
        ] {
            let changes = [change, ("state", state), ("prompt", "none")];
            let answer = ask(&mut visitor, &client, &changes).await;
            let location = answer.location().unwrap();
            assert_eq!(raw_param(location, "state"), state.as_bytes(), "{location}");
            assert_eq!(raw_param(location, "iss"), app.issuer().as_bytes());
            assert!(location.contains("error="), "{location}");
        }
    }
    app.close().await;
}

#[tokio::test]
async fn without_a_state_none_comes_back() {
    let app = app().await;
    let client = app.add_client(spec().with("skip_authorization", "1")).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let redirect = Redirect::of(&ask(&mut visitor, &client, &[("state", "")]).await);
    assert!(!redirect.params.contains_key("state") && redirect.params.contains_key("code"));
    app.close().await;
}

#[tokio::test]
async fn a_state_that_comes_twice_comes_back_not_at_all() {
    let app = app().await;
    let client = app.add_client(spec()).await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let redirect =
        Redirect::of(&ask(&mut visitor, &client, &[("state", "1"), ("state", "2")]).await);
    assert_eq!(redirect.param("error"), "invalid_request");
    assert!(!redirect.params.contains_key("state"));
    app.close().await;
}

for_each_engine! {
    // What is as long as allowed is stored on every database.
    async fn long_and_odd_values_are_kept(app: &App) {
        app.add_user(USER, PASSWORD, &[]).await;
        let uri = format!("https://client.example/{}", "p".repeat(1900));
        let client = app.add_client(ClientSpec::new(&uri).with("skip_authorization", "1")).await;
        let mut visitor = app.signed_in(USER, PASSWORD).await;
        let long = "é".repeat(512);
        for nonce in ODD.into_iter().chain([long.as_str()]) {
            let answer = ask(&mut visitor, &client, &[("nonce", nonce)]).await;
            let about = id_token(app, &client, &answer).await;
            assert_eq!(about["nonce"], nonce);
        }
        let too_long = "x".repeat(1025);
        let answer = ask(&mut visitor, &client, &[("nonce", &too_long)]).await;
        assert_eq!(error(app, &answer), "invalid_request");
    }
}
