//! JSON-RPC 2.0, as far as MCP uses it: one message, in and out.

use axum::http::StatusCode;
use crema_protocol::json;
use rmcp::model::{ErrorCode, ErrorData};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::reply::{self, Reply};

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none: a notification, or the answer to something that was never asked.
    Notice,
    /// Several at once, as revision 2025-03-26 has it.
    Batch(Vec<Result<Message, Box<Unreadable>>>),
}

/// The most messages of a batch.
const MOST_AT_ONCE: usize = 20;

/// A request.
#[derive(PartialEq)]
pub(super) struct Request {
    /// Text or a whole number, repeated in the answer.
    pub(super) id: Value,
    /// What is asked for.
    pub(super) method: String,
    /// With what.
    pub(super) params: Map<String, Value>,
}

impl std::fmt::Debug for Request {
    /// Without the parameters, which may hold secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").finish_non_exhaustive()
    }
}

/// Why a body is no message.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    /// The id of what was not understood, when it could be told.
    pub(super) id: Value,
    /// What is wrong.
    pub(super) error: ErrorData,
}

/// Reads a body.
///
/// # Errors
/// -32700 for what is no JSON (nesting over 64 levels and repeated members included), -32600 for
/// JSON that is no message, -32602 for parameters that are no object.
pub(super) fn read(body: &[u8]) -> Result<Message, Box<Unreadable>> {
    let value = json::parse(body).map_err(|error| {
        let error = ErrorData::new(ErrorCode::PARSE_ERROR, error.to_string(), None);
        unreadable(Value::Null, error)
    })?;
    match value {
        Value::Array(values) if values.is_empty() || values.len() > MOST_AT_ONCE => {
            let message = format!("A batch has 1 to {MOST_AT_ONCE} messages.");
            let error = ErrorData::invalid_request(message, None);
            Err(unreadable(Value::Null, error))
        }
        Value::Array(values) => Ok(Message::Batch(values.into_iter().map(one).collect())),
        value => one(value),
    }
}

/// Reads one message.
fn one(value: Value) -> Result<Message, Box<Unreadable>> {
    let invalid = |id: &Value, message: &'static str| {
        unreadable(id.clone(), ErrorData::invalid_request(message, None))
    };
    let Value::Object(mut members) = value else {
        return Err(invalid(&Value::Null, "A message is a JSON object."));
    };
    let asked = members.contains_key("id");
    let id = members.remove("id").unwrap_or_default();
    let is_id = id.is_string() || id.is_i64() || id.is_u64();
    let known = if is_id { id } else { Value::Null };
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(&known, "jsonrpc has to be \"2.0\"."));
    }
    let method = match members.remove("method") {
        Some(Value::String(method)) => method,
        Some(_) => return Err(invalid(&known, "method has to be a text.")),
        None if members.contains_key("result") || members.contains_key("error") => {
            return Ok(Message::Notice);
        }
        None => return Err(invalid(&known, "The message has no method.")),
    };
    if !asked {
        return Ok(Message::Notice);
    }
    if known.is_null() {
        return Err(invalid(&known, "id has to be a text or a whole number."));
    }
    let params = match members.remove("params") {
        Some(Value::Object(params)) => params,
        None => Map::new(),
        Some(_) => {
            let error = ErrorData::invalid_params("params has to be an object.", None);
            return Err(unreadable(known, error));
        }
    };
    Ok(Message::Request(Request {
        id: known,
        method,
        params,
    }))
}

fn unreadable(id: Value, error: ErrorData) -> Box<Unreadable> {
    Box::new(Unreadable { id, error })
}

/// An answer as it is sent.
pub(super) struct Answer {
    /// The status, when it is sent alone.
    pub(super) status: StatusCode,
    /// JSON.
    pub(super) text: Vec<u8>,
}

impl Answer {
    /// That a request was done.
    pub(super) fn done(id: &Value, result: impl Serialize) -> Answer {
        Answer::of(StatusCode::OK, id, Some(result), None)
    }

    /// That it was not.
    pub(super) fn failed(status: StatusCode, id: &Value, error: &ErrorData) -> Answer {
        Answer::of::<()>(status, id, None, Some(error))
    }

    fn of<R: Serialize>(
        status: StatusCode,
        id: &Value,
        result: Option<R>,
        error: Option<&ErrorData>,
    ) -> Answer {
        let members = Members {
            jsonrpc: "2.0",
            id,
            result,
            error,
        };
        match serde_json::to_vec(&members) {
            Ok(text) => Answer { status, text },
            // Nothing that we answer has a member that JSON cannot hold.
            Err(_) => Answer {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                text: Vec::new(),
            },
        }
    }

    /// As the reply to the whole request.
    pub(super) fn reply(self) -> Reply {
        reply::json_text(self.status, self.text)
    }
}

/// The members of an answer.
#[derive(Serialize)]
struct Members<'a, R> {
    jsonrpc: &'static str,
    id: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorData>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &str) -> Option<(i32, Value)> {
        let unreadable = read(body.as_bytes()).err()?;
        Some((unreadable.error.code.0, unreadable.id))
    }

    #[test]
    fn requests_and_notices_are_told_apart() {
        let request = read(br#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":1}}"#);
        let Ok(Message::Request(request)) = request else {
            panic!("a request");
        };
        assert_eq!((request.id, request.method.as_str()), (json!("a"), "ping"));
        assert_eq!(Value::Object(request.params), json!({"x": 1}));
        for notice in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        ] {
            assert_eq!(
                read(notice.as_bytes()).ok(),
                Some(Message::Notice),
                "{notice}"
            );
        }
    }

    #[test]
    fn a_batch_is_read_message_by_message() {
        let batch =
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},7,{"jsonrpc":"2.0","method":"x"}]"#;
        let Ok(Message::Batch(messages)) = read(batch.as_bytes()) else {
            panic!("a batch");
        };
        assert!(matches!(
            messages.as_slice(),
            [Ok(Message::Request(_)), Err(_), Ok(Message::Notice),]
        ));
        let nested = read(b"[[]]");
        assert!(matches!(nested, Ok(Message::Batch(inner)) if inner.iter().all(Result::is_err)));
        assert_eq!(
            code(&format!("[{}]", vec!["1"; 21].join(","))),
            Some((-32600, Value::Null))
        );
    }

    #[test]
    fn what_is_no_message_says_why_and_of_which_request() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{}{}}}"#,
            r#"{"a":"#.repeat(70),
            "1".to_owned() + &"}".repeat(70)
        );
        for (body, expected) in [
            ("", (-32700, Value::Null)),
            ("{", (-32700, Value::Null)),
            (
                r#"{"jsonrpc":"2.0","jsonrpc":"2.0"}"#,
                (-32700, Value::Null),
            ),
            (deep.as_str(), (-32700, Value::Null)),
            ("1", (-32600, Value::Null)),
            ("[]", (-32600, Value::Null)),
            (r#"{"id":7,"method":"ping"}"#, (-32600, json!(7))),
            (r#"{"jsonrpc":"2.0","id":7}"#, (-32600, json!(7))),
            (r#"{"jsonrpc":"2.0","id":7,"method":1}"#, (-32600, json!(7))),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
                (-32600, Value::Null),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
                (-32600, Value::Null),
            ),
            (
                r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#,
                (-32600, Value::Null),
            ),
            (
                r#"{"jsonrpc":"2.0","id":"q","method":"x","params":[1]}"#,
                (-32602, json!("q")),
            ),
        ] {
            assert_eq!(code(body), Some(expected), "{body}");
        }
    }
}
