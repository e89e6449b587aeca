//! The closed set of values that go into and come out of a database.

use std::fmt;

use crate::StoreError;

/// One value of a row or of a statement's parameters.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`, of any type.
    Null,
    /// Every integer type, and booleans as 0 and 1.
    Int(i64),
    /// Floating point, and decimals when they are read.
    Real(f64),
    /// Every character type; dates as `YYYY-MM-DD`, times as `HH:MM:SS[.ffffff]`.
    Text(String),
    /// Binary data.
    Bytes(Vec<u8>),
    /// A date and time without a zone (Frappe's `datetime(6)`): microseconds since
    /// 1970-01-01 00:00:00 on the same clock.
    DateTime(i64),
}

impl Value {
    /// The name of the kind, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::DateTime(_) => "a date and time",
        }
    }
}

/// Text and bytes show their length only: a value may be a secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Int(value) => write!(f, "Int({value})"),
            Self::Real(value) => write!(f, "Real({value})"),
            Self::Text(value) => write!(f, "Text({} bytes)", value.len()),
            Self::Bytes(value) => write!(f, "Bytes({} bytes)", value.len()),
            Self::DateTime(value) => write!(f, "DateTime({value})"),
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Int(i64::from(value))
            }
        }
    )*};
}
from_integer!(i64, i32, i16, i8, u32, u16, u8, bool);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement: `params![name, 5, None::<i64>]`.
///
/// Every item is anything that has a `From` for [`Value`].
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::Value::from($value)),*]
    };
}

/// U+0000 is refused everywhere: PostgreSQL cannot store it.
pub(crate) fn check_text(text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Other("text contains U+0000".to_owned()));
    }
    Ok(())
}

pub(crate) fn date_out_of_range() -> StoreError {
    StoreError::Other("a date is outside of the years 1 to 9999".to_owned())
}

/// A number without a fraction as an integer, where that is exact.
pub(crate) fn exact_integer(real: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0; // 2^53: integers up to here are exact
    (real.fract() == 0.0 && real.abs() <= LIMIT).then_some(real as i64)
}
