//! A relying party that somebody else wrote: the `openidconnect` crate, configured with nothing
//! but issuer, client id and secret, and with the algorithm that its client was registered for.
// spec: product.md, "A standard client just works"

mod keys;
mod party;

use crema_testkit::{App, ClientSpec};
use openidconnect::core::CoreJwsSigningAlgorithm as Algorithm;
use openidconnect::{AuthType, Nonce, OAuth2TokenResponse as _, TokenIntrospectionResponse as _};
use party::{Login, Party};

const USER: &str = "user@example.com";
const PASSWORD: &str = "secret";

/// The algorithms, as a client is registered for them and as the library calls them.
const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("RS256", Algorithm::RsaSsaPkcs1V15Sha256),
    ("ES256", Algorithm::EcdsaP256Sha256),
    ("EdDSA", Algorithm::EdDsa),
    ("PS256", Algorithm::RsaSsaPssSha256),
    ("HS256", Algorithm::HmacSha256),
];

/// The issuer. Behind the proxy that ends TLS there is the test's own transport: the library
/// sends tokens to be revoked to https addresses only.
const ISSUER: &str = "https://trust.localhost";

/// The library compares with the computer's clock, so the site has its time.
async fn app() -> App {
    let app = App::builder().real_time().config("host_name", ISSUER);
    let app = app.build().await;
    app.add_user(USER, PASSWORD, &["Sales User"]).await;
    app
}

async fn party(app: &App, algorithm: &str) -> Party {
    let spec = ClientSpec::new("https://client.example/cb");
    let spec = spec.with("id_token_signed_response_alg", algorithm);
    let client = app.add_client(spec).await;
    Party::new(app, &client).await
}

#[tokio::test]
async fn everything_with_every_algorithm() {
    let app = app().await;
    for (name, algorithm) in ALGORITHMS {
        let party = party(&app, name).await;
        let login = party.login(&app).await;
        assert_eq!(login.algorithm(), algorithm);
        everything(&party, &login, algorithm).await;
    }
    app.close().await;
}

async fn everything(party: &Party, login: &Login, algorithm: Algorithm) {
    let claims = party.verify(login, &algorithm).unwrap();
    assert_eq!(claims.email().unwrap().as_str(), USER);
    assert_eq!(claims.email_verified(), Some(true));
    assert!(claims.auth_time().is_some());

    let about = party.userinfo(login, &claims).await;
    assert_eq!(about.subject(), claims.subject());
    assert_eq!(about.email().unwrap().as_str(), USER);

    let refreshed = party.refresh(login).await;
    let again = party.verify_refreshed(&refreshed, &algorithm);
    assert_eq!(again.subject(), claims.subject());
    assert_eq!(again.auth_time(), claims.auth_time());
    assert!(again.nonce().is_none());

    let old = party.introspect(login.tokens.access_token()).await;
    assert!(!old.active());
    let new = party.introspect(refreshed.access_token()).await;
    assert!(new.active());
    assert_eq!(
        new.client_id().map(|id| id.as_str()),
        Some(party.client_id())
    );
    assert_eq!(new.username(), Some(USER));
    assert_eq!(new.sub(), Some(claims.subject().as_str()));
    assert_eq!(new.iss(), Some(ISSUER));

    party.revoke(refreshed.refresh_token().unwrap()).await;
    assert!(!party.introspect(refreshed.access_token()).await.active());
    assert!(
        party
            .try_refresh(refreshed.refresh_token().unwrap())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_secret_in_the_body_does_as_well() {
    let app = app().await;
    let party = party(&app, "RS256").await.auth_type(AuthType::RequestBody);
    let login = party.login(&app).await;
    everything(&party, &login, Algorithm::RsaSsaPkcs1V15Sha256).await;
    app.close().await;
}

#[tokio::test]
async fn a_wrong_secret_is_an_error_that_the_library_understands() {
    let app = app().await;
    let party = party(&app, "RS256").await.secret("wrong");
    let message = party.try_login(&app).await.unwrap_err();
    assert!(message.contains("invalid_client"), "{message}");
    app.close().await;
}

#[tokio::test]
async fn a_token_of_somebody_else_is_refused_by_the_library() {
    let app = app().await;
    let party = party(&app, "RS256").await;
    let mut login = party.login(&app).await;
    let (_, algorithm) = ALGORITHMS[0].clone();
    assert!(party.verify(&login, &Algorithm::EcdsaP256Sha256).is_err());
    login.nonce = Nonce::new("another".to_owned());
    assert!(party.verify(&login, &algorithm).is_err());
    let other = self::party(&app, "RS256").await;
    let login = party.login(&app).await;
    assert!(
        other.verify(&login, &algorithm).is_err(),
        "another audience"
    );
    app.close().await;
}

// spec: http.md, Metadata: one source of truth
#[tokio::test]
async fn what_the_metadata_promise_is_what_the_library_uses() {
    let app = app().await;
    let party = party(&app, "RS256").await;
    let supported = party.algorithms();
    for (name, algorithm) in ALGORITHMS {
        assert!(supported.contains(&algorithm), "{name}");
    }
    let oauth = app
        .http()
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await;
    let openid = app
        .http()
        .get("/.well-known/openid-configuration")
        .send()
        .await;
    assert_eq!(oauth.json(), openid.json());
    app.close().await;
}
