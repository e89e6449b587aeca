//! Dates and times without a zone, between microseconds and text.
//!
//! The calendar is the proleptic Gregorian one; years 1 to 9999, as in every database.

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A broken-down date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) micro: i64,
}

impl Civil {
    /// From microseconds since 1970-01-01 00:00:00; `None` outside of the years 1 to 9999.
    pub(crate) fn from_micros(micros: i64) -> Option<Self> {
        let days = micros.div_euclid(MICROS_PER_DAY);
        let of_day = micros.rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = date_of_days(days);
        (1..=9999).contains(&year).then_some(Self {
            year,
            month,
            day,
            hour: of_day / (3600 * MICROS_PER_SECOND),
            minute: of_day / (60 * MICROS_PER_SECOND) % 60,
            second: of_day / MICROS_PER_SECOND % 60,
            micro: of_day % MICROS_PER_SECOND,
        })
    }

    /// Microseconds since 1970-01-01 00:00:00; `None` when a field is out of its range.
    pub(crate) fn to_micros(self) -> Option<i64> {
        let fields = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second)
            && (0..MICROS_PER_SECOND).contains(&self.micro);
        if !fields {
            return None;
        }
        let days = days_of_date(self.year, self.month, self.day);
        // 31 February and the like come back as another date.
        if date_of_days(days) != (self.year, self.month, self.day) {
            return None;
        }
        let seconds = (self.hour * 60 + self.minute) * 60 + self.second;
        Some(days * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + self.micro)
    }
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`; `None` outside of the years 1 to 9999.
pub fn format(micros: i64) -> Option<String> {
    let c = Civil::from_micros(micros)?;
    let mut text = String::with_capacity("YYYY-MM-DD HH:MM:SS.ffffff".len());
    for (number, digits, then) in [
        (c.year, 1000, "-"),
        (c.month, 10, "-"),
        (c.day, 10, " "),
        (c.hour, 10, ":"),
        (c.minute, 10, ":"),
        (c.second, 10, "."),
        (c.micro, 100_000, ""),
    ] {
        push_digits(&mut text, number, digits);
        text.push_str(then);
    }
    Some(text)
}

/// A number with leading zeros; `place` is the value of its first digit. Not with `format!`: a
/// list shows two moments in each row.
fn push_digits(text: &mut String, number: i64, mut place: i64) {
    while place > 0 {
        let digit = u8::try_from(number / place % 10).unwrap_or(0);
        text.push(char::from(b'0' + digit));
        place /= 10;
    }
}

/// `YYYY-MM-DD` from days since 1970-01-01.
pub(crate) fn format_date(days: i64) -> String {
    let (year, month, day) = date_of_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `HH:MM:SS`, with `.ffffff` when there is a fraction, from microseconds of a day. More than
/// a day and less than none, which MariaDB's `time` can hold, are written as they are.
pub(crate) fn format_time(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = micros % 1_000_000;
    if fraction == 0 {
        format!("{sign}{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{sign}{hour:02}:{minute:02}:{second:02}.{fraction:06}")
    }
}

/// Reads `YYYY-MM-DD`, with a time after a blank or a `T`: `HH:MM[:SS[.f…]]`, at most six
/// digits of a fraction.
pub fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let (year, month, day) = parse_date(date)?;
    let (hour, minute, second, micro) = match time {
        Some(time) => parse_time(time)?,
        None => (0, 0, 0, 0),
    };
    Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micro,
    }
    .to_micros()
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn parse_days(text: &str) -> Option<i64> {
    Some(parse(text)?.div_euclid(MICROS_PER_DAY))
}

/// Microseconds of the day of `HH:MM[:SS[.f…]]`.
pub(crate) fn parse_time_micros(text: &str) -> Option<i64> {
    let (hour, minute, second, micro) = parse_time(text)?;
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some(((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micro)
}

fn parse_date(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('-');
    let date = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    parts.next().is_none().then_some(date)
}

fn parse_time(text: &str) -> Option<(i64, i64, i64, i64)> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = match parts.next() {
        Some(second) => digits(second, 2)?,
        // A fraction is one of a second.
        None if fraction.is_some() => return None,
        None => 0,
    };
    let micro = match fraction {
        Some(fraction) if (1..=6).contains(&fraction.len()) => {
            digits(&format!("{fraction:0<6}"), 6)?
        }
        Some(_) => return None,
        None => 0,
    };
    parts
        .next()
        .is_none()
        .then_some((hour, minute, second, micro))
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let valid = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

/// Counts in eras of 400 years that begin on 1 March of year 0, so that the leap day is the
/// last of its year.
fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn date_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_micros_agree() {
        for (text, micros) in [
            ("1970-01-01 00:00:00.000000", 0),
            ("1969-12-31 23:59:59.999999", -1),
            ("2000-02-29 12:34:56.000007", 951_827_696_000_007),
            ("9999-12-31 23:59:59.999999", 253_402_300_799_999_999),
            ("0001-01-01 00:00:00.000000", -62_135_596_800_000_000),
        ] {
            assert_eq!(parse(text), Some(micros), "{text}");
            assert_eq!(format(micros).as_deref(), Some(text));
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for days in -200_000..200_000 {
            let (year, month, day) = date_of_days(days);
            assert_eq!(days_of_date(year, month, day), days);
        }
    }

    #[test]
    fn short_and_broken_forms() {
        assert_eq!(parse("1970-01-02"), Some(MICROS_PER_DAY));
        assert_eq!(parse("1970-01-01T00:01"), Some(60 * MICROS_PER_SECOND));
        assert_eq!(parse("1970-01-01 00:00:00.5"), Some(500_000));
        for broken in [
            "",
            "1970",
            "1970-02-30",
            "1970-13-01",
            "1970-01-01 24:00:00",
            "1970-01-01 00:00:00.",
            "1970-01-01 00:00.5",
            "1970-01-01 00:00:00.1234567",
            "1970-01-01 00:00:00 ",
            "+970-01-01",
            "1970-01-01-01",
            "0000-01-01",
        ] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        assert_eq!(format(i64::MAX), None);
        assert_eq!(format(i64::MIN), None);
    }
}
