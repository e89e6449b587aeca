//! What a client is registered for: the settings that decide about its requests.

use std::collections::BTreeSet;

pub use crate::client_settings::{
    AuthMethod, Enforcement, GrantType, IdTokenAlgorithm, ObservedViolation,
};
use crate::error::{ErrorCode, OAuthError};
use crate::pkce::{Allow, Challenge};
use crate::redirect_uri;
use crate::response::ResponseType;
use crate::scope::{OPENID, Scope};

/// The protocol's view of one registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRules {
    /// Its identifier.
    pub client_id: String,
    /// How it proves itself; [`AuthMethod::None`] makes it a public client.
    pub auth_method: AuthMethod,
    /// Only the registered method is taken.
    pub strict_client_auth: bool,
    /// It came by dynamic registration or a metadata document.
    pub dynamically_registered: bool,
    /// Whether its rules bind.
    pub enforcement: Enforcement,
    /// The grants it may use. The authorization code is always among them.
    pub grant_types: BTreeSet<GrantType>,
    /// The scopes it may ask for (see [`Scope::with_implied`]).
    pub scopes: Scope,
    /// The redirect URIs, each as registered.
    pub redirect_uris: Vec<String>,
    /// The one used when a request names none.
    pub default_redirect_uri: Option<String>,
    /// A code needs a challenge.
    pub require_pkce: bool,
    /// Challenges of the method `plain` are taken.
    pub allow_plain_pkce: bool,
    /// Verifiers of fewer than 43 characters are taken.
    pub allow_short_code_verifier: bool,
    /// The algorithm of its ID tokens.
    pub id_token_signed_response_alg: IdTokenAlgorithm,
}

impl ClientRules {
    /// A client with the settings of a new record: confidential by Basic, code and refresh
    /// grants, `all openid`, nothing lenient.
    pub fn new(client_id: impl Into<String>) -> ClientRules {
        ClientRules {
            client_id: client_id.into(),
            auth_method: AuthMethod::ClientSecretBasic,
            strict_client_auth: false,
            dynamically_registered: false,
            enforcement: Enforcement::Enforce,
            grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
            scopes: Scope::from_registered("all openid"),
            redirect_uris: Vec::new(),
            default_redirect_uri: None,
            require_pkce: false,
            allow_plain_pkce: false,
            allow_short_code_verifier: false,
            id_token_signed_response_alg: IdTokenAlgorithm::RS256,
        }
    }

    /// Whether it has no credentials (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// Whether only the registered authentication method is taken.
    // spec: security.md, Clients, "dynamically registered ones only their registered method"
    pub fn only_registered_method(&self) -> bool {
        self.strict_client_auth || self.dynamically_registered
    }

    /// Whether it may get `openid` at all.
    pub fn may_use_openid(&self) -> bool {
        self.scopes.contains(OPENID)
    }

    /// Whether it may use the grant.
    // spec: http.md, get_token, "allowed when"
    pub fn allows_grant(&self, grant: GrantType) -> bool {
        match grant {
            GrantType::AuthorizationCode => true,
            GrantType::ClientCredentials if self.is_public() => false,
            other => self.grant_types.contains(&other),
        }
    }

    /// Checks that it may use the grant.
    ///
    /// # Errors
    /// `unauthorized_client`.
    // spec: RFC 6749 §5.2
    pub fn check_grant(&self, grant: GrantType) -> Result<(), OAuthError> {
        if self.allows_grant(grant) {
            Ok(())
        } else {
            Err(unauthorized("grant type"))
        }
    }

    /// Checks that it may ask for the response type: tokens in the front channel are for clients
    /// with the grant type Implicit.
    ///
    /// # Errors
    /// `unauthorized_client`.
    // spec: http.md, authorize, "`response_type`"
    pub fn check_response_type(&self, response_type: ResponseType) -> Result<(), OAuthError> {
        if response_type.front_channel() && !self.allows_grant(GrantType::Implicit) {
            return Err(unauthorized("response type"));
        }
        Ok(())
    }

