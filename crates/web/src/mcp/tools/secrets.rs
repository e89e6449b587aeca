//! Secrets that REST shows once are not for assistants: what a model reads goes to whoever runs it.

use crema_document::documents::Documents;
use crema_document::{FieldType, Reason, Refusal};
use serde_json::{Map, Value};

use crate::reply::Problem;

/// The DocType whose documents are worth nothing without the secret that making one shows.
const KEY: &str = "API Key";

/// Refuses to make a document that is nothing but a secret.
///
/// # Errors
/// 403.
pub(super) fn may_make(doctype: &str) -> Result<(), Problem> {
    match doctype {
        KEY => Err(not_here("Making an API Key")),
        _ => Ok(()),
    }
}

/// Why something is not done by tools.
pub(super) fn not_here(what: &str) -> Problem {
    let message = format!("{what} shows a secret, which no assistant gets. It is done over REST.");
    Problem::Refused(Refusal::new(Reason::Permission, message))
}

/// Takes secrets out of a document, among them one that was drawn for it just now.
pub(super) fn hide(documents: &Documents, doctype: &str, values: &mut Map<String, Value>) {
    let Ok(definition) = documents.doctype(doctype) else {
        return;
    };
    for field in &definition.fields {
        if field.fieldtype == FieldType::Password {
            values.shift_remove(&field.fieldname);
        }
    }
}
