//! Numbers: checks, whole ones, and those with a fraction.

use crema_store::Value;
use serde_json::Value as Json;

use super::refused;
use crate::doctype::Field;
use crate::refusal::{Reason, Refusal};

/// Whole numbers up to here are exact in a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as it was given.
enum Given {
    Whole(i64),
    Real(f64),
}

/// Nothing counts as 0.
fn read(field: &Field, value: &Json) -> Result<Given, Refusal> {
    let wrong = || refused(field, Reason::Validation, "not a number");
    match value {
        Json::Null => Ok(Given::Whole(0)),
        Json::Bool(flag) => Ok(Given::Whole(i64::from(*flag))),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Ok(Given::Whole(int)),
            (None, Some(real)) => finite(field, real),
            (None, None) => Err(wrong()),
        },
        Json::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                return Ok(Given::Whole(0));
            }
            if let Ok(int) = text.parse::<i64>() {
                return Ok(Given::Whole(int));
            }
            let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
            if !text.chars().all(plain) {
                return Err(wrong());
            }
            finite(field, text.parse::<f64>().map_err(|_| wrong())?)
        }
        Json::Array(_) | Json::Object(_) => Err(wrong()),
    }
}

fn finite(field: &Field, real: f64) -> Result<Given, Refusal> {
    if real.is_finite() {
        return Ok(Given::Real(real));
    }
    Err(too_big(field))
}

fn too_big(field: &Field) -> Refusal {
    refused(field, Reason::TooLong, "the number is too big")
}

pub(super) fn check(field: &Field, value: &Json) -> Result<Value, Refusal> {
    let set = match read(field, value)? {
        Given::Whole(int) => int != 0,
        Given::Real(real) => real != 0.0,
    };
    Ok(Value::Int(i64::from(set)))
}

pub(super) fn whole(field: &Field, value: &Json, least: i64, most: i64) -> Result<Value, Refusal> {
    let int = match read(field, value)? {
        Given::Whole(int) => int,
        Given::Real(real) if real.fract() != 0.0 => {
            return Err(refused(field, Reason::Validation, "not a whole number"));
        }
        // Beyond this a float does not say which whole number is meant.
        Given::Real(real) if real.abs() > EXACT => return Err(too_big(field)),
        Given::Real(real) => real as i64,
    };
    if (least..=most).contains(&int) {
        return Ok(Value::Int(int));
    }
    Err(too_big(field))
}

pub(super) fn real(field: &Field, value: &Json) -> Result<Value, Refusal> {
    Ok(Value::Real(match read(field, value)? {
        Given::Whole(int) => int as f64,
        // Not -0.0, which databases treat differently.
        Given::Real(real) => real + 0.0,
    }))
}

/// A part of the whole: less than none is none, more than all is all.
pub(super) fn rating(field: &Field, value: &Json) -> Result<Value, Refusal> {
    match real(field, value)? {
        Value::Real(rating) => Ok(Value::Real(rating.clamp(0.0, 1.0) + 0.0)),
        other => Ok(other),
    }
}

pub(super) fn whole_json(value: &Value) -> Json {
    match value {
        Value::Int(int) => Json::from(*int),
        Value::Real(real) if real.fract() == 0.0 && real.abs() <= EXACT => Json::from(*real as i64),
        Value::Real(real) => Json::from(*real),
        Value::Text(text) => match text.trim().parse::<i64>() {
            Ok(int) => Json::from(int),
            Err(_) => whole_json(&Value::Real(text.trim().parse().unwrap_or(0.0))),
        },
        _ => Json::from(0),
    }
}

pub(super) fn real_json(value: &Value) -> Json {
    let real = match value {
        Value::Real(real) => *real,
        Value::Int(int) => *int as f64,
        Value::Text(text) => text.trim().parse().unwrap_or(0.0),
        _ => 0.0,
    };
    if real.is_finite() {
        Json::from(real)
    } else {
        Json::from(0.0)
    }
}
