//! One statement on a database server, over a pool with the settings of crema-store.

use anyhow::Result;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Database, Executor as _, MySqlPool, PgPool, Row as _};

use super::row;
use crate::data::{BEARER_COLUMNS, Cell, dollars};
use crate::engine::Account;
use crate::site::USER;

/// Open connections; Crema's number.
const CONNECTIONS: u32 = 16;

/// As in crema-store, without which `"user"` would be a string.
const MARIADB_SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES', autocommit = 1";

/// A pool and the two statements.
pub(super) struct DbServer {
    pool: Pool,
    read: &'static str,
    document: &'static str,
    list: &'static str,
    insert: &'static str,
    numbers: row::Numbers,
}

enum Pool {
    Mariadb(MySqlPool),
    Postgres(PgPool),
}

impl DbServer {
    /// A pool on MariaDB.
    pub(super) fn mariadb(account: &Account) -> DbServer {
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(sqlx::raw_sql(MARIADB_SESSION)).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(account.mariadb());
        DbServer {
            pool: Pool::Mariadb(pool),
            read: row::READ,
            document: row::DOCUMENT,
            list: row::LIST,
            insert: row::insert(|_| "?".to_owned()).leak(),
            numbers: row::Numbers::new(),
        }
    }

    /// A pool on PostgreSQL.
    pub(super) fn postgres(account: &Account) -> DbServer {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .connect_lazy_with(account.postgres());
        // Values are bound as text and numbers; the server makes dates of the text.
        let parameter = |number: usize| match BEARER_COLUMNS.get(number - 1) {
            Some(&("creation" | "modified" | "expiration_time" | "last_used")) => {
                format!("${number}::text::timestamp")
            }
            _ => format!("${number}"),
        };
        DbServer {
            pool: Pool::Postgres(pool),
            read: dollars(row::READ).leak(),
            document: dollars(row::DOCUMENT).leak(),
            list: dollars(row::LIST).leak(),
            insert: row::insert(parameter).leak(),
            numbers: row::Numbers::new(),
        }
    }

    /// Opens all connections, which on PostgreSQL takes longer than thousands of statements.
    pub(super) async fn connect(&self) -> Result<()> {
        match &self.pool {
            Pool::Mariadb(pool) => open_all(pool).await,
            Pool::Postgres(pool) => open_all(pool).await,
        }
    }

    /// Looks for a token; gives whether it is there.
    pub(super) async fn read(&self, token: &[u8]) -> Result<bool> {
        let hash = row::hash(token);
        // An answer takes some of it along.
        match &self.pool {
            Pool::Mariadb(pool) => {
                let query = sqlx::query(self.read).bind(hash);
                let Some(row) = query.fetch_optional(pool).await? else {
                    return Ok(false);
                };
                Ok(row.try_get::<&str, _>(4)? == "Active" && row.try_get::<i64, _>(5)? > 0)
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query(self.read).bind(hash);
                let Some(row) = query.fetch_optional(pool).await? else {
                    return Ok(false);
                };
                Ok(row.try_get::<&str, _>(4)? == "Active" && row.try_get::<i64, _>(5)? > 0)
            }
        }
    }

    /// Reads a ToDo; gives whether it is there.
    pub(super) async fn document(&self, name: &str) -> Result<bool> {
        let found = match &self.pool {
            Pool::Mariadb(pool) => {
                let query = sqlx::query(self.document).bind(name);
                query.fetch_all(pool).await?.len()
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query(self.document).bind(name);
                query.fetch_all(pool).await?.len()
            }
        };
        Ok(found > 0)
    }

    /// Reads a page of a person's ToDos; gives whether there are any.
    pub(super) async fn list(&self, person: &str) -> Result<bool> {
        let found = match &self.pool {
            Pool::Mariadb(pool) => {
                let query = sqlx::query(self.list).bind(USER).bind(USER);
                let query = query.bind(person).bind(row::PAGE);
                query.fetch_all(pool).await?.len()
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query(self.list).bind(USER).bind(USER);
                let query = query.bind(person).bind(row::PAGE);
                query.fetch_all(pool).await?.len()
            }
        };
        Ok(found > 0)
    }

    /// Stores a token, another one each time. The statement is a transaction of its own.
    pub(super) async fn insert(&self, token: &[u8]) -> Result<bool> {
        let row = row::new(token, self.numbers.next());
        match &self.pool {
            Pool::Mariadb(pool) => {
                let mut query = sqlx::query(self.insert);
                for cell in row {
                    query = match cell {
                        Cell::Null => query.bind(None::<String>),
                        Cell::Int(int) => query.bind(int),
                        Cell::Text(text) => query.bind(text),
                    };
                }
                query.execute(pool).await?;
            }
            Pool::Postgres(pool) => {
                let mut query = sqlx::query(self.insert);
                for cell in row {
                    query = match cell {
                        Cell::Null => query.bind(None::<String>),
                        Cell::Int(int) => query.bind(int),
                        Cell::Text(text) => query.bind(text),
                    };
                }
                query.execute(pool).await?;
            }
        }
        Ok(true)
    }
}

async fn open_all<DB: Database>(pool: &sqlx::Pool<DB>) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(pool.acquire().await?);
    }
    Ok(())
}
