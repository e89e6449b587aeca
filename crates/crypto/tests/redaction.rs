//! No secret shows in `Debug` or in an error.
// spec: security.md, Inputs, outputs, network, line 8
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use crema_crypto::{
    Fernet, Secret, SeededEntropy, SigningAlgorithm, SigningKey, SiteKeys, TokenPair, token,
};

/// The bytes of "secret-secret-secret-secret-secr".
const KEY: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=";

#[test]
fn debug_shows_no_secret() {
    let keys = SiteKeys::from_encryption_key(KEY).unwrap();
    let pair = TokenPair {
        access: Secret::from("secret"),
        refresh: Secret::from("secret"),
    };
    let hmac = SigningKey::hmac(b"secret").unwrap();
    let shown = [
        format!("{:?}", Secret::from("secret")),
        format!("{:#?}", Secret::new(b"secret".to_vec())),
        format!("{pair:?}"),
        format!("{keys:?}"),
        format!("{:?}", Fernet::new(KEY).unwrap()),
        format!("{hmac:?} {:?}", hmac.verifying_key()),
        format!("{:?}", SiteKeys::from_encryption_key("secret").unwrap_err()),
        SiteKeys::from_encryption_key("secret")
            .unwrap_err()
            .to_string(),
        crema_crypto::jws::peek_header("secret")
            .unwrap_err()
            .to_string(),
    ];
    let hexed = hex::encode("secret");
    let listed = format!("{:?}", b"secret").replace(['[', ']'], "");
    for text in shown {
        for hidden in ["secret", "c2Vjc", &hexed, &listed] {
            assert!(!text.replace("Secret(", "(").contains(hidden), "{text}");
        }
    }
}

#[test]
fn debug_of_a_private_key_shows_its_names_only() {
    let key = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap();
    let kid = key.kid().unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey {{ algorithm: EdDSA, kid: Some({kid:?}), .. }}")
    );
    let keys = SiteKeys::from_encryption_key(KEY).unwrap();
    assert_eq!(
        format!("{keys:?}"),
        format!("SiteKeys {{ key_id: {:?}, .. }}", keys.key_id())
    );
}

#[test]
fn secrets_compare_by_content() {
    let secret = token::random_token(&SeededEntropy::new(1));
    assert_eq!(secret, secret.clone());
    assert!(secret.matches(secret.expose()));
    assert!(!secret.matches("x"));
    assert_ne!(Secret::new(vec![1_u8]), Secret::new(vec![1_u8, 0]));
}
