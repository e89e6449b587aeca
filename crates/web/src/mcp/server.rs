//! What a message is answered with.

use axum::http::{StatusCode, header};
use crema_auth::caller::Caller;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResult, DiscoverResult, ErrorCode, ErrorData,
    Implementation, InitializeRequestParams, InitializeResult, ListToolsResult, ProtocolVersion,
    ServerCapabilities, ToolsCapability,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::message::{self, Answer, Message, Request, Unreadable};
use super::{refusal, revision, tools};
use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// What an assistant is told about the server as a whole.
const INSTRUCTIONS: &str = "Tools for the documents of a site. Every document belongs to a DocType \
    (such as ToDo or User) and has a name that is unique in it; the name is often random, so show \
    people titles instead. Begin with list_doctypes to see which DocTypes there are, and \
    describe_doctype before filtering, creating or changing documents, because it lists the fields. \
    Everything happens with the rights of the signed-in user: a refusal says what is missing, and \
    asking again does not help.";

/// How long a client may keep what is the same for everybody, in milliseconds.
const FRESH: u64 = 300_000;

/// Answers what is in a body.
///
/// # Errors
/// A scope that is missing, and faults of ours, unless they are those of a batch.
pub(super) async fn answer(call: &Call, caller: &Caller) -> Result<Reply, Problem> {
    let answer = match message::read(&call.body) {
        Ok(Message::Request(request)) => {
            let id = request.id.clone();
            match one(call, caller, request).await {
                Ok(answer) => answer,
                Err(problem) => return Ok(refusal::reply(call, Some(&id), &problem)),
            }
        }
        Ok(Message::Notice) => match revision::of_header(call) {
            Ok(_) => return Ok(accepted()),
            Err(error) => bad(&Value::Null, &error),
        },
        Ok(Message::Batch(messages)) => match revision::of_header(call) {
            Ok(version) if version == ProtocolVersion::V_2025_03_26 => {
                return Ok(batch(call, caller, messages).await);
            }
            Ok(_) => {
                let message = "This revision has no batches: send one message at a time.";
                bad(&Value::Null, &ErrorData::invalid_request(message, None))
            }
            Err(error) => bad(&Value::Null, &error),
        },
        Err(unreadable) => bad(&unreadable.id, &unreadable.error),
    };
    Ok(answer.reply())
}

/// What the protocol itself forbids.
fn bad(id: &Value, error: &ErrorData) -> Answer {
    Answer::failed(StatusCode::BAD_REQUEST, id, error)
}

/// Answers the messages of a batch one after the other. What would end a single request is one
/// answer among others here: it is too late for a status.
async fn batch(
    call: &Call,
    caller: &Caller,
    messages: Vec<Result<Message, Box<Unreadable>>>,
) -> Reply {
    let mut text = vec![b'['];
    for message in messages {
        let answer = match message {
            Ok(Message::Request(request)) if request.method == "initialize" => {
                let message = "initialize is sent alone.";
                bad(&request.id, &ErrorData::invalid_request(message, None))
            }
            Ok(Message::Request(request)) => {
                let id = request.id.clone();
                let answered = one(call, caller, request).await;
                answered.unwrap_or_else(|problem| refusal::answer(call, &id, &problem))
            }
            Ok(Message::Notice | Message::Batch(_)) => continue,
            Err(unreadable) => bad(&unreadable.id, &unreadable.error),
        };
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(&answer.text);
    }
    if text.len() == 1 {
        return accepted();
    }
    text.push(b']');
    reply::json_text(StatusCode::OK, text)
}

/// Answers one request.
///
/// # Errors
/// As [`answer`].
async fn one(call: &Call, caller: &Caller, request: Request) -> Result<Answer, Problem> {
    let Request { id, method, params } = &request;
    if method == "initialize" {
        return Ok(match initialized(call, params.clone()) {
            Ok(result) => Answer::done(id, result),
            Err(error) => Answer::failed(StatusCode::OK, id, &error),
        });
    }
    let version = match revision::of_request(call, &request) {
        Ok(version) => version,
        Err(error) => return Ok(bad(id, &error)),
    };
    // From 2026-07-28 on answers say what they are and for how long they hold.
    let new = !version.has_initialize();
    let Request { id, method, params } = request;
    let error = match method.as_str() {
        "server/discover" => return Ok(Answer::done(&id, discovered(call))),
        "ping" if !new => return Ok(Answer::done(&id, json!({}))),
        "tools/list" => match listed(params, new) {
            Ok(result) => return Ok(Answer::done(&id, result)),
            Err(error) => error,
        },
        "tools/call" => match called(call, caller, params, new).await? {
            Ok(result) => return Ok(Answer::done(&id, result)),
            Err(error) => error,
        },
        _ => {
            let message = "There is no such method.";
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
        }
    };
    let status = match new && error.code == ErrorCode::METHOD_NOT_FOUND {
        true => StatusCode::NOT_FOUND,
        false => StatusCode::OK,
    };
    Ok(Answer::failed(status, &id, &error))
}

async fn called(
    call: &Call,
    caller: &Caller,
    given: Map<String, Value>,
    new: bool,
) -> Result<Result<CallToolResult, ErrorData>, Problem> {
    let given = match params::<CallToolRequestParams>(given) {
        Ok(given) => given,
        Err(error) => return Ok(Err(error)),
    };
    let mut called = tools::call(call, caller, given).await?;
    if let Ok(result) = &mut called
        && !new
    {
        result.result_type = None;
    }
    Ok(called)
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
    let mut reply = reply::json_text(StatusCode::ACCEPTED, Vec::new());
    reply.headers_mut().remove(header::CONTENT_TYPE);
    reply
}
