//! What a column holds, and what it is compared with.

use crema_store::{format_datetime, parse_datetime};
use serde_json::Value;

use super::path::shown;
use crate::doctype::{Field, FieldType};
use crate::documents::value::label;
use crate::refusal::{Reason, Refusal};

/// What a column holds, as far as comparing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text; an empty one is the same as none.
    Text,
    /// Whole numbers in this range. None is the same as 0.
    Whole {
        /// The smallest that its column takes.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// Floating point numbers. None is the same as 0.
    Real,
    /// Dates.
    Date,
    /// Dates with times.
    DateTime,
    /// Times of a day.
    Time,
}

impl Kind {
    /// Of a field's column.
    pub(super) fn of(field: &Field) -> Kind {
        let whole = |least: i64, most: i64| Kind::Whole { least, most };
        match field.fieldtype {
            FieldType::Check => whole(i64::from(i8::MIN), i64::from(i8::MAX)),
            FieldType::LongInt => whole(i64::MIN, i64::MAX),
            FieldType::Int if field.fieldname == "docstatus" => {
                whole(i64::from(i8::MIN), i64::from(i8::MAX))
            }
            FieldType::Int => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
            FieldType::Date => Kind::Date,
            FieldType::Datetime => Kind::DateTime,
            FieldType::Time => Kind::Time,
            fieldtype if fieldtype.is_numeric() => Kind::Real,
            _ => Kind::Text,
        }
    }

    /// Of a name that counts up.
    pub(super) const COUNTER: Kind = Kind::Whole {
        least: i64::MIN,
        most: i64::MAX,
    };

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Kind::Whole { .. } | Kind::Real)
    }
}

/// A number that something is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    pub(super) fn as_real(self) -> f64 {
        match self {
            Number::Whole(int) => int as f64,
            Number::Real(real) => real,
        }
    }
}

/// Text to compare with: numbers and flags in the form that they have as text.
pub(super) fn text(field: &Field, operand: &Value) -> Result<String, Refusal> {
    match operand {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(u8::from(*flag).to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) if text.contains('\0') => Err(Refusal::new(
            Reason::Malformed,
            format!("{}: U+0000 is not allowed", label(field)),
        )),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(wrong(field, operand, "a text")),
    }
}

/// A number to compare with; nothing is 0.
pub(super) fn number(field: &Field, operand: &Value) -> Result<Number, Refusal> {
    let bad = || wrong(field, operand, "a number");
    match operand {
        Value::Null => Ok(Number::Whole(0)),
        Value::Bool(flag) => Ok(Number::Whole(i64::from(*flag))),
        Value::Number(number) => match number.as_i64() {
            Some(int) => Ok(Number::Whole(int)),
            None => number.as_f64().and_then(finite).ok_or_else(bad),
        },
        Value::String(text) => number_in(text.trim()).ok_or_else(bad),
        Value::Array(_) | Value::Object(_) => Err(bad()),
    }
}

fn number_in(text: &str) -> Option<Number> {
    if text.is_empty() {
        return Some(Number::Whole(0));
    }
    if let Ok(int) = text.parse::<i64>() {
        return Some(Number::Whole(int));
    }
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !text.chars().all(plain) {
        return None;
    }
    text.parse().ok().and_then(finite)
}

fn finite(real: f64) -> Option<Number> {
    real.is_finite().then_some(Number::Real(real))
}

/// A moment of a site's clock to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds since 1970-01-01 00:00:00 on that clock.
    pub(super) micros: i64,
    /// It was given as a date without a time.
    pub(super) whole_day: bool,
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Moment {
    /// The last microsecond that it stands for as the end of a span.
    pub(super) const fn end(self) -> i64 {
        if self.whole_day {
            self.micros + MICROS_PER_DAY - 1
        } else {
            self.micros
        }
    }
}

/// A date, perhaps with a time, to compare with; `None` when nothing is given.
pub(super) fn moment(field: &Field, operand: &Value) -> Result<Option<Moment>, Refusal> {
    let Some(given) = given(field, operand, "a date")? else {
        return Ok(None);
    };
    let micros = parse_datetime(given).ok_or_else(|| wrong(field, operand, "a date"))?;
    Ok(Some(Moment {
        micros,
        whole_day: given.len() == 10,
    }))
}

/// The date of a moment, `YYYY-MM-DD`.
pub(super) fn date_of(micros: i64) -> String {
    let text = format_datetime(micros).unwrap_or_default();
    text.get(..10).unwrap_or_default().to_owned()
}

/// A time to compare with, in the form in which times are stored; `None` when nothing is given.
pub(super) fn time(field: &Field, operand: &Value) -> Result<Option<String>, Refusal> {
    let Some(given) = given(field, operand, "a time")? else {
        return Ok(None);
    };
    let padding = if given.find(':') == Some(1) { "0" } else { "" };
    let micros = parse_datetime(&format!("1970-01-01 {padding}{given}"))
        .ok_or_else(|| wrong(field, operand, "a time"))?;
    let text = format_datetime(micros).unwrap_or_default();
    let text = text.get(11..).unwrap_or_default();
    Ok(Some(
        text.strip_suffix(".000000").unwrap_or(text).to_owned(),
    ))
}

fn given<'v>(field: &Field, operand: &'v Value, what: &str) -> Result<Option<&'v str>, Refusal> {
    match operand {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        _ => Err(wrong(field, operand, what)),
    }
}

/// A value that nothing of this column can be compared with.
fn wrong(field: &Field, operand: &Value, what: &str) -> Refusal {
    let given = match operand {
        Value::String(text) => shown(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    let message = format!("{}: {given} is not {what}", label(field));
    Refusal::new(Reason::Validation, message)
}
