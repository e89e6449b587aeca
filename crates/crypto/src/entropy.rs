//! Where random bytes come from: the operating system, or a seed in tests.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::digest::{HASH_BYTES, sha256};

/// A source of random bytes. Handed in wherever something random is made, so
/// that a test can repeat a run.
pub trait Entropy: Send + Sync {
    /// Overwrites `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The random numbers of the operating system, through aws-lc's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system; without random bytes nothing may go on"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // There is nothing safe to go on with: a caller that caught an
            // unwinding panic would send out a predictable token.
            std::process::abort();
        }
    }
}

/// A repeatable stream for tests. Worthless as a source of secrets.
///
/// The n-th call of [`Entropy::fill`] always gives the same bytes for the same
/// seed; calls from several threads share the count.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    calls: AtomicU64,
}

impl SeededEntropy {
    /// A stream that only depends on `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        for (block, chunk) in (0_u64..).zip(bytes.chunks_mut(HASH_BYTES)) {
            let input: Vec<u8> = [self.seed, call, block]
                .iter()
                .flat_map(|number| number.to_be_bytes())
                .collect();
            for (to, from) in chunk.iter_mut().zip(sha256(&input)) {
                *to = from;
            }
        }
    }
}
