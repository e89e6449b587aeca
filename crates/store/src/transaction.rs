//! One transaction, on whichever database.

use sqlx::{MySql, Postgres, SqlSafeStr, SqlStr};

use crate::error::Failure;
use crate::server::Session;
use crate::{Dialect, Row, Sql, Statement, StoreError, Value, mariadb, postgres, sqlite};

/// What an operation works with. Begun, committed and rolled back by
/// [`Database::write`](crate::Database::write) and [`Database::read`](crate::Database::read).
///
/// After a statement has failed, the transaction can only be rolled back: every further
/// statement answers the same error, and so does the commit, even when the operation
/// returns `Ok`. (PostgreSQL is like this; here all databases are.)
pub struct Transaction {
    connection: Connection,
    failure: Option<Failure>,
}

pub(crate) enum Connection {
    Sqlite(Box<rusqlite::Connection>),
    MariaDb(Box<Session<MySql>>),
    Postgres(Box<Session<Postgres>>),
}

impl Transaction {
    pub(crate) const fn new(connection: Connection) -> Self {
        Self {
            connection,
            failure: None,
        }
    }

    /// The error of the first statement that failed.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    /// The connection, and the failure of the first statement that failed.
    pub(crate) fn into_parts(self) -> (Connection, Option<Failure>) {
        (self.connection, self.failure)
    }

    /// The connection, on SQLite.
    pub(crate) const fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.connection {
            Connection::Sqlite(connection) => Some(connection),
            Connection::MariaDb(_) | Connection::Postgres(_) => None,
        }
    }

    /// The dialect that dynamic statements have to be in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::MariaDb(_) => Dialect::MariaDb,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and returns all its rows.
    ///
    /// # Errors
    /// When the statement fails, or one failed before.
    pub async fn rows(
        &mut self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let text = sql.for_dialect(self.dialect());
        self.query(Text::Fixed(text), values).await
    }

    /// Runs a statement and returns its first row, if there is one.
    ///
    /// # Errors
    /// When the statement fails, or one failed before.
    pub async fn row(
        &mut self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs a statement and returns the number of rows that it inserted, deleted, or matched
    /// for an update (also those that already had the new values).
    ///
    /// # Errors
    /// When the statement fails, or one failed before.
    pub async fn execute(
        &mut self,
        sql: &'static Sql,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let text = sql.for_dialect(self.dialect());
        self.change(Text::Fixed(text), values).await
    }

    /// [`Transaction::rows`] for a dynamic statement.
    ///
    /// # Errors
    /// When the statement fails, or one failed before.
    pub async fn statement_rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.query(Text::Dynamic(statement.text), statement.values)
            .await
    }

    /// [`Transaction::execute`] for a dynamic statement.
    ///
    /// # Errors
    /// When the statement fails, or one failed before.
    pub async fn statement_execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.change(Text::Dynamic(statement.text), statement.values)
            .await
    }

    /// Removes all rows of tables. In [`Database::write_alone`](crate::Database::write_alone)
    /// others wait with adding some until the end of the transaction; they may read the old ones.
    ///
    /// # Errors
    /// When a table is not there, or one statement failed before.
    pub async fn empty(&mut self, tables: &[String]) -> Result<(), StoreError> {
        let dialect = self.dialect();
        for table in tables.iter().filter(|_| dialect == Dialect::Postgres) {
            // MariaDB locks what it looks through, SQLite has one writer.
            let text = format!("LOCK TABLE {} IN EXCLUSIVE MODE", dialect.quote(table));
            self.statement_execute(Statement::new(text, Vec::new()))
                .await?;
        }
        for table in tables {
            let text = format!("DELETE FROM {}", dialect.quote(table));
            self.statement_execute(Statement::new(text, Vec::new()))
                .await?;
        }
        Ok(())
    }

    /// Hands each row of a dynamic statement to `take` while they are read: for more rows than
    /// memory holds. When `take` answers `false`, the transaction can only be rolled back.
    ///
    /// # Errors
    /// When the statement fails, one failed before, or `take` did not want all rows.
    pub async fn each_row(
        &mut self,
        statement: Statement,
        take: &mut (dyn FnMut(Row) -> bool + Send),
    ) -> Result<(), StoreError> {
        self.usable()?;
        let Statement { text, values } = statement;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlite::each_row_named(connection, &text, &values, take).map_err(Failure::from)
            }
            Connection::MariaDb(session) => {
                let text = Text::Dynamic(text);
                mariadb::each_row(session.connection(), text, &values, take).await
            }
            Connection::Postgres(session) => {
                let text = Text::Dynamic(text);
                postgres::each_row(session.connection(), text, &values, take).await
            }
        };
        self.note(result)
    }

    async fn query(&mut self, text: Text, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.usable()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let names = match text {
                    Text::Fixed(_) => sqlite::Names::WithStar,
                    Text::Dynamic(_) => sqlite::Names::Always,
                };
                sqlite::rows(connection, text.as_str(), &values, usize::MAX, names)
                    .map_err(Failure::from)
            }
            Connection::MariaDb(session) => {
                mariadb::rows(session.connection(), text, &values).await
            }
            Connection::Postgres(session) => {
                postgres::rows(session.connection(), text, &values).await
            }
        };
        self.note(result)
    }

    async fn change(&mut self, text: Text, values: Vec<Value>) -> Result<u64, StoreError> {
        self.usable()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlite::execute(connection, text.as_str(), &values).map_err(Failure::from)
            }
            Connection::MariaDb(session) => {
                mariadb::execute(session.connection(), text, &values).await
            }
            Connection::Postgres(session) => {
                postgres::execute(session.connection(), text, &values).await
            }
        };
        self.note(result)
    }

    fn usable(&self) -> Result<(), StoreError> {
        self.failure().cloned().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, result: Result<T, Failure>) -> Result<T, StoreError> {
        result.map_err(|failure| {
            self.failure = Some(failure.clone());
            failure.error
        })
    }
}

/// The text of a statement in the words of its database.
#[derive(Clone)]
pub(crate) enum Text {
    Fixed(&'static str),
    Dynamic(String),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Dynamic(text) => text,
        }
    }

    /// For sqlx, which wants to be told that a text which is not a constant is meant.
    pub(crate) fn into_sql(self) -> SqlStr {
        match self {
            Self::Fixed(text) => text.into_sql_str(),
            Self::Dynamic(text) => sqlx::AssertSqlSafe(text).into_sql_str(),
        }
    }
}
