//! Tokens, names, hex strings, hashes, and what is derived from a site's key.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::collections::HashSet;

use crema_crypto::digest::sha256;
use crema_crypto::token::{
    NAME_LENGTH, TIMED_NAME_LENGTH, TOKEN_LENGTH, hash_hex, hmac_sha256, random_hex, random_name,
    random_token, timed_name,
};
use crema_crypto::{Entropy, SeededEntropy, SiteKeys, SystemEntropy, constant_time_eq};
use proptest::prelude::*;

/// The bytes 0 to 31.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

// spec: security.md, Codes and tokens, line 1
#[test]
fn a_token_has_256_bits() {
    let bits = |length: usize| f64::from(u32::try_from(length).unwrap()) * 62_f64.log2();
    assert!(bits(TOKEN_LENGTH) >= 256.0);
    assert!(bits(TOKEN_LENGTH - 1) < 256.0);
}

/// Chi-square over 43000 characters: with 61 degrees of freedom, a fair
/// alphabet stays under 120 in all but one of 100000 runs. Folding 62 and 63
/// back onto two characters would give more than 600.
#[test]
fn every_character_is_equally_likely() {
    let entropy = SeededEntropy::new(7);
    let mut counts = [0_u32; 128];
    for _ in 0..1000 {
        for byte in random_token(&entropy).expose().bytes() {
            counts[usize::from(byte)] += 1;
        }
    }
    let expected = f64::from(counts.iter().sum::<u32>()) / 62.0;
    let seen: Vec<u32> = counts.into_iter().filter(|&count| count > 0).collect();
    let chi_square: f64 = seen
        .iter()
        .map(|&count| (f64::from(count) - expected).powi(2) / expected)
        .sum();
    assert_eq!(seen.len(), 62);
    assert!(chi_square < 120.0, "{chi_square}");
}

#[test]
fn system_entropy_does_not_repeat() {
    let tokens: HashSet<String> = (0..1000)
        .map(|_| random_token(&SystemEntropy).expose().clone())
        .collect();
    assert_eq!(tokens.len(), 1000);
}

#[test]
fn timed_names_sort_by_time_and_differ_within_a_millisecond() {
    let moments = [
        0,
        1,
        31,
        32,
        1_700_000_000_000,
        1_700_000_000_001,
        (1 << 40) - 1,
    ];
    for pair in moments.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|at| timed_name(at, &SystemEntropy));
        assert!(before < after, "{before} {after}");
    }
    let names: HashSet<String> = (0..1000).map(|_| timed_name(7, &SystemEntropy)).collect();
    assert_eq!(names.len(), 1000);
    for name in names {
        assert_eq!(name.len(), TIMED_NAME_LENGTH);
        assert!(name.starts_with("00000007"), "{name}");
        assert!(
            name.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
        );
    }
    // A clock before 1970 or after 34 more years is no reason to fail.
    assert_eq!(timed_name(-1, &SystemEntropy).len(), TIMED_NAME_LENGTH);
    assert!(timed_name(1 << 40, &SystemEntropy).starts_with("00000000"));
}

#[test]
fn seeded_entropy_repeats_and_differs_by_seed_and_call() {
    let (one, same, other) = (
        SeededEntropy::new(1),
        SeededEntropy::new(1),
        SeededEntropy::new(2),
    );
    let first = random_token(&one);
    assert_eq!(first, random_token(&same));
    assert_ne!(first, random_token(&one));
    assert_ne!(first, random_token(&other));
}

