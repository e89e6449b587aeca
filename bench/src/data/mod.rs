//! The stored tokens: as many as asked for, all alive, each known by its number.
//!
//! A token's characters follow from its number, so that the load client knows them without a
//! list; the tables hold their hashes, as Crema stores them.

mod mariadb;
mod postgres;
mod settings;
mod sqlite;
mod tables;
mod text;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::clock;
use crate::engine::{Account, Database};

pub(crate) use tables::{BEARER_COLUMNS, Cell, Owner, access_token, todo_name, todo_person};
pub(crate) use text::dollars;

use tables::{Moments, TABLES, Table};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Rows that end sooner than in that many days were made by the load, and are cleared after it.
const OURS_END_AFTER: i64 = 1_000;
/// Numbers of tokens that are due to be cleared.
const DUE: u64 = 1 << 40;
/// Tokens that are asked for again and again, spread evenly over all.
const WORKING_SET: u64 = 50_000;

/// The statements that clear what the load left behind. `?` is the moment before which a row of
/// the load ends.
const TRIM: &[&str] = &[
    r#"DELETE FROM "tabOAuth Bearer Token" WHERE expires_at < ?"#,
    r#"DELETE FROM "__oauth_family" WHERE expires_at < ?"#,
    r#"DELETE FROM "__oauth_spent" WHERE expires_at < ?"#,
    r#"DELETE FROM "tabOAuth Authorization Code" WHERE expires_at < ?"#,
];

/// The audit records and counters of the load.
const TRIM_LOG: &[&str] = &[
    r#"DELETE FROM "tabActivity Log""#,
    r#"DELETE FROM "__failure""#,
];

/// Stores tokens in the tables of a new site. Gives the time that it took.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn fill(
    database: &Database,
    root: Option<&Account>,
    owner: &Owner,
    tokens: u64,
) -> Result<Duration> {
    let started = clock::instant();
    match database {
        Database::Sqlite(file) => sqlite::fill(file, owner, tokens)?,
        Database::Mariadb(account) => {
            let root = root.context("MariaDB is filled by its administrator")?;
            mariadb::fill(account, root, owner, tokens).await?;
        }
        Database::Postgres(account) => postgres::fill(account, owner, tokens).await?,
    }
    Ok(clock::instant() - started)
}

/// Stores tokens that ended years ago, on SQLite.
///
/// # Errors
/// When the database refuses.
pub(crate) fn add_due(file: &Path, owner: &Owner, tokens: u64) -> Result<()> {
    sqlite::add(file, owner, &Moments::due(tokens), DUE..DUE + tokens)
}

/// How many rows of [`add_due`] are left.
///
/// # Errors
/// When the database refuses.
pub(crate) fn count_due(file: &Path) -> Result<u64> {
    sqlite::count_due(file, clock::unix_micros() - DAY)
}

/// Sets the site's limit for wrong passwords so high that it is not reached, and switches its tools on.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn allow_attempts(database: &Database) -> Result<()> {
    match database {
        Database::Sqlite(file) => sqlite::allow_attempts(file),
        Database::Mariadb(account) => mariadb::allow_attempts(account).await,
        Database::Postgres(account) => postgres::allow_attempts(account).await,
    }
}

/// Clears what the load left behind, so that each scenario finds the same number of rows.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn trim(database: &Database) -> Result<()> {
    match database {
        Database::Sqlite(file) => sqlite::trim(file),
        Database::Mariadb(account) => mariadb::trim(account).await,
        Database::Postgres(account) => postgres::trim(account).await,
    }
}

/// Writes down that the tokens of the working set were used just now: Crema notes the last use
/// of a token every ten minutes, which is seldom for tokens that are used all the time.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn freshen(database: &Database, tokens: u64) -> Result<()> {
    match database {
        Database::Sqlite(file) => sqlite::freshen(file, tokens),
        Database::Mariadb(account) => mariadb::freshen(account, tokens).await,
        Database::Postgres(account) => postgres::freshen(account, tokens).await,
    }
}

/// The moment for [`TRIM`].
fn trim_before() -> i64 {
    clock::unix_micros() + OURS_END_AFTER * DAY
}

/// The numbers of the tokens that are asked for.
pub(crate) fn working_set(tokens: u64) -> impl Iterator<Item = u64> {
    let count = WORKING_SET.min(tokens).max(1);
    (0..count).map(move |index| index * tokens / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_working_set_is_spread_over_all() {
        let set: Vec<u64> = working_set(5_000_000).collect();
        assert_eq!(set.len(), 50_000);
        assert_eq!(set.last(), Some(&4_999_900));
        assert_eq!(working_set(10).count(), 10);
    }
}
