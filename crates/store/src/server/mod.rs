//! What MariaDB and PostgreSQL have in common: pooled sqlx connections, transactions that are
//! really awaited, and another try after a deadlock.

mod failure;
mod forward;
mod limits;
mod patience;
mod session;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{MySqlPool, PgPool};
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::error::Failure;
use crate::stats::{Counts, Stats};
use crate::transaction::{Connection, Text, Transaction};
use crate::{
    Column, ColumnChange, Dialect, Index, Row, ServerConfig, Sql, Statement, StoreError, Value,
    mariadb, postgres,
};

pub(crate) use failure::driver_error;
pub(crate) use forward::Sink;
use limits::Limits;
pub(crate) use limits::{idle_in_transaction, ping_in_time};
use patience::Patience;
pub(crate) use session::Session;

/// A connection that was idle for longer is tested before it is used.
pub(crate) const TRUST_IDLE: Duration = Duration::from_secs(1);

/// A database on a server. Clones share the pool.
#[derive(Clone)]
pub(crate) struct Server {
    pool: Pool,
    limits: Limits,
    counts: Counts,
    /// Places for statements whose rows stream, and hold a connection while somebody slow
    /// reads them.
    streams: Arc<Semaphore>,
}

#[derive(Clone)]
enum Pool {
    MariaDb(MySqlPool),
    Postgres(PgPool),
}

/// What a transaction is for.
#[derive(Clone, Copy)]
enum Mode {
    /// READ COMMITTED: every statement sees what is committed when it begins.
    Write,
    /// REPEATABLE READ: what a statement has looked through stays as it is until the end.
    Alone,
    /// One snapshot for all statements.
    Read,
}

impl Server {
    pub(crate) fn mariadb(config: &ServerConfig) -> Result<Self, StoreError> {
        in_runtime()?;
        Ok(Self {
            pool: Pool::MariaDb(mariadb::pool(config)),
            limits: Limits::new(config.timeout),
            counts: Counts::default(),
            streams: forward::places(config),
        })
    }

    pub(crate) fn postgres(config: &ServerConfig) -> Result<Self, StoreError> {
        in_runtime()?;
        Ok(Self {
            pool: Pool::Postgres(postgres::pool(config)),
            limits: Limits::new(config.timeout),
            counts: Counts::default(),
            streams: forward::places(config),
        })
    }

    /// From now on an operation may take as long as it needs.
    pub(crate) fn unhurried(&self) {
        self.limits.lift();
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match &self.pool {
            Pool::MariaDb(_) => Dialect::MariaDb,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let (size, idle) = match &self.pool {
            Pool::MariaDb(pool) => (pool.size(), pool.num_idle()),
            Pool::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        let idle = u64::try_from(idle).unwrap_or(u64::MAX);
        Stats {
            connections_idle: idle,
            connections_in_use: Some(u64::from(size).saturating_sub(idle)),
            ..self.counts.stats()
        }
    }

    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::MariaDb(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Runs one reading statement outside of a transaction.
    pub(crate) async fn rows(
        &self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let text = sql.for_dialect(self.dialect());
        self.fixed_rows(text, values).await
    }

    /// The same for a dynamic statement.
    pub(crate) async fn statement_rows(
        &self,
        statement: Statement,
    ) -> Result<Vec<Row>, StoreError> {
        self.text_rows(Text::Dynamic(statement.text), statement.values)
            .await
    }

    /// Like [`Server::rows`], for a text in the server's own dialect.
    pub(crate) async fn fixed_rows(
        &self,
        text: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.text_rows(Text::Fixed(text), values).await
    }

    /// Boxed: the driver's futures are nested so deep that those of our callers would be deeper
    /// than the compiler follows.
    fn text_rows(
        &self,
        text: Text,
        values: Vec<Value>,
    ) -> BoxFuture<'static, Result<Vec<Row>, StoreError>> {
        let server = self.clone();
        Box::pin(uninterrupted(self.limits.of_operation(), async move {
            let mut patience = Patience::new(server.limits.of_attempts());
            loop {
                match server.try_rows(text.clone(), &values).await {
                    Ok(rows) => return Ok(rows),
                    Err(failure) if failure.again && patience.pause().await => {
                        server.counts.retried()
                    }
                    Err(failure) => return Err(failure.error),
                }
            }
        }))
    }

    async fn try_rows(&self, text: Text, values: &[Value]) -> Result<Vec<Row>, Failure> {
        match &self.pool {
            Pool::MariaDb(pool) => {
                let mut session = Session::acquire(pool, &self.counts, mariadb::error).await?;
                let result = mariadb::rows(session.connection(), text, values).await;
                session.settle_after(&result);
                result
            }
            Pool::Postgres(pool) => {
                let mut session = Session::acquire(pool, &self.counts, postgres::error).await?;
                let result = postgres::rows(session.connection(), text, values).await;
                session.settle_after(&result);
                result
            }
        }
    }

    pub(crate) async fn write<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let server = self.clone();
        uninterrupted(self.limits.of_operation(), async move {
            server.transact(Mode::Write, &operation).await
        })
        .await
    }

    pub(crate) async fn write_alone<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let server = self.clone();
        uninterrupted(self.limits.of_operation(), async move {
            server.transact(Mode::Alone, &operation).await
        })
        .await
    }

