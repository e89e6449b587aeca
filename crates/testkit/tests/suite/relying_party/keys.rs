//! Keys that change between two logins.
// spec: http.md, ID token, "rotated without breaking tokens in flight"; OpenID Connect Core
// §10.1.1

use crema_auth::keys::{self, PUBLISH_BEFORE};
use crema_auth::user::ADMINISTRATOR;
use crema_document::{Clock as _, FixedClock, SystemClock};
use openidconnect::core::CoreJwsSigningAlgorithm as Algorithm;

use super::*;

/// Steps of the clock that end at the present, so that nothing is issued in the library's future.
fn begin_before(clock: &FixedClock, seconds: i64) {
    clock.set(SystemClock.now().minus_seconds(seconds));
}

async fn rotate(app: &App, immediately: bool) {
    app.clock.advance_seconds(1);
    let ctx = app.ctx().await;
    let made = keys::rotate(&ctx, ADMINISTRATOR, None, immediately)
        .await
        .unwrap();
    assert_eq!(made.len(), 1);
}

#[tokio::test]
async fn a_key_is_replaced_between_two_logins() {
    let wait = PUBLISH_BEFORE.cast_unsigned();
    let rs256 = Algorithm::RsaSsaPkcs1V15Sha256;
    let app = app().await;
    begin_before(&app.clock, PUBLISH_BEFORE + 5);
    let client = app.add_client(
        ClientSpec::new("https://client.example/cb").with("id_token_signed_response_alg", "RS256"),
    );
    let client = client.await;
    let mut party = Party::new(&app, &client).await;
    let first = party.login(&app).await;
    party.verify(&first, &rs256).unwrap();
    assert_eq!(party.kids(), [first.kid()]);

    // Published, not yet used: whoever keeps the old set is not disturbed.
    rotate(&app, false).await;
    let second = party.login(&app).await;
    assert_eq!(second.kid(), first.kid());
    party.verify(&second, &rs256).unwrap();
    let mut fresh = Party::new(&app, &client).await;
    assert_eq!(fresh.kids().len(), 2);
    fresh.verify(&first, &rs256).unwrap();

    app.clock.advance_seconds(wait);
    let third = party.login(&app).await;
    assert_ne!(third.kid(), first.kid());
    assert!(
        party.verify(&third, &rs256).is_err(),
        "the old set does not know the key"
    );
    party.reread_keys(&app, &client).await;
    for login in [&first, &second, &third] {
        party.verify(login, &rs256).unwrap();
    }
    // A set that was read in the ten minutes before knows it already.
    fresh.verify(&third, &rs256).unwrap();
    let refreshed = fresh.refresh(&third).await;
    fresh.verify_refreshed(&refreshed, &rs256);

    // A day after the new key began to sign, nothing that the old one signed is alive.
    app.clock.advance_seconds(86_400);
    fresh.reread_keys(&app, &client).await;
    assert_eq!(fresh.kids(), [third.kid()]);
    app.close().await;
}

#[tokio::test]
async fn a_key_can_be_replaced_at_once() {
    let rs256 = Algorithm::RsaSsaPkcs1V15Sha256;
    let app = app().await;
    let client = ClientSpec::new("https://client.example/cb");
    let client = app
        .add_client(client.with("id_token_signed_response_alg", "RS256"))
        .await;
    let mut party = Party::new(&app, &client).await;
    let first = party.login(&app).await;
    rotate(&app, true).await;
    let second = party.login(&app).await;
    assert_ne!(second.kid(), first.kid());
    assert!(party.verify(&second, &rs256).is_err());
    party.reread_keys(&app, &client).await;
    party.verify(&first, &rs256).unwrap();
    party.verify(&second, &rs256).unwrap();
    app.close().await;
}

// Both processes sign with what the database says, without a word between them.
#[tokio::test]
async fn a_second_process_uses_the_new_key_at_the_next_request() {
    let app = app().await;
    let second = app.second_server().await;
    let spec = ClientSpec::new("https://client.example/cb");
    let client = app
        .add_client(spec.with("id_token_signed_response_alg", "ES256"))
        .await;
    let kid_at = async |http: crema_testkit::Http| {
        let mut visitor = app.signed_in(USER, PASSWORD).await.at(http.clone());
        let code = visitor.code(&client, &[("scope", "openid")]).await;
        let tokens = http.redeem(&client, &code, &[]).await.tokens();
        let header = crema_testkit::flow::jose_header(&tokens.id_token.unwrap());
        header["kid"].as_str().unwrap().to_owned()
    };
    let old = kid_at(app.http()).await;
    assert_eq!(kid_at(second.http()).await, old);
    rotate(&app, true).await;
    let new = kid_at(second.http()).await;
    assert_ne!(new, old);
    assert_eq!(kid_at(app.http()).await, new);
    second.stop().await;
    app.close().await;
}
