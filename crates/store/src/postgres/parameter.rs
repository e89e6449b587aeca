//! Writing values in PostgreSQL's binary format, as the type that a parameter has.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type, TypeInfo};

use super::numeric;
use crate::{StoreError, Value, datetime};

/// The numbers of the types in `pg_type`; they never change.
pub(super) mod oid {
    pub(in super::super) const BOOL: u32 = 16;
    pub(in super::super) const BYTEA: u32 = 17;
    pub(in super::super) const CHAR: u32 = 18;
    pub(in super::super) const NAME: u32 = 19;
    pub(in super::super) const INT8: u32 = 20;
    pub(in super::super) const INT2: u32 = 21;
    pub(in super::super) const INT4: u32 = 23;
    pub(in super::super) const TEXT: u32 = 25;
    pub(in super::super) const OID: u32 = 26;
    pub(in super::super) const JSON: u32 = 114;
    pub(in super::super) const FLOAT4: u32 = 700;
    pub(in super::super) const FLOAT8: u32 = 701;
    pub(in super::super) const UNKNOWN: u32 = 705;
    pub(in super::super) const BPCHAR: u32 = 1042;
    pub(in super::super) const VARCHAR: u32 = 1043;
    pub(in super::super) const DATE: u32 = 1082;
    pub(in super::super) const TIME: u32 = 1083;
    pub(in super::super) const TIMESTAMP: u32 = 1114;
    pub(in super::super) const TIMESTAMPTZ: u32 = 1184;
    pub(in super::super) const NUMERIC: u32 = 1700;
    pub(in super::super) const JSONB: u32 = 3802;
}

/// PostgreSQL counts from 2000-01-01.
pub(super) const EPOCH_DAYS: i64 = 10_957;
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS * datetime::MICROS_PER_DAY;

/// An encoded value (none is `NULL`) and the type that the server expects at its place.
pub(super) struct Parameter<'t> {
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) wanted: &'t PgTypeInfo,
}

impl Type<Postgres> for Parameter<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(oid::UNKNOWN))
    }
}

impl Encode<'_, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.wanted.clone())
    }
}

/// Writes a value as the wanted type.
pub(super) fn encode(value: &Value, wanted: &PgTypeInfo) -> Result<Option<Vec<u8>>, StoreError> {
    let oid = wanted.oid().map_or(0, |oid| oid.0);
    let encoded = match value {
        Value::Null => return Ok(None),
        Value::Int(int) => encode_int(*int, oid),
        Value::Real(real) => encode_real(*real, oid),
        Value::Text(text) => {
            crate::value::check_text(text)?;
            encode_text(text, oid)
        }
        Value::Bytes(bytes) => (oid == oid::BYTEA).then(|| bytes.clone()),
        Value::DateTime(micros) => {
            let text = datetime::format(*micros).ok_or_else(crate::value::date_out_of_range)?;
            encode_text(&text, oid)
        }
    };
    match (encoded, value) {
        (Some(bytes), _) => Ok(Some(bytes)),
        // Of the right kind, so it was out of the range.
        (None, Value::Int(_)) if [oid::INT2, oid::INT4, oid::OID].contains(&oid) => {
            Err(StoreError::TooLong {
                column: wanted.name().to_ascii_lowercase(),
            })
        }
        (None, _) => Err(StoreError::Schema(format!(
            "{} was given where {} is expected",
            value.kind(),
            wanted.name().to_ascii_lowercase()
        ))),
    }
}

fn encode_int(int: i64, oid: u32) -> Option<Vec<u8>> {
    Some(match oid {
        oid::INT8 => int.to_be_bytes().to_vec(),
        oid::INT4 => i32::try_from(int).ok()?.to_be_bytes().to_vec(),
        oid::INT2 => i16::try_from(int).ok()?.to_be_bytes().to_vec(),
        oid::OID => u32::try_from(int).ok()?.to_be_bytes().to_vec(),
        oid::BOOL => vec![u8::from(int != 0)],
        oid::FLOAT8 => (int as f64).to_be_bytes().to_vec(),
        oid::FLOAT4 => (int as f32).to_be_bytes().to_vec(),
        oid::NUMERIC => numeric::encode(&int.to_string())?,
        _ if is_text(oid) => int.to_string().into_bytes(),
        _ => return None,
    })
}

fn encode_real(real: f64, oid: u32) -> Option<Vec<u8>> {
    Some(match oid {
        oid::FLOAT8 => real.to_be_bytes().to_vec(),
        oid::FLOAT4 => (real as f32).to_be_bytes().to_vec(),
        oid::NUMERIC => numeric::encode(&real.to_string())?,
        oid::INT8 | oid::INT4 | oid::INT2 => encode_int(crate::value::exact_integer(real)?, oid)?,
        _ if is_text(oid) => real.to_string().into_bytes(),
        _ => return None,
    })
}

fn encode_text(text: &str, oid: u32) -> Option<Vec<u8>> {
    Some(match oid {
        _ if is_text(oid) => text.as_bytes().to_vec(),
        oid::JSONB => [b"\x01", text.as_bytes()].concat(),
        oid::BYTEA => text.as_bytes().to_vec(),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let micros = datetime::parse(text)? - EPOCH_MICROS;
            micros.to_be_bytes().to_vec()
        }
        oid::DATE => {
            let days = datetime::parse_days(text)? - EPOCH_DAYS;
            i32::try_from(days).ok()?.to_be_bytes().to_vec()
        }
        oid::TIME => datetime::parse_time_micros(text)?.to_be_bytes().to_vec(),
        oid::NUMERIC => numeric::encode(text)?,
        oid::INT8 | oid::INT4 | oid::INT2 => encode_int(text.parse().ok()?, oid)?,
        oid::FLOAT8 | oid::FLOAT4 => encode_real(text.parse().ok()?, oid)?,
        _ => return None,
    })
}

fn is_text(oid: u32) -> bool {
    [
        oid::TEXT,
        oid::VARCHAR,
        oid::BPCHAR,
        oid::NAME,
        oid::CHAR,
        oid::JSON,
        oid::UNKNOWN,
    ]
    .contains(&oid)
}