    pub(crate) async fn read<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let server = self.clone();
        uninterrupted(self.limits.of_operation(), async move {
            server.transact(Mode::Read, &operation).await
        })
        .await
    }

    /// Tries until it succeeds, fails for good, or patience ends.
    async fn transact<T, E, F>(&self, mode: Mode, operation: &F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Sync,
        T: Send,
        E: From<StoreError> + Send,
    {
        let mut patience = Patience::new(self.limits.of_attempts());
        loop {
            let (result, again) = self.attempt(mode, operation).await;
            if !again || !patience.pause().await {
                return result;
            }
            self.counts.retried();
        }
    }

    /// One transaction: the result, and whether another attempt makes sense.
    async fn attempt<T, E, F>(&self, mode: Mode, operation: &F) -> (Result<T, E>, bool)
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Sync,
        T: Send,
        E: From<StoreError> + Send,
    {
        let connection = match self.begin(mode).await {
            Ok(connection) => connection,
            Err(failure) => return (Err(E::from(failure.error)), failure.again),
        };
        let mut transaction = Transaction::new(connection);
        let result = operation(&mut transaction).await;
        let (connection, failure) = transaction.into_parts();
        match (result, failure) {
            (Ok(value), None) => match commit(connection).await {
                Ok(()) => {
                    if let Mode::Write | Mode::Alone = mode {
                        self.counts.transaction(1);
                    }
                    (Ok(value), false)
                }
                Err(failure) => (Err(E::from(failure.error)), failure.again),
            },
            (result, failure) => {
                rollback(connection).await;
                let again = failure.as_ref().is_some_and(|failure| failure.again);
                let result = match (result, failure) {
                    (Ok(_), Some(failure)) => Err(E::from(failure.error)),
                    (result, _) => result,
                };
                (result, again)
            }
        }
    }

    async fn begin(&self, mode: Mode) -> Result<Connection, Failure> {
        match &self.pool {
            Pool::MariaDb(pool) => {
                let mut session = Session::acquire(pool, &self.counts, mariadb::error).await?;
                let text = match mode {
                    Mode::Write => "START TRANSACTION",
                    Mode::Alone => mariadb::BEGIN_ALONE,
                    Mode::Read => mariadb::BEGIN_SNAPSHOT,
                };
                let begun = session.command(text).await;
                begun.map_err(|error| mariadb::error(&error))?;
                Ok(Connection::MariaDb(Box::new(session)))
            }
            Pool::Postgres(pool) => {
                let mut session = Session::acquire(pool, &self.counts, postgres::error).await?;
                let text = match mode {
                    Mode::Write | Mode::Alone => "BEGIN",
                    Mode::Read => postgres::BEGIN_SNAPSHOT,
                };
                let begun = session.command(text).await;
                begun.map_err(|error| postgres::error(&error))?;
                Ok(Connection::Postgres(Box::new(session)))
            }
        }
    }

    /// Runs schema statements in one text, none of which has values.
    pub(crate) async fn execute_ddl(&self, text: &str) -> Result<(), StoreError> {
        let (server, text) = (self.clone(), text.to_owned());
        // A change of a large table takes as long as it takes.
        uninterrupted(None, async move {
            let text = sqlx::AssertSqlSafe(text);
            match &server.pool {
                Pool::MariaDb(pool) => {
                    let mut session =
                        Session::acquire(pool, &server.counts, mariadb::error).await?;
                    let done = sqlx::raw_sql(text).execute(session.connection()).await;
                    let done = done.map(drop).map_err(|error| mariadb::error(&error));
                    session.settle_after(&done);
                    done
                }
                Pool::Postgres(pool) => {
                    let mut session =
                        Session::acquire(pool, &server.counts, postgres::error).await?;
                    let done = sqlx::raw_sql(text).execute(session.connection()).await;
                    let done = done.map(drop).map_err(|error| postgres::error(&error));
                    session.settle_after(&done);
                    done
                }
            }
        })
        .await
        .map_err(|failure: Failure| failure.error)
    }

    pub(crate) async fn alter_column(&self, change: &ColumnChange<'_>) -> Result<(), StoreError> {
        let text = match &self.pool {
            Pool::MariaDb(_) => mariadb::alter_column(change),
            Pool::Postgres(_) => postgres::alter_column(change),
        };
        self.execute_ddl(&text).await
    }

    pub(crate) async fn prepare_check(&self, sql: &'static Sql) -> Result<(), StoreError> {
        let server = self.clone();
        uninterrupted(self.limits.of_operation(), async move {
            let text = sql.for_dialect(server.dialect());
            match &server.pool {
                Pool::MariaDb(pool) => {
                    let mut session =
                        Session::acquire(pool, &server.counts, mariadb::error).await?;
                    let result = mariadb::prepare(session.connection(), text).await;
                    session.settle_after(&result);
                    result
                }
                Pool::Postgres(pool) => {
                    let mut session =
                        Session::acquire(pool, &server.counts, postgres::error).await?;
                    let result = postgres::prepare(session.connection(), text).await;
                    session.settle_after(&result);
                    result
                }
            }
        })
        .await
        .map_err(|failure: Failure| failure.error)
    }

    pub(crate) async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let text = match &self.pool {
            Pool::MariaDb(_) => mariadb::TABLES,
            Pool::Postgres(_) => postgres::TABLES,
        };
        let rows = self.fixed_rows(text, Vec::new()).await?;
        let names = rows.iter().map(|row| Ok(row.text(0)?.to_owned()));
        let mut names: Vec<String> = names.collect::<Result<_, StoreError>>()?;
        // The catalogues sort in an order of their own.
        names.sort_unstable();
        Ok(names)
    }

    pub(crate) async fn columns(&self, table: &str) -> Result<Vec<Column>, StoreError> {
        let text = match &self.pool {
            Pool::MariaDb(_) => mariadb::COLUMNS,
            Pool::Postgres(_) => postgres::COLUMNS,
        };
        let rows = self.fixed_rows(text, vec![Value::from(table)]).await?;
        let convert = |row| match &self.pool {
            Pool::MariaDb(_) => mariadb::column(row),
            Pool::Postgres(_) => postgres::column(row),
        };
        rows.iter().map(convert).collect()
    }

    /// The catalogue queries answer one row per column of an index: its name, the column,
    /// whether the index is unique.
    pub(crate) async fn indexes(&self, table: &str) -> Result<Vec<Index>, StoreError> {
        let text = match &self.pool {
            Pool::MariaDb(_) => mariadb::INDEXES,
            Pool::Postgres(_) => postgres::INDEXES,
        };
        let mut indexes: Vec<Index> = Vec::new();
        for row in self.fixed_rows(text, vec![Value::from(table)]).await? {
            let (name, column) = (row.text(0)?, row.text(1)?.to_owned());
            match indexes.last_mut() {
                Some(index) if index.name == name => index.columns.push(column),
                _ => indexes.push(Index {
                    name: name.to_owned(),
                    columns: vec![column],
                    unique: row.bool(2)?,
                }),
            }
        }
        Ok(indexes)
    }
}

