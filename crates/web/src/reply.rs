//! Answers: the one place where an outcome becomes a status, headers and a body.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use crema_auth::Failure;
use crema_auth::caller::Unidentified;
use crema_document::{DocumentError, Reason, Refusal};
use crema_protocol::client_auth::basic_was_tried;
use crema_protocol::endpoints;
use crema_protocol::error::{ErrorCode, OAuthError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::call::{ApiVersion, Call};
use crate::pages::{CONTENT_SECURITY_POLICY, ErrorPage};

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

/// Why a request is not answered as it hoped. Becomes JSON or a page at the edge.
#[derive(Debug)]
pub enum Problem {
    /// In the shape of an OAuth RFC, beside Frappe's members.
    OAuth(OAuthError),
    /// In Frappe's envelope: status, `exc_type`, message.
    Frappe {
        /// The HTTP status.
        status: StatusCode,
        /// The name of Frappe's exception.
        exc_type: &'static str,
        /// One sentence for people.
        message: String,
    },
    /// Another HTTP method is needed; the value of `Allow`.
    Method(&'static str),
    /// Nobody is signed in where somebody has to be.
    Guest,
    /// A bearer token was sent and is dead.
    DeadToken,
    /// Credentials were sent that are not good, or not here and now; says which, for people.
    BadCredentials(&'static str),
    /// Something that was asked about documents was not done.
    Refused(Refusal),
    /// Too many attempts.
    TooMany {
        /// Seconds until the next attempt counts.
        retry_after: u32,
    },
    /// The database does not answer. What was to be changed is changed as a whole or not at all.
    Unavailable,
    /// Ours.
    Internal,
}

impl Problem {
    /// An OAuth error.
    pub fn oauth(error: OAuthError) -> Problem {
        Problem::OAuth(error)
    }

    /// 404 in Frappe's envelope.
    pub fn not_found(message: impl Into<String>) -> Problem {
        Problem::Frappe {
            status: StatusCode::NOT_FOUND,
            exc_type: "DoesNotExistError",
            message: message.into(),
        }
    }

    /// 400 for what cannot be understood.
    pub fn malformed(message: impl Into<String>) -> Problem {
        Problem::Refused(Refusal::new(Reason::Malformed, message))
    }

    /// 415 for a body of a kind that is not read.
    pub fn unsupported_media_type() -> Problem {
        Problem::Frappe {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            exc_type: "UnsupportedMediaType",
            message: "The body has to be JSON or a form (application/x-www-form-urlencoded)."
                .to_owned(),
        }
    }

    /// The same for somebody who is not signed in: what would need a permission needs a sign-in
    /// first, so that OAuth clients find the server that gives tokens.
    // spec: http.md, Resource server, "Crema answers 401 there"
    #[must_use]
    pub fn for_guest(self) -> Problem {
        match self {
            Problem::Refused(refusal) if refusal.reason == Reason::Permission => Problem::Guest,
            other => other,
        }
    }

    /// 400 `CSRFTokenError`.
    pub fn csrf() -> Problem {
        Problem::Frappe {
            status: StatusCode::BAD_REQUEST,
            exc_type: "CSRFTokenError",
            message: "Invalid Request".to_owned(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        let frappe = |status, exc_type, message| Problem::Frappe {
            status,
            exc_type,
            message,
        };
        match failure {
            Failure::OAuth(error) => Problem::OAuth(error),
            Failure::TooMany { retry_after } => Problem::TooMany { retry_after },
            Failure::Validation(message) => {
                frappe(StatusCode::EXPECTATION_FAILED, "ValidationError", message)
            }
            Failure::NotFound(message) => {
                frappe(StatusCode::NOT_FOUND, "DoesNotExistError", message)
            }
            Failure::Duplicate(message) => {
                frappe(StatusCode::CONFLICT, "DuplicateEntryError", message)
            }
            Failure::Permission(message) => {
                frappe(StatusCode::FORBIDDEN, "PermissionError", message)
            }
            Failure::Store(error) => {
                tracing::error!(%error, "the database failed");
                Problem::Unavailable
            }
            Failure::Internal(reason) => {
                tracing::error!(reason, "internal failure");
                Problem::Internal
            }
        }
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Problem {
        match error {
            DocumentError::Refused(refusal) => Problem::Refused(refusal),
            DocumentError::Store(error) => Failure::Store(error).into(),
            DocumentError::Internal(reason) => Failure::Internal(reason).into(),
        }
    }
}

impl From<Unidentified> for Problem {
    fn from(error: Unidentified) -> Problem {
        match error {
            Unidentified::DeadToken => Problem::DeadToken,
            Unidentified::BadCredentials => Problem::BadCredentials(
                "The credentials in the Authorization header are not right.",
            ),
            Unidentified::Restricted(message) => Problem::BadCredentials(message),
            Unidentified::Undecodable => Problem::Frappe {
                status: StatusCode::BAD_REQUEST,
                exc_type: "InvalidAuthorizationToken",
                message: "Failed to decode token, please provide a valid base64-encoded token."
                    .to_owned(),
            },
            Unidentified::Failure(failure) => failure.into(),
        }
    }
}

/// The status of a refusal: Frappe's for each of its exceptions.
// spec: http.md, Resource server, "Statuses"; security.md, Inputs, outputs, network, "where
// Frappe's column is shorter the answer is 400"
const fn status_of(reason: &Reason) -> StatusCode {
    match reason {
        Reason::Validation
        | Reason::Mandatory
        | Reason::Link
        | Reason::Unique
        | Reason::TimestampMismatch
        | Reason::Constant
        | Reason::LinkExists => StatusCode::EXPECTATION_FAILED,
        Reason::Malformed | Reason::TooLong => StatusCode::BAD_REQUEST,
        Reason::Name | Reason::Duplicate => StatusCode::CONFLICT,
        Reason::DoesNotExist => StatusCode::NOT_FOUND,
        Reason::Permission | Reason::Scope(_) => StatusCode::FORBIDDEN,
    }
}

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
    let status = status(problem);
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
    if let Some(challenge) = challenge(call, problem)
        && let Ok(challenge) = HeaderValue::from_str(&challenge)
    {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    reply
}

fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::OAuth(error) => {
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
        }
        Problem::Frappe { status, .. } => *status,
        Problem::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        Problem::Refused(refusal) => status_of(&refusal.reason),
        Problem::Guest | Problem::DeadToken | Problem::BadCredentials(_) => {
            StatusCode::UNAUTHORIZED
        }
        Problem::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The `WWW-Authenticate` of a refusal (RFC 6749 §5.2, RFC 6750 §3, RFC 9728 §5.1).
// spec: http.md, Resource server, the table of statuses
fn challenge(call: &Call, problem: &Problem) -> Option<String> {
    let origin = &call.ctx.issuer;
    let path = endpoints::PROTECTED_RESOURCE.path;
    let hidden = call
        .ctx
        .provider
        .last_settings()
        .is_some_and(|settings| !settings.show_protected_resource_metadata);
    let metadata = match hidden {
        true => format!("realm=\"{}\"", call.site_name()),
        false => format!("resource_metadata=\"{origin}{path}\""),
    };
    match problem {
        Problem::Guest | Problem::BadCredentials(_) => Some(format!("Bearer {metadata}")),
        Problem::Refused(refusal) => match &refusal.reason {
            // Of an API key no other can be asked for.
            Reason::Scope(scope) if call.bearer().is_some() => Some(format!(
                "Bearer {metadata}, error=\"insufficient_scope\", scope=\"{scope}\""
            )),
            _ => None,
        },
        Problem::DeadToken => Some(format!(
            "Bearer {metadata}, error=\"invalid_token\", \
             error_description=\"The access token is expired, revoked or unknown.\""
        )),
        Problem::OAuth(error) => match error.code {
            ErrorCode::InvalidClient => {
                let mut sent = call.headers.get_all(header::AUTHORIZATION).iter();
                let basic = sent.any(|value| basic_was_tried(value.to_str().ok()));
                basic.then(|| format!("Basic realm=\"{}\"", call.site_name()))
            }
            ErrorCode::InvalidToken => Some(format!(
                "Bearer {metadata}, error=\"invalid_token\", error_description=\"{}\"",
                error.description
            )),
            ErrorCode::InsufficientScope => Some(format!(
                "Bearer {metadata}, error=\"insufficient_scope\", scope=\"openid\""
            )),
            _ => None,
        },
        _ => None,
    }
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
        Problem::DeadToken => envelope(
            call,
            "AuthenticationError",
            "The access token is expired, revoked or unknown.",
        ),
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
        let mut error = json!({"type": exc_type, "message": message});
        // As in Frappe, that nobody is signed in is no message for a person.
        if exc_type != "AuthenticationError" {
            error["title"] = json!("Message");
            error["indicator"] = json!("red");
        }
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
