//! The public half of a key: verifies, and can be published as a JWK.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256,
};
use serde_json::Value;

use super::SigningAlgorithm;
use super::jwk::{self, PublicKeyBytes};
use crate::{CryptoError, Result};

/// Verifies signatures of one algorithm under one key, parsed once.
pub struct VerifyingKey {
    algorithm: SigningAlgorithm,
    kid: Option<String>,
    key: Key,
    public_jwk: Option<Value>,
}

enum Key {
    Public(ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Reads a public key from a JWK, ours or another issuer's. `algorithm` is
    /// what the caller expects; a JWK whose `alg`, `use`, `kty` or `crv` says
    /// otherwise is refused, as is an RSA key under 2048 bits.
    ///
    /// # Errors
    /// [`CryptoError::SigningKey`].
    // spec: RFC 7517 §4
    pub fn from_jwk(algorithm: SigningAlgorithm, jwk: &Value) -> Result<Self> {
        let jwk = jwk.as_object().ok_or(CryptoError::SigningKey)?;
        let text = |name: &str| jwk.get(name).map(|value| value.as_str().unwrap_or(""));
        let agrees = text("alg").is_none_or(|alg| alg == algorithm.as_str())
            && text("use").is_none_or(|usage| usage == "sig");
        let bytes = PublicKeyBytes::from_jwk(jwk, algorithm);
        match (agrees, bytes) {
            (true, Some(bytes)) => Self::from_bytes(algorithm, text("kid"), &bytes),
            _ => Err(CryptoError::SigningKey),
        }
    }

    /// Without a `kid`, the thumbprint stands in (RFC 7638 §7).
    pub(super) fn from_bytes(
        algorithm: SigningAlgorithm,
        kid: Option<&str>,
        bytes: &PublicKeyBytes,
    ) -> Result<Self> {
        let key = match (algorithm, bytes) {
            (SigningAlgorithm::RS256, PublicKeyBytes::Rsa(rsa)) => {
                rsa.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?
            }
            (SigningAlgorithm::PS256, PublicKeyBytes::Rsa(rsa)) => {
                rsa.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)?
            }
            (SigningAlgorithm::ES256, PublicKeyBytes::P256(point)) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)?
            }
            (SigningAlgorithm::EdDSA, PublicKeyBytes::Ed25519(key)) => {
                ParsedPublicKey::new(&ED25519, key)?
            }
            _ => return Err(CryptoError::SigningKey),
        };
        let members = bytes.members()?;
        let kid = kid.map_or_else(|| jwk::thumbprint(&members), str::to_owned);
        Ok(Self {
            algorithm,
            key: Key::Public(key),
            public_jwk: Some(jwk::document(&members, algorithm, &kid)),
            kid: Some(kid),
        })
    }

    pub(super) fn hmac(key: hmac::Key) -> Self {
        Self {
            algorithm: SigningAlgorithm::HS256,
            kid: None,
            key: Key::Hmac(Box::new(key)),
            public_jwk: None,
        }
    }

    /// The one algorithm of this key.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key id; none for a client secret.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK to publish; none for a client secret.
    pub const fn public_jwk(&self) -> Option<&Value> {
        self.public_jwk.as_ref()
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        match &self.key {
            Key::Public(key) => key.verify_sig(message, signature),
            Key::Hmac(key) => hmac::verify(key, message, signature),
        }
        .map_err(|_| CryptoError::InvalidSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
