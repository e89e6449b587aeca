//! Moments, and the only place that reads the wall clock.
//!
//! Inside the system a moment is a [`Timestamp`]: microseconds of UTC in an `i64`. Calendar dates
//! appear at the edges only, through [`crate::TimeZone`].

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crema_store::Value;

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// A moment: microseconds of UTC since 1970-01-01T00:00:00Z. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// A moment from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// A moment from whole seconds since the epoch, the unit of every JWT claim.
    pub const fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The moment so many seconds later; negative numbers go back.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Timestamp {
        self.plus_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// The moment so many seconds earlier.
    #[must_use]
    pub const fn minus_seconds(self, seconds: i64) -> Timestamp {
        Timestamp(
            self.0
                .saturating_sub(seconds.saturating_mul(MICROS_PER_SECOND)),
        )
    }

    /// The moment so many microseconds later; negative numbers go back.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros))
    }

    /// The moment so much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Timestamp {
        self.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }

    /// Microseconds from `earlier` to this moment; negative when `earlier` is in fact later.
    pub const fn micros_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `earlier` to this moment, rounded down.
    pub const fn seconds_since(self, earlier: Timestamp) -> i64 {
        self.micros_since(earlier).div_euclid(MICROS_PER_SECOND)
    }

    /// The form of HTTP's dates, `Fri, 27 Nov 2026 19:55:41 GMT` (RFC 9110 §5.6.7); empty beyond
    /// the year 9999.
    pub fn http_date(self) -> String {
        jiff::Timestamp::from_second(self.seconds())
            .map(|moment| moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            .unwrap_or_default()
    }
}

/// RFC 3339 in UTC, with microseconds when there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => fmt::Display::fmt(&moment, formatter),
            Err(_) => write!(formatter, "{} µs", self.0),
        }
    }
}

/// Columns of ours keep moments as `bigint` microseconds of UTC.
impl From<Timestamp> for Value {
    fn from(timestamp: Timestamp) -> Value {
        Value::Int(timestamp.micros())
    }
}

/// The source of the present moment, handed in from outside.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that stands still until it is told otherwise: tests and replays run on it.
#[derive(Debug, Default)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that stands at `now`.
    pub const fn new(now: Timestamp) -> FixedClock {
        FixedClock(AtomicI64::new(now.0))
    }

    /// Puts the clock at `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock on by `duration`.
    pub fn advance(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
                Some(now.saturating_add(micros))
            })
            .ok();
    }

    /// Moves the clock on by so many seconds.
    pub fn advance_seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_micros(1_999_999).seconds(), 1);
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
        assert_eq!(Timestamp::from_seconds(7).seconds(), 7);
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(last.plus_seconds(1), last);
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Timestamp::from_seconds(i64::MIN).micros(), i64::MIN);
        assert_eq!(
            Timestamp::EPOCH.minus_seconds(i64::MIN).micros(),
            i64::MAX,
            "back by the smallest number is as far ahead as it goes"
        );
    }

    #[test]
    fn differences_are_signed() {
        let (early, late) = (Timestamp::from_seconds(10), Timestamp::from_seconds(25));
        assert_eq!(late.seconds_since(early), 15);
        assert_eq!(early.seconds_since(late), -15);
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = FixedClock::new(Timestamp::from_seconds(100));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().micros(), 101_500_000);
        clock.set(Timestamp::EPOCH);
        assert_eq!(clock.now(), Timestamp::EPOCH);
    }

    #[test]
    fn shown_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_micros(1_500_000).to_string(),
            "1970-01-01T00:00:01.5Z"
        );
        assert!(!Timestamp::from_micros(i64::MAX).to_string().is_empty());
    }
}
