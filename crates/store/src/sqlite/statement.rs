//! Running one statement on a connection.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement, StatementStatus};

use crate::{Row, StoreError, Value, datetime};

/// Names, where they are kept, and kinds of the columns of a result.
#[derive(Clone)]
struct Shape {
    names: Option<Arc<[String]>>,
    kinds: Arc<[Kind]>,
}

impl Shape {
    fn of(statement: &Statement<'_>, named: bool) -> Self {
        let names = named.then(|| statement.column_names().map(ToOwned::to_owned).collect());
        let kinds = statement
            .columns()
            .map(|column| Kind::of_declaration(column.decl_type()))
            .collect();
        Self { names, kinds }
    }
}

/// What a connection knows of the results of its fixed statements: asking SQLite for every column
/// at every look-up costs more than reading the values.
#[derive(Default)]
pub(super) struct Shapes {
    /// By where the text of the statement stands, with how often it had been planned anew and how
    /// many columns it had: a changed table changes one of the two.
    known: HashMap<usize, (i32, usize, Shape)>,
    /// The same of dynamic statements, by their text.
    dynamic: HashMap<String, (i32, usize, Shape)>,
}

/// So many shapes of dynamic statements are remembered, as many as prepared ones are kept.
const DYNAMIC: usize = 256;

impl Shapes {
    fn shape(&mut self, text: &str, statement: &Statement<'_>, named: bool) -> Shape {
        let planned = statement.get_status(StatementStatus::RePrepare);
        let columns = statement.column_count();
        let place = text.as_ptr() as usize;
        match self.known.get(&place) {
            Some((when, count, shape)) if (*when, *count) == (planned, columns) => shape.clone(),
            _ => {
                let shape = Shape::of(statement, named);
                let entry = (planned, columns, shape.clone());
                self.known.insert(place, entry);
                shape
            }
        }
    }

    fn dynamic_shape(&mut self, text: &str, statement: &Statement<'_>) -> Shape {
        let planned = statement.get_status(StatementStatus::RePrepare);
        let columns = statement.column_count();
        match self.dynamic.get(text) {
            Some((when, count, shape)) if (*when, *count) == (planned, columns) => shape.clone(),
            _ => {
                if self.dynamic.len() >= DYNAMIC {
                    self.dynamic.clear();
                }
                let shape = Shape::of(statement, true);
                let entry = (planned, columns, shape.clone());
                self.dynamic.insert(text.to_owned(), entry);
                shape
            }
        }
    }
}

/// Runs a statement and returns its rows, at most `limit` of them. The names of the columns are
/// kept where positions do not tell what a column is: with `*`, and when they are `wanted`.
pub(crate) fn rows(
    connection: &Connection,
    text: &str,
    values: &[Value],
    limit: usize,
    wanted: Names,
) -> Result<Vec<Row>, StoreError> {
    let named = wanted == Names::Always || text.contains('*');
    let shape = |statement: &Statement<'_>| Shape::of(statement, named);
    rows_of_shape(connection, text, values, limit, shape)
}

/// The same for a fixed statement, whose shape the connection may know already.
pub(super) fn fixed_rows(
    connection: &Connection,
    shapes: &mut Shapes,
    text: &str,
    values: &[Value],
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let shape = |statement: &Statement<'_>| shapes.shape(text, statement, text.contains('*'));
    rows_of_shape(connection, text, values, limit, shape)
}

/// Hands each row on, with the names of its columns.
///
/// # Errors
/// When the statement fails, or `take` answers `false`.
pub(crate) fn each_row_named(
    connection: &Connection,
    text: &str,
    values: &[Value],
    take: &mut (dyn FnMut(Row) -> bool + Send),
) -> Result<(), StoreError> {
    let mut all = true;
    each_row(
        connection,
        text,
        values,
        |statement| Shape::of(statement, true),
        |row| {
            all = take(row);
            all
        },
    )?;
    if all {
        Ok(())
    } else {
        Err(crate::stream::unwanted())
    }
}

/// Hands each row of a dynamic statement on, until `take` answers `false`.
pub(super) fn each_dynamic_row(
    connection: &Connection,
    shapes: &mut Shapes,
    text: &str,
    values: &[Value],
    take: impl FnMut(Row) -> bool,
) -> Result<(), StoreError> {
    let shape = |statement: &Statement<'_>| shapes.dynamic_shape(text, statement);
    each_row(connection, text, values, shape, take)
}

fn rows_of_shape(
    connection: &Connection,
    text: &str,
    values: &[Value],
    limit: usize,
    shape_of: impl FnMut(&Statement<'_>) -> Shape,
) -> Result<Vec<Row>, StoreError> {
    let mut found = Vec::new();
    each_row(connection, text, values, shape_of, |row| {
        found.push(row);
        found.len() < limit
    })?;
    Ok(found)
}

fn each_row(
    connection: &Connection,
    text: &str,
    values: &[Value],
    mut shape_of: impl FnMut(&Statement<'_>) -> Shape,
    mut take: impl FnMut(Row) -> bool,
) -> Result<(), StoreError> {
    let mut statement = bound(connection, text, values)?;
    let mut shape: Option<Shape> = None;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|failure| error(&failure))? {
        // After the first step only: it is what notices that the table has changed.
        let shape = shape.get_or_insert_with(|| shape_of(row.as_ref()));
        let mut values = Vec::with_capacity(shape.kinds.len());
        for (index, kind) in shape.kinds.iter().enumerate() {
            let value = row.get_ref(index).map_err(|failure| error(&failure))?;
            values.push(kind.read(value, index)?);
        }
        if !take(Row::new(shape.names.clone(), values)) {
            break;
        }
    }
    Ok(())
}

/// Whether the rows of a statement without `*` come with the names of their columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Always,
    WithStar,
}

