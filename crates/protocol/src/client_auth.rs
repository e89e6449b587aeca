//! Which credentials a client presented, and whether they are of a kind it may use.
//!
//! RFC 6749 §2.3. One function reads every legal combination; all others are `invalid_client`.
//! Nothing is compared here: [`judge`] says what has to be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client_rules::{AuthMethod, ClientRules, Enforcement, ObservedViolation};
use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::params::{Params, decode};
use crate::secret::SecretText;

/// Where the credentials stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresentedMethod {
    /// Only `client_id`, in the body.
    None,
    /// In the `Authorization` header.
    Basic,
    /// In the body.
    Post,
}

/// What a request says about the client that sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it says it is.
    pub client_id: String,
    /// How it says so.
    pub method: PresentedMethod,
    /// The secret, unless the method is [`PresentedMethod::None`].
    pub secret: Option<SecretText>,
}

/// Whether the request tried HTTP Basic: then a refusal carries `WWW-Authenticate: Basic`.
// spec: RFC 6749 §5.2, invalid_client; security.md, Clients, line 1
pub fn basic_was_tried(authorization: Option<&str>) -> bool {
    authorization.is_some_and(|header| split_scheme(header).0.eq_ignore_ascii_case("Basic"))
}

impl ClientCredentials {
    /// Reads the credentials of a request to the token, revocation or introspection endpoint;
    /// `None` when it names no client. A Bearer header is not looked at here.
    ///
    /// # Errors
    /// `invalid_client` for mixed, doubled or malformed credentials, `invalid_request` for a
    /// repeated `client_id`.
    // spec: security.md, Clients, line 1; RFC 6749 §2.3.1
    pub fn from_request(
        authorization: Option<&str>,
        params: &Params,
    ) -> Result<Option<ClientCredentials>, OAuthError> {
        let body = Body::read(params)?;
        let header = authorization.map(split_scheme);
        match header {
            Some((scheme, value)) if scheme.eq_ignore_ascii_case("Basic") => {
                let (client_id, secret) = parse_basic(value)?;
                if body.secret.is_some() {
                    return Err(refused("The client sent two sets of credentials."));
                }
                if body.client_id.is_some_and(|body_id| body_id != client_id) {
                    return Err(refused(
                        "client_id is not the one of the Authorization header.",
                    ));
                }
                let method = PresentedMethod::Basic;
                Ok(Some(ClientCredentials {
                    client_id,
                    method,
                    secret: Some(secret),
                }))
            }
            Some((scheme, _)) if !scheme.eq_ignore_ascii_case("Bearer") => {
                Err(refused("The Authorization scheme is not one for clients."))
            }
            _ => body.into_credentials(),
        }
    }
}

/// The credentials in a form or JSON body.
struct Body<'a> {
    client_id: Option<&'a str>,
    secret: Option<&'a str>,
}

