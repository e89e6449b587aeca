//! Requests to the authorization endpoint, read in two steps.
//!
//! RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, RFC 7636 §4.3, RFC 8707 §2.1. Until client and
//! redirect URI are proven, an error must not leave this server: that is [`Identification`].
//! Every later error goes to the redirect URI: that is [`AuthorizeRequest`].

use std::fmt;

use crate::claims::ClaimsRequest;
use crate::client_rules::{ClientRules, ObservedViolation};
use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::params::Params;
use crate::pkce::Challenge;
use crate::prompt::Prompt;
use crate::resource;
use crate::response::{ResponseMode, ResponseTarget, ResponseType};
use crate::scope::{OPENID, Scope, grant_scope};
use crate::secret::SecretText;
use crate::token_request;

/// Who asks and where the answer would go: enough to prove both, and no more.
#[derive(Clone, PartialEq, Eq)]
pub struct Identification {
    /// Who asks.
    pub client_id: String,
    /// Where the answer shall go, unless the client's default.
    pub redirect_uri: Option<String>,
    /// `state`; `None` too when it was sent twice, because neither is then known to be right.
    pub state: Option<String>,
    /// `response_mode`, not yet checked.
    pub response_mode: Option<String>,
    /// `response_type`, not yet checked.
    pub response_type: Option<String>,
}

impl Identification {
    /// Proves the redirect URI.
    ///
    /// # Errors
    /// `invalid_request`, to be shown, never to be redirected.
    // spec: security.md, Authorization endpoint, line 2, "never a redirect"
    pub fn target(&self, client: &ClientRules) -> Result<ResponseTarget, OAuthError> {
        Ok(ResponseTarget {
            redirect_uri: client.resolve_redirect_uri(self.redirect_uri.as_deref())?,
            redirect_uri_was_sent: self.redirect_uri.is_some(),
            mode: self.mode(),
            state: self.state.clone(),
        })
    }

    /// How to send an error: as asked, if that can be understood, else as the response type has
    /// it by default, if that can be understood.
    // spec: security.md, Authorization endpoint, "in the response mode asked for"
    fn mode(&self) -> ResponseMode {
        let asked = self.response_mode.as_deref().map(ResponseMode::parse);
        let asked_type = self.response_type.as_deref().map(ResponseType::parse);
        match (asked, asked_type) {
            (Some(Ok(mode)), _) => mode,
            (_, Some(Ok(response_type))) => ResponseMode::default_for(response_type),
            _ => ResponseMode::Query,
        }
    }
}

impl fmt::Debug for Identification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identification")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// A request whose parameters are all understood and allowed for its client.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// Who asks.
    pub client_id: String,
    /// Where and how the answer goes.
    pub target: ResponseTarget,
    /// What is asked for.
    pub response_type: ResponseType,
    /// `scope` as sent.
    pub requested_scope: Option<Scope>,
    /// What would be granted.
    pub scope: Scope,
    /// `nonce`, for the ID token.
    pub nonce: Option<String>,
    /// The PKCE challenge.
    pub challenge: Option<Challenge>,
    /// What an `Observe` client was let pass with, to be written down.
    pub observed: Option<ObservedViolation>,
    /// What the user has to be asked.
    pub prompt: Prompt,
    /// The longest time since the user signed in, in seconds.
    pub max_age: Option<u64>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
    /// An ID token of the user who shall sign in, not yet verified.
    pub id_token_hint: Option<SecretText>,
    /// The `claims` parameter.
    pub claims: Option<ClaimsRequest>,
    /// Authentication context classes, best first.
    pub acr_values: Vec<String>,
    /// Languages, best first.
    pub ui_locales: Vec<String>,
    /// Resources in canonical form (RFC 8707); whether they are known is for [`resource::check`].
    pub resource: Vec<String>,
}

impl AuthorizeRequest {
    /// Reads who asks and where the answer would go.
    ///
    /// # Errors
    /// `invalid_request`, to be shown, never to be redirected.
    // spec: security.md, Authorization endpoint, "Order of checks"
    pub fn identify(params: &Params) -> Result<Identification, OAuthError> {
        for name in ["client_id", "redirect_uri"] {
            if params.count(name) > 1 {
                let description = format!("{name} was sent more than once.");
                return Err(OAuthError::invalid_request(description));
            }
        }
        let client_id = params
            .get_bounded("client_id", limits::CLIENT_ID)?
            .ok_or_else(|| OAuthError::invalid_request("client_id is missing."))?;
        let once = |name: &str| match params.count(name) {
            1 => params.get(name).map(str::to_owned),
            _ => None,
        };
        Ok(Identification {
            client_id: client_id.to_owned(),
            redirect_uri: params
                .get_bounded("redirect_uri", limits::REDIRECT_URI)?
                .map(str::to_owned),
            state: once("state").filter(|state| state.len() <= limits::STATE),
            response_mode: once("response_mode"),
            response_type: once("response_type"),
        })
    }

