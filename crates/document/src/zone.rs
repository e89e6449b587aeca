//! The site's time zone: Frappe keeps naive local times, so every `creation`, `modified` and
//! `Datetime` field is a wall-clock reading of the zone in System Settings.

use std::fmt;
use std::str::FromStr;

use crema_store::Value;

use crate::time::{MICROS_PER_SECOND, Timestamp};

const EPOCH: jiff::civil::DateTime = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A wall-clock reading without a zone: microseconds since 1970-01-01 00:00:00 on that clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(i64);

impl LocalTime {
    /// A reading from its microseconds, as [`Value::DateTime`] holds them.
    pub const fn from_micros(micros: i64) -> LocalTime {
        LocalTime(micros)
    }

    /// Microseconds since 1970-01-01 00:00:00 on the same clock.
    pub const fn micros(self) -> i64 {
        self.0
    }

    // Counted on the calendar, not through a moment of UTC: the last day of 9999, which stands for
    // "without end" in many databases, lies in no zone's range of moments.
    fn civil(self) -> Option<jiff::civil::DateTime> {
        EPOCH
            .checked_add(jiff::SignedDuration::from_micros(self.0))
            .ok()
    }

    fn from_civil(civil: jiff::civil::DateTime) -> Option<LocalTime> {
        let micros = civil.duration_since(EPOCH).as_micros();
        i64::try_from(micros).ok().map(LocalTime)
    }
}

/// Frappe's text form, always with six digits after the second: `2026-11-20 17:41:39.321255`.
impl fmt::Display for LocalTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(civil) = self.civil() else {
            return write!(formatter, "{} µs", self.0);
        };
        write!(
            formatter,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            self.0.rem_euclid(MICROS_PER_SECOND)
        )
    }
}

/// The text is not a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time of the form YYYY-MM-DD HH:MM:SS")]
pub struct NotALocalTime;

/// Reads `YYYY-MM-DD[ HH:MM[:SS[.ffffff]]]`, also with `T` between date and time. An offset or
/// zone is refused, since a reading has none.
impl FromStr for LocalTime {
    type Err = NotALocalTime;

    fn from_str(text: &str) -> Result<LocalTime, NotALocalTime> {
        let allowed = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | ' ' | 'T');
        if text.len() > 32 || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(NotALocalTime);
        }
        if !text.chars().all(allowed) {
            return Err(NotALocalTime);
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| NotALocalTime)?;
        LocalTime::from_civil(civil).ok_or(NotALocalTime)
    }
}

/// Frappe's `datetime(6)` columns.
impl From<LocalTime> for Value {
    fn from(local: LocalTime) -> Value {
        Value::DateTime(local.micros())
    }
}

/// The zone is not in the time zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no time zone is called {0:?}")]
pub struct UnknownZone(pub String);

/// A time zone of the bundled database (IANA names). A site without `time_zone` in System
/// Settings is in UTC; Frappe assumes `Asia/Kolkata` there, which would be wrong nearly
/// everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    zone: jiff::tz::TimeZone,
}

impl TimeZone {
    /// UTC, the zone of a site that names none.
    pub fn utc() -> TimeZone {
        TimeZone {
            name: "UTC".to_owned(),
            zone: jiff::tz::TimeZone::UTC,
        }
    }

    /// The zone of that IANA name, for example `Europe/Zurich`.
    ///
    /// # Errors
    /// [`UnknownZone`] when the database has none of that name.
    pub fn named(name: &str) -> Result<TimeZone, UnknownZone> {
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| UnknownZone(name.to_owned()))?;
        Ok(TimeZone {
            name: zone.iana_name().unwrap_or(name).to_owned(),
            zone,
        })
    }

    /// Its IANA name, as OpenID Connect's `zoneinfo` claim has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a clock in this zone shows at `timestamp`.
    pub fn local(&self, timestamp: Timestamp) -> LocalTime {
        jiff::Timestamp::from_microsecond(timestamp.micros())
            .ok()
            .and_then(|moment| LocalTime::from_civil(self.zone.to_datetime(moment)))
            .unwrap_or(LocalTime(timestamp.micros()))
    }

    /// The moment at which a clock in this zone shows `local`. An hour that exists twice means
    /// its first run, one that is skipped is read as if the clock had not been put forward.
    pub fn timestamp(&self, local: LocalTime) -> Timestamp {
        local
            .civil()
            .and_then(|civil| self.zone.to_timestamp(civil).ok())
            .map_or(Timestamp::from_micros(local.0), |moment| {
                Timestamp::from_micros(moment.as_microsecond())
            })
    }
}

impl Default for TimeZone {
    fn default() -> TimeZone {
        TimeZone::utc()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn local_time_follows_the_zone() {
        let zurich = TimeZone::named("Europe/Zurich").unwrap();
        let summer: LocalTime = "2026-07-01 14:00:00".parse().unwrap();
        assert_eq!(
            zurich.timestamp(summer).to_string(),
            "2026-07-01T12:00:00Z",
            "two hours ahead in summer"
        );
        assert_eq!(zurich.local(zurich.timestamp(summer)), summer);
        assert_eq!(zurich.name(), "Europe/Zurich");
    }

    #[test]
    fn the_hour_that_runs_twice_means_its_first_run() {
        let zurich = TimeZone::named("Europe/Zurich").unwrap();
        let twice: LocalTime = "2026-10-25 02:30:00".parse().unwrap();
        assert_eq!(zurich.timestamp(twice).to_string(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn text_form_is_frappes() {
        let local: LocalTime = "2026-11-20T17:41:39.321255".parse().unwrap();
        assert_eq!(local.to_string(), "2026-11-20 17:41:39.321255");
        let day: LocalTime = "2026-11-20".parse().unwrap();
        assert_eq!(day.to_string(), "2026-11-20 00:00:00.000000");
    }

    #[test]
    fn the_last_day_of_the_calendar_is_one() {
        let text = "9999-12-31 23:59:59.999999";
        let local: LocalTime = text.parse().unwrap();
        assert_eq!(local.micros(), 253_402_300_799_999_999);
        assert_eq!(local.to_string(), text);
        let zone = TimeZone::named("America/St_Johns").unwrap();
        assert!(zone.timestamp(local) > Timestamp::from_seconds(253_402_000_000));
    }

    #[test]
    fn offsets_and_other_text_are_refused() {
        for text in [
            "",
            "today",
            "2026-11-20 17:41:39+02:00",
            "2026-11-20T17:41:39Z",
            "-2026-11-20",
            "2026-13-01",
            "2026-11-20 17:41:39[UTC]",
        ] {
            assert!(text.parse::<LocalTime>().is_err(), "{text}");
        }
        assert!(TimeZone::named("Mars/Olympus").is_err());
    }

    proptest! {
        #[test]
        fn utc_there_and_back(micros in -30_000_000_000_000_000_i64..200_000_000_000_000_000) {
            let utc = TimeZone::utc();
            let timestamp = Timestamp::from_micros(micros);
            prop_assert_eq!(utc.timestamp(utc.local(timestamp)), timestamp);
            let shown = utc.local(timestamp).to_string();
            prop_assert_eq!(shown.parse::<LocalTime>().unwrap().micros(), micros);
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,40}") {
            let _ = text.parse::<LocalTime>();
        }

        #[test]
        fn no_number_breaks_it(micros: i64) {
            let zone = TimeZone::named("America/St_Johns").unwrap();
            let local = zone.local(Timestamp::from_micros(micros));
            let _ = (local.to_string(), zone.timestamp(LocalTime::from_micros(micros)));
        }
    }
}
