//! ToDos: who gave the work to somebody is written down with it.

use crema_document::DocumentError;
use crema_document::documents::Change;
use crema_store::{Sql, Transaction, params};

use super::View;
use super::values::{put, text};

static FULL_NAME: Sql = Sql::new(r#"SELECT full_name FROM "tabUser" WHERE name = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&FULL_NAME];

/// Whoever makes a ToDo for somebody assigns it.
pub(super) fn prepare(view: &View, change: &mut Change) -> Result<(), DocumentError> {
    let assigned = !text(&change.after, "allocated_to").is_empty();
    if change.is_new() && assigned && text(&change.after, "assigned_by").is_empty() {
        put(&mut change.after, "assigned_by", view.by());
    }
    Ok(())
}

/// The name of who assigned it, as people read it.
pub(super) async fn fill(change: &mut Change, tx: &mut Transaction) -> Result<(), DocumentError> {
    let name = text(&change.after, "assigned_by").to_owned();
    let row = match name.as_str() {
        "" => None,
        name => tx.row(&FULL_NAME, params![name]).await?,
    };
    let full_name = row.as_ref().map(|row| row.opt_text(0)).transpose()?;
    let full_name = full_name.flatten().unwrap_or_default();
    put(&mut change.after, "assigned_by_full_name", full_name);
    Ok(())
}
