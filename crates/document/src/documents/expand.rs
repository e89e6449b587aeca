//! Linked documents in the place of their names.

use serde_json::Value as Json;

use super::{Document, Documents};
use crate::FieldType;
use crate::refusal::{DocumentError, Reason};

impl Documents {
    /// Puts the documents that a document's own fields of type Link name in the place of their
    /// names: Frappe's `expand_links`. What the actor may not read, and what is not there any
    /// more, stays a name; child rows and what is linked behind a link stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    // spec: http.md, Resource server, "expand"
    pub async fn expand_links(&self, document: &mut Document) -> Result<(), DocumentError> {
        let doctype = self.doctype(&document.doctype)?;
        for field in doctype.value_fields() {
            let (FieldType::Link, Some(target)) = (field.fieldtype, field.target()) else {
                continue;
            };
            let Some(place) = document.values.get_mut(&field.fieldname) else {
                continue;
            };
            let Some(name) = place.as_str() else { continue };
            match self.get(target, name).await {
                Ok(linked) => *place = Json::Object(linked.values),
                Err(DocumentError::Refused(refusal)) if stays_a_name(&refusal.reason) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a link that is refused for this reason is told by its name alone.
fn stays_a_name(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Permission | Reason::Scope(_) | Reason::DoesNotExist
    )
}
