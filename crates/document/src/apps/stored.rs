//! `__definition`: the DocTypes of the apps that are installed on a site.

use crema_store::{Database, StoreError, Transaction, params, statements};

use crate::doctype::{DefinitionError, DocType};

statements! {
    /// Which definitions there are, and in which state.
    pub(crate) STAMPS = r#"SELECT "name", "app", "hash" FROM "__definition" ORDER BY "name""#;
    /// All of them.
    pub(crate) READ = r#"SELECT "name", "app", "hash", "definition" FROM "__definition"
        ORDER BY "name""#;
    /// Another state of one.
    pub(crate) CHANGE = r#"UPDATE "__definition" SET "app" = ?, "hash" = ?, "definition" = ?
        WHERE "name" = ?"#;
    /// A new one.
    pub(crate) INSERT = r#"INSERT INTO "__definition" ("app", "hash", "definition", "name")
        VALUES (?, ?, ?, ?)"#;
    /// Removes one.
    pub(crate) DELETE = r#"DELETE FROM "__definition" WHERE "name" = ?"#;
}

/// A definition as it is kept on the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The DocType.
    pub(crate) name: String,
    /// The app that it came with.
    pub(crate) app: String,
    /// SHA-256 of the text in hexadecimal.
    pub(crate) hash: String,
    /// The text of its file.
    pub(crate) definition: String,
}

/// Name, app and hash of each: what tells whether [`read`] would find something else.
pub(crate) type Stamps = Vec<(String, String, String)>;

impl Stored {
    /// The DocType.
    pub(crate) fn parse(&self) -> Result<DocType, DefinitionError> {
        let mut doctype = DocType::from_json(&self.name, &self.definition)?;
        doctype.app.clone_from(&self.app);
        Ok(doctype)
    }
}

/// The state of the definitions. None on a site whose tables are of a version without them.
pub(crate) async fn stamps(database: &Database) -> Result<Stamps, StoreError> {
    let rows = match database.rows(&STAMPS, params![]).await {
        Err(StoreError::Schema(_)) => return Ok(Vec::new()),
        other => other?,
    };
    rows.iter()
        .map(|row| {
            Ok((
                row.text(0)?.to_owned(),
                row.text(1)?.to_owned(),
                row.text(2)?.to_owned(),
            ))
        })
        .collect()
}

/// Every definition, by name. None on a site whose tables are of a version without them.
pub(crate) async fn read(database: &Database) -> Result<Vec<Stored>, StoreError> {
    let rows = match database.rows(&READ, params![]).await {
        Err(StoreError::Schema(_)) => return Ok(Vec::new()),
        other => other?,
    };
    rows.iter()
        .map(|row| {
            Ok(Stored {
                name: row.text(0)?.to_owned(),
                app: row.text(1)?.to_owned(),
                hash: row.text(2)?.to_owned(),
                definition: row.text(3)?.to_owned(),
            })
        })
        .collect()
}

/// Keeps a definition in the place of what was there.
pub(crate) async fn put(tx: &mut Transaction, stored: &Stored) -> Result<(), StoreError> {
    let values = || {
        params![
            stored.app.as_str(),
            stored.hash.as_str(),
            stored.definition.as_str(),
            stored.name.as_str()
        ]
    };
    if tx.execute(&CHANGE, values()).await? == 0 {
        tx.execute(&INSERT, values()).await?;
    }
    Ok(())
}

/// Forgets a definition.
pub(crate) async fn remove(tx: &mut Transaction, name: &str) -> Result<(), StoreError> {
    tx.execute(&DELETE, params![name]).await.map(drop)
}
