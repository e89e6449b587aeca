//! One transaction, on whichever database.

use crate::{Dialect, Row, Sql, Statement, StoreError, Value, sqlite};

/// What an operation works with. Begun, committed and rolled back by
/// [`Database::write`](crate::Database::write) and [`Database::read`](crate::Database::read).
///
/// After a statement has failed, the transaction can only be rolled back: every further
/// statement answers the same error, and so does the commit, even when the operation
/// returns `Ok`. (PostgreSQL is like this; here all databases are.)
pub struct Transaction {
    connection: Connection,
    failure: Option<StoreError>,
}

pub(crate) enum Connection {
    Sqlite(Box<rusqlite::Connection>),
}

impl Transaction {
    pub(crate) const fn new(connection: Connection) -> Self {
        Self {
            connection,
            failure: None,
        }
    }

    /// The error of the first statement that failed.
    pub(crate) const fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    /// The connection, on SQLite.
    pub(crate) const fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.connection {
            Connection::Sqlite(connection) => Some(connection),
        }
    }

    /// The dialect that dynamic statements have to be in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
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

    async fn query(&mut self, text: Text, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.usable()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlite::rows(connection, text.as_str(), &values, usize::MAX)
            }
        };
        self.note(result)
    }

    async fn change(&mut self, text: Text, values: Vec<Value>) -> Result<u64, StoreError> {
        self.usable()?;
        let result = match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::execute(connection, text.as_str(), &values),
        };
        self.note(result)
    }

    fn usable(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}

/// The text of a statement in the words of its database.
pub(crate) enum Text {
    Fixed(&'static str),
    Dynamic(String),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Dynamic(text) => text,
        }
    }
}
