//! The site's version: one number in the database that moves with every change of clients,
//! settings, keys, users and roles, so that what is kept in memory is known to be old.

use crema_store::{Database, StoreError, Transaction, statements};

statements! {
    /// The version.
    pub(crate) READ = r#"SELECT "version" FROM "__version" WHERE "name" = 'site'"#;
    /// One up.
    pub(crate) BUMP = r#"UPDATE "__version" SET "version" = "version" + 1 WHERE "name" = 'site'"#;
    /// The row of a new site.
    pub(crate) BEGIN = r#"INSERT INTO "__version" ("name", "version") VALUES ('site', 0)
        ON CONFLICT ("name") DO NOTHING"#;
}

/// The version; 0 before the first migration is through.
///
/// # Errors
/// When the database cannot be read.
pub async fn read(database: &Database) -> Result<u64, StoreError> {
    let row = database.row(&READ, Vec::new()).await?;
    row.map_or(Ok(0), |row| Ok(u64::try_from(row.int(0)?).unwrap_or(0)))
}

/// The version as a transaction sees it.
///
/// # Errors
/// When the statement fails.
pub async fn read_in(transaction: &mut Transaction) -> Result<u64, StoreError> {
    let row = transaction.row(&READ, Vec::new()).await?;
    row.map_or(Ok(0), |row| Ok(u64::try_from(row.int(0)?).unwrap_or(0)))
}

/// Moves the version on, as part of the change that makes older copies wrong.
///
/// # Errors
/// When the statement fails.
pub async fn bump(transaction: &mut Transaction) -> Result<(), StoreError> {
    if transaction.execute(&BUMP, Vec::new()).await? == 0 {
        transaction.execute(&BEGIN, Vec::new()).await?;
        transaction.execute(&BUMP, Vec::new()).await?;
    }
    Ok(())
}
