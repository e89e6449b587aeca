//! Password hashes: Argon2id for new ones, and the two passlib formats that
//! Frappe keeps in `__Auth`, which verify and then ask for an upgrade.
//!
//! All of this is slow by purpose (tens of milliseconds, [`PasswordCost`]
//! bytes of memory): callers run it on a bounded pool, off request threads.
// spec: security.md, Sign-in and sessions, line 1

mod argon2id;
mod cost;
mod pbkdf2;

pub use cost::PasswordCost;

use std::num::NonZeroU32;

use crate::{CryptoError, Entropy, Result};
use argon2id::Argon2Hash;
use pbkdf2::Pbkdf2Hash;

/// The longest password in bytes, as in Frappe: hashing reads all of it.
pub const MAX_PASSWORD_BYTES: usize = 512;

/// The longest stored hash that is looked at. Real ones have about 100 bytes.
const MAX_STORED_BYTES: usize = 1024;

/// What became of a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// The password is right.
    pub valid: bool,
    /// The stored hash is not Argon2id at today's cost. With `valid`, the
    /// caller hashes the password anew and stores that.
    pub needs_upgrade: bool,
}

/// Hashes a password with Argon2id into a PHC string
/// (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), which passlib reads too.
///
/// # Errors
/// [`CryptoError::PasswordTooLong`], [`CryptoError::PasswordCost`], or
/// [`CryptoError::Backend`] when there is no memory.
pub fn hash(password: &str, cost: &PasswordCost, entropy: &dyn Entropy) -> Result<String> {
    check_length(password)?;
    argon2id::hash(password.as_bytes(), cost, entropy)
}

/// Checks a password against a stored hash; `cost` is today's cost.
///
/// The time depends on the stored hash. Where that must not show, use
/// [`PasswordChecker`].
///
/// # Errors
/// [`CryptoError::PasswordTooLong`]; [`CryptoError::PasswordHash`] when the
/// stored hash is unknown, damaged or out of bounds.
pub fn verify(password: &str, stored: &str, cost: &PasswordCost) -> Result<Verification> {
    check_length(password)?;
    StoredHash::parse(stored)?.verify(password.as_bytes(), cost)
}

/// Does the work of a check against an Argon2id hash of today's cost and finds
/// the password wrong: for a user who does not exist or has no password.
///
/// # Errors
/// As [`hash`].
pub fn verify_dummy(password: &str, cost: &PasswordCost) -> Result<Verification> {
    check_length(password)?;
    argon2id::burn(password.as_bytes(), cost)?;
    Ok(Verification {
        valid: false,
        needs_upgrade: false,
    })
}

/// Checks passwords so that a refusal takes the same work for every user:
/// unknown, with a new hash, or with one that Frappe left.
// spec: security.md, Sign-in and sessions, line 2
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordChecker {
    /// Today's cost.
    pub cost: PasswordCost,
    /// Rounds of the site's PBKDF2 hashes (29000 in Frappe) while it still has
    /// some; every refusal then pays for both kinds. `None` once all are new.
    pub legacy_rounds: Option<NonZeroU32>,
}

impl PasswordChecker {
    /// Checks `password` against the user's hash; `None` stands for a user who
    /// does not exist, is disabled or has no password, and is always refused.
    /// A damaged stored hash refuses too, after the same work.
    ///
    /// # Errors
    /// [`CryptoError::PasswordTooLong`] before any work, as it says nothing
    /// about the user; [`CryptoError::PasswordHash`] for a damaged hash, for
    /// the log only; [`CryptoError::Backend`].
    pub fn check(&self, password: &str, stored: Option<&str>) -> Result<Verification> {
        check_length(password)?;
        let bytes = password.as_bytes();
        let parsed = stored.map(StoredHash::parse);
        let verification = match &parsed {
            Some(Ok(hash)) => hash.verify(bytes, &self.cost)?,
            Some(Err(_)) | None => Verification {
                valid: false,
                needs_upgrade: false,
            },
        };
        if !verification.valid {
            self.even_out(bytes, parsed.as_ref().and_then(|p| p.as_ref().ok()))?;
        }
        match parsed {
            Some(Err(error)) => Err(error),
            _ => Ok(verification),
        }
    }

    /// Adds the kind of work that the stored hash did not need.
    fn even_out(&self, password: &[u8], done: Option<&StoredHash>) -> Result<()> {
        if !matches!(done, Some(StoredHash::Argon2(_))) {
            argon2id::burn(password, &self.cost)?;
        }
        if let Some(rounds) = self.legacy_rounds
            && !matches!(done, Some(StoredHash::Pbkdf2(_)))
        {
            pbkdf2::burn(password, rounds);
        }
        Ok(())
    }
}

/// A stored hash, parsed and within bounds.
enum StoredHash {
    Argon2(Argon2Hash),
    Pbkdf2(Pbkdf2Hash),
}

impl StoredHash {
    fn parse(stored: &str) -> Result<Self> {
        if stored.len() > MAX_STORED_BYTES {
            return Err(CryptoError::PasswordHash);
        }
        if let Some(hash) = Argon2Hash::parse(stored) {
            return Ok(Self::Argon2(hash));
        }
        Pbkdf2Hash::parse(stored)
            .map(Self::Pbkdf2)
            .ok_or(CryptoError::PasswordHash)
    }

    fn verify(&self, password: &[u8], cost: &PasswordCost) -> Result<Verification> {
        Ok(match self {
            Self::Argon2(hash) => Verification {
                valid: hash.verify(password)?,
                needs_upgrade: !hash.is_current(cost),
            },
            Self::Pbkdf2(hash) => Verification {
                valid: hash.verify(password),
                needs_upgrade: true,
            },
        })
    }
}

const fn check_length(password: &str) -> Result<()> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(CryptoError::PasswordTooLong);
    }
    Ok(())
}
