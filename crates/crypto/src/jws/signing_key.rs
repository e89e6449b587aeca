//! The private half of a key.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::Value;

use super::jwk::PublicKeyBytes;
use super::{SigningAlgorithm, VerifyingKey};
use crate::{CryptoError, Result, Secret};

/// Signs with one algorithm under one key. The key is parsed once, so a
/// signature costs no more than itself; share it behind an `Arc`.
pub struct SigningKey {
    verifying: VerifyingKey,
    private: Private,
}

enum Private {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Box<hmac::Key>),
}

impl SigningKey {
    /// Makes a new key; its `kid` is the RFC 7638 thumbprint. RSA keys have
    /// 2048 bits and take tens of milliseconds or more, so keep them off
    /// request threads. The library uses its own system random numbers here.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] for HS256, whose key is a client
    /// secret; [`CryptoError::Backend`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self> {
        let private = match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                Private::rsa(algorithm, RsaKeyPair::generate(KeySize::Rsa2048)?)
            }
            SigningAlgorithm::ES256 => {
                Private::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            SigningAlgorithm::EdDSA => Private::Ed25519(Ed25519KeyPair::generate()?),
            SigningAlgorithm::HS256 => return Err(CryptoError::UnsupportedAlgorithm),
        };
        Self::assemble(algorithm, None, private)
    }

    /// Reads a private key in unencrypted PKCS#8 (RFC 5208).
    ///
    /// # Errors
    /// [`CryptoError::SigningKey`] when it is no key of this algorithm, or an
    /// RSA key under 2048 bits; [`CryptoError::UnsupportedAlgorithm`] for HS256.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, kid: &str, pkcs8: &[u8]) -> Result<Self> {
        let private = match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                Private::rsa(algorithm, RsaKeyPair::from_pkcs8(pkcs8)?)
            }
            SigningAlgorithm::ES256 => Private::P256(EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                pkcs8,
            )?),
            SigningAlgorithm::EdDSA => Private::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8)?),
            SigningAlgorithm::HS256 => return Err(CryptoError::UnsupportedAlgorithm),
        };
        Self::assemble(algorithm, Some(kid), private)
    }

    /// An HS256 key: the bytes of the client secret. It has no `kid`, because
    /// the client knows which secret is meant. Frappe's short secrets are
    /// accepted; an empty one is not, as anybody could sign with it.
    ///
    /// # Errors
    /// [`CryptoError::SigningKey`] for an empty secret.
    // spec: OpenID Connect Core §10.1
    pub fn hmac(secret: &[u8]) -> Result<Self> {
        if secret.is_empty() {
            return Err(CryptoError::SigningKey);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self {
            verifying: VerifyingKey::hmac(key.clone()),
            private: Private::Hmac(Box::new(key)),
        })
    }

    fn assemble(algorithm: SigningAlgorithm, kid: Option<&str>, private: Private) -> Result<Self> {
        let bytes = private.public_bytes().ok_or(CryptoError::SigningKey)?;
        Ok(Self {
            verifying: VerifyingKey::from_bytes(algorithm, kid, &bytes)?,
            private,
        })
    }

    /// The one algorithm of this key.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.verifying.algorithm()
    }

    /// The key id; none for a client secret.
    pub fn kid(&self) -> Option<&str> {
        self.verifying.kid()
    }

    /// The JWK for the JWKS (`kty`, key members, `use`, `alg`, `kid`); none for
    /// a client secret, which must never be published.
    // spec: RFC 7517 §4, RFC 7518 §6, RFC 8037 §2
    pub const fn public_jwk(&self) -> Option<&Value> {
        self.verifying.public_jwk()
    }

    /// The public half.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The private key in unencrypted PKCS#8, to be stored encrypted.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] for a client secret.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>> {
        let der = match &self.private {
            Private::Rsa(pair, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?.as_ref().to_vec(),
            Private::P256(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Private::Ed25519(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Private::Hmac(_) => return Err(CryptoError::UnsupportedAlgorithm),
        };
        Ok(Secret::new(der))
    }

    /// Signs `message`; the signature is in JOSE's form (ES256: R and S of 32
    /// bytes each, RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`CryptoError::Backend`].
    #[expect(
        clippy::disallowed_methods,
        reason = "an argument the library ignores: its own generator makes the nonces"
    )]
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        Ok(match &self.private {
            Private::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)?;
                signature
            }
            Private::P256(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Private::Ed25519(pair) => pair.try_sign(message)?.as_ref().to_vec(),
            Private::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        })
    }
}

impl Private {
    fn rsa(algorithm: SigningAlgorithm, pair: RsaKeyPair) -> Self {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            SigningAlgorithm::PS256 => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        Self::Rsa(pair, encoding)
    }

    fn public_bytes(&self) -> Option<PublicKeyBytes> {
        match self {
            Self::Rsa(pair, _) => {
                let key = pair.public_key();
                Some(PublicKeyBytes::Rsa(RsaPublicKeyComponents {
                    n: key.modulus().big_endian_without_leading_zero().to_vec(),
                    e: key.exponent().big_endian_without_leading_zero().to_vec(),
                }))
            }
            Self::P256(pair) => Some(PublicKeyBytes::P256(pair.public_key().as_ref().to_vec())),
            Self::Ed25519(pair) => {
                Some(PublicKeyBytes::Ed25519(pair.public_key().as_ref().to_vec()))
            }
            Self::Hmac(_) => None,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}