    /// Reads the whole request of a client that is known.
    ///
    /// # Errors
    /// Those of [`AuthorizeRequest::identify`] and [`Identification::target`] if they were not
    /// asked before; all others may travel to the target.
    // spec: http.md, authorize; RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1
    pub fn parse(params: &Params, client: &ClientRules) -> Result<AuthorizeRequest, OAuthError> {
        let identification = AuthorizeRequest::identify(params)?;
        let mut target = identification.target(client)?;
        check_form(params)?;
        let response_type = response_type(params, client)?;
        target.mode = ResponseMode::resolve(params.get("response_mode"), response_type)?;
        let requested_scope = token_request::scope(params)?;
        let scope = grant_scope(requested_scope.as_ref(), &client.scopes)?;
        let nonce = text(params, "nonce", limits::NONCE)?;
        check_id_token(response_type, &scope, nonce.as_deref())?;
        let challenge = challenge(params, client)?;
        let observed = match response_type.code {
            true => client.check_pkce(challenge.as_ref())?,
            false => None,
        };
        Ok(AuthorizeRequest {
            client_id: identification.client_id,
            target,
            response_type,
            requested_scope,
            scope,
            nonce,
            challenge,
            observed,
            prompt: params
                .get("prompt")
                .map(Prompt::parse)
                .transpose()?
                .unwrap_or_default(),
            max_age: params.get("max_age").map(max_age).transpose()?,
            login_hint: text(params, "login_hint", limits::HINT)?,
            id_token_hint: params
                .get_bounded("id_token_hint", limits::ID_TOKEN_HINT)?
                .map(SecretText::new),
            claims: params.get("claims").map(ClaimsRequest::parse).transpose()?,
            acr_values: words(params, "acr_values")?,
            ui_locales: words(params, "ui_locales")?,
            resource: resource::parse(params)?,
        })
    }
}

impl AuthorizeRequest {
    /// What the user is asked for: the scopes, and those that stand for the claims that are asked
    /// for one by one.
    // spec: OpenID Connect Core §5.5; security.md, "OAuth Consent (user, client, scopes, resource)"
    #[must_use]
    pub fn consent_scope(&self) -> Scope {
        match &self.claims {
            Some(claims) => self.scope.union(&claims.beyond(&self.scope)),
            None => self.scope.clone(),
        }
    }

    /// Whether a sign-in of this authentication context class will do: only an essential `acr`
    /// claim with other values excludes it.
    // spec: OpenID Connect Core §5.5.1.1
    #[must_use]
    pub fn admits_class(&self, acr: &str) -> bool {
        let request = self
            .claims
            .as_ref()
            .and_then(|claims| claims.in_id_token("acr"));
        request.is_none_or(|request| {
            let any = !request.essential || request.values.is_empty();
            any || request.values.iter().any(|value| value == acr)
        })
    }
}

impl fmt::Debug for AuthorizeRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizeRequest")
            .field("client_id", &self.client_id)
            .field("target", &self.target)
            .field("response_type", &self.response_type)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// What is wrong with the request whatever its values mean.
fn check_form(params: &Params) -> Result<(), OAuthError> {
    params.reject_repeated(&["resource"])?;
    params.get_bounded("state", limits::STATE)?;
    // spec: http.md, authorize, "`request`: `request_not_supported`"; OpenID Connect Core §6
    let unsupported = [
        (
            "request",
            ErrorCode::RequestNotSupported,
            "Request objects are not supported.",
        ),
        (
            "request_uri",
            ErrorCode::RequestUriNotSupported,
            "request_uri is not supported.",
        ),
    ];
    for (name, code, description) in unsupported {
        if params.get(name).is_some() {
            return Err(OAuthError::new(code, description));
        }
    }
    Ok(())
}

fn response_type(params: &Params, client: &ClientRules) -> Result<ResponseType, OAuthError> {
    let response_type = params
        .get("response_type")
        .ok_or_else(|| OAuthError::invalid_request("response_type is missing."))?;
    let response_type = ResponseType::parse(response_type)?;
    client.check_response_type(response_type)?;
    Ok(response_type)
}

/// An ID token through the browser needs `openid` and a nonce.
// spec: OpenID Connect Core §3.2.2.1, §3.3.2.11, nonce
fn check_id_token(
    response_type: ResponseType,
    scope: &Scope,
    nonce: Option<&str>,
) -> Result<(), OAuthError> {
    if !response_type.id_token {
        return Ok(());
    }
    if !scope.contains(OPENID) {
        let description = "An ID token needs the scope openid.";
        return Err(OAuthError::new(ErrorCode::InvalidScope, description));
    }
    if nonce.is_none() {
        return Err(OAuthError::invalid_request("nonce is missing."));
    }
    Ok(())
}

fn challenge(params: &Params, client: &ClientRules) -> Result<Option<Challenge>, OAuthError> {
    let (challenge, method) = (
        params.get("code_challenge"),
        params.get("code_challenge_method"),
    );
    Challenge::parse(challenge, method, client.pkce_allow())
}

// spec: OpenID Connect Core §3.1.2.1, max_age
fn max_age(text: &str) -> Result<u64, OAuthError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.ok_or_else(|| OAuthError::invalid_request("max_age is not a number of seconds."))
}

fn text(params: &Params, name: &str, limit: usize) -> Result<Option<String>, OAuthError> {
    Ok(params.get_bounded(name, limit)?.map(str::to_owned))
}

fn words(params: &Params, name: &str) -> Result<Vec<String>, OAuthError> {
    let text = params.get_bounded(name, limits::HINT)?.unwrap_or_default();
    Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
}
