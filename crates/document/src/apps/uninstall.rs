//! An app leaves a site.

use std::sync::Arc;

use crema_store::{Database, Statement, StoreError, Transaction, Value, params, statements};

use super::error::AppError;
use super::installed;
use super::stored::{self, Stored};
use crate::doctype::DocType;
use crate::row::placeholder;
use crate::{Registry, SiteError, version};

statements! {
    /// Permissions that the site has put in the place of a DocType's own.
    pub(crate) DELETE_PERMISSIONS = r#"DELETE FROM "tabCustom DocPerm" WHERE "parent" = ?"#;
    /// Values of a single.
    pub(crate) DELETE_SINGLE = r#"DELETE FROM "tabSingles" WHERE "doctype" = ?"#;
    /// Stored passwords of all documents.
    pub(crate) DELETE_PASSWORDS = r#"DELETE FROM "__Auth" WHERE "doctype" = ?"#;
}

/// What is going to be removed.
#[derive(Clone)]
pub(crate) struct Removal {
    app: String,
    doctypes: Vec<DocType>,
    names: Vec<String>,
    /// Every definition from then on.
    pub(crate) registry: Arc<Registry>,
}

impl Removal {
    /// What removing an app means.
    ///
    /// # Errors
    /// When it is not installed, or what is left needs it.
    pub(crate) async fn plan(
        database: &Database,
        builtin: &Arc<Registry>,
        app: &str,
    ) -> Result<Removal, SiteError> {
        let apps = installed::installed(database).await?;
        if !apps.iter().any(|known| known.name == app) {
            return Err(AppError::NotInstalled(app.to_owned()).into());
        }
        let stored = stored::read(database).await?;
        let (own, others): (Vec<Stored>, Vec<Stored>) =
            stored.into_iter().partition(|stored| stored.app == app);
        // What cannot be read any more cannot be needed either, or need anything.
        let others = others.iter().filter_map(|stored| stored.parse().ok());
        let registry = builtin.with(others).map_err(|error| AppError::Needed {
            app: app.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Removal {
            app: app.to_owned(),
            names: own.iter().map(|stored| stored.name.clone()).collect(),
            doctypes: own.iter().filter_map(|own| own.parse().ok()).collect(),
            registry: Arc::new(registry),
        })
    }

    /// The names of the DocTypes that go.
    pub(crate) fn doctypes(&self) -> &[String] {
        &self.names
    }

    /// The tables that go with their data.
    pub(crate) fn tables(&self) -> impl Iterator<Item = String> {
        let own = self.doctypes.iter();
        own.filter(|doctype| doctype.has_table())
            .map(DocType::table)
    }

    /// Removes the definitions, and with `data` what is kept of the documents outside of their
    /// own tables.
    pub(crate) async fn apply(&self, tx: &mut Transaction, data: bool) -> Result<(), StoreError> {
        for name in &self.names {
            stored::remove(tx, name).await?;
        }
        installed::forget(tx, &self.app).await?;
        if data {
            for doctype in &self.doctypes {
                self.forget_data(tx, doctype).await?;
            }
        }
        version::bump(tx).await
    }

    async fn forget_data(&self, tx: &mut Transaction, doctype: &DocType) -> Result<(), StoreError> {
        let name = doctype.name.as_str();
        for statement in [&DELETE_PERMISSIONS, &DELETE_SINGLE, &DELETE_PASSWORDS] {
            tx.execute(statement, params![name]).await?;
        }
        // Child rows in tables that stay.
        let targets = doctype.table_fields().filter_map(|field| field.target());
        for target in targets.filter(|target| !self.names.iter().any(|own| own == target)) {
            let dialect = tx.dialect();
            let text = format!(
                "DELETE FROM {} WHERE {} = {}",
                dialect.quote(&format!("tab{target}")),
                dialect.quote("parenttype"),
                placeholder(dialect, 1)
            );
            let values = vec![Value::from(name)];
            tx.statement_execute(Statement::new(text, values)).await?;
        }
        Ok(())
    }
}
