//! All that is derived from a site's one `encryption_key`.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};

use crate::digest::{hmac_sha256, hmac_with};
use crate::fernet::decode_encryption_key;
use crate::{CryptoError, Fernet, Result, Secret, token};

/// HKDF's salt (RFC 5869 §2.2): sets our sub-keys apart from anything else
/// that may be derived from the same key, Fernet's two halves included.
const SALT: &[u8] = b"crema site keys v1";

const CSRF_HEX_DIGITS: usize = 56;
const SESSION_CLAIM_HEX_DIGITS: usize = 32;
const KEY_ID_HEX_DIGITS: usize = 8;

/// An access token with its refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// The access token.
    pub access: Secret<String>,
    /// The refresh token.
    pub refresh: Secret<String>,
}

/// The keys of one site, derived once with HKDF-SHA-256 (RFC 5869) under a
/// label each, so that no use can be played against another.
pub struct SiteKeys {
    fernet: Fernet,
    successor: hmac::Key,
    csrf: hmac::Key,
    session_claim: hmac::Key,
    key_id: String,
}

impl SiteKeys {
    /// Derives all keys from the `encryption_key` of `site_config.json`.
    ///
    /// # Errors
    /// [`CryptoError::EncryptionKey`] when it is not 32 bytes in base64.
    pub fn from_encryption_key(encryption_key: &str) -> Result<Self> {
        let root = decode_encryption_key(encryption_key)?;
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(root.as_ref());
        let derive = |label: &[u8]| -> Result<hmac::Key> {
            let label = [label];
            let material = extracted
                .expand(&label, hmac::HMAC_SHA256)
                .map_err(|_| CryptoError::Backend)?;
            Ok(hmac::Key::from(material))
        };
        let key_id = hmac_with(&derive(b"key id")?, &[]);
        Ok(Self {
            fernet: Fernet::from_bytes(&root)?,
            successor: derive(b"refresh successor")?,
            csrf: derive(b"csrf token")?,
            session_claim: derive(b"oidc session claim")?,
            key_id: hex_prefix(&key_id, KEY_ID_HEX_DIGITS),
        })
    }

    /// Encryption of stored fields under this site's key.
    pub const fn fernet(&self) -> &Fernet {
        &self.fernet
    }

    /// Eight hex digits that name this set of keys. A token family remembers
    /// it, because successors can only be derived again under the same keys.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The pair that replaces `presented`, a refresh token in clear. Always
    /// the same pair for the same token, so that a lost answer can be given
    /// again without the pair being kept anywhere.
    // spec: security.md, Codes and tokens, line 3
    pub fn successor(&self, presented: &str) -> TokenPair {
        TokenPair {
            access: self.derived_token(b"access", presented),
            refresh: self.derived_token(b"refresh", presented),
        }
    }

    /// The CSRF token of the session `sid` (as the cookie carries it): 56 hex
    /// digits as in Frappe, which do not tell the session id.
    pub fn csrf_token(&self, sid: &str) -> Secret<String> {
        let mac = hmac_with(&self.csrf, &[sid.as_bytes()]);
        Secret::new(hex_prefix(&mac, CSRF_HEX_DIGITS))
    }

    /// The `sid` claim of ID tokens for the session `sid`: 32 hex digits that
    /// are neither the cookie nor its hash.
    // spec: security.md, Sign-in and sessions, line 5
    pub fn session_claim(&self, sid: &str) -> String {
        let mac = hmac_with(&self.session_claim, &[sid.as_bytes()]);
        hex_prefix(&mac, SESSION_CLAIM_HEX_DIGITS)
    }

    /// First a key that only this token and purpose have, then a stream from
    /// it in counter mode, so that no two inputs can meet in one HMAC call.
    fn derived_token(&self, purpose: &[u8], presented: &str) -> Secret<String> {
        let key = hmac_with(&self.successor, &[purpose, b"\0", presented.as_bytes()]);
        let mut counter = 0_u64;
        token::base62(|block| {
            *block = hmac_sha256(&key, &[&counter.to_be_bytes()]);
            counter = counter.wrapping_add(1);
        })
    }
}

impl fmt::Debug for SiteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteKeys")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn hex_prefix(bytes: &[u8], digits: usize) -> String {
    let mut text = hex::encode(bytes);
    text.truncate(digits);
    text
}
