//! The bodies of the fuzz targets, run over a bounded number of inputs near real ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

#[path = "../../../fuzz/bodies/crypto.rs"]
mod bodies;
#[path = "../../../fuzz/near.rs"]
#[allow(
    dead_code,
    reason = "each crate's parsers read other parts of a request"
)]
mod near;

use crema_crypto::password::{PasswordCost, hash};
use crema_crypto::{SeededEntropy, SigningAlgorithm, SigningKey};
use near::{run, seeds};

const FOREIGN_TOKENS: &str = include_str!("data/pyjwt.txt");

// spec: security.md, Inputs, outputs, network, "No input gives a 500"
#[test]
fn jwt() {
    let foreign = FOREIGN_TOKENS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(_, token)| token.as_bytes().to_vec())
        .collect();
    let own = [
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AA",
        "a.b.c.d.e",
        "..",
    ];
    run("jwt", seeds(&own, foreign), 2000, bodies::jwt);
}

#[test]
fn jwk() {
    let keys = [
        SigningAlgorithm::EdDSA,
        SigningAlgorithm::ES256,
        SigningAlgorithm::RS256,
    ]
    .map(|algorithm| {
        let key = SigningKey::generate(algorithm).unwrap();
        key.public_jwk().unwrap().to_string().into_bytes()
    });
    let own = [
        r#"{"kty":"oct","k":"AAEC","alg":"HS256"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","use":"enc","kid":7}"#,
    ];
    run("jwk", seeds(&own, keys.to_vec()), 1000, bodies::jwk);
}

#[test]
fn fernet() {
    let own = [
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
        "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
        "a secret",
    ];
    run("fernet", seeds(&own, Vec::new()), 1000, bodies::fernet);
}

#[test]
fn password() {
    let entropy = SeededEntropy::new(1);
    let made = hash(bodies::PASSWORD, &PasswordCost::minimal(), &entropy).unwrap();
    let own = [
        "$pbkdf2-sha256$1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
        "$argon2i$v=16$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$bCWBx0U3tIM6MAcsXVzjgYyniw81gBjvm0jN8NNK1U0",
        "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$WEm4.1yYdxczUYFiVuukR9ZtsMywg.AoPy09v9wd/mI",
        "$2b$12$abcdefghijklmnopqrstuv",
    ];
    run(
        "password",
        seeds(&own, vec![made.into_bytes()]),
        500,
        bodies::password,
    );
}
