//! `frappe.client.*`: what client libraries call. Arguments and results as in Frappe.

mod read;
mod write;

use crema_auth::caller::Caller;
use crema_auth::records;
use crema_document::documents::Documents;
use serde_json::{Map, Value};

use crate::api::arguments::{Arguments, plain, unpacked};
use crate::call::Call;
use crate::metrics::Endpoint;
use crate::reply::{self, Problem, Reply};

/// Answers a call to one of them.
///
/// # Errors
/// Whatever the documents are refused for.
pub(crate) async fn answer(
    call: &Call,
    endpoint: Endpoint,
    caller: &Caller,
    arguments: &Arguments,
) -> Result<Reply, Problem> {
    let documents = records::documents(&call.ctx, caller);
    if endpoint == Endpoint::ClientGetList {
        return read::get_list(call, &documents, arguments).await;
    }
    match result(endpoint, &documents, arguments).await? {
        Some(result) => Ok(reply::message(call, result)),
        None => Ok(reply::json(axum::http::StatusCode::OK, &Map::new())),
    }
}

/// What one of them gives, except `get_list`; nothing where, as in Frappe, there is nothing to
/// say but that it is done.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn result(
    endpoint: Endpoint,
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Option<Value>, Problem> {
    Ok(Some(match endpoint {
        Endpoint::ClientGetCount => read::get_count(documents, arguments).await?,
        Endpoint::ClientGet => read::get(documents, arguments).await?,
        Endpoint::ClientGetValue => read::get_value(documents, arguments).await?,
        Endpoint::ClientGetSingleValue => read::get_single_value(documents, arguments).await?,
        Endpoint::ClientInsert => write::insert(documents, arguments).await?,
        Endpoint::ClientInsertMany => write::insert_many(documents, arguments).await?,
        Endpoint::ClientSetValue => write::set_value(documents, arguments).await?,
        Endpoint::ClientSave => write::save(documents, arguments).await?,
        Endpoint::ClientBulkUpdate => write::bulk_update(documents, arguments).await?,
        Endpoint::ClientDelete => {
            write::delete(documents, arguments).await?;
            return Ok(None);
        }
        _ => return Err(Problem::not_found("There is no such method.")),
    }))
}

/// A document as a method gets it: an object, or JSON text of one.
pub(crate) fn document(value: &Value) -> Result<Map<String, Value>, Problem> {
    match unpacked(value).unwrap_or_else(|| value.clone()) {
        Value::Object(document) => Ok(document),
        _ => Err(Problem::malformed("The document has to be a JSON object.")),
    }
}

/// Takes a name out of a document, which has to have one.
fn taken(document: &mut Map<String, Value>, member: &str) -> Result<String, Problem> {
    let value = document.shift_remove(member);
    value
        .as_ref()
        .and_then(plain)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Problem::malformed(format!("The document's {member} is missing.")))
}

/// Documents that a method gets as a list.
pub(crate) fn documents(
    arguments: &Arguments,
    limit: usize,
) -> Result<Vec<Map<String, Value>>, Problem> {
    let Some(Value::Array(list)) = arguments.value("docs") else {
        return Err(Problem::malformed("docs has to be a list of documents."));
    };
    if list.len() > limit {
        return Err(Problem::malformed(format!(
            "At most {limit} documents at once."
        )));
    }
    list.iter().map(document).collect()
}
