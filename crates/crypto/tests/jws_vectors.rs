//! Signatures and keys against the examples of the RFCs and tokens of PyJWT.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crema_crypto::jws::{decode_verified, decode_with, encode, peek_header};
use crema_crypto::{SigningAlgorithm, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use SigningAlgorithm::{ES256, EdDSA, HS256, PS256, RS256};

/// RFC 7515 appendix A: the payload of the first three examples.
const RFC7515_PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn rfc7515_claims() -> Value {
    json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true})
}

fn base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn pkcs8(lines: &str) -> Vec<u8> {
    STANDARD.decode(lines.replace('\n', "")).unwrap()
}

/// The keys in `tests/data`, with the public halves that PyJWT gave for them.
fn foreign_keys() -> Vec<SigningKey> {
    let rsa = pkcs8(include_str!("data/rsa.pkcs8.b64"));
    let p256 = pkcs8(include_str!("data/p256.pkcs8.b64"));
    let ed25519 = pkcs8(include_str!("data/ed25519.pkcs8.b64"));
    [
        (RS256, &rsa),
        (PS256, &rsa),
        (ES256, &p256),
        (EdDSA, &ed25519),
    ]
    .into_iter()
    .map(|(algorithm, der)| SigningKey::from_pkcs8(algorithm, "key-1", der).unwrap())
    .collect()
}

// spec: RFC 7515 A.1
#[test]
fn hs256_example() {
    let secret = base64url(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let key = SigningKey::hmac(&secret).unwrap();
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{RFC7515_PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert_eq!(decode_verified(&token, &[&key]).unwrap(), rfc7515_claims());
}

// spec: RFC 7515 A.2
#[test]
fn rs256_example() {
    let key = VerifyingKey::from_jwk(RS256, &json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    })).unwrap();
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{RFC7515_PAYLOAD}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    assert_eq!(decode_with(&token, &[&key]).unwrap(), rfc7515_claims());
}

// spec: RFC 7515 A.3
#[test]
fn es256_example() {
    let key = VerifyingKey::from_jwk(
        ES256,
        &json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }),
    )
    .unwrap();
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{RFC7515_PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert_eq!(decode_with(&token, &[&key]).unwrap(), rfc7515_claims());
}

// spec: RFC 8037 A.1, A.2, A.3, A.4, A.5
#[test]
fn ed25519_example() {
    // The seed of A.1 in the PKCS#8 frame of RFC 8410 §7.
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend(base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
    let key = SigningKey::from_pkcs8(EdDSA, "k", &der).unwrap();
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(
        key.public_jwk().unwrap(),
        &json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA", "kid": "k"})
    );
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(key.sign(signed.as_bytes()).unwrap(), base64url(signature));
    let public =
        VerifyingKey::from_jwk(EdDSA, &json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap();
    public
        .verify(signed.as_bytes(), &base64url(signature))
        .unwrap();
    assert_eq!(
        public.kid(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
}

// spec: RFC 7638 §3.1
#[test]
fn the_thumbprint_of_the_rfc_stands_in_for_a_kid() {
    let key = VerifyingKey::from_jwk(RS256, &json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
    })).unwrap();
    assert_eq!(
        key.kid(),
        Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    );
}

#[test]
fn tokens_of_pyjwt_verify_with_imported_keys() {
    let mut keys = foreign_keys();
    keys.push(SigningKey::hmac(b"01dd173525").unwrap());
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let expected = json!({
        "iss": "https://site.example", "sub": "abc", "aud": "client",
        "nonce": "n-0S6_WzA2Mj", "exp": 1_763_663_600,
    });
    for line in include_str!("data/pyjwt.txt").lines() {
        let (name, token) = line.split_once(' ').unwrap();
        let header = peek_header(token).unwrap();
        assert_eq!(header.algorithm.as_str(), name);
        assert_eq!(header.kid.is_some(), header.algorithm != HS256);
        assert_eq!(decode_verified(token, &keys).unwrap(), expected, "{name}");
    }
}

#[test]
fn public_halves_are_those_that_pyjwt_gives() {
    let rsa_n = "ldtIzFKiv0iWc8lw5YtfLowFxdMOQeFkNImd238_KH5plHIyoqNefDowlrqB9evQzK_vKSjN_4GlbCZ2VbJm7eIQdJYudGoQgKmw3c8q0lnWfogN4D7btBrD_rt0Y3MjDOiwkc4OgrbFXwyfG-JaZK06qOwqUCzhO_qB6Fh5ejYJVQaNzzXk967i7Wb9fMOg-5iQMUqlLVOOMIa-QIlTLsMJEcjyxQbgFvrsV2OB5Ei0e00UpIhdF63lPsEyCmVn3zMPssziUJvb15kN0Z4weIeX9TRrPfd_YROPFAFpxpgj8b24CQkcPcy3oJizNvnFhCn4ecL9bMf6t93_sBH27w";
    let rsa = |alg: &str| json!({"kty": "RSA", "n": rsa_n, "e": "AQAB", "use": "sig", "alg": alg, "kid": "key-1"});
    let expected = [
        rsa("RS256"),
        rsa("PS256"),
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "key-1",
            "x": "NWs8VfZAaSNcuHcmMv5daTHp-iABFPX_-MQF-2kXnOU",
            "y": "k9FdvNQlCLaAcjzOylHQTxo9sP4M757MhOkxk_zJ0ks",
        }),
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "key-1",
            "x": "1VDwGqYY8Lp972mU9fs4ed2JcfOlONwOdMJvo2hi_Y0",
        }),
    ];
    for (key, jwk) in foreign_keys().iter().zip(expected) {
        assert_eq!(key.public_jwk().unwrap(), &jwk);
    }
}

/// RFC 7517 §4 asks for no order, but a stable document caches well.
#[test]
fn our_header_is_stable() {
    let key = SigningKey::hmac(b"01dd173525").unwrap();
    let token = encode(&key, &json!({"sub": "abc"})).unwrap();
    assert_eq!(
        token,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhYmMifQ.".to_owned()
            + &URL_SAFE_NO_PAD.encode(crema_crypto::token::hmac_sha256(
                b"01dd173525",
                &[b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhYmMifQ"],
            ))
    );
}
