//! SQLite's catalogue, and altering a column.

use rusqlite::Connection;

use super::statement::{self, Names, execute_batch};
use crate::{Column, Dialect, Index, Row, StoreError, Value};

/// The tables, by name.
pub(super) fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let text = r#"SELECT "name" FROM "sqlite_master" WHERE "type" = 'table'
        AND substr("name", 1, 7) <> 'sqlite_' ORDER BY "name""#;
    rows(connection, text, &[])?
        .iter()
        .map(|row| Ok(row.text(0)?.to_owned()))
        .collect()
}

/// The columns of a table, in order; none when there is no such table.
pub(super) fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>, StoreError> {
    let text = r#"SELECT "name", "type", "notnull", "dflt_value", "pk"
        FROM pragma_table_info(?) ORDER BY "cid""#;
    rows(connection, text, &[Value::from(table)])?
        .iter()
        .map(|row| {
            let column_type = row.text(1)?.to_ascii_lowercase();
            let primary_key = row.int(4)? > 0;
            Ok(Column {
                name: row.text(0)?.to_owned(),
                length: length(&column_type),
                column_type,
                nullable: !row.bool(2)? && !primary_key,
                default: row.opt_text(3)?.and_then(unquote),
                primary_key,
            })
        })
        .collect()
}

/// The indexes of a table.
pub(super) fn indexes(connection: &Connection, table: &str) -> Result<Vec<Index>, StoreError> {
    let list = r#"SELECT "name", "unique" FROM pragma_index_list(?)
        WHERE "origin" <> 'pk' ORDER BY "name""#;
    let columns = r#"SELECT "name" FROM pragma_index_info(?) ORDER BY "seqno""#;
    rows(connection, list, &[Value::from(table)])?
        .iter()
        .map(|row| {
            let name = row.text(0)?.to_owned();
            let of_index = rows(connection, columns, &[Value::from(&name)])?;
            let columns = of_index.iter().map(|row| Ok(row.text(0)?.to_owned()));
            Ok(Index {
                columns: columns.collect::<Result<_, StoreError>>()?,
                unique: row.bool(1)?,
                name,
            })
        })
        .collect()
}

/// Gives one column of a table another declaration: a new table takes the rows, the name and
/// the indexes of the old one. Keys and checks that are part of the table's own declaration
/// survive only as far as the catalogue lists them: primary key, `UNIQUE`, `NOT NULL`,
/// defaults.
pub(super) fn rebuild_with_column(
    connection: &Connection,
    table: &str,
    changed: &Column,
) -> Result<(), StoreError> {
    let quote = |name: &str| Dialect::Sqlite.quote(name);
    let old = columns(connection, table)?;
    if !old.iter().any(|column| column.name == changed.name) {
        return Err(StoreError::Schema(format!(
            "no such column: {table}.{}",
            changed.name
        )));
    }
    let defaults = raw_defaults(connection, table)?;
    let declarations = old.iter().zip(defaults).map(|(column, default)| {
        if column.name == changed.name {
            declaration(changed, changed.default.as_deref())
        } else {
            declaration(column, default.as_deref())
        }
    });
    let mut parts: Vec<String> = declarations.collect();
    let list = |names: Vec<&str>| names.into_iter().map(quote).collect::<Vec<_>>().join(", ");
    let key = primary_key(connection, table)?;
    if !key.is_empty() {
        let key = list(key.iter().map(String::as_str).collect());
        parts.push(format!("PRIMARY KEY ({key})"));
    }
    for columns in unique_constraints(connection, table)? {
        let columns = list(columns.iter().map(String::as_str).collect());
        parts.push(format!("UNIQUE ({columns})"));
    }
    let names = list(old.iter().map(|column| column.name.as_str()).collect());
    let (old_name, new_name) = (quote(table), quote(&format!("{table}~new")));
    let mut script = format!(
        "CREATE TABLE {new_name} ({}); INSERT INTO {new_name} ({names}) SELECT {names} FROM \
         {old_name}; DROP TABLE {old_name}; ALTER TABLE {new_name} RENAME TO {old_name};",
        parts.join(", ")
    );
    for index in index_statements(connection, table)? {
        script.push_str(&index);
        script.push(';');
    }
    execute_batch(connection, &script)
}

fn declaration(column: &Column, default: Option<&str>) -> String {
    let mut text = format!(
        "{} {}",
        Dialect::Sqlite.quote(&column.name),
        column.column_type
    );
    if !column.nullable && !column.primary_key {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    text
}

/// The defaults as SQL, in the order of the columns.
fn raw_defaults(connection: &Connection, table: &str) -> Result<Vec<Option<String>>, StoreError> {
    let text = r#"SELECT "dflt_value" FROM pragma_table_info(?) ORDER BY "cid""#;
    rows(connection, text, &[Value::from(table)])?
        .iter()
        .map(|row| Ok(row.opt_text(0)?.map(ToOwned::to_owned)))
        .collect()
}

fn primary_key(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let text = r#"SELECT "name" FROM pragma_table_info(?) WHERE "pk" > 0 ORDER BY "pk""#;
    rows(connection, text, &[Value::from(table)])?
        .iter()
        .map(|row| Ok(row.text(0)?.to_owned()))
        .collect()
}

/// The columns of the `UNIQUE` constraints in the table's own declaration.
fn unique_constraints(
    connection: &Connection,
    table: &str,
) -> Result<Vec<Vec<String>>, StoreError> {
    let text = r#"SELECT "name" FROM pragma_index_list(?) WHERE "origin" = 'u' ORDER BY "seq""#;
    let own: Vec<Value> = rows(connection, text, &[Value::from(table)])?
        .into_iter()
        .flat_map(Row::into_values)
        .collect();
    let all = indexes(connection, table)?.into_iter();
    Ok(all
        .filter(|index| own.contains(&Value::from(&index.name)))
        .map(|index| index.columns)
        .collect())
}

/// The statements that made the table's indexes.
fn index_statements(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let text = r#"SELECT "sql" FROM "sqlite_master" WHERE "type" = 'index' AND "tbl_name" = ?
        AND "sql" IS NOT NULL ORDER BY "name""#;
    rows(connection, text, &[Value::from(table)])?
        .iter()
        .map(|row| Ok(row.text(0)?.to_owned()))
        .collect()
}

/// `varchar(140)` → 140.
fn length(column_type: &str) -> Option<u32> {
    let (base, arguments) = column_type.split_once('(')?;
    let is_text = matches!(base.trim(), "varchar" | "char");
    is_text
        .then(|| arguments.trim_end_matches(')').trim().parse().ok())
        .flatten()
}

/// The text of a string literal; another default as it is; `NULL` is none.
fn unquote(default: &str) -> Option<String> {
    let inner = default
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    match inner {
        Some(inner) => Some(inner.replace("''", "'")),
        None if default.eq_ignore_ascii_case("null") => None,
        None => Some(default.to_owned()),
    }
}

fn rows(connection: &Connection, text: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
    statement::rows(connection, text, values, usize::MAX, Names::WithStar)
}
