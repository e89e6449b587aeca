//! Refusals: those that end the request, and those that an assistant is to read.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use crema_document::Reason;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, ErrorData};
use serde_json::{Value, json};

use super::message::Answer;
use crate::call::Call;
use crate::challenge::why_not_taken;
use crate::reply::{self, Problem, Reply};

/// A refusal of the whole request: status and headers as everywhere, the challenge among them,
/// with a body of JSON-RPC.
pub(super) fn reply(call: &Call, id: Option<&Value>, problem: &Problem) -> Reply {
    let mut reply = reply::problem(call, problem);
    let answer = answer(call, id.unwrap_or(&Value::Null), problem);
    *reply.body_mut() = Body::from(answer.text);
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    reply
}

/// The same as an answer among others.
pub(super) fn answer(call: &Call, id: &Value, problem: &Problem) -> Answer {
    let status = problem.status();
    let code = match status.is_server_error() {
        true => ErrorCode::INTERNAL_ERROR,
        false => ErrorCode::INVALID_REQUEST,
    };
    let (exc_type, message) = said(call, problem);
    let error = ErrorData::new(code, message, Some(json!({"exc_type": exc_type})));
    Answer::failed(status, id, &error)
}

/// A refusal as the result of a tool, for the assistant to read and do better.
///
/// # Errors
/// What is no matter of the call: of the token's scope, which the client can ask for, and faults
/// of ours.
pub(super) fn told(call: &Call, problem: Problem) -> Result<CallToolResult, Problem> {
    let of_request = match &problem {
        // Of an API key no other can be asked for.
        Problem::Refused(refusal) => {
            matches!(refusal.reason, Reason::Scope(_)) && call.bearer().is_some()
        }
        Problem::Frappe { .. } => false,
        _ => true,
    };
    if of_request {
        return Err(problem);
    }
    let (exc_type, message) = said(call, &problem);
    let text = format!("{exc_type}: {message}");
    Ok(CallToolResult::error(vec![ContentBlock::text(text)]))
}

/// A problem in words: the name of Frappe's exception, and a sentence.
fn said(call: &Call, problem: &Problem) -> (&'static str, String) {
    let (exc_type, message) = match problem {
        Problem::OAuth(error) => return ("ValidationError", error.description.to_string()),
        Problem::Frappe {
            exc_type, message, ..
        } => return (exc_type, message.clone()),
        Problem::Refused(refusal) => return (refusal.reason.exc_type(), refusal.message.clone()),
        Problem::BadCredentials(message) => ("AuthenticationError", *message),
        Problem::Method(_) => ("MethodNotAllowed", "Messages are sent by POST."),
        Problem::Guest => ("AuthenticationError", "Send a bearer token or an API key."),
        Problem::DeadToken => ("AuthenticationError", why_not_taken(call)),
        Problem::TooMany { .. } => ("TooManyRequestsError", "Too many attempts."),
        Problem::Unavailable => ("ServiceUnavailable", "The database does not answer."),
        Problem::Internal => ("InternalError", "Something of ours failed."),
    };
    (exc_type, message.to_owned())
}
