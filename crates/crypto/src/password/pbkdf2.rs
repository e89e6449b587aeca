//! passlib's `$pbkdf2-sha256$rounds$salt$hash`, the format of Frappe's users.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::argon2id::decimal;

const PREFIX: &str = "$pbkdf2-sha256$";
const HASH_BYTES: usize = 32;

/// Two million rounds take about half a second. passlib's default was 29000
/// for all of Frappe's time, today's recommendation (OWASP) is 600000; a
/// planted row with more must not hold a thread for minutes.
const MAX_ROUNDS: u32 = 2_000_000;

/// A parsed passlib string.
pub(super) struct Pbkdf2Hash {
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: [u8; HASH_BYTES],
}

impl Pbkdf2Hash {
    pub(super) fn parse(stored: &str) -> Option<Self> {
        let mut fields = stored.strip_prefix(PREFIX)?.split('$');
        let parsed = Self {
            rounds: NonZeroU32::new(decimal(fields.next()?)?)?,
            salt: adapted_base64(fields.next()?)?,
            hash: adapted_base64(fields.next()?)?.try_into().ok()?,
        };
        (fields.next().is_none() && parsed.rounds.get() <= MAX_ROUNDS).then_some(parsed)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        // Compares in constant time.
        pbkdf2::verify(
            PBKDF2_HMAC_SHA256,
            self.rounds,
            &self.salt,
            password,
            &self.hash,
        )
        .is_ok()
    }
}

/// Does the work of a check with so many rounds, within the bound.
pub(super) fn burn(password: &[u8], rounds: NonZeroU32) {
    let rounds = NonZeroU32::new(rounds.get().min(MAX_ROUNDS)).unwrap_or(NonZeroU32::MIN);
    let checked = pbkdf2::verify(
        PBKDF2_HMAC_SHA256,
        rounds,
        &[0; 16],
        password,
        &[0; HASH_BYTES],
    );
    std::hint::black_box(checked.is_ok());
}

/// passlib's "adapted" base64: `.` in place of `+`, no padding.
fn adapted_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains('+') {
        return None;
    }
    STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()
}
