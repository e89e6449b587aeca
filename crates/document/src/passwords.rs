//! `__Auth`: hashes of passwords and encrypted values, kept apart from the documents.
//!
//! What is kept here is opaque: the layers above hash and encrypt.

use crema_store::{Row, StoreError, Transaction, params, statements};

use crate::SecretText;

statements! {
    /// A stored value by its key.
    pub(crate) GET = r#"SELECT "password", "encrypted" FROM "__Auth"
        WHERE "doctype" = ? AND "name" = ? AND "fieldname" = ?"#;
    /// Another value for a key.
    pub(crate) CHANGE = r#"UPDATE "__Auth" SET "password" = ?, "encrypted" = ?
        WHERE "doctype" = ? AND "name" = ? AND "fieldname" = ?"#;
    /// A value for a new key.
    pub(crate) INSERT = r#"INSERT INTO "__Auth"
        ("password", "encrypted", "doctype", "name", "fieldname") VALUES (?, ?, ?, ?, ?)"#;
    /// Removes one value.
    pub(crate) DELETE = r#"DELETE FROM "__Auth"
        WHERE "doctype" = ? AND "name" = ? AND "fieldname" = ?"#;
    /// Removes every value of a document.
    pub(crate) DELETE_ALL = r#"DELETE FROM "__Auth" WHERE "doctype" = ? AND "name" = ?"#;
    /// Moves every value of a document to its new name.
    pub(crate) RENAME = r#"UPDATE "__Auth" SET "name" = ? WHERE "doctype" = ? AND "name" = ?"#;
}

/// What `__Auth` keeps under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPassword {
    /// A one-way hash, or a Fernet token.
    pub value: SecretText,
    /// Whether it is a Fernet token.
    pub encrypted: bool,
}

/// The value of a document's field, if there is one.
///
/// # Errors
/// When the statement fails.
pub async fn get(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
    fieldname: &str,
) -> Result<Option<StoredPassword>, StoreError> {
    let row = transaction
        .row(&GET, params![doctype, name, fieldname])
        .await?;
    row.map(|row| stored(&row)).transpose()
}

/// Like [`get`], outside of a transaction.
///
/// # Errors
/// When the statement fails.
pub async fn read(
    database: &crema_store::Database,
    doctype: &str,
    name: &str,
    fieldname: &str,
) -> Result<Option<StoredPassword>, StoreError> {
    let row = database
        .row(&GET, params![doctype, name, fieldname])
        .await?;
    row.map(|row| stored(&row)).transpose()
}

/// Stores a value in the place of what was there.
///
/// # Errors
/// When a statement fails.
pub async fn set(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
    fieldname: &str,
    stored: &StoredPassword,
) -> Result<(), StoreError> {
    let values = || {
        let value = stored.value.expose();
        params![value, stored.encrypted, doctype, name, fieldname]
    };
    if transaction.execute(&CHANGE, values()).await? == 0 {
        transaction.execute(&INSERT, values()).await?;
    }
    Ok(())
}

/// Removes a value; `false` when there was none.
///
/// # Errors
/// When the statement fails.
pub async fn delete(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
    fieldname: &str,
) -> Result<bool, StoreError> {
    let removed = transaction
        .execute(&DELETE, params![doctype, name, fieldname])
        .await?;
    Ok(removed > 0)
}

/// Removes every value of a document, which goes with the document.
///
/// # Errors
/// When the statement fails.
pub async fn delete_all(
    transaction: &mut Transaction,
    doctype: &str,
    name: &str,
) -> Result<(), StoreError> {
    transaction
        .execute(&DELETE_ALL, params![doctype, name])
        .await?;
    Ok(())
}

/// Moves every value of a document to its new name.
///
/// # Errors
/// When the statement fails.
pub async fn rename(
    transaction: &mut Transaction,
    doctype: &str,
    from: &str,
    to: &str,
) -> Result<(), StoreError> {
    transaction
        .execute(&RENAME, params![to, doctype, from])
        .await?;
    Ok(())
}

fn stored(row: &Row) -> Result<StoredPassword, StoreError> {
    Ok(StoredPassword {
        value: SecretText::new(row.text(0)?),
        encrypted: row.bool(1)?,
    })
}
