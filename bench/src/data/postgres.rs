//! Filling PostgreSQL: `COPY`, indexes afterwards.

use anyhow::{Context as _, Result, ensure};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::text::{dollars, write_row};
use super::{Moments, Owner, TABLES, TRIM, TRIM_LOG, Table, access_token, settings};
use crate::clock;
use crate::engine::Account;

/// Bytes that are handed over at once.
const PIECE: usize = 1 << 20;
/// Tokens of one update.
const CHUNK: usize = 1_000;

async fn connect(account: &Account) -> Result<PgConnection> {
    Ok(account.postgres().connect().await?)
}

async fn execute(connection: &mut PgConnection, text: &str) -> Result<()> {
    let done = sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection);
    done.await.with_context(|| text.to_owned())?;
    Ok(())
}

/// Stores tokens.
pub(super) async fn fill(account: &Account, owner: &Owner, tokens: u64) -> Result<()> {
    let moments = Moments::now(tokens);
    let mut connection = connect(account).await?;
    execute(&mut connection, "SET maintenance_work_mem = '1GB'").await?;
    for table in TABLES {
        let indexes = indexes(&mut connection, table).await?;
        for (name, _) in &indexes {
            execute(&mut connection, &format!("DROP INDEX \"{name}\"")).await?;
        }
        copy(&mut connection, table, &moments, owner, tokens)
            .await
            .with_context(|| format!("filling {}", table.name))?;
        for (_, create) in &indexes {
            execute(&mut connection, create).await?;
        }
        let text = format!("VACUUM (ANALYZE) \"{}\"", table.name);
        execute(&mut connection, &text).await?;
    }
    Ok(())
}

/// The names of a table's indexes, and how each is made.
async fn indexes(connection: &mut PgConnection, table: &Table) -> Result<Vec<(String, String)>> {
    let rows: Vec<PgRow> = sqlx::query(
        "SELECT c.relname::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = format('%I', $1::text)::regclass AND NOT i.indisprimary",
    )
    .bind(table.name)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

async fn copy(
    connection: &mut PgConnection,
    table: &Table,
    moments: &Moments,
    owner: &Owner,
    tokens: u64,
) -> Result<()> {
    let columns: Vec<String> = (table.columns.iter())
        .map(|name| format!("\"{name}\""))
        .collect();
    let text = format!(
        "COPY \"{}\" ({}) FROM STDIN",
        table.name,
        columns.join(", ")
    );
    let mut copy = connection.copy_in_raw(&text).await?;
    let mut piece = Vec::with_capacity(PIECE + 4096);
    for number in (0..tokens).filter(|number| number.is_multiple_of(table.every)) {
        write_row(&mut piece, &(table.row)(moments, owner, number));
        if piece.len() >= PIECE {
            copy.send(piece.as_slice()).await?;
            piece.clear();
        }
    }
    copy.send(piece.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

pub(super) async fn allow_attempts(account: &Account) -> Result<()> {
    let mut connection = connect(account).await?;
    let changed = sqlx::query(settings::ATTEMPTS)
        .execute(&mut connection)
        .await?;
    ensure!(changed.rows_affected() == 1, settings::MISSING);
    for text in settings::TOOLS {
        sqlx::query(text).execute(&mut connection).await?;
    }
    sqlx::query(settings::VERSION)
        .execute(&mut connection)
        .await?;
    Ok(())
}

pub(super) async fn trim(account: &Account) -> Result<()> {
    let mut connection = connect(account).await?;
    for text in TRIM {
        sqlx::query(AssertSqlSafe(dollars(text)))
            .bind(super::trim_before())
            .execute(&mut connection)
            .await?;
    }
    for text in TRIM_LOG {
        sqlx::query(*text).execute(&mut connection).await?;
    }
    Ok(())
}

pub(super) async fn freshen(account: &Account, tokens: u64) -> Result<()> {
    let mut connection = connect(account).await?;
    let now = clock::date_time(clock::unix_micros());
    let numbers: Vec<u64> = super::working_set(tokens).collect();
    for chunk in numbers.chunks(CHUNK) {
        let hashes: Vec<String> = (chunk.iter())
            .map(|number| format!("'{}'", crema_crypto::hash_hex(&access_token(*number))))
            .collect();
        let text = format!(
            "UPDATE \"tabOAuth Bearer Token\" SET last_used = '{now}' WHERE access_token IN ({})",
            hashes.join(", ")
        );
        execute(&mut connection, &text).await?;
    }
    execute(&mut connection, "VACUUM \"tabOAuth Bearer Token\"").await?;
    Ok(())
}
