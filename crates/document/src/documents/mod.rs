//! Documents: read, made, changed and removed under the rules of their DocType.
//!
//! One [`Documents`] is one request's view of a site's documents: who asks, at which moment.
//! Every way in goes through it, so that permissions, validation and the rules of the layers
//! above hold for each.

mod change;
mod delete;
mod draft;
mod expand;
mod get;
mod given;
mod links;
mod load;
mod naming;
mod rules;
mod save;
mod show;
pub(crate) mod sql;
mod validate;
pub mod value;
mod write;

use std::sync::Arc;

use crema_store::Sql;
use serde_json::{Map, Value as Json};

use crate::access::Actor;
use crate::refusal::{DocumentError, Reason};
use crate::{DocType, RandomSource, Registry, Site, Timestamp};

pub use given::typed_members;
pub use rules::{Change, Keeper, Kept, NoRules, Rules};

/// The fixed statements of this module.
pub static ALL: &[&[&Sql]] = &[naming::ALL, delete::ALL];

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
    pub values: Map<String, Json>,
}

impl Documents {
    /// The DocType of that name.
    ///
    /// # Errors
    /// [`crate::Reason::DoesNotExist`].
    pub fn doctype(&self, name: &str) -> Result<Arc<DocType>, DocumentError> {
        self.registry.get(name).cloned().ok_or_else(|| {
            DocumentError::refused(Reason::DoesNotExist, format!("DocType {name} not found"))
        })
    }
}
