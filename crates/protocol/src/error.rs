//! The one table of errors: code, HTTP status, and whether it may travel in a redirect.
//!
//! RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 7591 §3.2.2, RFC 8707 §2,
//! OpenID Connect Core §3.1.2.6.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

/// A registered error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// RFC 6749: a parameter is missing, malformed, repeated or does not fit the others.
    InvalidRequest,
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient,
    /// RFC 6749 §5.2: the code, refresh token or password is not valid.
    InvalidGrant,
    /// RFC 6749: this client may not do this.
    UnauthorizedClient,
    /// RFC 6749 §5.2: no such grant here.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1: no such response type here.
    UnsupportedResponseType,
    /// RFC 6749: the scope is malformed, unknown or exceeds what may be granted.
    InvalidScope,
    /// RFC 6749 §4.1.2.1: the user or the server said no.
    AccessDenied,
    /// RFC 6749 §4.1.2.1: our fault.
    ServerError,
    /// RFC 6749 §4.1.2.1: not now.
    TemporarilyUnavailable,
    /// A limit was hit. No code is registered for it: on the wire it reads as
    /// `temporarily_unavailable`, the status 429 tells the rest.
    TooManyRequests,
    /// OpenID Connect Core §3.1.2.6.
    InteractionRequired,
    /// OpenID Connect Core §3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6.
    AccountSelectionRequired,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6: request objects are not taken.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6: request objects by reference are not taken.
    RequestUriNotSupported,
    /// OpenID Connect Core §3.1.2.6: no `registration` parameter.
    RegistrationNotSupported,
    /// OpenID Connect Core Unmet Authentication Requirements: the demanded `acr` cannot be met.
    UnmetAuthenticationRequirements,
    /// RFC 6750 §3.1.
    InvalidToken,
    /// RFC 6750 §3.1.
    InsufficientScope,
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType,
    /// RFC 8707 §2.
    InvalidTarget,
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri,
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata,
    /// RFC 7591 §3.2.2.
    InvalidSoftwareStatement,
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement,
}

