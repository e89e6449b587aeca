//! One row of a result.

use std::sync::Arc;

use crate::value::exact_integer;
use crate::{StoreError, Value, datetime};

/// A row. Columns are addressed by position, from 0; those of a fixed statement with `*` and of
/// a dynamic one also by name.
///
/// The accessors answer [`StoreError::Decode`] when the column does not exist or holds
/// another kind of value; the ones without `opt_` also when it holds `NULL`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Option<Arc<[String]>>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) const fn new(columns: Option<Arc<[String]>>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The number of columns.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the row has no column.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names of the columns, in order. A fixed statement that lists its columns may have
    /// none: whoever wrote it knows them.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.columns.as_deref().unwrap_or_default()
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// About how much memory its values take.
    pub(crate) fn size(&self) -> usize {
        let long = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        self.values.iter().map(long).sum()
    }

    /// The values, in order, without a copy.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of a column; `NULL` where there is no such column.
    #[must_use]
    pub fn get(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    /// The value of the column with this name, if there is one.
    #[must_use]
    pub fn named(&self, column: &str) -> Option<&Value> {
        let index = self.columns().iter().position(|name| name == column)?;
        self.values.get(index)
    }

    /// Text.
    ///
    /// # Errors
    /// When the column is not text or `NULL`.
    pub fn text(&self, index: usize) -> Result<&str, StoreError> {
        self.required(index, self.opt_text(index)?)
    }

    /// Text or `NULL`.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        self.optional(index, "text", |value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// An integer.
    ///
    /// # Errors
    /// When the column is not an integer or `NULL`.
    pub fn int(&self, index: usize) -> Result<i64, StoreError> {
        self.required(index, self.opt_int(index)?)
    }

    /// An integer or `NULL`. A number without a fraction counts: `SUM` of integers is a
    /// decimal on some databases.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.optional(index, "an integer", |value| match value {
            Value::Int(int) => Some(*int),
            Value::Real(real) => exact_integer(*real),
            _ => None,
        })
    }

    /// A number.
    ///
    /// # Errors
    /// When the column is not a number or `NULL`.
    pub fn real(&self, index: usize) -> Result<f64, StoreError> {
        self.required(index, self.opt_real(index)?)
    }

    /// A number or `NULL`. Integers count.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn opt_real(&self, index: usize) -> Result<Option<f64>, StoreError> {
        self.optional(index, "a number", |value| match value {
            Value::Real(real) => Some(*real),
            Value::Int(int) => Some(*int as f64),
            _ => None,
        })
    }

    /// A flag: an integer other than 0.
    ///
    /// # Errors
    /// When the column is not an integer or `NULL`.
    pub fn bool(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.int(index)? != 0)
    }

    /// Binary data.
    ///
    /// # Errors
    /// When the column is not binary or `NULL`.
    pub fn bytes(&self, index: usize) -> Result<&[u8], StoreError> {
        self.required(index, self.opt_bytes(index)?)
    }

    /// Binary data or `NULL`.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn opt_bytes(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        self.optional(index, "bytes", |value| match value {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// A date and time, as [`Value::DateTime`] has it.
    ///
    /// # Errors
    /// When the column is not a date and time or `NULL`.
    pub fn datetime(&self, index: usize) -> Result<i64, StoreError> {
        self.required(index, self.opt_datetime(index)?)
    }

    /// A date and time or `NULL`. On SQLite the type of an expression such as `max(…)` is
    /// not known: text in the form of a date and time counts.
    ///
    /// # Errors
    /// When the column is neither.
    pub fn opt_datetime(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.optional(index, "a date and time", |value| match value {
            Value::DateTime(micros) => Some(*micros),
            Value::Text(text) => datetime::parse(text),
            _ => None,
        })
    }

    fn optional<'r, T>(
        &'r self,
        index: usize,
        wanted: &str,
        convert: impl FnOnce(&'r Value) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        match self.values.get(index) {
            Some(Value::Null) => Ok(None),
            Some(value) => match convert(value) {
                Some(converted) => Ok(Some(converted)),
                None => Err(self.mismatch(index, wanted, value.kind())),
            },
            None => Err(StoreError::Decode(format!(
                "the row has {} columns, there is no column {index}",
                self.len()
            ))),
        }
    }

    fn required<T>(&self, index: usize, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.mismatch(index, "a value", "NULL"))
    }

    fn mismatch(&self, index: usize, wanted: &str, found: &str) -> StoreError {
        let column = self.columns().get(index).map_or("?", String::as_str);
        StoreError::Decode(format!(
            "column {index} ({column}) holds {found}, not {wanted}"
        ))
    }
}
