//! Keys, tokens, password hashes and signatures of the authorization server.
//!
//! Everything cryptographic goes through `aws-lc-rs`, only Argon2 through the
//! `argon2` crate. Nothing here knows of databases, HTTP or the wall clock;
//! random numbers come from an [`Entropy`] and times are handed in.
#![forbid(unsafe_code)]

pub mod digest;
mod entropy;
mod error;
mod fernet;
pub mod jws;
pub mod password;
mod secret;
mod site_keys;
pub mod token;

pub use digest::constant_time_eq;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use error::{CryptoError, Result};
pub use fernet::{Fernet, generate_encryption_key};
pub use jws::{SigningAlgorithm, SigningKey, VerifyingKey};
pub use password::PasswordCost;
pub use secret::Secret;
pub use site_keys::{SiteKeys, TokenPair};
pub use token::{hash_hex, random_hex, random_name, random_token, timed_name};
