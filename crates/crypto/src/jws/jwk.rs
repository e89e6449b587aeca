//! Public keys as JSON Web Keys (RFC 7517), and their thumbprints (RFC 7638).

use std::ops::RangeInclusive;

use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::SigningAlgorithm;
use crate::digest::sha256;
use crate::{CryptoError, Result};

/// Bytes of a P-256 coordinate: fixed, with leading zeros (RFC 7518 §6.2.1.2).
const COORDINATE_BYTES: usize = 32;
/// Sizes of RSA keys: at least 2048 (RFC 7518 §3.3), at most what the library takes.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;
/// SEC 1's mark of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

/// The bytes of a public key in the form the cryptographic library takes.
pub(super) enum PublicKeyBytes {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// Uncompressed SEC 1 point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl PublicKeyBytes {
    /// The key members of the JWK, without metadata.
    pub(super) fn members(&self) -> Result<Vec<(&'static str, String)>> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(match self {
            Self::Rsa(key) => vec![
                ("kty", "RSA".to_owned()),
                ("n", encode(without_leading_zeros(&key.n))),
                ("e", encode(without_leading_zeros(&key.e))),
            ],
            Self::P256(point) => {
                let (x, y) = coordinates(point).ok_or(CryptoError::SigningKey)?;
                vec![
                    ("kty", "EC".to_owned()),
                    ("crv", "P-256".to_owned()),
                    ("x", encode(x)),
                    ("y", encode(y)),
                ]
            }
            Self::Ed25519(key) => vec![
                ("kty", "OKP".to_owned()),
                ("crv", "Ed25519".to_owned()),
                ("x", encode(key)),
            ],
        })
    }

    /// Reads the key members that `algorithm` needs.
    pub(super) fn from_jwk(jwk: &Map<String, Value>, algorithm: SigningAlgorithm) -> Option<Self> {
        let is = |name: &str, value: &str| jwk.get(name).and_then(Value::as_str) == Some(value);
        let bytes = |name: &str| {
            let text = jwk.get(name)?.as_str()?;
            URL_SAFE_NO_PAD.decode(text).ok()
        };
        match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 if is("kty", "RSA") => {
                // Some issuers write a sign byte, against RFC 7518 §2.
                let n = without_leading_zeros(&bytes("n")?).to_vec();
                let e = without_leading_zeros(&bytes("e")?).to_vec();
                RSA_BITS
                    .contains(&bit_length(&n))
                    .then_some(Self::Rsa(RsaPublicKeyComponents { n, e }))
            }
            SigningAlgorithm::ES256 if is("kty", "EC") && is("crv", "P-256") => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                (x.len() == COORDINATE_BYTES && y.len() == COORDINATE_BYTES)
                    .then(|| Self::P256([&[UNCOMPRESSED], x.as_slice(), y.as_slice()].concat()))
            }
            SigningAlgorithm::EdDSA if is("kty", "OKP") && is("crv", "Ed25519") => {
                Some(Self::Ed25519(bytes("x")?))
            }
            _ => None,
        }
    }
}

/// The JWK that is published: key members, `use`, `alg` and `kid`.
pub(super) fn document(
    members: &[(&'static str, String)],
    algorithm: SigningAlgorithm,
    kid: &str,
) -> Value {
    let metadata = [("use", "sig"), ("alg", algorithm.as_str()), ("kid", kid)];
    let key = members.iter().map(|(name, value)| (*name, value.as_str()));
    let all = key.chain(metadata);
    Value::Object(
        all.map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
    )
}

/// RFC 7638 §3: SHA-256 over the key members in alphabetical order, as JSON
/// without blanks, in base64url.
pub(super) fn thumbprint(members: &[(&'static str, String)]) -> String {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort();
    // Member names and values are ASCII without anything to escape.
    let body: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let json = format!("{{{}}}", body.join(","));
    URL_SAFE_NO_PAD.encode(sha256(json.as_bytes()))
}

fn coordinates(point: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&form, rest) = point.split_first()?;
    let (x, y) = rest.split_at_checked(COORDINATE_BYTES)?;
    (form == UNCOMPRESSED && y.len() == COORDINATE_BYTES).then_some((x, y))
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Bits of a number whose first byte is not zero.
fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros());
    number.len() * 8 - unused as usize
}
