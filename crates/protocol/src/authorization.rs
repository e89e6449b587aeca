//! The `Authorization` header of a request to the resource server.
//!
//! Three schemes, in any case: `Bearer <token>` (RFC 6750 §2.1), and Frappe's API keys as
//! `token <key>:<secret>` or `Basic base64(<key>:<secret>)` (RFC 7617). Nothing is looked up
//! here. On the token, revocation and introspection endpoints `Basic` is a client instead, see
//! [`crate::client_auth`].
// spec: http.md, Resource server

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::limits;
use crate::secret::SecretText;

/// What a request shows in its `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// An access token.
    Bearer(SecretText),
    /// An API key with its secret.
    ApiKey(ApiKeyPair),
}

/// An API key with its secret, as a request presents them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyPair {
    /// The public half. Shown by accident it may still be a password: not for logs.
    pub key: SecretText,
    /// The secret half.
    pub secret: SecretText,
}

/// Why a header says nothing that could be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationError {
    /// The scheme is `Bearer`, and what follows is no token.
    Bearer,
    /// There is no such scheme, or no key and secret behind it.
    Malformed,
    /// The scheme is `Basic`, and what follows is no base64 of a text.
    Undecodable,
}

/// Base64 with or without its padding, as senders have it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Authorization {
    /// Reads the header's value.
    ///
    /// # Errors
    /// [`AuthorizationError`]; a value that is there is never taken for none.
    pub fn parse(header: &str) -> Result<Authorization, AuthorizationError> {
        let header = header.trim_matches([' ', '\t']);
        let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
        let value = value.trim_matches([' ', '\t']);
        let is_one = !value.is_empty() && !value.contains([' ', '\t', '\0']);
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if is("bearer") {
            return match is_one {
                true => Ok(Authorization::Bearer(SecretText::new(value))),
                false => Err(AuthorizationError::Bearer),
            };
        }
        let pair = match is_one {
            true if is("token") => pair(value),
            true if is("basic") => pair(&decode(value)?),
            _ => None,
        };
        pair.map(Authorization::ApiKey)
            .ok_or(AuthorizationError::Malformed)
    }
}

fn decode(value: &str) -> Result<String, AuthorizationError> {
    let bytes = BASE64.decode(value).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or(AuthorizationError::Undecodable)
}

/// Splits at the first colon: keys have none.
fn pair(text: &str) -> Option<ApiKeyPair> {
    let (key, secret) = text.split_once(':')?;
    let fits =
        |text: &str, limit: usize| !text.is_empty() && text.len() <= limit && !text.contains('\0');
    let fit = fits(key, limits::API_KEY) && fits(secret, limits::API_SECRET);
    fit.then(|| ApiKeyPair {
        key: SecretText::new(key),
        secret: SecretText::new(secret),
    })
}
