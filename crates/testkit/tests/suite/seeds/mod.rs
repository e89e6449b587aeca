//! The examples of the two documents that the product was founded on, sent as they are shown.
//!
//! Each example is a constant beside its test: what a client or the site has to be set to, and
//! which characters have to be typed differently than shown. The tests send both, so a
//! correction that is no longer needed fails as loudly as one that is missing. `docs/seeds.md`
//! is this list, for people.

mod document;
mod guide;
mod howto;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crema_document::Clock as _;
use crema_testkit::{App, Engine, Response};
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use serde_json::Value;

/// One example.
struct Example {
    /// The heading it stands under.
    place: &'static str,
    /// The request, in a few words.
    request: &'static str,
    /// The test that sends it.
    test: &'static str,
    /// Settings that it needs, none of which is a default.
    switches: &'static [Switch],
    /// What has to be typed, or expected, differently than shown.
    corrections: &'static [Correction],
}

/// A setting that is off by default.
struct Switch {
    /// Where and what.
    set: &'static str,
    /// Why it is not the default.
    because: &'static str,
}

/// A difference to the text of the document.
struct Correction {
    /// As shown.
    shown: &'static str,
    /// As it works.
    instead: &'static str,
    /// Why.
    because: &'static str,
}

/// The user of the examples.
const USER: &str = "user@example.com";
/// The password, as the guide has it.
const PASSWORD: &str = "SecurePass123";

async fn app_with_user() -> App {
    let app = App::start(Engine::Sqlite).await;
    app.add_user(USER, PASSWORD, &["Sales User"]).await;
    app
}

/// The claims of an ID token whose HS256 signature was checked with the client's secret, by
/// another implementation than the one that made it.
fn checked_with_secret(id_token: &str, secret: &str) -> Option<Value> {
    let (signed, signature) = id_token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    if header["alg"] != "HS256" {
        return None;
    }
    let key = CoreJsonWebKey::new_symmetric(secret.as_bytes().to_vec());
    key.verify_signature(
        &CoreJwsSigningAlgorithm::HmacSha256,
        signed.as_bytes(),
        &decode(signature)?,
    )
    .ok()?;
    serde_json::from_slice(&decode(payload)?).ok()
}

/// The names of the members of a JSON answer, sorted.
fn members(response: &Response) -> Vec<String> {
    let json = response.json();
    let mut names: Vec<String> = json.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

/// The moment of the test, in seconds.
fn now(app: &App) -> i64 {
    app.clock.now().seconds()
}
