//! What a message is answered with.

use axum::body::Body;
use axum::http::StatusCode;
use crema_auth::caller::Caller;
use rmcp::model::{
    CacheScope, CallToolRequestParams, DiscoverResult, ErrorCode, ErrorData, Implementation,
    InitializeRequestParams, InitializeResult, ListToolsResult, ProtocolVersion,
    ServerCapabilities, ToolsCapability,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::message::{self, Message, Request, Unreadable};
use super::{refusal, revision, tools};
use crate::call::Call;
use crate::reply::{Problem, Reply};

/// What an assistant is told about the server as a whole.
const INSTRUCTIONS: &str = "Tools for the documents of a site. Every document belongs to a DocType \
    (such as ToDo or User) and has a name that is unique in it; the name is often random, so show \
    people titles instead. Begin with list_doctypes to see which DocTypes there are, and \
    describe_doctype before filtering, creating or changing documents, because it lists the fields. \
    Everything happens with the rights of the signed-in user: a refusal says what is missing, and \
    asking again does not help.";

/// How long a client may keep what is the same for everybody, in milliseconds.
const FRESH: u64 = 300_000;

/// Answers the message in a body.
///
/// # Errors
/// A scope that is missing, and faults of ours.
pub(super) async fn answer(call: &Call, caller: &Caller) -> Result<Reply, Problem> {
    let bad = |id: &Value, error: &ErrorData| message::failed(StatusCode::BAD_REQUEST, id, error);
    let request = match message::read(&call.body) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notice) => {
            return Ok(match revision::of_notice(call) {
                Ok(_) => accepted(),
                Err(error) => bad(&Value::Null, &error),
            });
        }
        Err(Unreadable { id, error }) => return Ok(bad(&id, &error)),
    };
    if request.method == "initialize" {
        return Ok(match initialized(call, request.params) {
            Ok(result) => message::done(&request.id, result),
            Err(error) => message::failed(StatusCode::OK, &request.id, &error),
        });
    }
    let version = match revision::of_request(call, &request) {
        Ok(version) => version,
        Err(error) => return Ok(bad(&request.id, &error)),
    };
    of_request(call, caller, request, &version).await
}

/// Answers a request of a known revision.
async fn of_request(
    call: &Call,
    caller: &Caller,
    request: Request,
    version: &ProtocolVersion,
) -> Result<Reply, Problem> {
    let id = request.id;
    // From 2026-07-28 on answers say what they are and for how long they hold.
    let new = !version.has_initialize();
    let error = match request.method.as_str() {
        "server/discover" => return Ok(message::done(&id, discovered(call))),
        "ping" if !new => return Ok(message::done(&id, json!({}))),
        "tools/list" => match listed(request.params, new) {
            Ok(result) => return Ok(message::done(&id, result)),
            Err(error) => error,
        },
        "tools/call" => {
            let params = params::<CallToolRequestParams>(request.params);
            let called = match params {
                Ok(params) => tools::call(call, caller, params).await,
                Err(error) => Ok(Err(error)),
            };
            match called {
                Ok(Ok(mut result)) => {
                    if !new {
                        result.result_type = None;
                    }
                    return Ok(message::done(&id, result));
                }
                Ok(Err(error)) => error,
                Err(problem) => return Ok(refusal::reply(call, Some(&id), &problem)),
            }
        }
        _ => ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            "There is no such method.",
            None,
        ),
    };
    let status = match new && error.code == ErrorCode::METHOD_NOT_FOUND {
        true => StatusCode::NOT_FOUND,
        false => StatusCode::OK,
    };
    Ok(message::failed(status, &id, &error))
}

/// The handshake of the revisions until 2025-11-25. Nothing is kept: what was agreed on comes
/// with each request, in a header.
fn initialized(call: &Call, given: Map<String, Value>) -> Result<InitializeResult, ErrorData> {
    let given = params::<InitializeRequestParams>(given)?;
    let result = InitializeResult::new(capabilities())
        .with_protocol_version(revision::agreed(&given.protocol_version))
        .with_server_info(about(call))
        .with_instructions(INSTRUCTIONS);
    Ok(result)
}

/// What there is, for the revisions without a handshake.
fn discovered(call: &Call) -> DiscoverResult {
    let mut result = DiscoverResult::new(revision::SUPPORTED.to_vec(), capabilities())
        .with_server_info(about(call));
    result.instructions = Some(INSTRUCTIONS.to_owned());
    result.ttl_ms = FRESH;
    result
}

fn listed(mut given: Map<String, Value>, new: bool) -> Result<ListToolsResult, ErrorData> {
    if given
        .remove("cursor")
        .is_some_and(|cursor| !cursor.is_null())
    {
        return Err(ErrorData::invalid_params("There is one page only.", None));
    }
    let mut result = ListToolsResult::with_all_items(tools::all().to_vec());
    if new {
        result.ttl_ms = Some(FRESH);
        result.cache_scope = Some(CacheScope::Private);
    } else {
        result.result_type = None;
    }
    Ok(result)
}

fn capabilities() -> ServerCapabilities {
    let mut capabilities = ServerCapabilities::default();
    capabilities.tools = Some(ToolsCapability::default());
    capabilities
}

fn about(call: &Call) -> Implementation {
    let mut about = Implementation::new("crema", env!("CARGO_PKG_VERSION"));
    about.title = Some(call.site_name().to_owned());
    about
}

/// Parameters of a known form.
fn params<P: DeserializeOwned>(given: Map<String, Value>) -> Result<P, ErrorData> {
    serde_json::from_value(Value::Object(given))
        .map_err(|error| ErrorData::invalid_params(format!("params: {error}"), None))
}

fn accepted() -> Reply {
    let mut reply = Reply::new(Body::empty());
    *reply.status_mut() = StatusCode::ACCEPTED;
    reply
}
