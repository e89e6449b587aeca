//! When to try again, and when to give up.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// At most so many attempts at a transaction.
const ATTEMPTS: u32 = 8;

/// The longest pause before the second attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Counts attempts and pauses between them, longer each time, with jitter so that two that
/// met once do not meet again.
pub(super) struct Patience {
    attempt: u32,
    began: tokio::time::Instant,
    /// No new attempt after this time.
    longest: Duration,
}

impl Patience {
    #[expect(
        clippy::disallowed_methods,
        reason = "a time-out of the retries; no rule of the domain depends on it"
    )]
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            attempt: 1,
            began: tokio::time::Instant::now(),
            longest,
        }
    }

    /// Pauses; `false`, at once, when there shall be no further attempt.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that waits before another attempt"
    )]
    pub(super) async fn pause(&mut self) -> bool {
        if self.attempt >= ATTEMPTS || self.began.elapsed() >= self.longest {
            return false;
        }
        let longest = FIRST_PAUSE
            .saturating_mul(1 << self.attempt.min(16))
            .min(LONGEST_PAUSE);
        // The standard library seeds every `RandomState` differently: enough for jitter.
        let jitter = RandomState::new().hash_one(self.attempt) % 1000;
        tokio::time::sleep(longest.mul_f64(jitter as f64 / 1000.0)).await;
        self.attempt += 1;
        true
    }
}
