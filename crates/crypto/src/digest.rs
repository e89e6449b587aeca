//! SHA-256, HMAC-SHA-256 and comparison in constant time.

use aws_lc_rs::{constant_time, digest, hmac};

/// Length of a SHA-256 hash or HMAC in bytes.
pub const HASH_BYTES: usize = 32;

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; HASH_BYTES] {
    to_array(digest::digest(&digest::SHA256, data).as_ref())
}

/// SHA-256 of a token, code or session id as 64 lower-case hex digits: the
/// only form in which one of them is stored.
// spec: security.md, Codes and tokens, line 5
pub fn hash_hex(value: &str) -> String {
    hex::encode(sha256(value.as_bytes()))
}

/// HMAC-SHA-256 (RFC 2104) over the parts one after the other, with nothing
/// between them: callers whose parts have no fixed length add a separator that
/// cannot occur in them.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    hmac_with(&hmac::Key::new(hmac::HMAC_SHA256, key), parts)
}

/// As [`hmac_sha256`], with a key that has been prepared once.
pub(crate) fn hmac_with(key: &hmac::Key, parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    to_array(context.sign().as_ref())
}

/// Whether two byte strings are equal. The time depends on their lengths only,
/// and tells different lengths apart: compare hashes where a length is secret.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

fn to_array(hash: &[u8]) -> [u8; HASH_BYTES] {
    let mut out = [0; HASH_BYTES];
    // Both sides have 32 bytes by the definition of SHA-256.
    out.copy_from_slice(hash);
    out
}
