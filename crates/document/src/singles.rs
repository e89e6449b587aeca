//! Singles: DocTypes with one document, a row for each field in `tabSingles`.

use std::collections::HashMap;

use crema_store::{Database, Row, StoreError, Transaction, params, statements};

use crate::doctype::DocType;
use crate::zone::LocalTime;

statements! {
    /// Every field of a single.
    pub(crate) READ = r#"SELECT "field", "value" FROM "tabSingles" WHERE "doctype" = ?"#;
    /// Another value for a field.
    pub(crate) CHANGE = r#"UPDATE "tabSingles" SET "value" = ?
        WHERE "doctype" = ? AND "field" = ?"#;
    /// The first value of a field.
    pub(crate) INSERT = r#"INSERT INTO "tabSingles" ("value", "doctype", "field")
        VALUES (?, ?, ?)"#;
}

/// The values of a single: what is stored, and the definition's default where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Single {
    values: HashMap<String, String>,
}

impl Single {
    fn new(doctype: &DocType, rows: &[Row]) -> Result<Single, StoreError> {
        let mut values: HashMap<String, String> = doctype
            .value_fields()
            .filter_map(|field| {
                Some((field.fieldname.clone(), field.literal_default()?.to_owned()))
            })
            .collect();
        for row in rows {
            let field = row.text(0)?.to_owned();
            match row.opt_text(1)? {
                Some(value) => values.insert(field, value.to_owned()),
                // Stored and empty is not the default.
                None => values.remove(&field),
            };
        }
        Ok(Single { values })
    }

    /// A field's text; `None` when it is empty.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.values
            .get(field)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A Check.
    pub fn flag(&self, field: &str) -> bool {
        self.int(field) != 0
    }

    /// A whole number, 0 when the field is empty or holds none.
    pub fn int(&self, field: &str) -> i64 {
        self.text(field)
            .and_then(|value| value.trim().parse::<f64>().ok())
            .map_or(0, saturating)
    }

    /// The lines of a text, without blanks at their ends and without empty ones.
    pub fn lines(&self, field: &str) -> impl Iterator<Item = &str> {
        let text = self.text(field).unwrap_or_default();
        text.lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// Every value with its field.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(field, value)| (field.as_str(), value.as_str()))
    }
}

/// Whole numbers may have been stored with a fraction of nothing (`3600.0`). Out of range
/// saturates.
fn saturating(number: f64) -> i64 {
    number as i64
}

/// Reads a single.
///
/// # Errors
/// When the database cannot be read.
pub async fn get(database: &Database, doctype: &DocType) -> Result<Single, StoreError> {
    let rows = database.rows(&READ, params![doctype.name.as_str()]).await?;
    Single::new(doctype, &rows)
}

/// Reads a single within a transaction.
///
/// # Errors
/// When the statement fails.
pub async fn get_in(
    transaction: &mut Transaction,
    doctype: &DocType,
) -> Result<Single, StoreError> {
    let rows = transaction
        .rows(&READ, params![doctype.name.as_str()])
        .await?;
    Single::new(doctype, &rows)
}

/// Stores fields of a single, and who did so when. `None` empties a field.
///
/// # Errors
/// When a statement fails.
pub async fn set(
    transaction: &mut Transaction,
    doctype: &str,
    fields: &[(&str, Option<&str>)],
    modified_by: &str,
    now: LocalTime,
) -> Result<(), StoreError> {
    let now = now.to_string();
    let bookkeeping = [
        ("modified", Some(now.as_str())),
        ("modified_by", Some(modified_by)),
    ];
    for (field, value) in fields.iter().copied().chain(bookkeeping) {
        put(transaction, doctype, field, value).await?;
    }
    Ok(())
}

async fn put(
    transaction: &mut Transaction,
    doctype: &str,
    field: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    let values = || params![value, doctype, field];
    if transaction.execute(&CHANGE, values()).await? == 0 {
        transaction.execute(&INSERT, values()).await?;
    }
    Ok(())
}
