//! How much work a new password hash takes.

use argon2::Params;

use super::argon2id::{HASH_BYTES, MAX_MEMORY_KIB, MAX_PARALLELISM, MAX_WORK_KIB};
use crate::{CryptoError, Result};

/// The cost of an Argon2id hash (RFC 9106 §3.1).
///
/// The default (19 MiB, two passes, one lane) is OWASP's first choice for
/// Argon2id. It stays in the tens of milliseconds on a small server, and its
/// memory still allows several logins at once; more lanes would gain nothing,
/// since a lane here is no thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
        }
    }
}

impl PasswordCost {
    /// The cheapest that Argon2 knows: for tests that hash many passwords.
    pub const fn minimal() -> Self {
        Self {
            memory_kib: Params::MIN_M_COST,
            iterations: 1,
            parallelism: 1,
        }
    }

    /// The parameters for Argon2, if they are within the bounds that we would
    /// also accept in a stored hash: a hash that could be made but never be
    /// verified would lock its owner out.
    pub(super) fn params(self) -> Result<Params> {
        let work = u64::from(self.memory_kib).saturating_mul(u64::from(self.iterations));
        if self.memory_kib > MAX_MEMORY_KIB
            || self.parallelism > MAX_PARALLELISM
            || work > MAX_WORK_KIB
        {
            return Err(CryptoError::PasswordCost);
        }
        Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(HASH_BYTES),
        )
        .map_err(|_| CryptoError::PasswordCost)
    }
}