/// Runs a statement and returns the number of changed rows.
pub(crate) fn execute(
    connection: &Connection,
    text: &str,
    values: &[Value],
) -> Result<u64, StoreError> {
    let mut statement = bound(connection, text, values)?;
    let changed = statement.raw_execute().map_err(|failure| error(&failure))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

/// Runs several statements without values.
pub(super) fn execute_batch(connection: &Connection, text: &str) -> Result<(), StoreError> {
    connection
        .execute_batch(text)
        .map_err(|failure| error(&failure))
}

fn bound<'c>(
    connection: &'c Connection,
    text: &str,
    values: &[Value],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = connection
        .prepare_cached(text)
        .map_err(|failure| error(&failure))?;
    let wanted = statement.parameter_count();
    if wanted != values.len() {
        return Err(crate::sql::wrong_count(wanted, values.len()));
    }
    for (index, value) in values.iter().enumerate() {
        let value = parameter(value)?;
        statement
            .raw_bind_parameter(index + 1, value)
            .map_err(|failure| error(&failure))?;
    }
    Ok(statement)
}

fn parameter(value: &Value) -> Result<ToSqlOutput<'_>, StoreError> {
    let borrowed = match value {
        Value::Null => ValueRef::Null,
        Value::Int(int) => ValueRef::Integer(*int),
        Value::Real(real) => ValueRef::Real(*real),
        Value::Text(text) => {
            crate::value::check_text(text)?;
            ValueRef::Text(text.as_bytes())
        }
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::DateTime(micros) => {
            let text = datetime::format(*micros).ok_or_else(crate::value::date_out_of_range)?;
            return Ok(ToSqlOutput::Owned(rusqlite::types::Value::Text(text)));
        }
    };
    Ok(ToSqlOutput::Borrowed(borrowed))
}

/// What a column's declared type makes of the stored value.
#[derive(Clone, Copy)]
enum Kind {
    /// `datetime`, `timestamp`: stored as text.
    DateTime,
    /// `decimal`, `double`, `float`, `real`: whole numbers may be stored as integers.
    Real,
    /// As it is stored.
    Stored,
}

impl Kind {
    fn of_declaration(declared: Option<&str>) -> Self {
        let Some(declared) = declared else {
            return Self::Stored;
        };
        // Nearly every column is a varchar, text or bigint: their first letter tells.
        if !matches!(
            declared.as_bytes().first().map(u8::to_ascii_lowercase),
            Some(b'd' | b't' | b'n' | b'f' | b'r')
        ) {
            return Self::Stored;
        }
        let starts = |name: &str| {
            let start = declared.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if starts("datetime") || starts("timestamp") {
            Self::DateTime
        } else if ["decimal", "numeric", "double", "float", "real"]
            .into_iter()
            .any(starts)
        {
            Self::Real
        } else {
            Self::Stored
        }
    }

    fn read(self, value: ValueRef<'_>, index: usize) -> Result<Value, StoreError> {
        Ok(match (value, self) {
            (ValueRef::Null, _) => Value::Null,
            (ValueRef::Integer(int), Self::Real) => Value::Real(int as f64),
            (ValueRef::Integer(int), _) => Value::Int(int),
            (ValueRef::Real(real), _) => Value::Real(real),
            (ValueRef::Blob(bytes), _) => Value::Bytes(bytes.to_vec()),
            (ValueRef::Text(bytes), kind) => {
                let text = std::str::from_utf8(bytes).map_err(|_| {
                    StoreError::Decode(format!("column {index} holds text that is not UTF-8"))
                })?;
                let moment = match kind {
                    Self::DateTime => datetime::parse(text),
                    Self::Real | Self::Stored => None,
                };
                moment.map_or_else(|| Value::Text(text.to_owned()), Value::DateTime)
            }
        })
    }
}

/// Sorts an error into its kind.
pub(super) fn error(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        return other_error(error);
    };
    // "UNIQUE constraint failed: table.column": no values in it.
    let subject = || {
        let message = message.as_deref().unwrap_or_default();
        message
            .rsplit_once(": ")
            .map_or("", |(_, subject)| subject)
            .to_owned()
    };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => StoreError::UniqueViolation {
                constraint: subject(),
            },
            ffi::SQLITE_CONSTRAINT_NOTNULL => StoreError::NotNull { column: subject() },
            _ => StoreError::Constraint {
                constraint: subject(),
            },
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::TooBig => StoreError::TooLong {
            column: String::new(),
        },
        ErrorCode::OperationInterrupted => {
            StoreError::Unavailable("the statement was interrupted".to_owned())
        }
        ErrorCode::ReadOnly => {
            StoreError::Other("this connection or file may only be read".to_owned())
        }
        ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase => StoreError::Unavailable(failure.to_string()),
        ErrorCode::SchemaChanged => StoreError::Schema(failure.to_string()),
        // SQLITE_ERROR: what the parser and the schema say; parameters are not quoted.
        _ if failure.extended_code == ffi::SQLITE_ERROR => {
            StoreError::Schema(message.clone().unwrap_or_default())
        }
        _ => StoreError::Other(failure.to_string()),
    }
}

fn other_error(error: &rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => StoreError::Schema(msg.clone()),
        rusqlite::Error::ExecuteReturnedResults => {
            StoreError::Schema("a statement that returns rows was executed for a count".to_owned())
        }
        rusqlite::Error::MultipleStatement => {
            StoreError::Schema("more than one statement".to_owned())
        }
        _ => StoreError::Other("SQLite refused the call".to_owned()),
    }
}
