//! The token endpoint: client, grant, answer.
//!
//! RFC 6749 §3.2 and §5. Each grant is a file beside this one, with its checklist in the order of
//! its RFC. What they share stands here: who may use which grant, lifetimes, and the answer.

pub mod admin;
pub mod bearer_row;
pub mod client_credentials;
pub mod code;
pub mod family;
pub mod password;
pub mod refresh;

use std::sync::Arc;

use crema_crypto::Secret;
use crema_document::Timestamp;
use crema_protocol::client_rules::GrantType;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::resource;
use crema_protocol::token_request::{GrantRequest, TokenRequest};

use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::client_auth::{self, Proof};
use crate::user::User;
use crate::{Ctx, Failure};

/// A successful answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Debug)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Secret<String>,
    /// Seconds that the access token still lives.
    pub expires_in: i64,
    /// The refresh token, with code and password grants.
    pub refresh_token: Option<Secret<String>>,
    /// What was granted, space-separated.
    pub scope: String,
    /// The ID token, when `openid` was granted.
    pub id_token: Option<String>,
}

/// How the parameters of a token request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// In the body of a POST.
    Body,
    /// In the address of a GET, where `developer_mode` takes them.
    Address,
}

/// Answers a token request.
///
/// # Errors
/// The errors of RFC 6749 §5.2; [`Failure::TooMany`] after too many wrong credentials.
pub async fn token(
    ctx: &Ctx,
    authorization: Option<&str>,
    params: &Params,
    arrival: Arrival,
) -> Result<TokenAnswer, Failure> {
    params.reject_repeated(&["resource", client_auth::SECRET])?;
    let request = TokenRequest::parse(params);
    // A client that acts for itself has to be itself, even while it is only observed.
    let proof = match request.as_ref().map(|request| request.grant.grant_type()) {
        Ok(GrantType::ClientCredentials) => Proof::Needed,
        _ => Proof::AsEnforced,
    };
    let client = client_auth::authenticate(ctx, authorization, params, proof).await?;
    if arrival == Arrival::Address {
        // spec: product.md, rule 2, "token request by GET … every use of it is written"
        let entry = Entry::new(ctx, Operation::LegacySwitch, Status::Success)
            .client(&client.name)
            .detail("switch", "token request by GET");
        audit::record_now(ctx, entry).await?;
    }
    let request = request?;
    resource::check(&ctx.issuer, &request.resource)?;
    client.rules.check_grant(request.grant.grant_type())?;
    match &request.grant {
        GrantRequest::AuthorizationCode { .. } => code::redeem(ctx, client, &request).await,
        GrantRequest::RefreshToken { .. } => refresh::refresh(ctx, client, &request).await,
        GrantRequest::Password { .. } => password::grant(ctx, client, &request).await,
        GrantRequest::ClientCredentials { .. } => {
            client_credentials::grant(ctx, client, &request).await
        }
    }
}

/// How long the tokens of a client live, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) access: i64,
    pub(crate) refresh: i64,
    pub(crate) refresh_absolute: i64,
    pub(crate) grace: i64,
}

impl Lifetimes {
    /// The client's own lifetimes, else the site's.
    pub(crate) async fn of(ctx: &Ctx, client: &Client) -> Result<Lifetimes, Failure> {
        let settings = ctx.settings().await?;
        Ok(Lifetimes {
            access: client
                .access_token_lifetime
                .unwrap_or(settings.access_token_lifetime),
            refresh: client
                .refresh_token_lifetime
                .unwrap_or(settings.refresh_token_lifetime),
            refresh_absolute: client
                .refresh_token_absolute_lifetime
                .unwrap_or(settings.refresh_token_absolute_lifetime),
            grace: client
                .refresh_grace_seconds
                .unwrap_or(settings.refresh_grace_seconds),
        })
    }

    /// When a refresh token issued now ends: sliding, but not beyond the family's end.
    pub(crate) fn refresh_end(&self, now: Timestamp, family_end: Timestamp) -> Timestamp {
        now.plus_seconds(self.refresh).min(family_end)
    }
}

/// The enabled user of that name who may use this client.
///
/// # Errors
/// `invalid_grant` when the user is gone, disabled, or holds none of the client's Allowed Roles.
// spec: security.md, Clients, Allowed Roles; Codes and tokens, disabled users
pub(crate) async fn entitled_user(
    ctx: &Ctx,
    client: &Client,
    name: &str,
) -> Result<Arc<User>, Failure> {
    let user = ctx.user(name).await?.filter(|user| user.enabled);
    match user {
        Some(user) if client.admits(&user) => Ok(user),
        _ => Err(invalid_grant("The grant is no longer valid for this user.").into()),
    }
}

pub(crate) fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

/// `resource` values as they are stored: space-separated, which no URI contains.
pub(crate) fn join_resources(resources: &[String]) -> String {
    resources.join(" ")
}

/// The resources of new tokens: what was granted, narrowed to what is asked for now. What was
/// granted for the site as a whole may be narrowed to any part of it.
///
/// # Errors
/// `invalid_target` when something is asked for that was not granted (RFC 8707 §2.2).
pub(crate) fn narrow_resources(granted: &str, asked: &[String]) -> Result<String, OAuthError> {
    let granted: Vec<String> = granted.split_whitespace().map(str::to_owned).collect();
    if granted.is_empty() {
        return Ok(join_resources(asked));
    }
    Ok(join_resources(&resource::narrow(&granted, asked)?))
}

/// Whether what was granted, as it is stored, holds all that is asked for now; nothing in
/// particular is the site as a whole.
pub(crate) fn covers_resources(granted: &str, asked: &[String]) -> bool {
    granted.is_empty() || !asked.is_empty() && narrow_resources(granted, asked).is_ok()
}
