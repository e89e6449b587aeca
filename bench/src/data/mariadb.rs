//! Filling MariaDB: `LOAD DATA` in the order of the primary key, indexes afterwards.

use std::io::{BufWriter, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::text::{order, write_row};
use super::{Moments, Owner, TABLES, TRIM, TRIM_LOG, Table, access_token, settings};
use crate::clock;
use crate::engine::Account;

/// Rows of one `LOAD DATA`, which is one transaction.
const BATCH: usize = 250_000;
/// Tokens of one update.
const CHUNK: usize = 1_000;

async fn connect(account: &Account) -> Result<MySqlConnection> {
    let mut connection = account.mariadb().connect().await?;
    execute(&mut connection, "SET SESSION sql_mode = 'ANSI_QUOTES'").await?;
    Ok(connection)
}

async fn execute(connection: &mut MySqlConnection, text: &str) -> Result<()> {
    let done = sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection);
    done.await.with_context(|| text.to_owned())?;
    Ok(())
}

/// Stores tokens; `root` may load files.
pub(super) async fn fill(
    account: &Account,
    root: &Account,
    owner: &Owner,
    tokens: u64,
) -> Result<()> {
    let moments = Moments::now(tokens);
    let root = Account {
        database: account.database.clone(),
        ..root.clone()
    };
    let mut connection = connect(&root).await?;
    for table in TABLES {
        let indexes = indexes(&mut connection, table).await?;
        let drop: Vec<String> = (indexes.iter())
            .map(|(name, _)| format!("DROP INDEX \"{name}\""))
            .collect();
        let add: Vec<&str> = indexes.iter().map(|(_, add)| add.as_str()).collect();
        if !indexes.is_empty() {
            let text = format!("ALTER TABLE \"{}\" {}", table.name, drop.join(", "));
            execute(&mut connection, &text).await?;
        }
        // InnoDB keeps rows in the order of the key: any other order would move pages about.
        let numbers = order(table, tokens);
        for batch in numbers.chunks(BATCH) {
            load(&root, table, &moments, owner, batch)?;
        }
        if !indexes.is_empty() {
            let text = format!("ALTER TABLE \"{}\" {}", table.name, add.join(", "));
            execute(&mut connection, &text).await?;
        }
        execute(
            &mut connection,
            &format!("ANALYZE TABLE \"{}\"", table.name),
        )
        .await?;
    }
    connection.close().await?;
    Ok(())
}

/// The names of a table's indexes, and how each is added.
async fn indexes(connection: &mut MySqlConnection, table: &Table) -> Result<Vec<(String, String)>> {
    let rows: Vec<MySqlRow> = sqlx::query(
        r"SELECT CAST(index_name AS CHAR), CAST(non_unique AS SIGNED),
        CAST(GROUP_CONCAT(CONCAT('`', column_name, '`') ORDER BY seq_in_index) AS CHAR)
        FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = ? AND index_name <> 'PRIMARY'
        GROUP BY index_name, non_unique",
    )
    .bind(table.name)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let (name, columns): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            let kind = match row.try_get::<i64, _>(1)? {
                0 => "UNIQUE INDEX",
                _ => "INDEX",
            };
            let add = format!("ADD {kind} \"{name}\" ({columns})");
            Ok((name, add))
        })
        .collect()
}

/// Hands rows to the server through its own client: the driver does not know `LOCAL`.
fn load(
    root: &Account,
    table: &Table,
    moments: &Moments,
    owner: &Owner,
    numbers: &[u64],
) -> Result<()> {
    let columns: Vec<String> = (table.columns.iter())
        .map(|name| format!("`{name}`"))
        .collect();
    let text = format!(
        "SET unique_checks = 0; LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE `{}` \
         CHARACTER SET utf8mb4 ({})",
        table.name,
        columns.join(", ")
    );
    let mut child = Command::new("mariadb")
        .args(["--no-defaults", "--local-infile=1", "--protocol=tcp"])
        .args(["--host=127.0.0.1", &format!("--port={}", root.port)])
        .args([&format!("--user={}", root.user), "-e", &text])
        .arg(&root.database)
        .env("MYSQL_PWD", &root.password)
        .stdin(Stdio::piped())
        .spawn()
        .context("the client of MariaDB is not installed")?;
    let mut pipe = BufWriter::with_capacity(1 << 16, child.stdin.take().context("no stdin")?);
    let mut line = Vec::new();
    for number in numbers {
        line.clear();
        write_row(&mut line, &(table.row)(moments, owner, *number));
        pipe.write_all(&line)?;
    }
    pipe.flush()?;
    drop(pipe);
    ensure!(child.wait()?.success(), "LOAD DATA failed");
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
        sqlx::query(*text)
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
    Ok(())
}