#[test]
fn hashes_are_the_known_ones() {
    assert_eq!(
        hash_hex("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(hex::encode(sha256(b"abc")), hash_hex("abc"));
    // RFC 4231 §4.3
    assert_eq!(
        hex::encode(hmac_sha256(
            b"Jefe",
            &[b"what do ya want ", b"for nothing?"]
        )),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn constant_time_comparison_compares() {
    assert!(constant_time_eq(b"", b""));
    assert!(constant_time_eq(b"abc", b"abc"));
    assert!(!constant_time_eq(b"abc", b"abd"));
    assert!(!constant_time_eq(b"abc", b"abcd"));
    assert!(!constant_time_eq(b"abc", b""));
}

/// Values computed with Python's `hmac`. They must never change: families and
/// sessions of a running site depend on them.
#[test]
fn derived_values_are_pinned() {
    let keys = SiteKeys::from_encryption_key(KEY).unwrap();
    assert_eq!(keys.key_id(), "07867bf7");
    let pair = keys.successor("presentedRefreshToken");
    assert_eq!(
        pair.access.expose(),
        "qaKbvUSn26t9FH03O4QC11qvf1qYSUukYtzy7Q0T6wn"
    );
    assert_eq!(
        pair.refresh.expose(),
        "0LJtnVJp5YRUnt5A9wTp4bXdbxycSiQC6CIE5r73j1z"
    );
    assert_eq!(
        keys.csrf_token("sid-value").expose(),
        "a0c6ec96c16f7008fcdfbb6fb6150aece8aaefaf8093e79949849f01"
    );
    assert_eq!(
        keys.session_claim("sid-value"),
        "e029fb202a1a9ca582733c57e19778d1"
    );
}

#[test]
fn another_site_derives_other_values() {
    let one = SiteKeys::from_encryption_key(KEY).unwrap();
    let other =
        SiteKeys::from_encryption_key("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
    assert_ne!(one.key_id(), other.key_id());
    assert_ne!(one.successor("t"), other.successor("t"));
    assert_ne!(one.csrf_token("s"), other.csrf_token("s"));
    assert_ne!(one.session_claim("s"), other.session_claim("s"));
}

// spec: security.md, Sign-in and sessions, line 5
#[test]
fn the_session_claim_is_neither_the_sid_nor_its_hash() {
    let keys = SiteKeys::from_encryption_key(KEY).unwrap();
    let sid = random_hex(&SeededEntropy::new(3), 56);
    let claim = keys.session_claim(sid.expose());
    assert!(is_hex(&claim, 32));
    assert!(!sid.expose().contains(&claim));
    assert!(!hash_hex(sid.expose()).contains(&claim));
    assert!(!keys.csrf_token(sid.expose()).expose().contains(&claim));
}

proptest! {
    #[test]
    fn tokens_names_and_hex_have_their_alphabet(seed: u64, length in 0_usize..100) {
        let entropy = SeededEntropy::new(seed);
        prop_assert!(is_token(random_token(&entropy).expose()));
        let name = random_name(&entropy);
        prop_assert_eq!(name.len(), NAME_LENGTH);
        prop_assert!(name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v')));
        prop_assert!(is_hex(random_hex(&entropy, length).expose(), length));
    }

    #[test]
    fn entropy_fills_every_byte(seed: u64, length in 1_usize..200) {
        // A byte that is left alone would be zero in all of 64 tries.
        let entropy = SeededEntropy::new(seed);
        let mut touched = vec![0_u8; length];
        for _ in 0..64 {
            let mut bytes = vec![0; length];
            entropy.fill(&mut bytes);
            touched.iter_mut().zip(&bytes).for_each(|(all, byte)| *all |= byte);
        }
        prop_assert!(touched.iter().all(|&byte| byte != 0));
    }

    // spec: security.md, Codes and tokens, line 3
    #[test]
    fn a_successor_is_repeatable_and_its_own(one in ".{0,80}", other in ".{0,80}") {
        let keys = SiteKeys::from_encryption_key(KEY).unwrap();
        let pair = keys.successor(&one);
        prop_assert!(is_token(pair.access.expose()) && is_token(pair.refresh.expose()));
        prop_assert_eq!(&pair, &keys.successor(&one));
        prop_assert_ne!(&pair.access, &pair.refresh);
        prop_assume!(one != other);
        prop_assert_ne!(pair.refresh, keys.successor(&other).refresh);
        prop_assert_ne!(keys.csrf_token(&one), keys.csrf_token(&other));
    }
}
