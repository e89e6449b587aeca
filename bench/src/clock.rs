//! The clocks, and waiting: measuring is what this program is for.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "latencies and windows are measured here"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Microseconds of UTC since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "stored tokens must be alive while they are asked for"
)]
pub(crate) fn unix_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at a process that starts, and between two samples of its memory"
)]
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Seconds since 1970 as `(year, month, day, second of the day)`, in the Gregorian calendar.
fn civil(seconds: i64) -> (i64, i64, i64, i64) {
    // Days are counted from 1 March 0000, so that the leap day ends a year.
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, seconds.rem_euclid(86_400))
}

/// A moment as Frappe's date columns hold it.
pub(crate) fn date_time(micros: i64) -> String {
    let (year, month, day, second) = civil(micros.div_euclid(1_000_000));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let micros = micros.rem_euclid(1_000_000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}")
}

#[cfg(test)]
mod tests {
    use super::date_time;

    #[test]
    fn moments_are_written_as_dates() {
        assert_eq!(date_time(0), "1970-01-01 00:00:00.000000");
        assert_eq!(date_time(951_782_400_000_001), "2000-02-29 00:00:00.000001");
        assert_eq!(
            date_time(1_795_274_960_876_685),
            "2026-11-21 15:29:20.876685"
        );
        assert_eq!(
            date_time(1_798_761_599_000_000),
            "2026-12-31 23:59:59.000000"
        );
    }
}
