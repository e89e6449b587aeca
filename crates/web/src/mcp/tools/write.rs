//! Tools that make, change and remove documents.

use crema_document::FieldType;
use crema_document::documents::Document;
use serde_json::{Map, Value, json};

use super::{Given, Use, members, secrets};
use crate::api::client::document;
use crate::api::documents::drop_nulls;
use crate::reply::Problem;

/// Makes a document.
pub(super) async fn create_document(using: &Use<'_>) -> Given {
    let doctype = using.arguments.required("doctype")?;
    let values = values(using)?;
    secrets::may_make(&doctype)?;
    let given = named(&values);
    let made = using.documents.insert(&doctype, values).await?;
    Ok(shown(using, made, &given))
}

/// Changes the given members of a document.
pub(super) async fn update_document(using: &Use<'_>) -> Given {
    let doctype = using.arguments.required("doctype")?;
    let name = match using.documents.doctype(&doctype)?.issingle {
        true => doctype.clone(),
        false => using.arguments.required("name")?,
    };
    let values = values(using)?;
    let given = named(&values);
    let changed = using.documents.update(&doctype, &name, values).await?;
    Ok(shown(using, changed, &given))
}

/// Removes a document.
pub(super) async fn delete_document(using: &Use<'_>) -> Given {
    let doctype = using.arguments.required("doctype")?;
    let name = using.arguments.required("name")?;
    using.documents.delete(&doctype, &name).await?;
    Ok(members([("deleted", json!(name))]))
}

fn values(using: &Use<'_>) -> Result<Map<String, Value>, Problem> {
    let values = using.arguments.get("values");
    let values = values.ok_or_else(|| Problem::malformed("The argument values is missing."))?;
    document(values)
}

fn named(values: &Map<String, Value>) -> Vec<String> {
    values.keys().cloned().collect()
}

/// A document as it is now. As over REST, members that are no field, or that the caller may not
/// write, are passed over; here the result says which are none.
fn shown(using: &Use<'_>, document: Document, given: &[String]) -> Map<String, Value> {
    let mut values = document.values;
    let is_secret = |name: &String| {
        let definition = using.documents.registry.get(&document.doctype);
        let field = definition.and_then(|definition| definition.field(name));
        field.is_some_and(|field| field.fieldtype == FieldType::Password)
    };
    let ignored: Vec<&String> = given
        .iter()
        .filter(|name| !values.contains_key(*name) && !is_secret(name))
        .collect();
    let ignored = json!(ignored);
    secrets::hide(&using.documents, &document.doctype, &mut values);
    drop_nulls(&mut values);
    let mut result = members([("document", Value::Object(values))]);
    if ignored.as_array().is_some_and(|names| !names.is_empty()) {
        result.insert("ignored".to_owned(), ignored);
    }
    result
}
