//! Filling SQLite: one prepared statement a table, indexes afterwards.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params};

use super::{Cell, Moments, Owner, TABLES, TRIM, TRIM_LOG, Table, access_token, settings};
use crate::clock;

/// Rows of one transaction.
const BATCH: u64 = 200_000;
/// From so many tokens on it is faster to drop the indexes and to make them anew.
const INDEX_AFTERWARDS: u64 = 100_000;

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Int(int) => ToSqlOutput::Owned(Value::Integer(*int)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn open(file: &Path) -> Result<Connection> {
    let connection =
        Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    connection.busy_timeout(Duration::from_secs(30))?;
    Ok(connection)
}

/// Stores tokens; nobody else may have the file open.
///
/// # Errors
/// When the database refuses, for example because it has tokens already.
pub(super) fn fill(file: &Path, owner: &Owner, tokens: u64) -> Result<()> {
    let moments = Moments::now(tokens);
    let mut connection = open(file)?;
    // A crash while filling costs nothing but the filling.
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -2_000_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "threads", 2)?;
    for table in TABLES {
        let indexes = if tokens >= INDEX_AFTERWARDS {
            drop_indexes(&connection, table)?
        } else {
            Vec::new()
        };
        fill_table(&mut connection, table, &moments, owner, 0..tokens)
            .with_context(|| format!("filling {}", table.name))?;
        for index in indexes {
            connection.execute_batch(&index)?;
        }
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    // On disk before anything is measured, or the writing back would be measured too.
    std::fs::File::open(file)?.sync_all()?;
    Ok(())
}

fn drop_indexes(connection: &Connection, table: &Table) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_master
        WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
    )?;
    let found: Vec<(String, String)> = statement
        .query_map(params![table.name], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, _) in &found {
        connection.execute_batch(&format!("DROP INDEX \"{name}\""))?;
    }
    Ok(found.into_iter().map(|(_, sql)| sql).collect())
}

fn fill_table(
    connection: &mut Connection,
    table: &Table,
    moments: &Moments,
    owner: &Owner,
    numbers: Range<u64>,
) -> Result<()> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let text = format!(
        "INSERT INTO \"{}\" ({}) VALUES ({})",
        table.name,
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    );
    let mut first = numbers.start;
    while first < numbers.end {
        let last = (first + BATCH).min(numbers.end);
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare_cached(&text)?;
        for number in first..last {
            if number.is_multiple_of(table.every) {
                let row = (table.row)(moments, owner, number);
                insert.execute(rusqlite::params_from_iter(&row))?;
            }
        }
        drop(insert);
        transaction.commit()?;
        first = last;
    }
    Ok(())
}

/// Adds rows to tables that are in use.
///
/// # Errors
/// When the database refuses.
pub(super) fn add(
    file: &Path,
    owner: &Owner,
    moments: &Moments,
    numbers: Range<u64>,
) -> Result<()> {
    let mut connection = open(file)?;
    for table in TABLES.iter().filter(|table| table.ends) {
        fill_table(&mut connection, table, moments, owner, numbers.clone())?;
    }
    connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
    Ok(())
}

/// Rows that ended before that moment.
///
/// # Errors
/// When the database refuses.
pub(super) fn count_due(file: &Path, before: i64) -> Result<u64> {
    let connection = open(file)?;
    let mut rows: i64 = 0;
    for table in TABLES.iter().filter(|table| table.ends) {
        let text = format!(
            "SELECT COUNT(*) FROM \"{}\" WHERE expires_at < ?",
            table.name
        );
        rows += connection.query_row(&text, params![before], |row| row.get::<_, i64>(0))?;
    }
    Ok(rows.unsigned_abs())
}

/// Raises the limit for wrong passwords, and switches the tools on.
///
/// # Errors
/// When the database refuses, or has no such setting.
pub(super) fn allow_attempts(file: &Path) -> Result<()> {
    let connection = open(file)?;
    let changed = connection.execute(settings::ATTEMPTS, [])?;
    ensure!(changed == 1, settings::MISSING);
    for text in settings::TOOLS {
        connection.execute(text, [])?;
    }
    connection.execute(settings::VERSION, [])?;
    Ok(())
}

/// Deletes what the load left behind.
///
/// # Errors
/// When the database refuses.
pub(super) fn trim(file: &Path) -> Result<()> {
    let mut connection = open(file)?;
    let transaction = connection.transaction()?;
    for text in TRIM {
        transaction.execute(text, params![super::trim_before()])?;
    }
    for text in TRIM_LOG {
        transaction.execute(text, [])?;
    }
    transaction.commit()?;
    // The next window begins with an empty log.
    connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
    Ok(())
}

/// Writes down that the tokens of the working set were used just now.
///
/// # Errors
/// When the database refuses.
pub(super) fn freshen(file: &Path, tokens: u64) -> Result<()> {
    let mut connection = open(file)?;
    let now = clock::date_time(clock::unix_micros());
    let transaction = connection.transaction()?;
    let mut update = transaction.prepare_cached(
        r#"UPDATE "tabOAuth Bearer Token" SET last_used = ? WHERE access_token = ?"#,
    )?;
    for number in super::working_set(tokens) {
        let hash = crema_crypto::hash_hex(&access_token(number));
        update.execute(params![now, hash])?;
    }
    drop(update);
    transaction.commit()?;
    connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
    Ok(())
}
