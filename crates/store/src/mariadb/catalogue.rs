//! MariaDB's catalogue, and altering a column.

use crate::{Column, ColumnChange, Dialect, Row, StoreError};

/// The tables.
pub(crate) const TABLES: &str = r#"
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = database() AND table_type = 'BASE TABLE'"#;

/// The columns of a table: name, type, length, whether it is nullable, default, key.
pub(crate) const COLUMNS: &str = r#"
    SELECT column_name, column_type, character_maximum_length, is_nullable = 'YES',
        column_default, column_key = 'PRI'
    FROM information_schema.columns
    WHERE table_schema = database() AND table_name = ? ORDER BY ordinal_position"#;

/// The columns of a table's indexes in order: index, column, whether it is unique.
pub(crate) const INDEXES: &str = r#"
    SELECT index_name, column_name, non_unique = 0 FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = ? AND index_name <> 'PRIMARY'
    ORDER BY index_name, seq_in_index"#;

/// A row of [`COLUMNS`].
pub(crate) fn column(row: &Row) -> Result<Column, StoreError> {
    let column_type = without_display_width(row.text(1)?);
    let has_length = column_type.starts_with("varchar") || column_type.starts_with("char");
    let length = row.opt_int(2)?.filter(|_| has_length);
    Ok(Column {
        name: row.text(0)?.to_owned(),
        length: length.and_then(|length| u32::try_from(length).ok()),
        column_type,
        nullable: row.bool(3)?,
        default: row.opt_text(4)?.and_then(default),
        primary_key: row.bool(5)?,
    })
}

/// `int(11)` → `int`: the number is how wide a client should print it.
fn without_display_width(column_type: &str) -> String {
    let Some((base, rest)) = column_type.split_once('(') else {
        return column_type.to_owned();
    };
    if !base.ends_with("int") {
        return column_type.to_owned();
    }
    let suffix = rest.split_once(')').map_or("", |(_, suffix)| suffix);
    format!("{base}{suffix}")
}

/// `'text'` → `text`; `NULL` → none; the rest as it is.
fn default(expression: &str) -> Option<String> {
    let inner = expression
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    match inner {
        Some(inner) => Some(unescape(inner)),
        None if expression.eq_ignore_ascii_case("null") => None,
        None => Some(expression.to_owned()),
    }
}

/// The inside of a string literal.
fn unescape(literal: &str) -> String {
    let mut text = String::with_capacity(literal.len());
    let mut characters = literal.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('0') => text.push('\0'),
                other => text.extend(other),
            },
            // Doubled.
            '\'' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

/// The statement that alters a column.
pub(crate) fn alter_column(change: &ColumnChange<'_>) -> String {
    let quote = |name: &str| Dialect::MariaDb.quote(name);
    let mut text = format!(
        "ALTER TABLE {} MODIFY COLUMN {} {}",
        quote(change.table),
        quote(change.column),
        Dialect::MariaDb.column_type(change.column_type),
    );
    text.push_str(if change.nullable {
        " NULL"
    } else {
        " NOT NULL"
    });
    if let Some(default) = change.default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    text
}
