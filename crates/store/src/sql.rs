//! Statements: fixed ones in portable SQL, dynamic ones that come rendered.

use std::fmt;
use std::sync::OnceLock;

use crate::{Dialect, StoreError, Value, dialect};

/// A fixed statement in portable SQL (see the crate's own documentation), made for a
/// dialect once, at its first use.
///
/// - `?` stands for a bound value, `"name"` for an identifier.
/// - `{lock}` at the end of a `SELECT` locks its rows until the end of the transaction;
///   nothing on SQLite, where there is one writer.
/// - `{share}` in the same place keeps them from being changed until then; others may hold them
///   in the same way at the same time.
/// - `ON CONFLICT (…) DO UPDATE SET "a" = excluded."a"` and `ON CONFLICT (…) DO NOTHING`, in
///   this spelling, become `ON DUPLICATE KEY UPDATE` on MariaDB. There any unique key
///   counts, not only the one that is named, and the number of affected rows does not tell
///   whether there was a conflict.
///
/// Declare statements with [`statements!`](crate::statements), so that they are checked.
pub struct Sql {
    text: &'static str,
    rendered: [OnceLock<String>; 3],
}

impl Sql {
    /// Wraps a portable SQL text.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            rendered: [OnceLock::new(), OnceLock::new(), OnceLock::new()],
        }
    }

    /// The portable text.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// The text for one dialect.
    #[must_use]
    pub fn for_dialect(&self, dialect: Dialect) -> &str {
        let [sqlite, mariadb, postgres] = &self.rendered;
        let rendered = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::MariaDb => mariadb,
            Dialect::Postgres => postgres,
        };
        rendered.get_or_init(|| dialect::render(dialect, self.text))
    }

    /// Whether the statement only reads, as its first word says.
    pub(crate) fn is_read(&self) -> bool {
        is_read(self.text)
    }
}

fn is_read(text: &str) -> bool {
    let word = text.trim_start();
    ["SELECT", "WITH"].iter().any(|read| {
        word.get(..read.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(read))
    })
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sql({:?})", self.text)
    }
}

/// A statement that was put together while running, already in the words of the database
/// that it goes to (`$1` on PostgreSQL). Values are bound, never part of the text.
#[derive(Clone)]
pub struct Statement {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    /// Wraps a rendered statement and its values.
    #[must_use]
    pub fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self {
            text: text.into(),
            values,
        }
    }

    /// The SQL text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the statement only reads, as its first word says.
    pub(crate) fn is_read(&self) -> bool {
        is_read(&self.text)
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statement({:?}, {:?})", self.text, self.values)
    }
}

pub(crate) fn wrong_count(wanted: usize, given: usize) -> StoreError {
    StoreError::Schema(format!(
        "the statement has {wanted} parameters, {given} values were given"
    ))
}

/// Declares the fixed statements of a module, and `ALL`, the list of them, from which a
/// test prepares every statement on every database
/// ([`Database::prepare_check`](crate::Database::prepare_check)).
///
/// ```
/// crema_store::statements! {
///     /// One row by its name.
///     pub BY_NAME = r#"SELECT "value" FROM "example" WHERE "name" = ?"#;
/// }
/// assert_eq!(ALL.len(), 1);
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident = $text:expr;)*) => {
        $($(#[$attribute])* $visibility static $name: $crate::Sql = $crate::Sql::new($text);)*

        /// Every statement of this module.
        #[allow(dead_code, unreachable_pub, reason = "the list is for tests")]
        pub static ALL: &[&$crate::Sql] = &[$(&$name),*];
    };
}
