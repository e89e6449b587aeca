//! Answers: the one place where an outcome becomes a status, headers and a body.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use crema_document::Reason;
use crema_protocol::error::ErrorCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::call::{ApiVersion, Call};
use crate::challenge::{challenge, why_not_taken};
use crate::pages::{CONTENT_SECURITY_POLICY, ErrorPage};
use crate::problem::HEADER_FORMS;
pub use crate::problem::Problem;

/// What is encoded in a value that becomes part of a query: all but the unreserved characters of
/// RFC 3986 §2.3.
pub const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An answer.
pub type Reply = Response<Body>;

/// Frappe's `Cache-Control` for everything that is not an asset or metadata.
const NO_STORE: &str = "no-store,no-cache,must-revalidate,max-age=0";

/// A JSON answer, never stored by anyone.
pub fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    let (status, text) = match serde_json::to_vec(body) {
        Ok(text) => (status, text),
        // Nothing that we answer has a member that JSON cannot hold.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    };
    json_text(status, text)
}

/// As [`json`], with the body as it is sent.
pub fn json_text(status: StatusCode, text: Vec<u8>) -> Reply {
    let mut reply = Response::new(Body::from(text));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    reply
}

/// The member that holds the result of a method.
pub const fn member(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V1 => "message",
        ApiVersion::V2 => "data",
    }
}

/// The result of a method, wrapped as the API version wants it.
pub fn message(call: &Call, result: Value) -> Reply {
    json(StatusCode::OK, &json!({ member(call.version): result }))
}

/// A page with the headers that every page carries.
// spec: security.md, Authorization endpoint, "The pages send …"
pub fn html(status: StatusCode, page: String) -> Reply {
    let mut reply = Response::new(Body::from(page));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
    put(header::CONTENT_TYPE, "text/html; charset=utf-8");
    put(header::CACHE_CONTROL, "no-store");
    put(header::PRAGMA, "no-cache");
    put(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "no-referrer");
    reply
}

/// A redirect; `location` is percent-encoded already.
pub fn redirect(status: StatusCode, location: &str) -> Reply {
    let mut reply = html(status, String::new());
    match HeaderValue::from_str(location) {
        Ok(location) => {
            reply.headers_mut().insert(header::LOCATION, location);
            reply
        }
        Err(_) => json(
            StatusCode::BAD_REQUEST,
            &json!({"error": "invalid_request"}),
        ),
    }
}

/// The problem as the caller wants to read it.
pub fn problem(call: &Call, problem: &Problem) -> Reply {
    match problem {
        Problem::OAuth(error) => call.notes.set_error(error.code),
        Problem::DeadToken => call.notes.set_error(ErrorCode::InvalidToken),
        Problem::Refused(refusal) if matches!(refusal.reason, Reason::Scope(_)) => {
            call.notes.set_error(ErrorCode::InsufficientScope);
        }
        _ => {}
    }
    let status = problem.status();
    let mut reply = if call.wants_html() {
        page(call, status, problem)
    } else {
        json(status, &body(call, problem))
    };
    let headers = reply.headers_mut();
    let retry_after = match problem {
        Problem::TooMany { retry_after } => Some(*retry_after),
        Problem::OAuth(error) => error.retry_after,
        Problem::Unavailable => Some(1),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Problem::Method(allow) = problem {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(challenge) = challenge(call, problem) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    reply
}

/// The JSON body of a problem.
fn body(call: &Call, problem: &Problem) -> Value {
    match problem {
        Problem::OAuth(error) => error.body(),
        Problem::Frappe {
            exc_type, message, ..
        } => envelope(call, exc_type, message),
        Problem::Refused(refusal) => envelope(call, refusal.reason.exc_type(), &refusal.message),
        Problem::Method(_) if call.notes.endpoint().is_resource() => envelope(
            call,
            "MethodNotAllowed",
            "The HTTP method is not allowed here.",
        ),
        Problem::Method(_) => json!({
            "error": "invalid_request",
            "error_description": "The HTTP method is not allowed here.",
        }),
        Problem::Guest => envelope(
            call,
            "AuthenticationError",
            "Sign in or send a bearer token.",
        ),
        Problem::DeadToken => {
            let message = match call.bearer() {
                Some(_) => why_not_taken(call),
                None => HEADER_FORMS,
            };
            envelope(call, "AuthenticationError", message)
        }
        Problem::BadCredentials(message) => envelope(call, "AuthenticationError", message),
        Problem::TooMany { retry_after } => {
            let text = format!("Too many attempts. Try again in {retry_after} seconds.");
            let mut body = envelope(call, "TooManyRequestsError", &text);
            if let Some(body) = body.as_object_mut() {
                body.insert("error".to_owned(), json!("temporarily_unavailable"));
                body.insert("error_description".to_owned(), json!(text));
            }
            body
        }
        Problem::Unavailable => json!({
            "error": "temporarily_unavailable",
            "error_description": "The database does not answer. Try again.",
            "exc_type": "ServiceUnavailable",
        }),
        Problem::Internal => json!({
            "error": "server_error",
            "error_description": "Something of ours failed. The log has the reason.",
            "exc_type": "InternalError",
            "request_id": call.request_id.as_str(),
        }),
    }
}

/// Frappe's error envelope, v1 or v2. Its clients show the message as HTML, so what somebody sent
/// must not become markup there.
// spec: http.md, Resource server, "Error envelope v1"
pub fn envelope(call: &Call, exc_type: &str, message: &str) -> Value {
    let line = format!("{exc_type}: {message}");
    let message = escaped(message);
    if call.version == ApiVersion::V2 {
        let error = json!({
            "type": exc_type,
            "message": message,
            "title": "Message",
            "indicator": "red",
        });
        return json!({"errors": [error]});
    }
    let shown = json!({"message": message, "title": "Message", "indicator": "red"}).to_string();
    let mut body = Map::new();
    body.insert("exc_type".to_owned(), json!(exc_type));
    body.insert("exception".to_owned(), json!(line));
    body.insert(
        "_server_messages".to_owned(),
        json!(json!([shown]).to_string()),
    );
    body.insert("_error_message".to_owned(), json!(message));
    body.insert("exc".to_owned(), json!(json!([line]).to_string()));
    Value::Object(body)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn page(call: &Call, status: StatusCode, problem: &Problem) -> Reply {
    let query = call.query().unwrap_or_default();
    let lang = call.lang(query.get("ui_locales"));
    // The words for people are in their language; those for whoever runs the app stay as they are.
    let detail = match problem {
        Problem::OAuth(error) => Some(format!("{}: {}", error.code.as_str(), error.description)),
        Problem::Frappe { message, .. } if status != StatusCode::NOT_FOUND => Some(message.clone()),
        Problem::Refused(refusal) => Some(refusal.message.clone()),
        _ => None,
    };
    let mut page = ErrorPage::of_status(lang, call.site_name(), status.as_u16());
    page.detail = detail.as_deref();
    if let Problem::Internal = problem {
        page.request_id = Some(call.request_id.as_str());
    }
    html(status, page.render())
}
