//! Rows of documents: their standard columns, and the statements that write them.
//!
//! For records whose columns are known only at run time, and for everything that happens too
//! seldom to deserve a fixed statement.

use crema_store::{Dialect, Statement, StoreError, Transaction, Value};

use crate::zone::LocalTime;

/// The standard columns of a new document.
#[derive(Clone, Debug)]
pub struct RowHead {
    /// Its name.
    pub name: String,
    /// The user who makes it.
    pub owner: String,
    /// The moment, on the site's clock.
    pub now: LocalTime,
    /// Where it hangs, when it is a row of another document.
    pub parent: Option<Parent>,
}

/// The place of a child row.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The name of the document it belongs to.
    pub name: String,
    /// The DocType of that document.
    pub doctype: String,
    /// The field of that document.
    pub field: String,
    /// Its number in the field, from 1.
    pub idx: u32,
}

impl RowHead {
    /// The head of a document that stands by itself.
    pub fn new(name: impl Into<String>, owner: impl Into<String>, now: LocalTime) -> RowHead {
        RowHead {
            name: name.into(),
            owner: owner.into(),
            now,
            parent: None,
        }
    }

    /// The same as row `idx` (from 1) of a field of another document.
    #[must_use]
    pub fn below(self, doctype: &str, name: &str, field: &str, idx: u32) -> RowHead {
        RowHead {
            parent: Some(Parent {
                name: name.to_owned(),
                doctype: doctype.to_owned(),
                field: field.to_owned(),
                idx,
            }),
            ..self
        }
    }

    /// The columns that every row has, and those of its place.
    pub(crate) fn columns(&self) -> Vec<(&'static str, Value)> {
        let mut columns = vec![
            ("name", Value::from(&self.name)),
            ("creation", self.now.into()),
            ("modified", self.now.into()),
            ("modified_by", Value::from(&self.owner)),
            ("owner", Value::from(&self.owner)),
            ("docstatus", Value::Int(0)),
        ];
        match &self.parent {
            None => columns.push(("idx", Value::Int(0))),
            Some(parent) => columns.extend([
                ("idx", Value::from(parent.idx)),
                ("parent", Value::from(&parent.name)),
                ("parentfield", Value::from(&parent.field)),
                ("parenttype", Value::from(&parent.doctype)),
            ]),
        }
        columns
    }
}

/// Inserts a document's row into `tab<doctype>`.
///
/// # Errors
/// [`StoreError::UniqueViolation`] when the name or another unique value is taken.
pub async fn insert(
    transaction: &mut Transaction,
    doctype: &str,
    head: &RowHead,
    fields: Vec<(&str, Value)>,
) -> Result<(), StoreError> {
    let mut columns = head.columns();
    columns.extend(fields);
    let statement = insert_statement(transaction.dialect(), &format!("tab{doctype}"), columns);
    transaction.statement_execute(statement).await?;
    Ok(())
}

/// Changes columns of one document and its `modified` and `modified_by`. `false` when there is
/// no document of that name.
///
/// # Errors
/// When the statement fails.
pub async fn update(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
    modified_by: &str,
    now: LocalTime,
    fields: Vec<(&str, Value)>,
) -> Result<bool, StoreError> {
    let mut columns = fields;
    columns.push(("modified", now.into()));
    columns.push(("modified_by", modified_by.into()));
    let table = format!("tab{doctype}");
    let condition = vec![("name", Value::from(name))];
    let statement = update_statement(transaction.dialect(), &table, columns, condition);
    Ok(transaction.statement_execute(statement).await? > 0)
}

/// Whether there is a document of that name.
///
/// # Errors
/// When the statement fails.
pub async fn exists(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
) -> Result<bool, StoreError> {
    let dialect = transaction.dialect();
    let text = format!(
        "SELECT 1 FROM {} WHERE {} = {}",
        dialect.quote(&format!("tab{doctype}")),
        dialect.quote("name"),
        placeholder(dialect, 1)
    );
    let statement = Statement::new(text, vec![name.into()]);
    Ok(!transaction.statement_rows(statement).await?.is_empty())
}

/// `INSERT INTO table (…) VALUES (…)`.
pub fn insert_statement(dialect: Dialect, table: &str, columns: Vec<(&str, Value)>) -> Statement {
    let names: Vec<String> = columns
        .iter()
        .map(|(name, _)| dialect.quote(name))
        .collect();
    let places: Vec<String> = (1..=columns.len())
        .map(|number| placeholder(dialect, number))
        .collect();
    let text = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        dialect.quote(table),
        names.join(", "),
        places.join(", ")
    );
    Statement::new(text, columns.into_iter().map(|(_, value)| value).collect())
}

/// `UPDATE table SET … WHERE … AND …`; the conditions are equalities.
pub fn update_statement(
    dialect: Dialect,
    table: &str,
    columns: Vec<(&str, Value)>,
    conditions: Vec<(&str, Value)>,
) -> Statement {
    let mut number = 0;
    let mut equal = |name: &str| {
        number += 1;
        format!("{} = {}", dialect.quote(name), placeholder(dialect, number))
    };
    let set: Vec<String> = columns.iter().map(|(name, _)| equal(name)).collect();
    let wanted: Vec<String> = conditions.iter().map(|(name, _)| equal(name)).collect();
    let text = format!(
        "UPDATE {} SET {} WHERE {}",
        dialect.quote(table),
        set.join(", "),
        wanted.join(" AND ")
    );
    let values = columns.into_iter().chain(conditions);
    Statement::new(text, values.map(|(_, value)| value).collect())
}

/// How the dialect writes the parameter of that number, from 1.
pub fn placeholder(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Postgres => format!("${number}"),
        Dialect::Sqlite | Dialect::MariaDb => "?".to_owned(),
    }
}
