//! The statements of single documents. Names of tables and columns come from definitions,
//! values are bound.

use std::fmt;
use std::sync::OnceLock;

use crema_store::{Database, Dialect, Row, Statement, StoreError, Transaction, Value};

use crate::doctype::{DocType, Naming};
use crate::row::placeholder;

/// Where rows are read from.
pub(super) enum Source<'a> {
    /// The database, outside of a transaction.
    Database(&'a Database),
    /// A transaction.
    Transaction(&'a mut Transaction),
}

impl Source<'_> {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Source::Database(database) => database.dialect(),
            Source::Transaction(tx) => tx.dialect(),
        }
    }

    pub(super) async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        match self {
            Source::Database(database) => database.statement_rows(statement).await,
            Source::Transaction(tx) => tx.statement_rows(statement).await,
        }
    }
}

/// What is done to the rows that a transaction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// Nothing.
    None,
    /// Nobody changes them until the end of the transaction.
    Share,
    /// Nobody else locks them until the end of the transaction.
    Exclusive,
}

impl Lock {
    fn clause(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Lock::None, _) | (_, Dialect::Sqlite) => "",
            (Lock::Exclusive, _) => " FOR UPDATE",
            (Lock::Share, Dialect::MariaDb) => " LOCK IN SHARE MODE",
            (Lock::Share, Dialect::Postgres) => " FOR SHARE",
        }
    }
}

/// Equalities that all have to hold.
pub(super) fn conditions(dialect: Dialect, wanted: &[(&str, Value)], first: usize) -> String {
    let parts: Vec<String> = wanted
        .iter()
        .enumerate()
        .map(|(index, (column, _))| {
            let place = placeholder(dialect, first + index);
            format!("{} = {place}", dialect.quote(column))
        })
        .collect();
    parts.join(" AND ")
}

/// `SELECT columns FROM table WHERE … `, then what follows.
pub(super) fn select(
    dialect: Dialect,
    table: &str,
    columns: &[&str],
    wanted: Vec<(&str, Value)>,
    then: &str,
    lock: Lock,
) -> Statement {
    let names: Vec<String> = columns.iter().map(|name| dialect.quote(name)).collect();
    let text = format!(
        "SELECT {} FROM {} WHERE {}{then}{}",
        names.join(", "),
        dialect.quote(table),
        conditions(dialect, &wanted, 1),
        lock.clause(dialect)
    );
    Statement::new(text, wanted.into_iter().map(|(_, value)| value).collect())
}

/// `DELETE FROM table WHERE …`.
pub(super) fn delete(dialect: Dialect, table: &str, wanted: Vec<(&str, Value)>) -> Statement {
    let text = format!(
        "DELETE FROM {} WHERE {}",
        dialect.quote(table),
        conditions(dialect, &wanted, 1)
    );
    Statement::new(text, wanted.into_iter().map(|(_, value)| value).collect())
}

/// A document's name as its column holds it; `None` for a text that no document of the DocType
/// is called.
pub(super) fn key(doctype: &DocType, name: &str) -> Option<Value> {
    if doctype.naming() == Naming::Autoincrement {
        return name.parse::<i64>().ok().map(Value::Int);
    }
    (!name.is_empty() && !name.contains('\0')).then(|| Value::from(name))
}

/// The statement that reads one document of a DocType by its name, made for a dialect once: it
/// is the same for all of them, and long. A copy of the definition begins without, since it may
/// become another.
#[derive(Default)]
pub(crate) struct ByName([OnceLock<String>; 3]);

impl ByName {
    pub(super) fn text(&self, dialect: Dialect, make: impl FnOnce() -> String) -> &str {
        let [sqlite, mariadb, postgres] = &self.0;
        let text = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::MariaDb => mariadb,
            Dialect::Postgres => postgres,
        };
        text.get_or_init(make)
    }
}

impl Clone for ByName {
    fn clone(&self) -> ByName {
        ByName::default()
    }
}

impl fmt::Debug for ByName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ByName")
    }
}
