//! PHC strings of Argon2: written as Argon2id version 19, read in all variants
//! that passlib wrote.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::PasswordCost;
use crate::digest::constant_time_eq;
use crate::{CryptoError, Entropy, Result};

const SALT_BYTES: usize = 16;
/// Length of the hashes we make.
pub(super) const HASH_BYTES: usize = 32;

// Bounds on a stored hash, so that one planted or damaged row can neither take
// the memory nor the processor for long: 256 MiB, and one GiB filled in all
// (about a second). passlib's default is 64 MiB and three passes or fewer.
pub(super) const MAX_MEMORY_KIB: u32 = 256 * 1024;
pub(super) const MAX_PARALLELISM: u32 = 64;
pub(super) const MAX_WORK_KIB: u64 = 1024 * 1024;

/// A shorter hash could be met by chance; passlib makes 16 bytes or more.
const MIN_STORED_HASH_BYTES: usize = 16;
const MAX_STORED_HASH_BYTES: usize = 64;

/// A parsed Argon2 string.
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    cost: PasswordCost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2Hash {
    /// Reads `$argon2{id,i,d}$[v=…$]m=…,t=…,p=…$salt$hash`. The version may
    /// be missing, which means 16 (the first implementation wrote none).
    pub(super) fn parse(stored: &str) -> Option<Self> {
        let mut fields = stored.strip_prefix('$')?.split('$');
        let algorithm = match fields.next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return None,
        };
        let mut field = fields.next()?;
        let version = match field.strip_prefix("v=") {
            Some(version) => {
                field = fields.next()?;
                Version::try_from(decimal(version)?).ok()?
            }
            None => Version::V0x10,
        };
        let parsed = Self {
            algorithm,
            version,
            cost: parse_cost(field)?,
            salt: STANDARD_NO_PAD.decode(fields.next()?).ok()?,
            hash: STANDARD_NO_PAD.decode(fields.next()?).ok()?,
        };
        (fields.next().is_none() && parsed.is_bounded()).then_some(parsed)
    }

    fn is_bounded(&self) -> bool {
        self.cost.params().is_ok()
            && self.salt.len() >= argon2::MIN_SALT_LEN
            && (MIN_STORED_HASH_BYTES..=MAX_STORED_HASH_BYTES).contains(&self.hash.len())
    }

    /// Whether a new hash would be made in the same way.
    pub(super) fn is_current(&self, cost: &PasswordCost) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.cost == *cost
            && self.salt.len() >= SALT_BYTES
            && self.hash.len() == HASH_BYTES
    }

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool> {
        let params = Params::new(
            self.cost.memory_kib,
            self.cost.iterations,
            self.cost.parallelism,
            Some(self.hash.len()),
        )
        .map_err(|_| CryptoError::PasswordHash)?;
        let mut computed = Zeroizing::new(vec![0; self.hash.len()]);
        Argon2::new(self.algorithm, self.version, params)
            .hash_password_into(password, &self.salt, &mut computed)
            .map_err(|_| CryptoError::Backend)?;
        Ok(constant_time_eq(&computed, &self.hash))
    }
}

/// Makes a PHC string with a new salt.
pub(super) fn hash(password: &[u8], cost: &PasswordCost, entropy: &dyn Entropy) -> Result<String> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt);
    let hash = compute(password, &salt, cost)?;
    let PasswordCost {
        memory_kib,
        iterations,
        parallelism,
    } = cost;
    let salt = STANDARD_NO_PAD.encode(salt);
    let hash = STANDARD_NO_PAD.encode(hash.as_ref());
    Ok(format!(
        "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}"
    ))
}

/// Does the work of a hash and drops the result.
pub(super) fn burn(password: &[u8], cost: &PasswordCost) -> Result<()> {
    let computed = compute(password, &[0; SALT_BYTES], cost)?;
    // Compared, and kept from the optimiser, as a real check would do.
    std::hint::black_box(constant_time_eq(computed.as_ref(), &[0; HASH_BYTES]));
    Ok(())
}

fn compute(
    password: &[u8],
    salt: &[u8],
    cost: &PasswordCost,
) -> Result<Zeroizing<[u8; HASH_BYTES]>> {
    let mut out = Zeroizing::new([0; HASH_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?)
        .hash_password_into(password, salt, out.as_mut())
        .map_err(|_| CryptoError::Backend)?;
    Ok(out)
}

/// Reads `m=…,t=…,p=…`. Strings with `keyid` or `data` belong to a set-up with
/// a key outside the hash, which Frappe never had.
fn parse_cost(field: &str) -> Option<PasswordCost> {
    let mut values = field.split(',');
    let cost = PasswordCost {
        memory_kib: decimal(values.next()?.strip_prefix("m=")?)?,
        iterations: decimal(values.next()?.strip_prefix("t=")?)?,
        parallelism: decimal(values.next()?.strip_prefix("p=")?)?,
    };
    values.next().is_none().then_some(cost)
}

/// A decimal number without sign or leading zero, as the PHC format wants.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    canonical.then(|| text.parse().ok()).flatten()
}
