//! What nobody asks for: rows of open sites that are due leave, a few at a time.
//!
//! Between two batches there is a pause that grows with what the last batch took: when the
//! database is busy serving, housekeeping slows down by itself. Sites and kinds of rows take
//! turns, so that a long backlog of one does not hold up the others. Any number of processes may
//! do this to one database at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crema_auth::Provider;
use crema_auth::retention::{Kind, Sweep};
use crema_document::{Clock, Timestamp};
use crema_web::Sites;
use tokio::time::{Interval, MissedTickBehavior};

use crate::shell;

/// The pause after a batch, at least; also after a look that found nothing.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause is so many times as long as the batch took.
const REST: u32 = 9;
/// A database that takes this long for a batch is in trouble already, and the next pass comes.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Goes over all open sites at every interval, until it is dropped.
pub(super) async fn run(sites: Arc<Sites>, clock: Arc<dyn Clock>, every: Duration) {
    let begun = moment();
    let mut steadiness = Steadiness::new(clock.now());
    let mut passes = tokio::time::interval(every);
    passes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pace = tokio::time::interval(PAUSE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, when no site is open yet.
    passes.tick().await;
    loop {
        passes.tick().await;
        if steadiness.is_trusted(clock.now(), begun.elapsed()) {
            pass(&sites, &mut pace).await;
        }
    }
}

async fn pass(sites: &Sites, pace: &mut Interval) {
    let begin = |provider: Arc<Provider>| {
        let sweep = move |kind| (Arc::clone(&provider), Sweep::new(kind));
        Kind::ALL.into_iter().map(sweep)
    };
    let mut work: VecDeque<_> = sites.opened().into_iter().flat_map(begin).collect();
    while let Some((provider, mut sweep)) = work.pop_front() {
        let site = Arc::clone(provider.site());
        // One that was dropped meanwhile has no rows any more.
        if !sites.bench().has_site(site.name()) {
            continue;
        }
        let issuer = shell::address(site.name(), site.config().host_name());
        let ctx = shell::context(Arc::clone(&provider), issuer);
        let begun = moment();
        match sweep.batch(&ctx).await {
            Ok(batch) => {
                let kind = sweep.kind().as_str();
                if batch.removed > 0 {
                    tracing::debug!(site = site.name(), kind, rows = batch.removed, "cleared");
                }
                if batch.more {
                    work.push_back((provider, sweep));
                }
            }
            Err(error) => {
                let kind = sweep.kind().as_str();
                tracing::warn!(site = site.name(), kind, %error, "rows that are due were not cleared");
                work.retain(|(other, _)| !Arc::ptr_eq(other, &provider));
            }
        }
        let pause = begun.elapsed().saturating_mul(REST);
        pace.reset_after(pause.clamp(PAUSE, LONGEST_PAUSE));
        pace.tick().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "for the length of a pause, and to notice that the clock was set"
)]
fn moment() -> Instant {
    Instant::now()
}

/// Whether the clock can be trusted with a deletion. A clock that was set forward by mistake
/// would make everything due at once; whoever sets it right within an hour has lost nothing.
struct Steadiness {
    /// The clock when the process began, corrected by every jump since.
    origin: Timestamp,
    /// How long the process has to run until the clock is trusted again.
    rest_until: Duration,
}

impl Steadiness {
    /// A difference that no correction of a running clock makes.
    const JUMP: Duration = Duration::from_secs(300);
    const REST: Duration = Duration::from_secs(3600);

    fn new(origin: Timestamp) -> Steadiness {
        Steadiness {
            origin,
            rest_until: Duration::ZERO,
        }
    }

    /// `now` by the clock, and how long the process has been running by another that is never set.
    fn is_trusted(&mut self, now: Timestamp, running: Duration) -> bool {
        let off = now.micros_since(self.origin.plus(running));
        self.origin = self.origin.plus_micros(off);
        if off.unsigned_abs() > u64::try_from(Self::JUMP.as_micros()).unwrap_or(u64::MAX) {
            self.rest_until = running + Self::REST;
            tracing::warn!(
                seconds = off / 1_000_000,
                "the clock was set; nothing is cleared for an hour"
            );
        }
        running >= self.rest_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_is_not_trusted_for_an_hour() {
        let start = Timestamp::from_seconds(1_795_197_600);
        let after = Duration::from_secs;
        for jump in [86_400_i64, -86_400, 301] {
            let mut steadiness = Steadiness::new(start);
            let mut trusted = |running: u64, jumped: i64| {
                let now = start.plus_seconds(jumped).plus(after(running));
                steadiness.is_trusted(now, after(running))
            };
            assert!(trusted(60, 0));
            // Slewed, not set.
            assert!(trusted(120, 2));
            assert!(!trusted(180, jump + 2));
            assert!(!trusted(3_779, jump));
            assert!(trusted(3_780, jump));
            // Setting it right is a jump as well.
            assert!(!trusted(3_900, 0));
            assert!(trusted(7_500, 0));
        }
    }
}
