//! Documents: read, made, changed and removed under the rules of their DocType.
//!
//! One [`Documents`] is one request's view of a site's documents: who asks, at which moment.
//! Every way in goes through it, so that permissions, validation and the rules of the layers
//! above hold for each.

mod rules;
pub mod value;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::access::Actor;
use crate::refusal::DocumentError;
use crate::{DocType, RandomSource, Registry, Site, Timestamp};

pub use rules::{Change, Keeper, Kept, NoRules, Rules};

/// One request's view of the documents of a site. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    /// The site.
    pub site: Arc<Site>,
    /// Its definitions, as of the request.
    pub registry: Arc<Registry>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The moment of the request.
    pub now: Timestamp,
    /// For names.
    pub random: Arc<dyn RandomSource>,
    /// What the layers above add.
    pub rules: Arc<dyn Rules>,
}

/// A document as whoever asked may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its DocType.
    pub doctype: String,
    /// Its name.
    pub name: String,
    /// Its members in Frappe's order: standard columns, fields in the order of the form,
    /// `doctype`, child tables. Empty ones are null. Password fields are left out.
    pub values: Map<String, Value>,
}

impl Documents {
    /// The DocType of that name.
    ///
    /// # Errors
    /// [`crate::Reason::DoesNotExist`].
    pub fn doctype(&self, name: &str) -> Result<Arc<DocType>, DocumentError> {
        self.registry.get(name).cloned().ok_or_else(|| {
            DocumentError::refused(
                crate::Reason::DoesNotExist,
                format!("DocType {name} not found"),
            )
        })
    }

    /// One document with its child rows. Of a single, `name` is the DocType's own.
    ///
    /// # Errors
    /// [`crate::Reason::DoesNotExist`], also for documents that the actor may not know about
    /// when no role of theirs reads the DocType: then [`crate::Reason::Permission`].
    pub async fn get(&self, _doctype: &str, _name: &str) -> Result<Document, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }

    /// Makes a document.
    ///
    /// # Errors
    /// A [`crate::Refusal`] that names the field.
    pub async fn insert(
        &self,
        _doctype: &str,
        _values: Map<String, Value>,
    ) -> Result<Document, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }

    /// Changes a document: members that are not given stay. A `modified` among them has to be
    /// the stored one. A child table that is given replaces the rows, matched by their `name`.
    ///
    /// # Errors
    /// A [`crate::Refusal`] that names the field.
    pub async fn update(
        &self,
        _doctype: &str,
        _name: &str,
        _values: Map<String, Value>,
    ) -> Result<Document, DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }

    /// Removes a document with its child rows and stored passwords.
    ///
    /// # Errors
    /// [`crate::Reason::LinkExists`] when others link to it.
    pub async fn delete(&self, _doctype: &str, _name: &str) -> Result<(), DocumentError> {
        Err(DocumentError::Internal("not yet".to_owned()))
    }
}
