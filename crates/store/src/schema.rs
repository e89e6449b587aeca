//! What a database's own catalogue says about tables.

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type, spelled as [`Dialect::column_type`](crate::Dialect::column_type) spells it.
    pub column_type: String,
    /// The length in characters of a `varchar` or `char`.
    pub length: Option<u32>,
    /// Whether it may hold `NULL`.
    pub nullable: bool,
    /// The default: the text of a string literal, or the expression as the database writes
    /// it; none when there is none or it is `NULL`.
    pub default: Option<String>,
    /// Whether it belongs to the primary key.
    pub primary_key: bool,
}

/// An index of a table; the primary key is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name, unique in the table on MariaDB and in the database elsewhere.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// Whether it admits a combination of values once.
    pub unique: bool,
}

/// How a column shall be from now on.
#[derive(Debug, Clone)]
pub struct ColumnChange<'a> {
    /// The table, without quotes.
    pub table: &'a str,
    /// The column, without quotes.
    pub column: &'a str,
    /// The type in Frappe's words, as for [`Dialect::column_type`](crate::Dialect::column_type).
    pub column_type: &'a str,
    /// Whether it may hold `NULL`.
    pub nullable: bool,
    /// The default, as a literal (see [`Dialect::literal`](crate::Dialect::literal)).
    pub default: Option<&'a str>,
}
