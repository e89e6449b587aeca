//! Authorization responses: what is asked for, how it travels, where it goes.
//!
//! RFC 6749 §4.1.2 and §4.2.2, OAuth 2.0 Multiple Response Type Encoding Practices, OAuth 2.0
//! Form Post Response Mode, RFC 9207.

use std::fmt;

use crate::error::{ErrorCode, OAuthError};
use crate::redirect_uri::{append_fragment, append_query};

/// What the authorization endpoint shall give: any combination but the empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponseType {
    /// An authorization code.
    pub code: bool,
    /// An ID token, in the front channel.
    pub id_token: bool,
    /// An access token, in the front channel.
    pub token: bool,
}

impl ResponseType {
    /// The code flow.
    pub const CODE: ResponseType = ResponseType {
        code: true,
        id_token: false,
        token: false,
    };

    /// Those that only clients with the grant type Implicit may use, in their registered form.
    pub const FRONT_CHANNEL: [&'static str; 6] = [
        "token",
        "id_token",
        "id_token token",
        "code id_token",
        "code token",
        "code id_token token",
    ];

    /// Reads `response_type`; the order of its values says nothing.
    ///
    /// # Errors
    /// `unsupported_response_type` for unknown values, `invalid_request` for repeated ones.
    // spec: RFC 6749 §3.1.1; http.md, authorize, "`response_type`"
    pub fn parse(text: &str) -> Result<ResponseType, OAuthError> {
        let mut parsed = ResponseType {
            code: false,
            id_token: false,
            token: false,
        };
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            let flag = match value {
                "code" => &mut parsed.code,
                "id_token" => &mut parsed.id_token,
                "token" => &mut parsed.token,
                _ => return Err(unsupported()),
            };
            if std::mem::replace(flag, true) {
                return Err(OAuthError::invalid_request(
                    "response_type repeats a value.",
                ));
            }
        }
        if parsed.code || parsed.front_channel() {
            Ok(parsed)
        } else {
            Err(unsupported())
        }
    }

    /// Whether a token of any kind comes through the browser.
    pub const fn front_channel(self) -> bool {
        self.id_token || self.token
    }

    /// The registered form, values in alphabetical order.
    pub const fn as_str(self) -> &'static str {
        match (self.code, self.id_token, self.token) {
            (true, false, false) => "code",
            (true, false, true) => "code token",
            (true, true, false) => "code id_token",
            (true, true, true) => "code id_token token",
            (false, true, false) => "id_token",
            (false, true, true) => "id_token token",
            (false, false, true) => "token",
            (false, false, false) => "",
        }
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

fn unsupported() -> OAuthError {
    OAuthError::new(
        ErrorCode::UnsupportedResponseType,
        "response_type is not supported.",
    )
}

/// How the parameters of an authorization response travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// In a form that the browser posts to it.
    FormPost,
}

impl ResponseMode {
    /// All of them by their names, for the metadata.
    pub const VALUES: [&'static str; 3] = ["query", "fragment", "form_post"];

    /// Reads `response_mode`.
    ///
    /// # Errors
    /// `invalid_request` for an unknown one.
    pub fn parse(text: &str) -> Result<ResponseMode, OAuthError> {
        match text {
            "query" => Ok(ResponseMode::Query),
            "fragment" => Ok(ResponseMode::Fragment),
            "form_post" => Ok(ResponseMode::FormPost),
            _ => Err(OAuthError::invalid_request(
                "response_mode is not supported.",
            )),
        }
    }

    /// The mode when none is asked for: the query for a code alone, else the fragment.
    // spec: Multiple Response Types §2.1, §3; http.md, authorize, "Fragment by default for those"
    pub const fn default_for(response_type: ResponseType) -> ResponseMode {
        if response_type.front_channel() {
            ResponseMode::Fragment
        } else {
            ResponseMode::Query
        }
    }

    /// The mode of a request's response.
    ///
    /// # Errors
    /// `invalid_request` for an unknown mode, and for tokens in a query.
    // spec: security.md, Authorization endpoint, "Tokens are never put into a query"
    pub fn resolve(
        asked: Option<&str>,
        response_type: ResponseType,
    ) -> Result<ResponseMode, OAuthError> {
        match asked.map(ResponseMode::parse).transpose()? {
            None => Ok(ResponseMode::default_for(response_type)),
            Some(ResponseMode::Query) if response_type.front_channel() => Err(
                OAuthError::invalid_request("response_mode=query is not for tokens."),
            ),
            Some(mode) => Ok(mode),
        }
    }

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::Fragment => "fragment",
            ResponseMode::FormPost => "form_post",
        }
    }
}

/// A proven place for authorization responses, with what every one of them carries.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseTarget {
    /// The redirect URI, a registered one.
    pub redirect_uri: String,
    /// Whether the request named it; then the token request has to as well.
    pub redirect_uri_was_sent: bool,
    /// How to answer. While the request is not parsed: the best guess, good for errors.
    pub mode: ResponseMode,
    /// `state`, to be returned as it came.
    pub state: Option<String>,
}

impl ResponseTarget {
    /// An error response. Codes that do not belong into one travel as `server_error`.
    // spec: security.md, Authorization endpoint, "All other errors redirect with"
    pub fn error(&self, error: &OAuthError, issuer: &str) -> AuthorizationResponse {
        let params = if error.redirectable() {
            error.response_params()
        } else {
            OAuthError::new(ErrorCode::ServerError, "").response_params()
        };
        self.answer(params, issuer)
    }

    /// A response with these parameters, `state` and `iss`.
    // spec: RFC 6749 §4.1.2; RFC 9207 §2
    pub fn answer(&self, params: Vec<(String, String)>, issuer: &str) -> AuthorizationResponse {
        let state = self
            .state
            .iter()
            .map(|state| ("state".to_owned(), state.clone()));
        let issuer = [("iss".to_owned(), issuer.to_owned())];
        AuthorizationResponse {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.mode,
            params: params.into_iter().chain(state).chain(issuer).collect(),
        }
    }
}

impl fmt::Debug for ResponseTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseTarget")
            .field("redirect_uri", &self.redirect_uri)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// An authorization response, success or error, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// Where it goes: a proven redirect URI.
    pub redirect_uri: String,
    /// How it goes.
    pub mode: ResponseMode,
    /// What it says, in order.
    pub params: Vec<(String, String)>,
}

impl AuthorizationResponse {
    /// The value of `Location`; `None` for a form that the browser has to post.
    pub fn location(&self) -> Option<String> {
        match self.mode {
            ResponseMode::Query => Some(append_query(&self.redirect_uri, &self.params)),
            ResponseMode::Fragment => Some(append_fragment(&self.redirect_uri, &self.params)),
            ResponseMode::FormPost => None,
        }
    }
}

impl fmt::Debug for AuthorizationResponse {
    /// Without values: they hold codes and tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("AuthorizationResponse")
            .field("redirect_uri", &self.redirect_uri)
            .field("mode", &self.mode)
            .field("params", &names)
            .finish()
    }
}
