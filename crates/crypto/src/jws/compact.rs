//! The compact form `header.payload.signature` (RFC 7515 §7.1) with JSON
//! claims (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{SigningAlgorithm, SigningKey, VerifyingKey};
use crate::{CryptoError, Result};

/// The longest token that is looked at: 16 KiB, four times a large ID token.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// `typ` of ID tokens, and what a token without one is taken for.
const JWT: &str = "JWT";

/// What the header of a token says. Not yet proven by any signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwsHeader {
    /// `alg`, one of those we know.
    pub algorithm: SigningAlgorithm,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ` as sent.
    pub typ: Option<String>,
}

/// Signs claims as a JWT (`typ` is `JWT`).
///
/// # Errors
/// [`CryptoError::Claims`] when they do not serialize to a JSON object;
/// [`CryptoError::Backend`].
pub fn encode(key: &SigningKey, claims: &impl Serialize) -> Result<String> {
    encode_typed(key, JWT, claims)
}

/// Signs claims under another `typ`, such as `logout+jwt`, so that the token
/// cannot pass for an ID token (RFC 8725 §3.11).
///
/// # Errors
/// As [`encode`].
pub fn encode_typed(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String> {
    let payload = serde_json::to_vec(claims).map_err(|_| CryptoError::Claims)?;
    if payload.first() != Some(&b'{') {
        return Err(CryptoError::Claims);
    }
    let mut header = Map::new();
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    header.insert("typ".to_owned(), typ.into());
    if let Some(kid) = key.kid() {
        header.insert("kid".to_owned(), kid.into());
    }
    let header = Value::Object(header).to_string();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Reads `alg` and `kid` of a token, to find the key for it.
///
/// # Errors
/// [`CryptoError::TokenTooLong`], [`CryptoError::MalformedToken`],
/// [`CryptoError::UnsupportedAlgorithm`].
pub fn peek_header(token: &str) -> Result<JwsHeader> {
    Parts::split(token)?.header()
}

/// The claims of a JWT that one of our own keys signed, for `id_token_hint`.
/// Issuer, audience and times are the caller's to check.
///
/// # Errors
/// Those of [`peek_header`], [`CryptoError::NoMatchingKey`],
/// [`CryptoError::InvalidSignature`].
pub fn decode_verified(token: &str, keys: &[&SigningKey]) -> Result<Value> {
    verified_claims(token, keys.iter().map(|key| key.verifying_key()))
}

/// As [`decode_verified`] with public keys, for tokens of other issuers.
///
/// # Errors
/// As [`decode_verified`].
pub fn decode_with(token: &str, keys: &[&VerifyingKey]) -> Result<Value> {
    verified_claims(token, keys.iter().copied())
}

fn verified_claims<'k>(token: &str, keys: impl Iterator<Item = &'k VerifyingKey>) -> Result<Value> {
    let parts = Parts::split(token)?;
    let header = parts.header()?;
    if !header.is_jwt() {
        return Err(CryptoError::MalformedToken);
    }
    let signature = decode_part(parts.signature)?;
    let mut outcome = Err(CryptoError::NoMatchingKey);
    for key in keys.filter(|key| header.fits(key)) {
        outcome = key.verify(parts.signed.as_bytes(), &signature);
        if outcome.is_ok() {
            break;
        }
    }
    outcome?;
    parse_object(parts.payload).map(Value::Object)
}

impl JwsHeader {
    /// The key's own algorithm counts, and a `kid` must be the key's.
    fn fits(&self, key: &VerifyingKey) -> bool {
        key.algorithm() == self.algorithm
            && self.kid.as_deref().is_none_or(|kid| key.kid() == Some(kid))
    }

    /// `typ` is compared without case and may leave out `application/`
    /// (RFC 7515 §4.1.9).
    fn is_jwt(&self) -> bool {
        self.typ.as_deref().is_none_or(|typ| {
            typ.eq_ignore_ascii_case(JWT) || typ.eq_ignore_ascii_case("application/jwt")
        })
    }
}

/// The three parts of a token, still encoded.
struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// Header and payload with their dot: what the signature covers.
    signed: &'t str,
}

impl<'t> Parts<'t> {
    fn split(token: &'t str) -> Result<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(CryptoError::TokenTooLong);
        }
        let malformed = CryptoError::MalformedToken;
        let (signed, signature) = token.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        // A fourth part shows as a dot left in the payload, which base64url
        // refuses; it is refused here already for the sake of `peek_header`.
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return Err(malformed);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    fn header(&self) -> Result<JwsHeader> {
        let header = parse_object(self.header)?;
        // We understand no extension, so any critical one refuses the token.
        // spec: RFC 7515 §4.1.11
        if header.contains_key("crit") {
            return Err(CryptoError::MalformedToken);
        }
        let algorithm = text(&header, "alg")?.ok_or(CryptoError::MalformedToken)?;
        Ok(JwsHeader {
            algorithm: algorithm.parse()?,
            kid: text(&header, "kid")?,
            typ: text(&header, "typ")?,
        })
    }
}

/// An optional string member; any other type refuses the token.
fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone())),
        Some(_) => Err(CryptoError::MalformedToken),
    }
}

/// base64url without padding, in its one canonical form (RFC 7515 §2).
fn decode_part(part: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| CryptoError::MalformedToken)
}

fn parse_object(part: &str) -> Result<Map<String, Value>> {
    serde_json::from_slice(&decode_part(part)?).map_err(|_| CryptoError::MalformedToken)
}
