//! What the audit trail says of changes of documents that decide who may do what.
//!
//! Names of fields and records, not their values: who reads the trail sees what was touched.
// spec: security.md, Audit

use crema_document::documents::{Change, value};
use crema_document::{DocType, DocumentError};
use crema_store::Transaction;
use serde_json::{Map, Value as Json};

use super::View;
use super::error::failed;
use super::values::text;
use crate::audit::{self, Entry, Operation, Status};

/// The DocTypes whose changes are written down, and as what.
fn operation(doctype: &str) -> Option<(&'static str, Operation)> {
    Some(match doctype {
        "User" => ("User", Operation::UserChanged),
        "User Permission" => ("User Permission", Operation::UserChanged),
        "Role" => ("Role", Operation::SettingsChanged),
        "Custom DocPerm" => ("Custom DocPerm", Operation::SettingsChanged),
        "OAuth Settings" => ("OAuth Settings", Operation::SettingsChanged),
        "OAuth Provider Settings" => ("OAuth Provider Settings", Operation::SettingsChanged),
        "System Settings" => ("System Settings", Operation::SettingsChanged),
        "Website Settings" => ("Website Settings", Operation::SettingsChanged),
        "Social Login Key" => ("Social Login Key", Operation::SettingsChanged),
        "Connected App" => ("Connected App", Operation::SettingsChanged),
        "Registration Access Token" => ("Registration Access Token", Operation::Revocation),
        "Previous Client Secret" => ("Previous Client Secret", Operation::ClientChanged),
        "Token Cache" => ("Token Cache", Operation::Revocation),
        _ => return None,
    })
}

/// A document was made or changed.
pub(super) async fn written(
    view: &View,
    change: &Change,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let Some((doctype, operation)) = operation(&change.doctype.name) else {
        return Ok(());
    };
    let what = if change.is_new() {
        "created"
    } else {
        "changed"
    };
    let mut entry =
        entry(view, operation, (doctype, &change.name), &change.after).detail("change", what);
    let fields = changed(change);
    if fields.is_empty() && !change.is_new() {
        return Ok(());
    }
    if doctype.ends_with("Settings") {
        entry = entry.detail("settings", doctype);
    }
    for field in fields {
        let is_secret = change.secrets.contains_key(field);
        let shown = change.after.get(field).cloned().unwrap_or_default();
        entry = match (doctype.ends_with("Settings") && !is_secret, shown) {
            // Settings are the whole site's, and none of them is a secret.
            (true, shown) if !shown.is_array() => entry.detail(field, shown),
            _ => entry.detail(field, "changed"),
        };
    }
    audit::record(tx, &entry).await.map_err(failed)
}

/// A document is about to be removed.
pub(super) async fn removed(
    view: &View,
    doctype: &DocType,
    document: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let Some((doctype, operation)) = operation(&doctype.name) else {
        return Ok(());
    };
    let name = text(document, "name");
    let entry = entry(view, operation, (doctype, name), document).detail("change", "deleted");
    audit::record(tx, &entry).await.map_err(failed)
}

fn entry(
    view: &View,
    operation: Operation,
    (doctype, name): (&'static str, &str),
    document: &Map<String, Json>,
) -> Entry {
    let entry = Entry::new(&view.ctx, operation, Status::Success)
        .user(view.by())
        .about(doctype, name);
    // The names of these are drawn, and tell nobody what was opened or closed.
    let (of, place) = match doctype {
        "User Permission" => ("user", "for_value"),
        "Custom DocPerm" => ("role", "parent"),
        _ => return entry,
    };
    let (of, place) = (text(document, of), text(document, place));
    let by = view.by();
    entry.subject(format!(
        "{}: {doctype} of {of} for {place} ({by})",
        operation.as_str()
    ))
}

/// The fields that change.
fn changed(change: &Change) -> Vec<&str> {
    let fields = change.doctype.fields.iter();
    let fields = fields.map(|field| field.fieldname.as_str());
    fields
        .filter(|field| {
            let gone = |document: Option<&Map<String, Json>>| {
                document
                    .and_then(|document| document.get(*field))
                    .is_none_or(value::is_empty)
            };
            let empty = gone(change.before.as_ref()) && gone(Some(&change.after));
            change.secrets.contains_key(*field) || (change.changes(field) && !empty)
        })
        .collect()
}
