// What each fuzz target of `crema-crypto` does with one input.

use std::sync::LazyLock;

use crema_crypto::password::{PasswordCost, verify};
use crema_crypto::{Fernet, SeededEntropy, SigningAlgorithm, SigningKey, VerifyingKey, jws};
use serde_json::{Value, json};

/// The password of every stored hash in the seeds.
pub(crate) const PASSWORD: &str = "S3cret p\u{e4}ssw\u{f6}rd";
const FERNET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Keys that nobody else has, and a token of each.
static KEYS: LazyLock<Vec<(SigningKey, String)>> = LazyLock::new(|| {
    let keys = [
        SigningKey::generate(SigningAlgorithm::EdDSA),
        SigningKey::generate(SigningAlgorithm::ES256),
        SigningKey::hmac(b"a secret of thirty-two bytes or so"),
    ];
    let claims = json!({"iss": "https://site.example", "sub": "s", "aud": "c", "exp": 1});
    keys.into_iter()
        .map(|key| {
            let key = key.expect("a key");
            let token = jws::encode(&key, &claims).expect("a token");
            (key, token)
        })
        .collect()
});

/// A compact JWS, as in `id_token_hint`.
pub(crate) fn jwt(data: &[u8]) {
    let keys: Vec<_> = KEYS.iter().map(|(key, _)| key).collect();
    let never_ours = |token: &str| {
        let known = KEYS.iter().any(|(_, own)| own == token);
        let verified = jws::decode_verified(token, &keys);
        assert_eq!(verified.is_ok(), known, "only what was signed is taken");
    };
    // The input is no token of ours, except where it says how to change one.
    if let Some(token) = text(data) {
        never_ours(token);
        if let Ok(header) = jws::peek_header(token) {
            assert_eq!(token.matches('.').count(), 2);
            assert!(SigningAlgorithm::ALL.contains(&header.algorithm));
            assert!(token.len() <= jws::MAX_TOKEN_BYTES);
        }
    }
    let [which, high, low, byte, ..] = *data else {
        return;
    };
    let (_, token) = &KEYS[usize::from(which) % KEYS.len()];
    let at = usize::from(u16::from_be_bytes([high, low])) % token.len();
    let mut changed = token.clone().into_bytes();
    changed[at] = byte & 0x7f;
    never_ours(text(&changed).expect("ASCII"));
    changed.insert(at, byte & 0x7f);
    never_ours(text(&changed).expect("ASCII"));
    changed.truncate(at);
    never_ours(text(&changed).expect("ASCII"));
}

/// A JSON Web Key.
pub(crate) fn jwk(data: &[u8]) {
    let Ok(jwk) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    for algorithm in SigningAlgorithm::ALL {
        let Ok(key) = VerifyingKey::from_jwk(algorithm, &jwk) else {
            continue;
        };
        assert!(!algorithm.is_symmetric(), "a secret is no public key");
        assert_eq!(key.algorithm(), algorithm);
        let public = key.public_jwk().expect("it is public");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(public.get(private).is_none(), "{private} is published");
        }
        let again = VerifyingKey::from_jwk(algorithm, public).expect("as it was written");
        assert_eq!(again.public_jwk(), Some(public));
        assert!(key.verify(b"message", data).is_err());
    }
}

/// An encrypted field.
pub(crate) fn fernet(data: &[u8]) {
    let fernet = Fernet::new(FERNET_KEY).expect("a key");
    let token = fernet
        .encrypt(&SeededEntropy::new(7), 1_700_000_000, data)
        .expect("encrypted");
    let plain = fernet.decrypt(&token).expect("decrypted");
    assert_eq!(plain.expose(), data);
    if let Some(foreign) = text(data) {
        assert!(fernet.decrypt(foreign).is_err());
        let _ = Fernet::new(foreign);
    }
    let [high, low, byte, ..] = *data else {
        return;
    };
    let at = usize::from(u16::from_be_bytes([high, low])) % token.len();
    let mut changed = token.clone().into_bytes();
    changed[at] = byte & 0x7f;
    let changed = text(&changed).expect("ASCII");
    assert_eq!(fernet.decrypt(changed).is_ok(), changed == token);
}

/// A stored password hash, of ours or passlib's. The expensive ones are passed over: that they
/// are bounded is tested elsewhere.
pub(crate) fn password(data: &[u8]) {
    let Some(stored) = text(data) else { return };
    let numbers = stored.split(|c: char| !c.is_ascii_digit());
    if numbers.into_iter().any(|number| number.len() > 3) {
        let _ = verify(PASSWORD, "", &PasswordCost::minimal());
        return;
    }
    let right = verify(PASSWORD, stored, &PasswordCost::minimal());
    let wrong = verify("another", stored, &PasswordCost::minimal());
    assert_eq!(right.is_ok(), wrong.is_ok(), "it is read or it is not");
    assert!(wrong.is_ok_and(|found| !found.valid) || right.is_err());
}
