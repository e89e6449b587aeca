//! Requests about a token: revocation (RFC 7009 §2.1) and introspection (RFC 7662 §2.1).

use crate::error::OAuthError;
use crate::params::Params;
use crate::secret::SecretText;

/// Which kind of token the client believes it sends. Both kinds are searched all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenTypeHint {
    /// `access_token`.
    AccessToken,
    /// `refresh_token`.
    RefreshToken,
}

/// A token and what it is said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenQuery {
    /// The token.
    pub token: SecretText,
    /// `token_type_hint`, when it is one that is known.
    pub hint: Option<TokenTypeHint>,
}

impl TokenQuery {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// `invalid_request` for what is missing or repeated. A token that is longer than any is
    /// none of ours, which is an answer and no error.
    // spec: http.md, revoke_token, introspect_token; RFC 7009 §2.1
    pub fn parse(params: &Params) -> Result<TokenQuery, OAuthError> {
        params.reject_repeated(&[])?;
        let token = params
            .get("token")
            .ok_or_else(|| OAuthError::invalid_request("token is missing."))?;
        let hint = match params.get("token_type_hint") {
            Some("access_token") => Some(TokenTypeHint::AccessToken),
            Some("refresh_token") => Some(TokenTypeHint::RefreshToken),
            _ => None,
        };
        Ok(TokenQuery {
            token: SecretText::new(token),
            hint,
        })
    }
}
