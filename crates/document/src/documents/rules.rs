//! What the layers above add to documents of certain DocTypes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crema_store::{BoxFuture, Transaction};
use serde_json::{Map, Value};

use super::Documents;
use crate::refusal::{DocumentError, Reason};
use crate::{DocType, SecretText};

/// A document on its way into the database.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its DocType.
    pub doctype: Arc<DocType>,
    /// Its name; empty before a new document is named. [`Rules::prepare`] may choose one.
    pub name: String,
    /// The whole document as stored; `None` when it is new.
    pub before: Option<Map<String, Value>>,
    /// The whole document as it is going to be, child tables included. Password fields show a
    /// mask where something is stored.
    pub after: Map<String, Value>,
    /// New values of Password fields, as given.
    pub secrets: BTreeMap<String, SecretText>,
}

impl Change {
    /// Whether it is about a new document.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Whether the value of a field changes.
    pub fn changes(&self, field: &str) -> bool {
        let null = Value::Null;
        let before = self
            .before
            .as_ref()
            .and_then(|before| before.get(field))
            .unwrap_or(&null);
        before != self.after.get(field).unwrap_or(&null)
    }
}

/// What the layers above add. Every method has a default that adds nothing.
pub trait Rules: Send + Sync {
    /// Who keeps the documents of this DocType instead of the general code.
    fn keeper(&self, _doctype: &str) -> Option<&dyn Keeper> {
        None
    }

    /// Before the transaction begins, for what takes long (hashing a password) or must not run
    /// twice. May change what is going to be stored.
    fn prepare<'a>(
        &'a self,
        _documents: &'a Documents,
        _change: &'a mut Change,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async { Ok(()) })
    }

    /// In the transaction, after the general validation and before the row is written. May run
    /// again with the same `change` when the transaction is repeated. What it changes is taken
    /// as it is; fields that have to be filled are filled by [`Rules::prepare`].
    fn before_write<'a>(
        &'a self,
        _documents: &'a Documents,
        _change: &'a mut Change,
        _tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async { Ok(()) })
    }

    /// In the transaction, after the row is written. The new values of Password fields are in
    /// [`Change::secrets`], for it to encrypt and store.
    fn after_write<'a>(
        &'a self,
        _documents: &'a Documents,
        _change: &'a Change,
        _tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async { Ok(()) })
    }

    /// In the transaction, before a document and all that hangs on it is removed.
    fn before_delete<'a>(
        &'a self,
        _documents: &'a Documents,
        _doctype: &'a DocType,
        _document: &'a Map<String, Value>,
        _tx: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Nothing is added. Secrets cannot be kept, since encrypting is up to the layers above.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRules;

impl Rules for NoRules {
    fn prepare<'a>(
        &'a self,
        _documents: &'a Documents,
        change: &'a mut Change,
    ) -> BoxFuture<'a, Result<(), DocumentError>> {
        Box::pin(async move {
            match change.secrets.keys().next() {
                None => Ok(()),
                Some(field) => Err(DocumentError::refused(
                    Reason::Validation,
                    format!("{field}: secrets cannot be stored in this way"),
                )),
            }
        })
    }
}

/// What a keeper has done.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The document's name.
    pub name: String,
    /// Members that the answer shows this once, such as a new secret.
    pub reveal: Map<String, Value>,
}

/// Keeps the documents of a DocType with code of its own, on the same tables. Permissions on
/// rows and fields have been checked, and values have the type of their field, when it is
/// called; it validates and writes.
pub trait Keeper: Send + Sync {
    /// Makes a document.
    fn insert<'a>(
        &'a self,
        documents: &'a Documents,
        values: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>>;

    /// Changes the given members of a document; `modified` is what it has to be now.
    fn update<'a>(
        &'a self,
        documents: &'a Documents,
        name: &'a str,
        modified: Option<String>,
        values: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Kept, DocumentError>>;

    /// Removes a document.
    fn delete<'a>(
        &'a self,
        documents: &'a Documents,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), DocumentError>>;
}
