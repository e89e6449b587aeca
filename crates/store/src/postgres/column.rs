//! Reading columns in PostgreSQL's binary format.

use std::sync::Arc;

use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Column as _, Row as _, TypeInfo, ValueRef};

use super::{numeric, parameter};
use crate::{StoreError, Value, datetime};

pub(super) fn names(row: &PgRow) -> Arc<[String]> {
    let columns = row.columns().iter();
    columns.map(|column| column.name().to_owned()).collect()
}

pub(super) fn values(row: &PgRow) -> Result<Vec<Value>, StoreError> {
    let columns = row.columns().iter();
    columns
        .map(|column| {
            let value = row.try_get_raw(column.ordinal()).ok();
            let value = value.and_then(|value| {
                if value.is_null() {
                    Some(Value::Null)
                } else {
                    decode(&value)
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

/// `None` for a type that is not known here, and for dates that have no date (infinity).
fn decode(value: &PgValueRef<'_>) -> Option<Value> {
    use parameter::oid;
    let bytes = value.as_bytes().ok()?;
    let decoded = match value.type_info().oid()?.0 {
        oid::BOOL => Value::Int(i64::from(bytes != [0])),
        oid::INT2 => Value::Int(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
        oid::INT4 => Value::Int(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
        oid::INT8 => Value::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        oid::OID => Value::Int(i64::from(u32::from_be_bytes(bytes.try_into().ok()?))),
        oid::FLOAT4 => Value::Real(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        oid::FLOAT8 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        oid::NUMERIC => Value::Real(numeric::decode(bytes)?),
        oid::BYTEA => Value::Bytes(bytes.to_vec()),
        oid::DATE => {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            let finite = days != i32::MAX && days != i32::MIN;
            let text = datetime::format_date(i64::from(days) + parameter::EPOCH_DAYS);
            finite.then_some(Value::Text(text))?
        }
        oid::TIME => Value::Text(datetime::format_time(i64::from_be_bytes(
            bytes.try_into().ok()?,
        ))),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            let finite = micros != i64::MAX && micros != i64::MIN;
            let since_1970 = micros.checked_add(parameter::EPOCH_MICROS)?;
            finite.then_some(Value::DateTime(since_1970))?
        }
        // One byte of a version comes first.
        oid::JSONB => text(bytes.get(1..)?)?,
        oid::TEXT
        | oid::VARCHAR
        | oid::BPCHAR
        | oid::NAME
        | oid::CHAR
        | oid::JSON
        | oid::UNKNOWN => text(bytes)?,
        _ => return None,
    };
    Some(decoded)
}

fn text(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(Value::Text(text.to_owned()))
}