impl<'a> Body<'a> {
    fn read(params: &'a Params) -> Result<Body<'a>, OAuthError> {
        if params.count("client_secret") > 1 {
            return Err(refused("client_secret was sent more than once."));
        }
        if params.count("client_id") > 1 {
            return Err(OAuthError::invalid_request(
                "client_id was sent more than once.",
            ));
        }
        if params
            .get("client_assertion")
            .or(params.get("client_assertion_type"))
            .is_some()
        {
            return Err(refused("Client assertions are not supported."));
        }
        let (client_id, secret) = (params.get("client_id"), params.get("client_secret"));
        if client_id.is_some_and(|id| id.len() > limits::CLIENT_ID)
            || secret.is_some_and(|secret| secret.len() > limits::CLIENT_SECRET)
        {
            return Err(refused("The client credentials are too long."));
        }
        Ok(Body { client_id, secret })
    }

    fn into_credentials(self) -> Result<Option<ClientCredentials>, OAuthError> {
        let (method, secret) = match self.secret {
            None => (PresentedMethod::None, None),
            Some(secret) => (PresentedMethod::Post, Some(SecretText::new(secret))),
        };
        match self.client_id {
            None if secret.is_some() => Err(refused("client_secret was sent without client_id.")),
            None => Ok(None),
            Some(id) => Ok(Some(ClientCredentials {
                client_id: id.to_owned(),
                method,
                secret,
            })),
        }
    }
}

/// Splits `Scheme value` at the first blanks.
fn split_scheme(header: &str) -> (&str, &str) {
    let header = header.trim_matches([' ', '\t']);
    match header.split_once(' ') {
        Some((scheme, value)) => (scheme, value.trim_start_matches(' ')),
        None => (header, ""),
    }
}

/// Reads the value of a Basic header, whose two parts are form-encoded inside the Base64.
// spec: RFC 6749 §2.3.1; RFC 7617 §2
fn parse_basic(value: &str) -> Result<(String, SecretText), OAuthError> {
    let malformed = || refused("The Basic credentials are malformed.");
    if value.len() > 2 * (limits::CLIENT_ID + limits::CLIENT_SECRET) {
        return Err(malformed());
    }
    let pair = STANDARD.decode(value).map_err(|_| malformed())?;
    let colon = pair
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(malformed)?;
    let (client_id, secret) = pair.split_at_checked(colon).ok_or_else(malformed)?;
    let client_id = decode(client_id).map_err(|_| malformed())?;
    let secret = decode(secret.get(1..).unwrap_or_default()).map_err(|_| malformed())?;
    if client_id.is_empty() || secret.is_empty() {
        return Err(malformed());
    }
    Ok((client_id, SecretText::new(secret)))
}

/// What has to happen before the client counts as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthRule {
    /// The presented secret has to be the client's. `observed` is to be written down once it is.
    RequireSecret {
        /// What an `Enforce` client would have been refused for.
        observed: Option<ObservedViolation>,
    },
    /// A public client: naming itself is all it can do.
    Public,
    /// A confidential client that proved nothing, passing only because it is observed.
    LetPass(ObservedViolation),
    /// Refused, whatever the secret.
    Refuse(OAuthError),
}

impl AuthRule {
    /// The same rule where a client that proved nothing must not pass even when observed: grants
    /// in which the client acts for itself, and introspection.
    #[must_use]
    pub fn proven_only(self) -> AuthRule {
        match self {
            AuthRule::LetPass(_) => AuthRule::Refuse(refused("Client authentication is missing.")),
            other => other,
        }
    }
}

/// Judges what was presented against what the client is registered for.
// spec: security.md, Clients, lines 1, 2 and "`Observe` may let pass only"
pub fn judge(presented: &ClientCredentials, client: &ClientRules) -> AuthRule {
    let observe = client.enforcement == Enforcement::Observe;
    let registered = match client.auth_method {
        AuthMethod::None => PresentedMethod::None,
        AuthMethod::ClientSecretBasic => PresentedMethod::Basic,
        AuthMethod::ClientSecretPost => PresentedMethod::Post,
    };
    // An observed public client with a secret is of "another method" too; its secret must fit.
    let other_taken = !client.is_public() && !client.only_registered_method();
    match presented.method {
        PresentedMethod::None if client.is_public() => AuthRule::Public,
        PresentedMethod::None if observe => {
            AuthRule::LetPass(ObservedViolation::ClientAuthenticationAbsent)
        }
        PresentedMethod::None => AuthRule::Refuse(refused("Client authentication is missing.")),
        method if method == registered || other_taken => AuthRule::RequireSecret { observed: None },
        _ if observe => AuthRule::RequireSecret {
            observed: Some(ObservedViolation::OtherMethod),
        },
        _ if client.is_public() => AuthRule::Refuse(refused("A public client has no secret.")),
        _ => AuthRule::Refuse(refused("The client is registered for another method.")),
    }
}

fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}
