//! PostgreSQL's catalogue, and altering a column.

use crate::{Column, ColumnChange, Dialect, Row, StoreError};

/// The tables.
pub(crate) const TABLES: &str = r#"
    SELECT c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')"#;

/// The columns of a table: name, type, whether it refuses NULL, default, whether it is in the
/// primary key.
pub(crate) const COLUMNS: &str = r#"
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        EXISTS (SELECT 1 FROM pg_catalog.pg_index i
            WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind IN ('r', 'p')
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum"#;

/// The columns of a table's indexes in order: index, column, whether it is unique.
pub(crate) const INDEXES: &str = r#"
    SELECT x.relname, a.attname, i.indisunique FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE n.nspname = current_schema() AND c.relname = $1 AND NOT i.indisprimary
        AND k.position <= i.indnkeyatts
    ORDER BY x.relname, k.position"#;

/// A row of [`COLUMNS`].
pub(crate) fn column(row: &Row) -> Result<Column, StoreError> {
    let column_type = row
        .text(1)?
        .replace("character varying", "varchar")
        .replace("character(", "char(")
        .replace(" without time zone", "");
    let length = column_type
        .strip_prefix("varchar(")
        .or_else(|| column_type.strip_prefix("char("))
        .and_then(|rest| rest.trim_end_matches(')').parse().ok());
    Ok(Column {
        name: row.text(0)?.to_owned(),
        length,
        column_type,
        nullable: !row.bool(2)?,
        default: row.opt_text(3)?.and_then(default),
        primary_key: row.bool(4)?,
    })
}

/// `'text'::character varying` → `text`; `NULL::…` → none; the rest as it is.
fn default(expression: &str) -> Option<String> {
    if let Some(rest) = expression.strip_prefix('\'')
        && let Some((text, _cast)) = rest.rsplit_once('\'')
    {
        return Some(text.replace("''", "'"));
    }
    let null = expression.eq_ignore_ascii_case("null") || expression.starts_with("NULL::");
    (!null).then(|| expression.to_owned())
}

/// The statement that alters a column.
pub(crate) fn alter_column(change: &ColumnChange<'_>) -> String {
    let quote = |name: &str| Dialect::Postgres.quote(name);
    let (table, column) = (quote(change.table), quote(change.column));
    let column_type = Dialect::Postgres.column_type(change.column_type);
    let default = match change.default {
        Some(default) => format!("SET DEFAULT {default}"),
        None => "DROP DEFAULT".to_owned(),
    };
    let null = if change.nullable { "DROP" } else { "SET" };
    // The old default goes first: it may not fit the new type.
    format!(
        "ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT, ALTER COLUMN {column} TYPE \
         {column_type} USING {column}::{column_type}, ALTER COLUMN {column} {default}, ALTER \
         COLUMN {column} {null} NOT NULL"
    )
}
