//! Proving a client at the token, revocation and introspection endpoints.
//!
//! RFC 6749 §2.3 and §3.2.1. Which combinations of credentials may be looked at at all is decided
//! by `crema_protocol::client_auth`; here the secret is compared, wrong ones are counted per
//! client and address, and what `Observe` lets pass is written down.
//! Records: OAuth Client (read), `__failure`, Activity Log.

use std::sync::Arc;

use crema_protocol::client_auth::{AuthRule, ClientCredentials, judge};
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;

use crate::audit::{self, Entry, Operation, Status};
use crate::bearer::Ahead;
use crate::client::{self, Client};
use crate::lockout::{self, Key};
use crate::{Ctx, Failure};

/// The parameter that may be repeated as far as the three endpoints look themselves: two secrets
/// are two sets of credentials, which [`authenticate`] refuses as `invalid_client`.
// spec: security.md, Clients, line 1, "doubled credentials"
pub const SECRET: &str = "client_secret";

/// What a caller has to have proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// As the client's enforcement says: an observed client may pass without credentials.
    AsEnforced,
    /// Right credentials, or being public, whatever the enforcement: where the client acts for
    /// itself or reads what others own.
    Needed,
}

/// Wrong secrets that one address may present for one client before it has to wait.
const WRONG_SECRETS: u32 = 10;
/// How long failures are remembered and how long the wait is, in seconds.
const WRONG_SECRET_WINDOW: i64 = 60;

/// The client that sent the request, proven.
///
/// # Errors
/// `invalid_client` for missing, wrong, mixed or doubled credentials, [`Failure::TooMany`] after
/// too many wrong ones from this address.
// spec: security.md, Clients; RFC 6749 §2.3.1
pub async fn authenticate(
    ctx: &Ctx,
    authorization: Option<&str>,
    params: &Params,
    proof: Proof,
) -> Result<Arc<Client>, Failure> {
    let presented = match ctx.of_ahead(Ahead::take_presented) {
        Some(presented) => Some(presented),
        None => ClientCredentials::from_request(authorization, params)?,
    };
    let presented =
        presented.ok_or_else(|| invalid_client("The client did not identify itself."))?;
    // Made-up ids share one counter, or anybody could fill the table.
    let known = ctx.client(&presented.client_id).await?;
    let counted = known.as_ref().map_or("", |client| client.name.as_str());
    if presented.secret.is_some() {
        lockout::check_client(ctx, counted).await?;
    }
    match prove(ctx, &presented, proof).await {
        Err(Failure::OAuth(error)) if presented.secret.is_some() => {
            let key = [Key::client(counted, ctx.address)];
            lockout::record_failure(ctx, &key, WRONG_SECRETS, WRONG_SECRET_WINDOW).await?;
            audit::failure(ctx, Operation::ClientAuthentication, &presented.client_id).await?;
            Err(error.into())
        }
        Err(failure) => Err(failure),
        Ok(client) => {
            client::touch(ctx, &client).await;
            Ok(client)
        }
    }
}

async fn prove(
    ctx: &Ctx,
    presented: &ClientCredentials,
    proof: Proof,
) -> Result<Arc<Client>, Failure> {
    // An unknown, a disabled and a wrongly authenticated client look the same from outside.
    let refused = || Failure::from(invalid_client("Client authentication failed."));
    let client = ctx.client(&presented.client_id).await?;
    let client = client.filter(|client| client.enabled).ok_or_else(refused)?;
    let rule = judge(presented, &client.rules);
    let rule = if proof == Proof::Needed {
        rule.proven_only()
    } else {
        rule
    };
    match rule {
        AuthRule::RequireSecret { observed } => {
            let secret = presented
                .secret
                .as_ref()
                .map_or("", |secret| secret.expose());
            if !client.secret_matches(secret, ctx.now) {
                return Err(refused());
            }
            if let Some(violation) = observed {
                observe(ctx, &client, violation.as_str()).await?;
            }
        }
        AuthRule::Public => {}
        AuthRule::LetPass(violation) => observe(ctx, &client, violation.as_str()).await?,
        AuthRule::Refuse(error) => return Err(error.into()),
    }
    Ok(client)
}

/// Writes down what an `Observe` client was let pass with, for `oauth-client report`.
///
/// # Errors
/// When the database cannot be written.
pub async fn observe(ctx: &Ctx, client: &Client, violation: &str) -> Result<(), Failure> {
    let entry = Entry::new(ctx, Operation::Observe, Status::Success)
        .client(&client.name)
        .detail("violation", violation);
    audit::record_now(ctx, entry).await
}

fn invalid_client(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}
