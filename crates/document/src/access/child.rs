//! Documents that are rows of others: who may is a question about the others.

use std::sync::Arc;

use crate::refusal::{Reason, Refusal};
use crate::{DocType, Registry};

/// The DocType whose permissions count for documents of `doctype`: itself, or for child rows
/// the DocType named `parent`, in one of whose tables such rows are.
///
/// # Errors
/// [`Reason::Permission`] for child rows when `parent` is missing or has no table of them.
pub fn parent_of(
    registry: &Registry,
    doctype: &Arc<DocType>,
    parent: Option<&str>,
) -> Result<Arc<DocType>, Refusal> {
    if !doctype.istable {
        return Ok(Arc::clone(doctype));
    }
    let refused = |message| Err(Refusal::new(Reason::Permission, message));
    let Some(name) = parent.filter(|name| !name.is_empty()) else {
        return refused(format!(
            "Rows of {} are read with the DocType that they belong to: parent",
            doctype.name
        ));
    };
    let holds = |parent: &&Arc<DocType>| {
        parent
            .table_fields()
            .any(|field| field.target() == Some(&doctype.name))
    };
    match registry.get(name).filter(holds) {
        Some(parent) => Ok(Arc::clone(parent)),
        None => refused(format!("{} has no rows of {}", name, doctype.name)),
    }
}
