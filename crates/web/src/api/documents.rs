//! `/api/resource/…` and `/api/v2/document/…`: documents as data.

use axum::http::{Method, StatusCode};
use crema_auth::caller::Caller;
use crema_auth::records;
use crema_document::documents::{Document, Documents};
use crema_document::list::ListRequest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::arguments::Arguments;
use crate::api::path::{self, Target};
use crate::api::rows::{self, Shape};
use crate::api::{answered, identity, meta};
use crate::call::{ApiVersion, Call};
use crate::metrics::Endpoint;
use crate::reply::{self, Problem, Reply};

/// Answers a request to a DocType or one of its documents.
///
/// # Errors
/// 401, 403 and 404 as in the table of statuses, 405 for other HTTP methods, 400 and 417 for what
/// a document or list is refused for.
// spec: http.md, Resource server, the table of paths
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    let endpoint = verb(call)?;
    call.notes.set_endpoint(endpoint);
    let caller = identity::identify(call).await?;
    let arguments = Arguments::of(call)?;
    identity::same_site(call, &arguments)?;
    let target = path::target(call.uri.path())?;
    let documents = records::documents(&call.ctx, &caller);
    let run = run(call, endpoint, &caller, &documents, target, arguments);
    answered(run)
        .await
        .map_err(|problem| match caller.is_guest() {
            true => problem.for_guest(),
            false => problem,
        })
}

/// What the path and the HTTP method together ask for.
fn verb(call: &Call) -> Result<Endpoint, Problem> {
    let v2 = call.version == ApiVersion::V2;
    Ok(match (call.notes.endpoint(), &call.method) {
        (endpoint, &Method::GET | &Method::HEAD) => endpoint,
        (Endpoint::List, &Method::POST) => Endpoint::Create,
        (Endpoint::Read, &Method::PUT) => Endpoint::Update,
        (Endpoint::Read, &Method::PATCH) if v2 => Endpoint::Update,
        (Endpoint::Read, &Method::DELETE) => Endpoint::Delete,
        (Endpoint::List, _) => return Err(Problem::Method("GET, HEAD, POST")),
        (Endpoint::Read, _) if v2 => {
            return Err(Problem::Method("GET, HEAD, PUT, PATCH, DELETE"));
        }
        (Endpoint::Read, _) => return Err(Problem::Method("GET, HEAD, PUT, DELETE")),
        _ => return Err(Problem::Method("GET, HEAD")),
    })
}

async fn run(
    call: &Call,
    endpoint: Endpoint,
    caller: &Caller,
    documents: &Documents,
    target: Target,
    arguments: Arguments,
) -> Result<Reply, Problem> {
    let doctype = target.doctype.as_str();
    let name = target.name.as_deref().unwrap_or_default();
    match endpoint {
        Endpoint::List => {
            let request = ListRequest::from_arguments(arguments.members())?;
            let shape = Shape::of_resource(call.version, arguments.flag("as_dict", true));
            rows::answer(documents, doctype, request, shape).await
        }
        Endpoint::Read => {
            let mut document = documents.get(doctype, name).await?;
            if arguments.flag("expand_links", false) {
                documents.expand_links(&mut document).await?;
            }
            Ok(one(call, document))
        }
        Endpoint::Create => {
            let values = arguments.into_document()?;
            let document = documents.insert(doctype, values).await?;
            Ok(one(call, document))
        }
        Endpoint::Update => {
            let values = arguments.into_document()?;
            let document = documents.update(doctype, name, values).await?;
            Ok(one(call, document))
        }
        Endpoint::Delete => {
            documents.delete(doctype, name).await?;
            Ok(reply::json(StatusCode::ACCEPTED, &json!({"data": "ok"})))
        }
        Endpoint::Count => {
            let request = ListRequest::from_arguments(arguments.members())?;
            let number = documents.count(doctype, &request).await?;
            Ok(reply::json(StatusCode::OK, &json!({"data": number})))
        }
        _ => {
            let definition = documents.doctype(doctype)?;
            let about = meta::describe(&documents.registry, &definition, &caller.actor)?;
            Ok(reply::json(StatusCode::OK, &json!({"data": about})))
        }
    }
}

/// One document. As in Frappe, v1 leaves out what is empty.
fn one(call: &Call, document: Document) -> Reply {
    let mut values = document.values;
    if call.version == ApiVersion::V1 {
        drop_nulls(&mut values);
    }
    reply::json(StatusCode::OK, &Data { data: values })
}

/// The body of an answer. As a type, because `json!` copies what it is given.
#[derive(Serialize)]
struct Data {
    data: Map<String, Value>,
}

/// Takes away null members, those of child rows and of linked documents too.
pub(crate) fn drop_nulls(values: &mut Map<String, Value>) {
    values.retain(|_, value| {
        match value {
            Value::Array(rows) => rows
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(drop_nulls),
            Value::Object(linked) => drop_nulls(linked),
            _ => {}
        }
        !value.is_null()
    });
}
