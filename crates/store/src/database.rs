//! A database, whichever it is.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::server::Server;
use crate::sqlite::Sqlite;
use crate::{
    Column, ColumnChange, DatabaseConfig, Dialect, Index, Row, RowStream, Sql, Statement, Stats,
    StoreError, Transaction, Value,
};

/// An open database. Clones share its connections.
#[derive(Clone)]
pub struct Database {
    engine: Arc<Engine>,
}

enum Engine {
    Sqlite(Sqlite),
    Server(Server),
}

impl Database {
    /// Opens a database. A SQLite file is created when it does not exist; a server is not
    /// contacted before the first statement.
    ///
    /// # Errors
    /// When the file cannot be opened, or (for a server) outside of a tokio runtime.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let engine = match config {
            DatabaseConfig::Sqlite { path } => Engine::Sqlite(Sqlite::open(path)?),
            DatabaseConfig::MariaDb(config) => Engine::Server(Server::mariadb(config)?),
            DatabaseConfig::Postgres(config) => Engine::Server(Server::postgres(config)?),
        };
        Ok(Self {
            engine: Arc::new(engine),
        })
    }

    /// The dialect that dynamic statements have to be in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &*self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Server(server) => server.dialect(),
        }
    }

    /// How busy it is.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.stats(),
            Engine::Server(server) => server.stats(),
        }
    }

    /// Closes the connections, after what has begun. Every later call, through any clone,
    /// answers [`StoreError::Closed`].
    pub async fn close(&self) {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Server(server) => server.close().await,
        }
    }

    /// From now on an operation on a server is not given up because it takes long: for commands
    /// whose user waits, and can stop waiting. What waits for a connection or a lock still has
    /// its limit.
    pub fn unhurried(&self) {
        match &*self.engine {
            // What runs on SQLite is never given up.
            Engine::Sqlite(_) => {}
            Engine::Server(server) => server.unhurried(),
        }
    }

    /// Runs one reading statement outside of a transaction and returns its rows. On SQLite
    /// this happens on the calling thread: microseconds for a look-up by key, but whoever
    /// reads thousands of rows does so on a thread that may block.
    ///
    /// # Errors
    /// When the statement fails, or is not a `SELECT` or `WITH`.
    pub async fn rows(
        &self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        reads(sql.is_read())?;
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.rows(sql, &values, usize::MAX),
            Engine::Server(server) => server.rows(sql, values).await,
        }
    }

    /// Like [`Database::rows`], the first row only.
    ///
    /// # Errors
    /// When the statement fails, or is not a `SELECT` or `WITH`.
    pub async fn row(
        &self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        reads(sql.is_read())?;
        let rows = match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.rows(sql, &values, 1)?,
            Engine::Server(server) => server.rows(sql, values).await?,
        };
        Ok(rows.into_iter().next())
    }

    /// Runs one dynamic reading statement outside of a transaction and returns its rows. On
    /// SQLite it begins on the calling thread, and goes on elsewhere when it takes longer than
    /// about a millisecond.
    ///
    /// # Errors
    /// When the statement fails, or is not a `SELECT` or `WITH`.
    pub async fn statement_rows(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        reads(statement.is_read())?;
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.statement_rows(statement).await,
            Engine::Server(server) => server.statement_rows(statement).await,
        }
    }

    /// Runs one dynamic reading statement and gives its rows while they are read. It holds a
    /// connection until the last row or until it is dropped; only some may do so at a time,
    /// others wait for their turn.
    ///
    /// # Errors
    /// When it is not a `SELECT` or `WITH`, or too many others stream. That the statement fails
    /// shows when the first rows are asked for.
    pub async fn stream(&self, statement: Statement) -> Result<RowStream, StoreError> {
        reads(statement.is_read())?;
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.stream(statement).await,
            Engine::Server(server) => server.stream(statement).await,
        }
    }

    /// Runs an operation in one transaction. `Err` rolls it back; with `Ok` the changes are
    /// committed, and only then is it returned.
    ///
    /// The operation may run more than once: on MariaDB and PostgreSQL it is tried again after
    /// a deadlock or a connection that was lost before the commit. (A commit whose answer was lost
    /// is not repeated: it may have happened.) So its only effects are its statements. On SQLite it
    /// runs on the writer thread and may await nothing but its transaction.
    ///
    /// ```
    /// # use crema_store::*;
    /// # async fn example(database: &Database, sql: &'static Sql) -> Result<u64, StoreError> {
    /// let name = "Administrator".to_owned();
    /// database
    ///     .write(move |tx| {
    ///         let name = name.clone();
    ///         Box::pin(async move { tx.execute(sql, params![name]).await })
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// When the returned future is dropped, the changes are either all made or not at all.
    ///
    /// # Errors
    /// The operation's own, or a [`StoreError`] of the transaction.
    pub async fn write<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(operation).await,
            Engine::Server(server) => server.write(operation).await,
        }
    }

    /// Like [`Database::write`], for an operation that begins with [`Transaction::empty`]: nobody
    /// else adds a row to a table that it has emptied before its end.
    ///
    /// # Errors
    /// Like [`Database::write`].
    pub async fn write_alone<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(operation).await,
            Engine::Server(server) => server.write_alone(operation).await,
        }
    }

    /// Runs an operation that only reads: all its statements see the same state. On SQLite it
    /// runs on the calling thread and may await nothing but its transaction.
    ///
    /// # Errors
    /// The operation's own, or a [`StoreError`] of the transaction.
    pub async fn read<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(&operation),
            Engine::Server(server) => server.read(operation).await,
        }
    }

    /// Runs schema statements, separated by `;`. One transaction on SQLite and PostgreSQL; on
    /// MariaDB every statement commits by itself.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn execute_ddl(&self, text: &str) -> Result<(), StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.execute_ddl(text).await,
            Engine::Server(server) => server.execute_ddl(text).await,
        }
    }

    /// Gives a column another type, nullability and default. On SQLite the table is rebuilt.
    ///
    /// # Errors
    /// When there is no such column, or its values do not fit.
    pub async fn alter_column(&self, change: &ColumnChange<'_>) -> Result<(), StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.alter_column(change).await,
            Engine::Server(server) => server.alter_column(change).await,
        }
    }

    /// Prepares a statement without running it: whether its syntax, tables and columns fit.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when they do not.
    pub async fn prepare_check(&self, sql: &'static Sql) -> Result<(), StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.prepare_check(sql),
            Engine::Server(server) => server.prepare_check(sql).await,
        }
    }

    /// The names of the tables, sorted.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn tables(&self) -> Result<Vec<String>, StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.tables(),
            Engine::Server(server) => server.tables().await,
        }
    }

    /// The columns of a table, in order; none when there is no such table.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn columns(&self, table: &str) -> Result<Vec<Column>, StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.columns(table),
            Engine::Server(server) => server.columns(table).await,
        }
    }

    /// The indexes of a table except its primary key, by name.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn indexes(&self, table: &str) -> Result<Vec<Index>, StoreError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.indexes(table),
            Engine::Server(server) => server.indexes(table).await,
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.dialect())
    }
}

/// Writing goes through a transaction on every database, also where the driver would allow
/// it otherwise.
fn reads(is_read: bool) -> Result<(), StoreError> {
    if is_read {
        return Ok(());
    }
    Err(StoreError::Schema(
        "only SELECT and WITH run outside of a transaction".to_owned(),
    ))
}
