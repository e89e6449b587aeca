//! Proof Key for Code Exchange: RFC 7636, RFC 9700 §2.1.1 and §4.8.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::error::{ErrorCode, OAuthError};

/// Fewest characters of a verifier or challenge.
const SHORTEST: usize = 43;
/// Most characters of a verifier or challenge.
const LONGEST: usize = 128;

/// How the challenge was made from the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// BASE64URL(SHA-256(verifier)).
    S256,
    /// The verifier itself.
    Plain,
}

impl Method {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::S256 => "S256",
            Method::Plain => "plain",
        }
    }

    /// The name as Frappe stores it in `code_challenge_method`.
    pub const fn stored(self) -> &'static str {
        match self {
            Method::S256 => "s256",
            Method::Plain => "plain",
        }
    }

    /// Reads the parameter or the stored form; any case of `S256`.
    // spec: http.md, authorize, "case of `s256` accepted"
    pub fn from_name(name: &str) -> Option<Method> {
        if name.eq_ignore_ascii_case("S256") {
            Some(Method::S256)
        } else {
            (name == "plain").then_some(Method::Plain)
        }
    }
}

/// The legacy forms that a client's switches allow; none of them by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allow {
    /// The method `plain`.
    pub plain: bool,
    /// Verifiers of fewer than 43 characters.
    pub short: bool,
}

/// A code challenge with its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// How it was made.
    pub method: Method,
    /// The challenge itself.
    pub value: String,
}

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`. No method means `plain`; a method
    /// without a challenge says nothing, as in Frappe.
    ///
    /// # Errors
    /// `invalid_request` for an unknown method, `plain` where it is not allowed, and a challenge
    /// that no verifier can have.
    // spec: RFC 7636 §4.3, §4.4.1; security.md, Authorization endpoint, "A challenge without a method"
    pub fn parse(
        challenge: Option<&str>,
        method: Option<&str>,
        allow: Allow,
    ) -> Result<Option<Challenge>, OAuthError> {
        let Some(value) = challenge else {
            return Ok(None);
        };
        let method = match method {
            None => Method::Plain,
            Some(name) => Method::from_name(name)
                .ok_or_else(|| OAuthError::invalid_request("code_challenge_method is unknown."))?,
        };
        let fits = match method {
            Method::Plain if !allow.plain => {
                return Err(OAuthError::invalid_request(
                    "code_challenge_method has to be S256.",
                ));
            }
            Method::Plain => is_verifier(value, allow.short),
            Method::S256 => URL_SAFE_NO_PAD
                .decode(value)
                .is_ok_and(|hash| hash.len() == 32),
        };
        if !fits {
            return Err(OAuthError::invalid_request("code_challenge is malformed."));
        }
        Ok(Some(Challenge {
            method,
            value: value.to_owned(),
        }))
    }

    /// Whether the verifier belongs to the challenge.
    ///
    /// # Errors
    /// `invalid_grant` for a wrong one, and for one with characters or a length that RFC 7636 §4.1
    /// does not allow.
    // spec: RFC 7636 §4.6; security.md, Codes and tokens, "Verifiers have 43 to 128"
    pub fn verify(&self, verifier: &str, allow_short: bool) -> Result<(), OAuthError> {
        if !is_verifier(verifier, allow_short) {
            return Err(invalid_grant("code_verifier is malformed."));
        }
        let computed = match self.method {
            Method::Plain => verifier.to_owned(),
            Method::S256 => {
                URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
            }
        };
        if computed.as_bytes().ct_eq(self.value.as_bytes()).into() {
            Ok(())
        } else {
            Err(invalid_grant(
                "code_verifier does not match the code_challenge.",
            ))
        }
    }
}

/// The whole rule at the token endpoint: a challenge that was sent is enforced, a verifier without
/// one is refused.
///
/// # Errors
/// `invalid_grant`.
// spec: security.md, Codes and tokens, line 2; RFC 9700 §2.1.1, §4.8.2
pub fn check(
    challenge: Option<&Challenge>,
    verifier: Option<&str>,
    allow_short: bool,
) -> Result<(), OAuthError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) => challenge.verify(verifier, allow_short),
        (Some(_), None) => Err(invalid_grant("code_verifier is missing.")),
        (None, Some(_)) => Err(invalid_grant(
            "code_verifier was sent, but the authorization request had no code_challenge.",
        )),
    }
}

/// Whether a verifier is one that only `allow_short_code_verifier` admits.
pub const fn is_short(verifier: &str) -> bool {
    verifier.len() < SHORTEST
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters, or from 1 where short ones are allowed.
fn is_verifier(text: &str, allow_short: bool) -> bool {
    let shortest = if allow_short { 1 } else { SHORTEST };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (shortest..=LONGEST).contains(&text.len()) && text.bytes().all(unreserved)
}

fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}
