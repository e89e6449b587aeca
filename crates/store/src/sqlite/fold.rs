//! The one function of ours in SQL: SQLite's own `lower` knows ASCII only.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::Dialect;

/// Its name in SQL.
pub(crate) const NAME: &str = "crema_fold";

/// Makes it known to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(NAME, 1, flags, fold)
}

/// Text in lower case; what is no text is nothing.
fn fold(context: &Context<'_>) -> rusqlite::Result<Option<String>> {
    Ok(match context.get_raw(0) {
        ValueRef::Text(bytes) => Some(Dialect::fold(&String::from_utf8_lossy(bytes))),
        ValueRef::Integer(int) => Some(int.to_string()),
        _ => None,
    })
}
