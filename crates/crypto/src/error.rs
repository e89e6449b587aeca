//! The one error type of the crate. No variant carries input, so that neither
//! `Display` nor `Debug` can leak a token, a key or a password.

/// Result with [`CryptoError`].
pub type Result<T, E = CryptoError> = std::result::Result<T, E>;

/// Why a cryptographic operation was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The site's `encryption_key` is not the base64 of 32 bytes.
    #[error("the encryption key is not the base64 of 32 bytes")]
    EncryptionKey,
    /// A Fernet token is malformed, was changed, or belongs to another key.
    /// One variant for all three, so that no caller can build an oracle.
    #[error("the encrypted value cannot be read with this key")]
    Undecryptable,
    /// A private or public key, or an HMAC secret, is unusable.
    #[error("the signing key is not usable")]
    SigningKey,
    /// `alg` is none of the supported ones (`none` never is).
    #[error("unsupported signature algorithm")]
    UnsupportedAlgorithm,
    /// A token is longer than [`crate::jws::MAX_TOKEN_BYTES`].
    #[error("the signed token is too long")]
    TokenTooLong,
    /// A token is not a compact JWS that we accept.
    #[error("the signed token is malformed")]
    MalformedToken,
    /// None of the offered keys has the `alg` and `kid` of the token.
    #[error("no key fits the signed token")]
    NoMatchingKey,
    /// The signature does not belong to this content and key.
    #[error("the signature is wrong")]
    InvalidSignature,
    /// Claims could not be written as JSON, or are not an object.
    #[error("the claims are not a JSON object")]
    Claims,
    /// A password has more than [`crate::password::MAX_PASSWORD_BYTES`] bytes.
    #[error("the password is too long")]
    PasswordTooLong,
    /// A stored password hash has an unknown or damaged format, or a cost
    /// beyond the bounds that protect this process.
    #[error("the stored password hash is not supported")]
    PasswordHash,
    /// A [`crate::password::PasswordCost`] that Argon2 does not allow.
    #[error("the password cost is out of bounds")]
    PasswordCost,
    /// The cryptographic library refused although the input was fine, for
    /// example for want of memory.
    #[error("the cryptographic library failed")]
    Backend,
}

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Backend
    }
}

impl From<aws_lc_rs::error::KeyRejected> for CryptoError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::SigningKey
    }
}
