//! Reading columns in MariaDB's binary format.

use std::sync::Arc;

use sqlx::mysql::{MySqlRow, MySqlValueRef};
use sqlx::{Column as _, Decode, MySql, Row as _, Type, TypeInfo, ValueRef};

use crate::datetime::{self, Civil};
use crate::{StoreError, Value};

pub(super) fn names(row: &MySqlRow) -> Arc<[String]> {
    let columns = row.columns().iter();
    columns.map(|column| column.name().to_owned()).collect()
}

pub(super) fn values(row: &MySqlRow) -> Result<Vec<Value>, StoreError> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            let value = row.try_get_raw(column.ordinal()).ok();
            let value = value.and_then(|value| {
                // Zero dates, which a strict server does not store, count as NULL.
                if value.is_null() {
                    Some(Value::Null)
                } else {
                    decode(value)
                }
            });
            value.ok_or_else(|| {
                StoreError::Decode(format!(
                    "column {} ({}) has a type or value that is not supported: {}",
                    column.ordinal(),
                    column.name(),
                    column.type_info().name(),
                ))
            })
        })
        .collect()
}

/// `None` for a type that is not known here and a value that is out of range.
fn decode(value: MySqlValueRef<'_>) -> Option<Value> {
    let type_info = value.type_info().into_owned();
    Some(match type_info.name() {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Value::Int(<i64 as Decode<MySql>>::decode(value).ok()?)
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "YEAR" => {
            let unsigned = <u64 as Decode<MySql>>::decode(value).ok()?;
            Value::Int(i64::try_from(unsigned).ok()?)
        }
        "FLOAT" => Value::Real(f64::from(<f32 as Decode<MySql>>::decode(value).ok()?)),
        "DOUBLE" => Value::Real(<f64 as Decode<MySql>>::decode(value).ok()?),
        "DECIMAL" => Value::Real(text(value)?.parse().ok()?),
        "DATE" => {
            let civil = civil(raw(value)?)?;
            let days = civil.to_micros()?.div_euclid(datetime::MICROS_PER_DAY);
            Value::Text(datetime::format_date(days))
        }
        "DATETIME" | "TIMESTAMP" => Value::DateTime(civil(raw(value)?)?.to_micros()?),
        "TIME" => Value::Text(datetime::format_time(time(raw(value)?)?)),
        "ENUM" | "SET" | "JSON" => Value::Text(text(value)?.to_owned()),
        // Whether it is text or bytes is told by the collation; `_bin` ones are text.
        _ if <str as Type<MySql>>::compatible(&type_info) => Value::Text(text(value)?.to_owned()),
        _ if <[u8] as Type<MySql>>::compatible(&type_info) => Value::Bytes(raw(value)?.to_vec()),
        _ => return None,
    })
}

fn text(value: MySqlValueRef<'_>) -> Option<&str> {
    <&str as Decode<MySql>>::decode(value).ok()
}

fn raw(value: MySqlValueRef<'_>) -> Option<&[u8]> {
    <&[u8] as Decode<MySql>>::decode(value).ok()
}

/// A length, then year (2 bytes), month, day, then perhaps hour, minute, second, then perhaps
/// microseconds (4 bytes); little endian.
fn civil(bytes: &[u8]) -> Option<Civil> {
    let (_length, bytes) = bytes.split_first()?;
    let ([low, high, month, day], rest) = bytes.split_first_chunk::<4>()?;
    let (clock, rest) = match rest.split_first_chunk::<3>() {
        Some((clock, rest)) => (*clock, rest),
        None => ([0; 3], rest),
    };
    let micro = micros(rest);
    let [hour, minute, second] = clock.map(i64::from);
    let civil = Civil {
        year: i64::from(u16::from_le_bytes([*low, *high])),
        month: i64::from(*month),
        day: i64::from(*day),
        hour,
        minute,
        second,
        micro,
    };
    Some(civil)
}

/// A length, then nothing (midnight), or sign, days (4 bytes), hour, minute, second, then
/// perhaps microseconds. Returns microseconds.
fn time(bytes: &[u8]) -> Option<i64> {
    let (_length, bytes) = bytes.split_first()?;
    let Some(([negative, d0, d1, d2, d3, hour, minute, second], rest)) =
        bytes.split_first_chunk::<8>()
    else {
        return bytes.is_empty().then_some(0);
    };
    let days = i64::from(u32::from_le_bytes([*d0, *d1, *d2, *d3]));
    let hours = days * 24 + i64::from(*hour);
    let seconds = (hours * 60 + i64::from(*minute)) * 60 + i64::from(*second);
    let micros = seconds * datetime::MICROS_PER_SECOND + micros(rest);
    Some(if *negative == 0 { micros } else { -micros })
}

fn micros(bytes: &[u8]) -> i64 {
    bytes
        .first_chunk::<4>()
        .map_or(0, |micros| i64::from(u32::from_le_bytes(*micros)))
}
