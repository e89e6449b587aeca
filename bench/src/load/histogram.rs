//! Latencies, counted in buckets that are at most 1.6 % wide.

use std::time::Duration;

/// Buckets for each power of two.
const STEPS: u64 = 64;
/// log2 of [`STEPS`].
const STEP_BITS: u32 = 6;
/// Enough for 2^36 µs, which is 19 hours.
const BUCKETS: usize = 32 * 64;

/// How often each latency occurred.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Nothing counted yet.
    pub(crate) fn new() -> Histogram {
        Histogram {
            counts: vec![0; BUCKETS],
            total: 0,
        }
    }

    /// Counts one.
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = usize::try_from(bucket(micros)).unwrap_or(BUCKETS);
        if let Some(count) = self.counts.get_mut(bucket.min(BUCKETS - 1)) {
            *count += 1;
        }
        self.total += 1;
    }

    /// Adds all of another one.
    pub(crate) fn add(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// How many were counted.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The latency in microseconds that this share (0 to 1) of all did not exceed; 0 when
    /// nothing was counted.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among counts far below 2^52"
    )]
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (bucket, count) in (0..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                return value(bucket);
            }
        }
        0
    }
}

/// The bucket of a value: below 128 each value has its own, above each power of two has 64.
fn bucket(micros: u64) -> u64 {
    if micros < 2 * STEPS {
        return micros;
    }
    let shift = micros.ilog2() - STEP_BITS;
    u64::from(shift) * STEPS + (micros >> shift)
}

/// The middle of a bucket.
fn value(bucket: u64) -> u64 {
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    let low = (bucket - shift * STEPS) << shift;
    low + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_nearly() {
        for micros in [0, 1, 127, 128, 129, 1_000, 65_535, 65_536, 10_000_000] {
            let back = value(bucket(micros));
            assert!(
                back.abs_diff(micros) * 100 <= micros * 2,
                "{micros} became {back}"
            );
        }
        let buckets: Vec<u64> = (0..100_000).map(bucket).collect();
        assert!(buckets.is_sorted());
    }

    #[test]
    fn quantiles_are_ranks() {
        let mut all = Histogram::new();
        assert_eq!(all.quantile(0.5), 0);
        for micros in 1..=100 {
            all.record(Duration::from_micros(micros));
        }
        assert_eq!(all.quantile(0.5), 50);
        assert_eq!(all.quantile(0.99), 99);
        assert_eq!(all.quantile(1.0), 100);
        let mut more = Histogram::new();
        more.record(Duration::from_secs(1));
        all.add(&more);
        assert_eq!(all.total(), 101);
        assert!(all.quantile(1.0).abs_diff(1_000_000) < 20_000);
    }
}
