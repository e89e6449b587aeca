//! SQLite: one writer thread with group commit, and readers on the calling thread.

mod catalogue;
mod checkpoint;
mod connection;
mod like;
mod operation;
mod pace;
mod reading;
mod statement;
mod stats;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::transaction::{Connection, Transaction};
use crate::{Column, ColumnChange, Index, Row, Sql, StoreError, Value};

pub(crate) use like::NAME as LIKE;
pub(crate) use statement::{Names, each_row_named, execute, rows};

/// Connections kept for readers. More are opened when more threads read at once, and closed
/// afterwards.
const IDLE_READERS: usize = 16;

/// A connection for readers, and what is known of the results of its statements.
struct Reader {
    connection: rusqlite::Connection,
    shapes: statement::Shapes,
    pace: Arc<pace::Pace>,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connection::open(path, connection::Role::Reader)?;
        let pace = pace::Pace::attach(&mut connection)?;
        like::register(&connection, Arc::clone(&pace)).map_err(|error| statement::error(&error))?;
        Ok(Self {
            connection,
            shapes: statement::Shapes::default(),
            pace,
        })
    }
}

/// A database file.
pub(crate) struct Sqlite {
    writer: writer::Writer,
    readers: Arc<Readers>,
    /// Places for statements that take long, each of which has a thread.
    long: Arc<Semaphore>,
}

/// The connections for readers.
struct Readers {
    path: PathBuf,
    /// `None` once the database is closed.
    idle: Mutex<Option<Vec<Reader>>>,
}

impl Sqlite {
    /// Opens the file, creating it and its folder when they do not exist.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        connection::create_file(path)?;
        let writer = writer::Writer::start(path)?;
        let reader = Reader::open(path)?;
        Ok(Self {
            writer,
            readers: Arc::new(Readers {
                path: path.to_owned(),
                idle: Mutex::new(Some(vec![reader])),
            }),
            long: Arc::new(Semaphore::new(reading::LONG)),
        })
    }

    /// Runs one reading statement on the calling thread; at most `limit` rows.
    pub(crate) fn rows(
        &self,
        sql: &Sql,
        values: &[Value],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let text = sql.for_dialect(crate::Dialect::Sqlite);
        let mut reader = self.readers.take()?;
        let Reader {
            connection, shapes, ..
        } = &mut reader;
        let result = statement::fixed_rows(connection, shapes, text, values, limit);
        self.readers.give_back(reader);
        result
    }

    /// Runs an operation on a snapshot, on the calling thread.
    pub(crate) fn read<T, E>(
        &self,
        operation: &(impl for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + ?Sized),
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let Reader {
            connection,
            shapes,
            pace,
        } = self.readers.take()?;
        statement::execute(&connection, "BEGIN DEFERRED", &[])?;
        let mut transaction = Transaction::new(Connection::Sqlite(Box::new(connection)));
        let result = operation::poll_once(operation, &mut transaction);
        if let (Connection::Sqlite(connection), _) = transaction.into_parts()
            && statement::execute(&connection, "ROLLBACK", &[]).is_ok()
        {
            let connection = *connection;
            self.readers.give_back(Reader {
                connection,
                shapes,
                pace,
            });
        }
        result
    }

    /// Runs an operation on the writer thread; returns after its group was committed.
    pub(crate) async fn write<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.run(operation).await
    }

    /// Runs statements that change the schema, in one transaction.
    pub(crate) async fn execute_ddl(&self, text: &str) -> Result<(), StoreError> {
        let text = text.to_owned();
        self.writer
            .with_connection(move |connection| statement::execute_batch(connection, &text))
            .await
    }

    /// Changes a column by rebuilding its table: SQLite cannot alter a column's type.
    pub(crate) async fn alter_column(&self, change: &ColumnChange<'_>) -> Result<(), StoreError> {
        let table = change.table.to_owned();
        let column = Column {
            name: change.column.to_owned(),
            column_type: crate::Dialect::Sqlite
                .column_type(change.column_type)
                .into_owned(),
            length: None,
            nullable: change.nullable,
            default: change.default.map(ToOwned::to_owned),
            primary_key: false,
        };
        self.writer
            .with_connection(move |connection| {
                catalogue::rebuild_with_column(connection, &table, &column)
            })
            .await
    }

    /// Prepares a statement without running it.
    pub(crate) fn prepare_check(&self, sql: &Sql) -> Result<(), StoreError> {
        self.with_reader(|connection| {
            let text = sql.for_dialect(crate::Dialect::Sqlite);
            connection
                .prepare(text)
                .map(drop)
                .map_err(|error| statement::error(&error))
        })
    }

    pub(crate) fn tables(&self) -> Result<Vec<String>, StoreError> {
        self.with_reader(catalogue::tables)
    }

    pub(crate) fn columns(&self, table: &str) -> Result<Vec<Column>, StoreError> {
        self.with_reader(|connection| catalogue::columns(connection, table))
    }

    pub(crate) fn indexes(&self, table: &str) -> Result<Vec<Index>, StoreError> {
        self.with_reader(|connection| catalogue::indexes(connection, table))
    }

    /// Waits for what is queued, then closes every connection.
    pub(crate) async fn close(&self) {
        drop(self.readers.idle().take());
        self.writer.stop().await;
    }

    fn with_reader<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reader = self.readers.take()?;
        let result = work(&reader.connection);
        self.readers.give_back(reader);
        result
    }
}

impl Readers {
    fn take(&self) -> Result<Reader, StoreError> {
        let idle = match self.idle().as_mut() {
            Some(readers) => readers.pop(),
            None => return Err(StoreError::Closed),
        };
        idle.map_or_else(|| Reader::open(&self.path), Ok)
    }

    fn give_back(&self, reader: Reader) {
        let surplus = match self.idle().as_mut() {
            Some(readers) if readers.len() < IDLE_READERS => {
                readers.push(reader);
                None
            }
            _ => Some(reader),
        };
        // Closed after the lock is free.
        drop(surplus);
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Reader>>> {
        // Nothing can panic while the list is locked; a poisoned one is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
