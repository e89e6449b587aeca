//! The clocks, and waiting: measuring is what this program is for.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crema_document::LocalTime;

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

/// A moment of UTC as Frappe's date columns hold it.
pub(crate) fn date_time(micros: i64) -> String {
    LocalTime::from_micros(micros).to_string()
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
