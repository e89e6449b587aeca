//! JSON Web Signatures (RFC 7515): keys, algorithms, compact form.
//!
//! A key knows its algorithm (RFC 8725 §3.1), so a token can choose neither
//! `none` nor an algorithm that its key was not made for.

mod algorithm;
mod compact;
mod jwk;
mod signing_key;
mod verifying_key;

pub use algorithm::SigningAlgorithm;
pub use compact::{
    JwsHeader, MAX_TOKEN_BYTES, decode_verified, decode_with, encode, encode_typed, peek_header,
};
pub use signing_key::SigningKey;
pub use verifying_key::VerifyingKey;