impl ErrorCode {
    /// Every code, for tests and documentation.
    pub const ALL: &'static [ErrorCode] = &[
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidClient,
        ErrorCode::InvalidGrant,
        ErrorCode::UnauthorizedClient,
        ErrorCode::UnsupportedGrantType,
        ErrorCode::UnsupportedResponseType,
        ErrorCode::InvalidScope,
        ErrorCode::AccessDenied,
        ErrorCode::ServerError,
        ErrorCode::TemporarilyUnavailable,
        ErrorCode::TooManyRequests,
        ErrorCode::InteractionRequired,
        ErrorCode::LoginRequired,
        ErrorCode::AccountSelectionRequired,
        ErrorCode::ConsentRequired,
        ErrorCode::RequestNotSupported,
        ErrorCode::RequestUriNotSupported,
        ErrorCode::RegistrationNotSupported,
        ErrorCode::UnmetAuthenticationRequirements,
        ErrorCode::InvalidToken,
        ErrorCode::InsufficientScope,
        ErrorCode::UnsupportedTokenType,
        ErrorCode::InvalidTarget,
        ErrorCode::InvalidRedirectUri,
        ErrorCode::InvalidClientMetadata,
        ErrorCode::InvalidSoftwareStatement,
        ErrorCode::UnapprovedSoftwareStatement,
    ];

    /// The code as it stands in `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::ServerError => "server_error",
            ErrorCode::TemporarilyUnavailable | ErrorCode::TooManyRequests => {
                "temporarily_unavailable"
            }
            ErrorCode::InteractionRequired => "interaction_required",
            ErrorCode::LoginRequired => "login_required",
            ErrorCode::AccountSelectionRequired => "account_selection_required",
            ErrorCode::ConsentRequired => "consent_required",
            ErrorCode::RequestNotSupported => "request_not_supported",
            ErrorCode::RequestUriNotSupported => "request_uri_not_supported",
            ErrorCode::RegistrationNotSupported => "registration_not_supported",
            ErrorCode::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            ErrorCode::InvalidToken => "invalid_token",
            ErrorCode::InsufficientScope => "insufficient_scope",
            ErrorCode::UnsupportedTokenType => "unsupported_token_type",
            ErrorCode::InvalidTarget => "invalid_target",
            ErrorCode::InvalidRedirectUri => "invalid_redirect_uri",
            ErrorCode::InvalidClientMetadata => "invalid_client_metadata",
            ErrorCode::InvalidSoftwareStatement => "invalid_software_statement",
            ErrorCode::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }

    /// The HTTP status of an answer that carries this code in its body.
    // spec: RFC 6749 §5.2; RFC 6750 §3.1
    pub const fn status(self) -> u16 {
        match self {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken => 401,
            ErrorCode::InsufficientScope => 403,
            ErrorCode::TooManyRequests => 429,
            ErrorCode::ServerError => 500,
            ErrorCode::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// Whether an authorization response may carry this code to the client's redirect URI.
    // spec: RFC 6749 §4.1.2.1; OpenID Connect Core §3.1.2.6
    pub const fn redirectable(self) -> bool {
        match self {
            ErrorCode::InvalidRequest
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidScope
            | ErrorCode::AccessDenied
            | ErrorCode::ServerError
            | ErrorCode::TemporarilyUnavailable
            | ErrorCode::TooManyRequests
            | ErrorCode::InteractionRequired
            | ErrorCode::LoginRequired
            | ErrorCode::AccountSelectionRequired
            | ErrorCode::ConsentRequired
            | ErrorCode::RequestNotSupported
            | ErrorCode::RequestUriNotSupported
            | ErrorCode::RegistrationNotSupported
            | ErrorCode::UnmetAuthenticationRequirements
            | ErrorCode::InvalidTarget => true,
            ErrorCode::InvalidClient
            | ErrorCode::InvalidGrant
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::InvalidToken
            | ErrorCode::InsufficientScope
            | ErrorCode::UnsupportedTokenType
            | ErrorCode::InvalidRedirectUri
            | ErrorCode::InvalidClientMetadata
            | ErrorCode::InvalidSoftwareStatement
            | ErrorCode::UnapprovedSoftwareStatement => false,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An error for the client: what is wrong, in words that hold nothing of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct OAuthError {
    /// The registered code.
    pub code: ErrorCode,
    /// `error_description`: plain ASCII of RFC 6749's set.
    pub description: Cow<'static, str>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
}

impl OAuthError {
    /// An error with this description. Characters outside of RFC 6749's set become `?`.
    // spec: RFC 6749 §5.2, error_description
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> OAuthError {
        let description = description.into();
        let description = if description.chars().all(is_description_char) {
            description
        } else {
            let allowed = |char: char| if is_description_char(char) { char } else { '?' };
            Cow::Owned(description.chars().map(allowed).collect())
        };
        OAuthError {
            code,
            description,
            retry_after: None,
        }
    }

    /// `invalid_request` with this description.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidRequest, description)
    }

    /// Too many attempts; look again in `retry_after` seconds.
    // spec: security.md, Clients, "Wrong credentials are rate limited"
    pub fn too_many_requests(retry_after: u32) -> OAuthError {
        let error = OAuthError::new(
            ErrorCode::TooManyRequests,
            "Too many requests. Try again after the time given in Retry-After.",
        );
        OAuthError {
            retry_after: Some(retry_after),
            ..error
        }
    }

    /// The HTTP status when the error is the body of the answer.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// Whether it may travel to a redirect URI, once that is proven.
    pub const fn redirectable(&self) -> bool {
        self.code.redirectable()
    }

    /// The body of a token, revocation, introspection or registration error.
    // spec: RFC 6749 §5.2
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".to_owned(), self.code.as_str().into());
        if !self.description.is_empty() {
            body.insert(
                "error_description".to_owned(),
                self.description.as_ref().into(),
            );
        }
        Value::Object(body)
    }

    /// [`OAuthError::body`] with Frappe's `description` and `status_code` beside it, for the
    /// endpoints where Frappe answers in that form.
    // spec: product.md, rule 3
    pub fn frappe_body(&self) -> Value {
        let mut body = self.body();
        if let Value::Object(members) = &mut body {
            members.insert("description".to_owned(), self.description.as_ref().into());
            members.insert("status_code".to_owned(), self.status().into());
        }
        body
    }

    /// The parameters of an error response to the redirect URI (without `state` and `iss`).
    pub fn response_params(&self) -> Vec<(String, String)> {
        let mut params = vec![("error".to_owned(), self.code.as_str().to_owned())];
        if !self.description.is_empty() {
            params.push(("error_description".to_owned(), self.description.to_string()));
        }
        params
    }
}

/// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E`.
const fn is_description_char(char: char) -> bool {
    matches!(char, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e')
}
