//! Making, changing and removing documents.

use crema_document::doctype::{CHILD_COLUMNS, STANDARD_COLUMNS};
use crema_document::documents::Documents;
use crema_document::{DocumentError, Reason, Refusal};
use serde_json::{Map, Value, json};

use super::{document, documents as listed, taken};
use crate::api::arguments::Arguments;
use crate::reply::Problem;

/// Most documents that one request makes, as in Frappe, or changes.
const MOST: usize = 200;

/// Members that [`set_value`] leaves to the system.
fn is_standard(name: &str) -> bool {
    name == "doctype" || STANDARD_COLUMNS.contains(&name) || CHILD_COLUMNS.contains(&name)
}

fn given(arguments: &Arguments, name: &str) -> Result<Map<String, Value>, Problem> {
    let value = arguments.get(name);
    let value =
        value.ok_or_else(|| Problem::malformed(format!("The argument {name} is missing.")))?;
    document(value)
}

/// `insert(doc)`
pub(super) async fn insert(documents: &Documents, arguments: &Arguments) -> Result<Value, Problem> {
    let mut values = given(arguments, "doc")?;
    let doctype = taken(&mut values, "doctype")?;
    let made = documents.insert(&doctype, values).await?;
    Ok(Value::Object(made.values))
}

/// `insert_many(docs)`: the names. Each document is made for itself: when one is refused, the
/// answer says which, and those before it are there.
pub(super) async fn insert_many(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let mut list = listed(arguments, MOST)?;
    let mut doctypes = Vec::new();
    for values in &mut list {
        doctypes.push(taken(values, "doctype")?);
    }
    let mut names = Vec::new();
    for (doctype, values) in doctypes.iter().zip(list) {
        match documents.insert(doctype, values).await {
            Ok(made) => names.push(json!(made.name)),
            Err(error) => return Err(of_several(error, names.len())),
        }
    }
    Ok(Value::Array(names))
}

/// Says which of several documents was refused.
fn of_several(error: DocumentError, done: usize) -> Problem {
    match error {
        DocumentError::Refused(refusal) if done > 0 => {
            let message = format!(
                "{} (document {}; the {done} before it were made)",
                refusal.message,
                done + 1
            );
            Problem::Refused(Refusal::new(refusal.reason, message))
        }
        other => other.into(),
    }
}

/// `set_value(doctype, name, fieldname, value)`; `fieldname` may be an object of several. Gives
/// the document.
pub(super) async fn set_value(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let doctype = arguments.required("doctype")?;
    let name = arguments.required("name")?;
    let fieldname = arguments.value("fieldname");
    let values = match fieldname {
        Some(Value::Object(values)) => values,
        Some(Value::String(field)) => {
            let value = arguments.members().get("value").cloned();
            Map::from_iter([(field, value.unwrap_or_default())])
        }
        _ => return Err(Problem::malformed("The argument fieldname is missing.")),
    };
    if values.keys().any(|field| is_standard(field)) {
        let message = "Cannot edit standard fields";
        return Err(DocumentError::refused(Reason::Validation, message).into());
    }
    let changed = documents.update(&doctype, &name, values).await?;
    Ok(Value::Object(changed.values))
}

/// `save(doc)`: a whole document, of which `modified` has to be the stored one.
pub(super) async fn save(documents: &Documents, arguments: &Arguments) -> Result<Value, Problem> {
    let mut values = given(arguments, "doc")?;
    let doctype = taken(&mut values, "doctype")?;
    let name = taken(&mut values, "name")?;
    let changed = documents.update(&doctype, &name, values).await?;
    Ok(Value::Object(changed.values))
}

/// `bulk_update(docs)`: each with `doctype` and `docname`. Gives those that were refused, with
/// the reason.
pub(super) async fn bulk_update(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let mut failed = Vec::new();
    for mut values in listed(arguments, MOST)? {
        let doctype = taken(&mut values, "doctype")?;
        let name = taken(&mut values, "docname")?;
        match documents.update(&doctype, &name, values).await {
            Ok(_) => {}
            Err(DocumentError::Refused(refusal)) => {
                let line = format!("{}: {}", refusal.reason.exc_type(), refusal.message);
                // Not the values: a password may be among them.
                failed.push(json!({
                    "doc": {"doctype": doctype, "docname": name},
                    "exc": line,
                }));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(json!({"failed_docs": failed}))
}

/// `delete(doctype, name)`
pub(super) async fn delete(documents: &Documents, arguments: &Arguments) -> Result<(), Problem> {
    let doctype = arguments.required("doctype")?;
    let name = arguments.required("name")?;
    Ok(documents.delete(&doctype, &name).await?)
}
