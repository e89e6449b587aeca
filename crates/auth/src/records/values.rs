//! Members of documents, and refusals in Frappe's words.

use crema_document::{DocType, DocumentError, Reason};
use serde_json::{Map, Value as Json};

/// A text; empty when there is none.
pub(super) fn text<'a>(document: &'a Map<String, Json>, member: &str) -> &'a str {
    document
        .get(member)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// A whole number; 0 when there is none.
pub(super) fn int(document: &Map<String, Json>, member: &str) -> i64 {
    match document.get(member) {
        Some(Json::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Json::String(text)) => text.trim().parse().unwrap_or_default(),
        Some(Json::Bool(flag)) => i64::from(*flag),
        _ => 0,
    }
}

/// A Check.
pub(super) fn flag(document: &Map<String, Json>, member: &str) -> bool {
    int(document, member) != 0
}

/// A member of every row of a child table, without empty ones.
pub(super) fn column<'a>(
    document: &'a Map<String, Json>,
    table: &str,
    member: &'a str,
) -> impl Iterator<Item = &'a str> {
    let rows = document.get(table).and_then(Json::as_array);
    rows.into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .map(move |row| text(row, member).trim())
        .filter(|value| !value.is_empty())
}

/// Sets a text, or nothing when it is empty.
pub(super) fn put(document: &mut Map<String, Json>, member: &str, value: &str) {
    let value = match value {
        "" => Json::Null,
        text => Json::from(text),
    };
    document.insert(member.to_owned(), value);
}

/// A broken rule (Frappe's `ValidationError`).
pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, DocumentError> {
    Err(DocumentError::refused(Reason::Validation, message))
}

/// The user may not (Frappe's `PermissionError`).
pub(super) fn forbidden<T>(message: impl Into<String>) -> Result<T, DocumentError> {
    Err(DocumentError::refused(Reason::Permission, message))
}

/// A field without a value that needs one (Frappe's `MandatoryError`).
pub(super) fn missing<T>(doctype: &DocType, field: &str) -> Result<T, DocumentError> {
    let label = label(doctype, field);
    let message = format!("Error: Value missing for {}: {label}", doctype.name);
    Err(DocumentError::refused(Reason::Mandatory, message))
}

/// What the form calls a field.
pub(super) fn label<'a>(doctype: &'a DocType, field: &'a str) -> &'a str {
    doctype
        .field(field)
        .and_then(|field| field.label.as_deref())
        .unwrap_or(field)
}
