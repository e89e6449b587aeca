//! The `alg` values that we sign and verify with.

use std::fmt;
use std::str::FromStr;

use crate::CryptoError;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, the default of OpenID Connect.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    PS256,
    /// HMAC with SHA-256 under the client secret.
    HS256,
}

impl SigningAlgorithm {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [
        Self::RS256,
        Self::ES256,
        Self::EdDSA,
        Self::PS256,
        Self::HS256,
    ];

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::PS256 => "PS256",
            Self::HS256 => "HS256",
        }
    }

    /// Whether the verifying key is secret too, so that none may be published.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = CryptoError;

    /// Case-sensitive, as RFC 7515 §4.1.1 wants it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(CryptoError::UnsupportedAlgorithm)
    }
}
