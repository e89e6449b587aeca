//! The client credentials grant: a confidential client acts as its own `user`.
//!
//! RFC 6749 §4.4. No refresh token and no ID token, whatever the scope.
//! Records: OAuth Bearer Token, Activity Log.

use std::sync::Arc;

use crema_crypto::token::random_token;
use crema_protocol::client_rules::GrantType;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::scope::grant_scope;
use crema_protocol::token_request::{GrantRequest, TokenRequest};

use super::bearer_row::BearerRow;
use super::{Lifetimes, TokenAnswer, join_resources};
use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::{Ctx, Failure, user};

/// Answers a client credentials grant.
///
/// # Errors
/// `unauthorized_client` for a public client or one without an enabled `user`; `invalid_scope`.
pub async fn grant(
    ctx: &Ctx,
    client: Arc<Client>,
    request: &TokenRequest,
) -> Result<TokenAnswer, Failure> {
    let GrantRequest::ClientCredentials { scope } = &request.grant else {
        return Err(Failure::Internal("not client credentials".to_owned()));
    };
    let refused = || OAuthError::new(ErrorCode::UnauthorizedClient, "The client acts as no user.");
    if client.is_public() {
        return Err(refused().into());
    }
    let scope = grant_scope(scope.as_ref(), &client.rules.scopes)?;
    let user = match &client.user {
        Some(name) => ctx.user(name).await?.filter(|user| user.enabled),
        None => None,
    };
    let user = user.ok_or_else(refused)?;
    let lifetimes = Lifetimes::of(ctx, &client).await?;
    let access_token = random_token(&*ctx.provider.environment().entropy);
    let mut row = BearerRow::new(
        ctx,
        &client.name,
        &user.name,
        access_token.expose(),
        lifetimes.access,
    );
    row.scopes = scope.to_string();
    row.resource = join_resources(&request.resource);
    row.grant_type = GrantType::ClientCredentials.as_str();
    let entry = Entry::new(ctx, Operation::TokenIssued, Status::Success)
        .client(&client.name)
        .user(&user.name)
        .detail("grant_type", row.grant_type);
    let (expires_in, scope) = (row.expires_in, row.scopes.clone());
    let job = Arc::new((row, entry));
    let issued = ctx
        .provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (row, entry) = &*job;
                // Disabled since they were looked at: this token would come back with them.
                if !user::hold_enabled(tx, &row.user).await? {
                    return Ok(false);
                }
                row.insert(tx).await?;
                audit::record(tx, entry).await?;
                Ok::<_, Failure>(true)
            })
        })
        .await?;
    if !issued {
        return Err(refused().into());
    }
    Ok(TokenAnswer {
        access_token,
        expires_in,
        refresh_token: None,
        scope,
        id_token: None,
    })
}
