//! Requests to the token endpoint. RFC 6749 §4.1.3, §4.3.2, §4.4.2, §6; RFC 7636 §4.5; RFC 8707.

use crate::client_rules::GrantType;
use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::params::Params;
use crate::resource;
use crate::scope::Scope;
use crate::secret::SecretText;

/// What is offered for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantRequest {
    /// An authorization code.
    AuthorizationCode {
        /// The code.
        code: SecretText,
        /// `redirect_uri`, byte for byte.
        redirect_uri: Option<String>,
        /// `code_verifier`; its syntax is checked against the challenge, so that a malformed one
        /// burns the code like a wrong one.
        code_verifier: Option<SecretText>,
    },
    /// A refresh token.
    RefreshToken {
        /// The token.
        refresh_token: SecretText,
        /// Less than what was granted, if sent.
        scope: Option<Scope>,
    },
    /// A user's name and password.
    Password {
        /// Name or e-mail address.
        username: String,
        /// The password.
        password: SecretText,
        /// The scope asked for.
        scope: Option<Scope>,
    },
    /// Nothing but the client's own credentials.
    ClientCredentials {
        /// The scope asked for.
        scope: Option<Scope>,
    },
}

impl GrantRequest {
    /// The grant it is.
    pub const fn grant_type(&self) -> GrantType {
        match self {
            GrantRequest::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            GrantRequest::RefreshToken { .. } => GrantType::RefreshToken,
            GrantRequest::Password { .. } => GrantType::Password,
            GrantRequest::ClientCredentials { .. } => GrantType::ClientCredentials,
        }
    }
}

/// A request to the token endpoint, without the client's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// What is offered.
    pub grant: GrantRequest,
    /// The resources asked for, in canonical form (RFC 8707 §2.2).
    pub resource: Vec<String>,
}

impl TokenRequest {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// `invalid_request` for what is missing, repeated or too long, `unsupported_grant_type`,
    /// `invalid_scope`, `invalid_target`.
    // spec: RFC 6749 §3.2, §5.2
    pub fn parse(params: &Params) -> Result<TokenRequest, OAuthError> {
        params.reject_repeated(&["resource"])?;
        let name = params
            .get("grant_type")
            .ok_or_else(|| OAuthError::invalid_request("grant_type is missing."))?;
        let grant = match GrantType::from_name(name) {
            Some(GrantType::AuthorizationCode) => GrantRequest::AuthorizationCode {
                code: secret(params, "code", "code is missing.")?,
                redirect_uri: redirect_uri(params)?,
                code_verifier: params
                    .get_bounded("code_verifier", limits::TOKEN)?
                    .map(SecretText::new),
            },
            Some(GrantType::RefreshToken) => GrantRequest::RefreshToken {
                refresh_token: secret(params, "refresh_token", "refresh_token is missing.")?,
                scope: scope(params)?,
            },
            Some(GrantType::Password) => GrantRequest::Password {
                username: secret(params, "username", "username is missing.")?
                    .expose()
                    .to_owned(),
                password: secret(params, "password", "password is missing.")?,
                scope: scope(params)?,
            },
            Some(GrantType::ClientCredentials) => GrantRequest::ClientCredentials {
                scope: scope(params)?,
            },
            Some(GrantType::Implicit) | None => {
                return Err(OAuthError::new(
                    ErrorCode::UnsupportedGrantType,
                    "grant_type is not supported.",
                ));
            }
        };
        Ok(TokenRequest {
            grant,
            resource: resource::parse(params)?,
        })
    }
}

/// A mandatory value.
fn secret(params: &Params, name: &str, missing: &'static str) -> Result<SecretText, OAuthError> {
    let limit = match name {
        "username" | "password" => limits::CREDENTIAL,
        _ => limits::TOKEN,
    };
    params
        .get_bounded(name, limit)?
        .map(SecretText::new)
        .ok_or_else(|| OAuthError::invalid_request(missing))
}

fn redirect_uri(params: &Params) -> Result<Option<String>, OAuthError> {
    Ok(params
        .get_bounded("redirect_uri", limits::REDIRECT_URI)?
        .map(str::to_owned))
}

/// `scope`, when it says something.
pub(crate) fn scope(params: &Params) -> Result<Option<Scope>, OAuthError> {
    let scope = params.get("scope").map(Scope::parse).transpose()?;
    Ok(scope.filter(|scope| !scope.is_empty()))
}
