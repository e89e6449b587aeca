//! Fernet against the vectors of <https://github.com/fernet/spec>, against
//! Python's `cryptography`, and under arbitrary input.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use crema_crypto::{
    CryptoError, Entropy, Fernet, SeededEntropy, SiteKeys, generate_encryption_key,
};
use proptest::prelude::*;

const SPEC_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const SPEC_TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
/// 1985-10-26T01:20:00-07:00
const SPEC_NOW: u64 = 499_162_800;

const OWN_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Gives the bytes `first`, `first + 1`, …, as the vectors choose their IV.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(self.0..) {
            *byte = value;
        }
    }
}

#[test]
fn generates_the_published_token() {
    let fernet = Fernet::new(SPEC_KEY).unwrap();
    let token = fernet.encrypt(&Counting(0), SPEC_NOW, b"hello").unwrap();
    assert_eq!(token, SPEC_TOKEN);
}

#[test]
fn verifies_the_published_token() {
    let fernet = Fernet::new(SPEC_KEY).unwrap();
    assert_eq!(fernet.decrypt(SPEC_TOKEN).unwrap().expose(), b"hello");
}

#[test]
fn refuses_the_published_invalid_tokens() {
    let invalid = [
        (
            "incorrect mac",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
        ),
        (
            "too short",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
        ),
        (
            "invalid base64",
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
        ),
        (
            "no multiple of the block size",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
        ),
        (
            "padding error",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
        ),
        (
            "incorrect IV",
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
        ),
        (
            "characters after the padding",
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==trailingdata",
        ),
        (
            "invalid characters",
            "*gAAAAAAdwJ6wAAECAwQFBgcI!CQoLDA0ODy021?cpGVWKZ_eEwC@GM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
        ),
        (
            "characters of plain base64",
            "gAAAAAAdwJ6wAAEC/AwQFBgcICQoLDA0ODy+021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
        ),
    ];
    let fernet = Fernet::new(SPEC_KEY).unwrap();
    for (what, token) in invalid {
        assert_eq!(
            fernet.decrypt(token).unwrap_err(),
            CryptoError::Undecryptable,
            "{what}"
        );
    }
}

/// The published vectors that only a time limit refuses: ours has none.
#[test]
fn reads_tokens_of_any_age() {
    let fernet = Fernet::new(SPEC_KEY).unwrap();
    for token in [
        "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
    ] {
        assert!(fernet.decrypt(token).unwrap().expose().is_empty());
    }
}

#[test]
fn agrees_with_python_cryptography() {
    let keys = SiteKeys::from_encryption_key(OWN_KEY).unwrap();
    let vectors = [
        (
            0,
            "0123456789",
            "gAAAAABpH1DgAAECAwQFBgcICQoLDA0OD4qTJDf8ulDIXHHrVdlOW3BBidAghsw9XQ72lIOx3vST74xFToc-J_12sH8HK8k6sQ==",
        ),
        (
            0,
            "",
            "gAAAAABpH1DgAAECAwQFBgcICQoLDA0OD7eteCFsVWnW2hqrh_bbxWHDqvmql0PJRqAT7E-fUoxpW_UYASFsdWjI7_3D9dHqwg==",
        ),
        (
            100,
            "ünïcode client secret",
            "gAAAAABpH1DgZGVmZ2hpamtsbW5vcHFyc09gg9F8ItF6r1EyABrmuzuuBVMU5D4Pr1TEf2Qb7wuL_VrQTugGKG-GB9Ild4oFBYd7Fho3zVJsQiLhirCGV_E=",
        ),
    ];
    for (iv, plain, token) in vectors {
        assert_eq!(
            keys.fernet().decrypt(token).unwrap().expose(),
            plain.as_bytes()
        );
        let own = keys
            .fernet()
            .encrypt(&Counting(iv), 1_763_660_000, plain.as_bytes())
            .unwrap();
        assert_eq!(own, token);
    }
}

#[test]
fn a_new_key_has_44_characters_and_works() {
    let entropy = SeededEntropy::new(1);
    let key = generate_encryption_key(&entropy);
    assert_eq!(key.expose().len(), 44);
    assert_ne!(key, generate_encryption_key(&entropy));
    let fernet = Fernet::new(key.expose()).unwrap();
    let token = fernet
        .encrypt(&entropy, 1_763_660_000, b"0123456789")
        .unwrap();
    // Frappe's storage facts: 100 characters for a secret of ten.
    assert!(token.starts_with("gAAAAA"));
    assert_eq!(token.len(), 100);
}

#[test]
fn reads_keys_as_leniently_as_python() {
    let base = Fernet::new("-_8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=").unwrap();
    let token = base.encrypt(&Counting(0), 0, b"x").unwrap();
    for text in [
        "+/8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=",
        "-_8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4",
        " -_8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=\n",
        "-_8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR5=",
    ] {
        assert!(Fernet::new(text).unwrap().decrypt(&token).is_ok(), "{text}");
    }
}

#[test]
fn refuses_keys_of_another_length() {
    for text in ["", "AAEC", "not base64 at all", &"A".repeat(64), "ключ"] {
        assert_eq!(
            Fernet::new(text).unwrap_err(),
            CryptoError::EncryptionKey,
            "{text}"
        );
        assert!(SiteKeys::from_encryption_key(text).is_err());
    }
}

proptest! {
    #[test]
    fn round_trip(plain in proptest::collection::vec(any::<u8>(), 0..200), now: u64, seed: u64) {
        let fernet = Fernet::new(OWN_KEY).unwrap();
        let token = fernet.encrypt(&SeededEntropy::new(seed), now, &plain).unwrap();
        let back = fernet.decrypt(&token).unwrap();
        prop_assert_eq!(back.expose(), &plain);
        prop_assert!(Fernet::new(SPEC_KEY).unwrap().decrypt(&token).is_err());
    }

    #[test]
    fn any_changed_character_is_refused(
        plain in proptest::collection::vec(any::<u8>(), 0..50),
        at in any::<prop::sample::Index>(),
        to in "[A-Za-z0-9_=-]",
    ) {
        let fernet = Fernet::new(OWN_KEY).unwrap();
        let mut token = fernet.encrypt(&Counting(7), 1, &plain).unwrap();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert!(fernet.decrypt(&token).is_err());
    }

    #[test]
    fn never_panics(token in ".{0,200}", key in ".{0,60}") {
        let _ = Fernet::new(OWN_KEY).unwrap().decrypt(&token);
        let _ = Fernet::new(&key);
    }
}
