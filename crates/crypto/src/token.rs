//! Random tokens, names and hex strings, and the base-62 alphabet of tokens.

use zeroize::Zeroize;

use crate::digest::HASH_BYTES;
use crate::{Entropy, Secret};

pub use crate::digest::{hash_hex, hmac_sha256};

/// Length of every token, code and client secret that we make.
///
/// One character out of 62 carries log2(62) = 5.9542 bits, so 42 characters
/// carry 250.07 bits and 43 carry 256.03: the smallest length that reaches the
/// 256 bits asked for.
// spec: security.md, Codes and tokens, line 1
pub const TOKEN_LENGTH: usize = 43;

/// Length of a generated document name.
pub const NAME_LENGTH: usize = 10;

/// Length of a name from [`timed_name`].
pub const TIMED_NAME_LENGTH: usize = 16;

/// Random characters of a [`timed_name`].
const TIMED_NAME_RANDOM: usize = 8;

/// As oauthlib's generator and Frappe's tokens: letters and digits only, so a
/// token needs no escaping in a URL, a form, a header or a shell.
const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// RFC 4648 §7 in lower case, as Frappe's hash naming uses it.
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A token of [`TOKEN_LENGTH`] characters `[A-Za-z0-9]`, each string of them
/// equally likely.
pub fn random_token(entropy: &dyn Entropy) -> Secret<String> {
    base62(|block| entropy.fill(block))
}

/// A document name of [`NAME_LENGTH`] characters `[0-9a-v]` with 50 random
/// bits. Names are no secrets; the rare collision shows as a unique violation.
pub fn random_name(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; NAME_LENGTH];
    entropy.fill(&mut bytes);
    // 256 is a multiple of 32, so the low five bits of a byte are even.
    bytes
        .iter()
        .filter_map(|byte| BASE32HEX.get(usize::from(byte & 31)))
        .map(|&character| char::from(character))
        .collect()
}

/// A document name of [`TIMED_NAME_LENGTH`] characters `[0-9a-v]` that sorts by
/// `millis`: eight characters of it (40 bits of Unix time, which repeat after 34
/// years), then 40 random bits. For tables that grow with every request: what is
/// inserted together lies together in their index, however large it has become.
/// Names are no secrets, and this one tells when it was made.
pub fn timed_name(millis: i64, entropy: &dyn Entropy) -> String {
    let mut random = [0; TIMED_NAME_RANDOM];
    entropy.fill(&mut random);
    let time = (0..TIMED_NAME_LENGTH - TIMED_NAME_RANDOM)
        .rev()
        .map(|place| ((millis >> (5 * place)) & 31) as u8);
    let random = random.iter().map(|byte| byte & 31);
    time.chain(random)
        .filter_map(|digit| BASE32HEX.get(usize::from(digit)))
        .map(|&character| char::from(character))
        .collect()
}

/// `length` lower-case hex digits, four random bits each: session ids (56),
/// API keys and secrets (15), as Frappe writes them.
pub fn random_hex(entropy: &dyn Entropy, length: usize) -> Secret<String> {
    let mut bytes = vec![0; length.div_ceil(2)];
    entropy.fill(&mut bytes);
    let mut text = hex::encode(&bytes);
    bytes.zeroize();
    // The digit cut off an odd length is zeroed with the rest of the buffer.
    text.truncate(length);
    Secret::new(text)
}

/// Turns a stream of random or pseudo-random blocks into a token.
///
/// A byte's low six bits give 0..=63; 62 and 63 are thrown away instead of
/// being folded back, so all 62 characters stay equally likely. A block of 32
/// bytes yields 31 characters on average, so two blocks nearly always do. A
/// stream of nothing but rejected bytes would never end; no generator gives one.
pub(crate) fn base62(mut next_block: impl FnMut(&mut [u8; HASH_BYTES])) -> Secret<String> {
    let mut token = String::with_capacity(TOKEN_LENGTH);
    let mut block = [0; HASH_BYTES];
    while token.len() < TOKEN_LENGTH {
        next_block(&mut block);
        let accepted = block
            .iter()
            .filter_map(|byte| BASE62.get(usize::from(byte & 63)))
            .map(|&character| char::from(character));
        token.extend(accepted.take(TOKEN_LENGTH - token.len()));
    }
    block.zeroize();
    Secret::new(token)
}
