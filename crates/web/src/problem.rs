//! Why requests are not answered as they hoped: the one table of statuses.

use axum::http::StatusCode;
use crema_auth::Failure;
use crema_auth::caller::Unidentified;
use crema_document::{DocumentError, Reason, Refusal};
use crema_protocol::error::{ErrorCode, OAuthError};

/// What to tell whoever sent a header that says nothing.
pub(crate) const HEADER_FORMS: &str = "The credentials are not right. The header is \
    Authorization: Bearer <token>, or Authorization: token <api_key>:<api_secret>.";

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
    /// A bearer token was sent and is not taken: it is dead, or for another resource.
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

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
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
            message: "The body has to be JSON or a form (application/x-www-form-urlencoded or \
                      multipart/form-data)."
                .to_owned(),
        }
    }

    /// Whether the answer says what the client could do better, which depends on settings.
    pub(crate) fn has_challenge(&self) -> bool {
        match self {
            Problem::Refused(refusal) => matches!(refusal.reason, Reason::Scope(_)),
            Problem::OAuth(error) if error.code == ErrorCode::InsufficientScope => true,
            problem => problem.status() == StatusCode::UNAUTHORIZED,
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
            message: "Invalid Request: the session's token has to come in the header \
                      X-Frappe-CSRF-Token or as csrf_token in the body."
                .to_owned(),
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
            Unidentified::DeadToken | Unidentified::Elsewhere => Problem::DeadToken,
            Unidentified::BadCredentials => Problem::BadCredentials(HEADER_FORMS),
            Unidentified::Undecodable => Problem::BadCredentials(
                "Failed to decode token, please provide a valid base64-encoded token.",
            ),
            Unidentified::Restricted(message) => Problem::BadCredentials(message),
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
