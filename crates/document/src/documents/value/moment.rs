//! Dates, times, and both at once: readings of the site's clock, without a zone.

use crema_store::{Value, format_datetime, parse_datetime};
use serde_json::Value as Json;

use super::refused;
use crate::doctype::Field;
use crate::refusal::{Reason, Refusal};

/// The given text without blanks around it; `None` when there is nothing.
fn given<'v>(field: &Field, value: &'v Json, form: &str) -> Result<Option<&'v str>, Refusal> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        _ => Err(wrong(field, form)),
    }
}

fn wrong(field: &Field, form: &str) -> Refusal {
    refused(field, Reason::Validation, format!("not of the form {form}"))
}

const DATE: &str = "YYYY-MM-DD";
const DATETIME: &str = "YYYY-MM-DD HH:MM:SS, on the clock of the site";
const TIME: &str = "HH:MM:SS";

/// Of a date and time the date.
pub(super) fn date(field: &Field, value: &Json) -> Result<Value, Refusal> {
    let Some(text) = given(field, value, DATE)? else {
        return Ok(Value::Null);
    };
    let micros = parse_datetime(text).ok_or_else(|| wrong(field, DATE))?;
    let shown = format_datetime(micros).ok_or_else(|| wrong(field, DATE))?;
    Ok(Value::from(shown.get(..10).unwrap_or_default()))
}

pub(super) fn datetime(field: &Field, value: &Json) -> Result<Value, Refusal> {
    let Some(text) = given(field, value, DATETIME)? else {
        return Ok(Value::Null);
    };
    let micros = parse_datetime(text).ok_or_else(|| wrong(field, DATETIME))?;
    Ok(Value::DateTime(micros))
}

pub(super) fn time(field: &Field, value: &Json) -> Result<Value, Refusal> {
    let Some(text) = given(field, value, TIME)? else {
        return Ok(Value::Null);
    };
    // Python writes hours before ten with one digit.
    let padding = if text.find(':') == Some(1) { "0" } else { "" };
    let micros =
        parse_datetime(&format!("1970-01-01 {padding}{text}")).ok_or_else(|| wrong(field, TIME))?;
    let shown = format_datetime(micros).ok_or_else(|| wrong(field, TIME))?;
    let shown = shown.get(11..).unwrap_or_default();
    Ok(Value::from(shown.strip_suffix(".000000").unwrap_or(shown)))
}

pub(super) fn datetime_json(value: &Value) -> Json {
    match value {
        Value::DateTime(micros) => format_datetime(*micros).map_or(Json::Null, Json::String),
        _ => Json::Null,
    }
}

pub(super) fn date_json(value: &Value) -> Json {
    let Json::String(shown) = super::plain_json(value) else {
        return Json::Null;
    };
    match value {
        Value::DateTime(_) => Json::from(shown.get(..10).unwrap_or_default()),
        _ => Json::String(shown),
    }
}