    /// The redirect URI of a request that named this one, or none.
    ///
    /// Without one, the client's default counts if it is registered, or the only registered one;
    /// never for clients that registered themselves.
    ///
    /// # Errors
    /// `invalid_request`, to be shown, never to be redirected.
    // spec: security.md, Authorization endpoint, line 2; RFC 6749 §3.1.2.3
    pub fn resolve_redirect_uri(&self, presented: Option<&str>) -> Result<String, OAuthError> {
        let registered = || self.redirect_uris.iter().map(String::as_str);
        let uri = match (
            presented,
            &self.default_redirect_uri,
            self.redirect_uris.as_slice(),
        ) {
            (Some(presented), _, _) => presented,
            (None, ..) if self.dynamically_registered => {
                return Err(OAuthError::invalid_request("redirect_uri is missing."));
            }
            (None, Some(default), _) if !default.is_empty() => default,
            (None, _, [only]) => only,
            (None, _, _) => {
                return Err(OAuthError::invalid_request("redirect_uri is missing."));
            }
        };
        if redirect_uri::matches(registered(), uri) {
            Ok(uri.to_owned())
        } else {
            Err(OAuthError::invalid_request(
                "redirect_uri is not registered for this client.",
            ))
        }
    }

    /// The legacy forms of PKCE it may use.
    pub fn pkce_allow(&self) -> Allow {
        Allow {
            plain: self.allow_plain_pkce,
            short: self.allow_short_code_verifier,
        }
    }

    /// Whether a request for a code may come with this challenge or without one. `Some` tells
    /// what was let pass because the client is only observed.
    ///
    /// # Errors
    /// `invalid_request` when a challenge is needed.
    // spec: security.md, Clients, "must use PKCE S256"; OAuth 2.1 §4.1.1
    pub fn check_pkce(
        &self,
        challenge: Option<&Challenge>,
    ) -> Result<Option<ObservedViolation>, OAuthError> {
        match (challenge, self.enforcement) {
            (None, Enforcement::Observe) if self.require_pkce => {
                Ok(Some(ObservedViolation::PkceAbsent))
            }
            (None, Enforcement::Enforce) if self.require_pkce => Err(OAuthError::invalid_request(
                "code_challenge is missing: PKCE is required.",
            )),
            _ => Ok(None),
        }
    }

    /// Checks that the settings do not contradict each other.
    ///
    /// # Errors
    /// The first [`Contradiction`].
    // spec: security.md, Clients, "cannot use HS256 ID tokens"; RFC 7591 §2.1
    pub fn check_consistency(&self) -> Result<(), Contradiction> {
        if self.is_public() && self.id_token_signed_response_alg == IdTokenAlgorithm::HS256 {
            return Err(Contradiction::PublicWithSharedKey);
        }
        if self.is_public() && self.grant_types.contains(&GrantType::ClientCredentials) {
            return Err(Contradiction::PublicWithClientCredentials);
        }
        Ok(())
    }
}

/// Settings of a client that cannot stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// A public client has no secret that it could check an HS256 signature with.
    #[error("A public client cannot have HS256 ID tokens: it has no secret to verify them with.")]
    PublicWithSharedKey,
    /// A public client cannot prove that it acts for itself.
    #[error("A public client cannot use the client credentials grant: it has no credentials.")]
    PublicWithClientCredentials,
    /// Frappe's pairs are Authorization Code with Code, Implicit with Token.
    #[error(
        "Grant Type and Response Type do not fit: use Authorization Code with Code, or Implicit with Token."
    )]
    GrantAndResponse,
}

/// Checks a record's Grant Type against its Response Type, as Frappe pairs them.
///
/// # Errors
/// [`Contradiction::GrantAndResponse`].
// spec: frappe/doctypes.md, OAuth Client, "grant type and response type must pair"
pub fn check_pair(grant_type: &str, response_type: &str) -> Result<(), Contradiction> {
    match (grant_type, response_type) {
        ("Authorization Code", "Code") | ("Implicit", "Token") => Ok(()),
        _ => Err(Contradiction::GrantAndResponse),
    }
}

fn unauthorized(what: &str) -> OAuthError {
    let description = format!("The client is not registered for this {what}.");
    OAuthError::new(ErrorCode::UnauthorizedClient, description)
}
