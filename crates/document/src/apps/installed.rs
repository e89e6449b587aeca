//! Which apps a site has: `__app`, and Installed Application, where Frappe's users look.

use crema_store::{Database, StoreError, Transaction, Value, params, statements};

use super::folder::AppFolder;
use super::stored;
use crate::patches::PatchContext;
use crate::row;

statements! {
    /// The apps.
    pub(crate) READ = r#"SELECT "name", "version" FROM "__app" ORDER BY "name""#;
    /// Another version of one.
    pub(crate) CHANGE = r#"UPDATE "__app" SET "version" = ? WHERE "name" = ?"#;
    /// One more.
    pub(crate) INSERT = r#"INSERT INTO "__app" ("version", "name") VALUES (?, ?)"#;
    /// One less.
    pub(crate) DELETE = r#"DELETE FROM "__app" WHERE "name" = ?"#;
    /// The records of it.
    pub(crate) RECORDS = r#"SELECT "name" FROM "tabInstalled Application" WHERE "app_name" = ?"#;
    /// Removes them.
    pub(crate) DELETE_RECORDS = r#"DELETE FROM "tabInstalled Application" WHERE "app_name" = ?"#;
}

/// An app of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledApp {
    /// Its name.
    pub name: String,
    /// Its version when it was installed or migrated last; empty when it has none.
    pub version: String,
    /// The names of its DocTypes.
    pub doctypes: Vec<String>,
}

/// The apps of a site, by name.
///
/// # Errors
/// When the database cannot be read.
pub async fn installed(database: &Database) -> Result<Vec<InstalledApp>, StoreError> {
    let stamps = stored::stamps(database).await?;
    let rows = match database.rows(&READ, params![]).await {
        // Tables of a version without apps.
        Err(StoreError::Schema(_)) => return Ok(Vec::new()),
        other => other?,
    };
    rows.iter()
        .map(|row| {
            let name = row.text(0)?;
            let own = stamps.iter().filter(|(_, app, _)| app == name);
            Ok(InstalledApp {
                name: name.to_owned(),
                version: row.text(1)?.to_owned(),
                doctypes: own.map(|(doctype, _, _)| doctype.clone()).collect(),
            })
        })
        .collect()
}

/// Records an app in its version.
pub(super) async fn record(
    tx: &mut Transaction,
    app: &AppFolder,
    context: &PatchContext,
) -> Result<(), StoreError> {
    let values = || params![app.version.as_str(), app.name.as_str()];
    if tx.execute(&CHANGE, values()).await? == 0 {
        tx.execute(&INSERT, values()).await?;
    }
    let version = vec![("app_version", Value::from(app.version.as_str()))];
    if let Some(record) = tx.row(&RECORDS, params![app.name.as_str()]).await? {
        let name = record.text(0)?.to_owned();
        row::update(
            tx,
            "Installed Application",
            &name,
            "Administrator",
            context.local,
            version,
        )
        .await?;
        return Ok(());
    }
    let columns = [("app_name", Value::from(app.name.as_str()))];
    let head = context.head(context.name());
    let columns = columns.into_iter().chain(version).collect();
    row::insert(tx, "Installed Application", &head, columns).await
}

/// Forgets an app; `false` when it was not there.
pub(super) async fn forget(tx: &mut Transaction, app: &str) -> Result<bool, StoreError> {
    tx.execute(&DELETE_RECORDS, params![app]).await?;
    Ok(tx.execute(&DELETE, params![app]).await? > 0)
}
