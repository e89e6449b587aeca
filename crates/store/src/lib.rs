//! Databases: SQLite, MariaDB and PostgreSQL behind one small set of types.
//!
//! The layers above write an operation once, as ordinary `async` code over a
//! [`Transaction`], with statements in one portable SQL text ([`Sql`]). This crate knows
//! nothing about what the rows mean.
//!
//! - [`Database::row`] and [`Database::rows`] run one reading statement,
//!   [`Database::statement_rows`] one that was put together while running, and
//!   [`Database::stream`] gives its rows while they are read,
//! - [`Database::read`] runs several of them on one snapshot,
//! - [`Database::write`] runs an operation in a transaction and returns after its commit.
//!
//! # What a statement may contain
//!
//! What all three databases understand: `?` placeholders, `"double quoted"` identifiers,
//! `||`, common table expressions that only read, window functions, `INSERT … RETURNING`,
//! `DELETE … RETURNING`, `LIMIT … OFFSET …`. `{lock}` stands for `FOR UPDATE` where that
//! exists. `ON CONFLICT (…) DO UPDATE SET … = excluded."…"` is translated for MariaDB; see
//! [`Sql`]. Not: `UPDATE … RETURNING`, `NULLS LAST`, `IS NOT DISTINCT FROM`, JSON operators,
//! backslashes in string literals.

#![forbid(unsafe_code)]

mod administration;
mod config;
mod database;
mod datetime;
mod dialect;
mod error;
mod mariadb;
mod postgres;
mod row;
mod schema;
mod server;
mod sql;
mod sqlite;
mod stats;
mod stream;
mod transaction;
mod value;

pub use administration::{ServerDatabase, create_server_database, drop_server_database};
pub use config::{DatabaseConfig, Password, ServerConfig, Tls};
pub use database::Database;
#[doc(hidden)]
pub use datetime::{format as format_datetime, parse as parse_datetime};
pub use dialect::Dialect;
pub use error::StoreError;
pub use futures_util::future::BoxFuture;
pub use row::Row;
pub use schema::{Column, ColumnChange, Index};
pub use sql::{Sql, Statement};
pub use stats::Stats;
pub use stream::RowStream;
pub use transaction::Transaction;
pub use value::Value;
