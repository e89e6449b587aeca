//! What can go wrong, in kinds that a caller can act on.

/// A failed database operation.
///
/// The messages name tables, columns and error codes. They never contain a value that was
/// bound to a statement, nor a password: server messages that quote values are dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The server or the file cannot be reached or used right now.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Others hold the lock, and waiting and trying again did not help.
    #[error("the database is busy")]
    Busy,
    /// A row with the same unique key exists.
    #[error("a row with the same key exists ({constraint})")]
    UniqueViolation {
        /// The index on MariaDB and PostgreSQL, `table.column, …` on SQLite.
        constraint: String,
    },
    /// A column that needs a value got none.
    #[error("a value is missing ({column})")]
    NotNull {
        /// The column, as the database names it.
        column: String,
    },
    /// A value does not fit its column (servers only: SQLite has no lengths).
    #[error("a value does not fit its column ({column})")]
    TooLong {
        /// The column where the database names it, else the error code.
        column: String,
    },
    /// A foreign key or check is violated.
    #[error("a constraint is violated ({constraint})")]
    Constraint {
        /// The constraint where the database names it, else the error code.
        constraint: String,
    },
    /// The database, user or role that was to be created exists already.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The statement does not fit the schema: unknown table or column, syntax, wrong number
    /// of values.
    #[error("the statement does not fit the database: {0}")]
    Schema(String),
    /// A column holds another type than was asked for, or one that is not supported.
    #[error("{0}")]
    Decode(String),
    /// The rows of one answer take more memory than there is for one.
    #[error("the rows are too long to be read at once")]
    TooMuch,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Everything else.
    #[error("database error: {0}")]
    Other(String),
}

impl StoreError {
    /// Whether the cause is a unique key that exists already.
    #[must_use]
    pub const fn is_unique_violation(&self) -> bool {
        matches!(self, Self::UniqueViolation { .. })
    }
}

/// An error, and whether the whole transaction may be tried again at once.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    pub(crate) again: bool,
}

impl Failure {
    /// Nothing of the transaction has happened, and another attempt may succeed.
    pub(crate) const fn again(error: StoreError) -> Self {
        Self { error, again: true }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            again: false,
        }
    }
}