async fn commit(connection: Connection) -> Result<(), Failure> {
    // Whether a commit whose answer was lost has happened is unknown: not again.
    let unknown = |failure: Failure| Failure {
        again: failure.again && failure.error == StoreError::Busy,
        ..failure
    };
    match connection {
        Connection::Sqlite(_) => Err(StoreError::Closed.into()),
        Connection::MariaDb(mut session) => {
            let done = session.command("COMMIT").await;
            done.map_err(|error| unknown(mariadb::error(&error)))?;
            session.settle();
            Ok(())
        }
        Connection::Postgres(mut session) => {
            let done = session.command("COMMIT").await;
            done.map_err(|error| unknown(postgres::error(&error)))?;
            session.settle();
            Ok(())
        }
    }
}

/// A connection that cannot roll back any more is closed, which has the same effect.
async fn rollback(connection: Connection) {
    match connection {
        Connection::Sqlite(_) => {}
        Connection::MariaDb(mut session) => {
            if session.command("ROLLBACK").await.is_ok() {
                session.settle();
            }
        }
        Connection::Postgres(mut session) => {
            if session.command("ROLLBACK").await.is_ok() {
                session.settle();
            }
        }
    }
}

fn in_runtime() -> Result<(), StoreError> {
    tokio::runtime::Handle::try_current()
        .map(drop)
        .map_err(|_| StoreError::Other("a server is opened inside of a tokio runtime".to_owned()))
}

/// Runs to the end also when the caller goes away, as an operation on SQLite does; a client
/// that hangs up cannot make us close and reopen connections. Not for longer than `limit`,
/// though: a server that has fallen silent, or the network to it, would keep every connection
/// of the pool for ever. The connection is closed then, and what is open on it rolled back.
async fn uninterrupted<T, E>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let work = async move {
        match limit {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(result) => result,
                Err(_) => Err(E::from(StoreError::Unavailable(format!(
                    "no answer within {} seconds",
                    limit.as_secs()
                )))),
            },
        }
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            Err(_) => Err(E::from(StoreError::Closed)),
        },
    }
}
