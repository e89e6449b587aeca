//! How requests to other servers ended, counted over all sites.

use std::sync::atomic::{AtomicU64, Ordering};

use super::OutgoingError;

/// How a request can end, with the label of each.
const ENDS: [(Option<OutgoingError>, &str); 6] = [
    (None, "answered"),
    (Some(OutgoingError::Refused), "refused"),
    (Some(OutgoingError::Unreachable), "unreachable"),
    (Some(OutgoingError::Status), "no_document"),
    (Some(OutgoingError::TooLarge), "too_large"),
    (Some(OutgoingError::Busy), "busy"),
];

/// Counters, one for each way to end.
#[derive(Debug, Default)]
pub(super) struct Stats([AtomicU64; ENDS.len()]);

impl Stats {
    /// One more request that ended like that.
    pub(super) fn count(&self, error: Option<OutgoingError>) {
        for ((end, _), counter) in ENDS.iter().zip(&self.0) {
            if *end == error {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = (&'static str, u64)> {
        (ENDS.iter().zip(&self.0))
            .map(|((_, label), counter)| (*label, counter.load(Ordering::Relaxed)))
    }
}
