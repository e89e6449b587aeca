//! Signing and verifying: what is accepted, and all that is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crema_crypto::jws::{
    JwsHeader, MAX_TOKEN_BYTES, decode_verified, decode_with, encode, encode_typed, peek_header,
};
use crema_crypto::{CryptoError, SigningAlgorithm, SigningKey, VerifyingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use SigningAlgorithm::{ES256, EdDSA, HS256, PS256, RS256};

/// One key per algorithm, in the order of [`SigningAlgorithm::ALL`].
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    SigningAlgorithm::ALL
        .into_iter()
        .map(|algorithm| match algorithm {
            HS256 => SigningKey::hmac(b"a client secret").unwrap(),
            _ => SigningKey::generate(algorithm).unwrap(),
        })
        .collect()
});

fn key(algorithm: SigningAlgorithm) -> &'static SigningKey {
    KEYS.iter()
        .find(|key| key.algorithm() == algorithm)
        .unwrap()
}

fn part(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// A token with this header text, rightly signed by `key`.
fn with_header(key: &SigningKey, header: &str) -> String {
    let signed = format!("{}.{}", part(header), part(r#"{"sub":"x"}"#));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn every_algorithm_round_trips_and_survives_storage() {
    let claims = json!({"iss": "https://site.example", "sub": "ünï", "n": [1, 2.5, null]});
    for key in KEYS.iter() {
        let token = encode(key, &claims).unwrap();
        assert_eq!(decode_verified(&token, &[key]).unwrap(), claims);
        assert_eq!(
            peek_header(&token).unwrap(),
            JwsHeader {
                algorithm: key.algorithm(),
                kid: key.kid().map(str::to_owned),
                typ: Some("JWT".to_owned()),
            }
        );
        if key.algorithm() == HS256 {
            continue;
        }
        let der = key.to_pkcs8().unwrap();
        let kid = key.kid().unwrap();
        let again = SigningKey::from_pkcs8(key.algorithm(), kid, der.expose()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        let from_again = encode(&again, &claims).unwrap();
        assert_eq!(decode_verified(&from_again, &[key]).unwrap(), claims);
        let public = VerifyingKey::from_jwk(key.algorithm(), key.public_jwk().unwrap()).unwrap();
        assert_eq!(public.kid(), key.kid());
        assert_eq!(decode_with(&token, &[&public]).unwrap(), claims);
    }
}

#[test]
fn published_keys_have_their_members_and_nothing_private() {
    let expected = [
        (RS256, vec!["alg", "e", "kid", "kty", "n", "use"]),
        (PS256, vec!["alg", "e", "kid", "kty", "n", "use"]),
        (ES256, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (EdDSA, vec!["alg", "crv", "kid", "kty", "use", "x"]),
    ];
    for (algorithm, members) in expected {
        let jwk = key(algorithm).public_jwk().unwrap().as_object().unwrap();
        let mut names: Vec<&str> = jwk.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members);
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["alg"], algorithm.as_str());
    }
    assert_eq!(key(HS256).public_jwk(), None);
    assert!(key(HS256).to_pkcs8().is_err());
}

/// About one coordinate in 256 begins with a zero byte, which must stay.
#[test]
fn es256_coordinates_and_signatures_have_a_fixed_length() {
    for _ in 0..600 {
        let key = SigningKey::generate(ES256).unwrap();
        let jwk = key.public_jwk().unwrap();
        assert_eq!(jwk["x"].as_str().unwrap().len(), 43);
        assert_eq!(jwk["y"].as_str().unwrap().len(), 43);
        assert_eq!(key.sign(b"message").unwrap().len(), 64);
    }
}

#[test]
fn rsa_numbers_have_no_leading_zero() {
    let jwk = key(RS256).public_jwk().unwrap();
    assert_eq!(jwk["n"].as_str().unwrap().len(), 342);
    assert_eq!(jwk["e"], "AQAB");
    // A sign byte in another issuer's JWK is forgiven.
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let padded =
        json!({"kty": "RSA", "e": "AAEAAQ", "n": URL_SAFE_NO_PAD.encode([&[0], &*n].concat())});
    let lenient = VerifyingKey::from_jwk(RS256, &padded).unwrap();
    assert_eq!(lenient.public_jwk().unwrap()["n"], jwk["n"]);
}

#[test]
fn algorithm_names_parse_exactly() {
    for algorithm in SigningAlgorithm::ALL {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        assert_eq!(algorithm.is_symmetric(), algorithm == HS256);
    }
    for name in ["none", "None", "rs256", "RS512", "", "EDDSA", " RS256"] {
        assert_eq!(
            name.parse::<SigningAlgorithm>(),
            Err(CryptoError::UnsupportedAlgorithm)
        );
    }
}

// spec: RFC 8725 §3.1
#[test]
fn a_token_cannot_choose_its_algorithm() {
    let unsigned = format!("{}.{}.", part(r#"{"alg":"none"}"#), part("{}"));
    assert!(decode_verified(&unsigned, &[key(RS256)]).is_err());
    for alg in ["none", "NONE", "RS512", ""] {
        let token = with_header(key(RS256), &format!(r#"{{"alg":"{alg}"}}"#));
        assert_eq!(
            decode_verified(&token, &[key(RS256)]).unwrap_err(),
            CryptoError::UnsupportedAlgorithm
        );
    }
    // The public key as HMAC secret, the oldest trick.
    let public = key(RS256).public_jwk().unwrap()["n"].as_str().unwrap();
    let forger = SigningKey::hmac(public.as_bytes()).unwrap();
    let forged = encode(&forger, &json!({"sub": "x"})).unwrap();
    assert_eq!(
        decode_verified(&forged, &[key(RS256)]).unwrap_err(),
        CryptoError::NoMatchingKey
    );
    // The same RSA key under the other padding.
    let der = key(RS256).to_pkcs8().unwrap();
    let pss = SigningKey::from_pkcs8(PS256, "k", der.expose()).unwrap();
    let token = with_header(&pss, r#"{"alg":"RS256"}"#);
    assert_eq!(
        decode_verified(&token, &[key(RS256)]).unwrap_err(),
        CryptoError::InvalidSignature
    );
}

#[test]
fn a_kid_must_be_the_keys_own() {
    let own = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, key(ES256).kid().unwrap());
    for (header, good) in [
        (own.as_str(), true),
        (r#"{"alg":"ES256"}"#, true),
        (r#"{"alg":"ES256","kid":"other"}"#, false),
        (r#"{"alg":"ES256","kid":""}"#, false),
    ] {
        let outcome = decode_verified(&with_header(key(ES256), header), &[key(ES256)]);
        assert_eq!(outcome.is_ok(), good, "{header}");
    }
    // Without a kid, every key of the algorithm is tried.
    let other = SigningKey::generate(ES256).unwrap();
    let token = with_header(key(ES256), r#"{"alg":"ES256"}"#);
    assert!(decode_verified(&token, &[&other, key(ES256)]).is_ok());
    assert_eq!(
        decode_verified(&token, &[&other]).unwrap_err(),
        CryptoError::InvalidSignature
    );
    assert_eq!(
        decode_verified(&token, &[]).unwrap_err(),
        CryptoError::NoMatchingKey
    );
}

#[test]
fn other_kinds_of_token_are_no_jwt() {
    for (typ, good) in [
        ("JWT", true),
        ("jwt", true),
        ("application/jwt", true),
        ("at+jwt", false),
        ("logout+jwt", false),
        ("", false),
    ] {
        let token = encode_typed(key(EdDSA), typ, &json!({})).unwrap();
        assert_eq!(
            decode_verified(&token, &[key(EdDSA)]).is_ok(),
            good,
            "{typ}"
        );
        assert_eq!(peek_header(&token).unwrap().typ.as_deref(), Some(typ));
    }
}

// spec: RFC 7515 §4, §4.1.11, §5.2
#[test]
fn malformed_headers_are_refused() {
    for header in [
        r#"["RS256"]"#,
        r#""RS256""#,
        "null",
        "",
        "{}",
        r#"{"alg":1}"#,
        r#"{"alg":null}"#,
        r#"{"alg":"EdDSA","kid":1}"#,
        r#"{"alg":"EdDSA","typ":null}"#,
        r#"{"alg":"EdDSA","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
        r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"EdDSA"} {}"#,
        "{\"alg\":\"EdDSA\"",
    ] {
        let token = with_header(key(EdDSA), header);
        assert_eq!(
            decode_verified(&token, &[key(EdDSA)]).unwrap_err(),
            CryptoError::MalformedToken,
            "{header}"
        );
    }
}

#[test]
fn malformed_tokens_are_refused() {
    let good = encode(key(EdDSA), &json!({"sub": "x"})).unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        signed.to_owned(),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{header}..{signature}"),
        format!("{signed}."),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{header}.{payload}.{}+", &signature[..85]),
    ] {
        assert_eq!(
            decode_verified(&token, &[key(EdDSA)]).unwrap_err(),
            CryptoError::MalformedToken,
            "{token}"
        );
    }
    let long = format!("{good}{}", "A".repeat(MAX_TOKEN_BYTES));
    assert_eq!(peek_header(&long).unwrap_err(), CryptoError::TokenTooLong);
    assert_eq!(
        decode_verified(&long, &[key(EdDSA)]).unwrap_err(),
        CryptoError::TokenTooLong
    );
}

#[test]
fn claims_are_a_json_object() {
    for claims in [json!([]), json!("x"), json!(1), Value::Null] {
        assert_eq!(
            encode(key(EdDSA), &claims).unwrap_err(),
            CryptoError::Claims
        );
    }
    let padded = format!("{}=", part("{\"sub\":\"x\"}"));
    let encoded = ["[]", "1", "", "{", r#"{"a":1}x"#].map(part);
    for payload in encoded.into_iter().chain([padded]) {
        let signed = format!("{}.{payload}", part(r#"{"alg":"EdDSA"}"#));
        let signature = key(EdDSA).sign(signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert!(decode_verified(&token, &[key(EdDSA)]).is_err(), "{payload}");
    }
}

#[test]
fn unusable_keys_are_refused() {
    assert_eq!(SigningKey::hmac(b"").unwrap_err(), CryptoError::SigningKey);
    assert!(SigningKey::generate(HS256).is_err());
    let p256 = key(ES256).to_pkcs8().unwrap();
    for algorithm in [RS256, PS256, EdDSA, HS256] {
        assert!(SigningKey::from_pkcs8(algorithm, "k", p256.expose()).is_err());
    }
    for der in [&b""[..], b"\x30", &p256.expose()[..40]] {
        assert!(SigningKey::from_pkcs8(ES256, "k", der).is_err());
    }
}

#[test]
fn unfit_jwks_are_refused() {
    let ec = key(ES256).public_jwk().unwrap().clone();
    let changed = |name: &str, value: Value| {
        let mut jwk = ec.clone();
        jwk[name] = value;
        jwk
    };
    let short_rsa = json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128])});
    for (algorithm, jwk) in [
        (ES256, json!([])),
        (ES256, json!({})),
        (RS256, ec.clone()),
        (HS256, ec.clone()),
        (HS256, json!({"kty": "oct", "k": "AAAA"})),
        (ES256, changed("alg", json!("RS256"))),
        (ES256, changed("alg", json!(1))),
        (ES256, changed("use", json!("enc"))),
        (ES256, changed("crv", json!("P-384"))),
        (ES256, changed("x", json!("AAAA"))),
        (ES256, changed("x", json!(URL_SAFE_NO_PAD.encode([1; 32])))),
        (RS256, short_rsa.clone()),
        (PS256, short_rsa),
        (RS256, json!({"kty": "RSA", "e": "AQAB", "n": ""})),
        (EdDSA, json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})),
    ] {
        assert_eq!(
            VerifyingKey::from_jwk(algorithm, &jwk).unwrap_err(),
            CryptoError::SigningKey,
            "{jwk}"
        );
    }
}

#[test]
fn keys_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<SigningKey>();
    shared::<VerifyingKey>();
    shared::<crema_crypto::SiteKeys>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_claims_round_trip(sub in ".{0,40}", number: i64, which in 0_usize..5) {
        let claims = json!({"sub": sub, "n": number});
        let token = encode(&KEYS[which], &claims).unwrap();
        prop_assert_eq!(decode_verified(&token, &[&KEYS[which]]).unwrap(), claims);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused(
        which in 0_usize..5,
        at in any::<prop::sample::Index>(),
        bit in 0_u8..7,
    ) {
        let key = &KEYS[which];
        let mut bytes = encode(key, &json!({"sub": "x", "aud": "y"})).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let token = String::from_utf8(bytes).unwrap();
        prop_assert!(decode_verified(&token, &[key]).is_err());
    }

    #[test]
    fn arbitrary_tokens_never_panic(token in ".{0,200}", header in "[ -~]{0,60}", payload in ".{0,40}") {
        let keys: Vec<&SigningKey> = KEYS.iter().collect();
        let _ = peek_header(&token);
        let _ = decode_verified(&token, &keys);
        let built = format!("{}.{}.AAAA", part(&header), part(&payload));
        prop_assert!(decode_verified(&built, &keys).is_err());
    }
}
