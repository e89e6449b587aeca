//! The password grant, for clients whose grant types name it.
//!
//! RFC 6749 §4.3; RFC 9700 §2.4 forbids it, so it is a switch per client, and every use of it is
//! an audit record. Wrong passwords count towards the same lockout as the sign-in page.
//! Records: User, OAuth Bearer Token, `__oauth_family`, Activity Log.

use std::sync::Arc;

use crema_crypto::token::random_token;
use crema_crypto::{Secret, hash_hex};
use crema_protocol::client_rules::GrantType;
use crema_protocol::error::OAuthError;
use crema_protocol::scope::grant_scope;
use crema_protocol::token_request::{GrantRequest, TokenRequest};

use super::bearer_row::BearerRow;
use super::family::{self, Family};
use super::{Lifetimes, TokenAnswer, invalid_grant, join_resources};
use crate::audit::{self, Entry, Operation, Status};
use crate::client::Client;
use crate::id_token::{self, IdTokenRequest};
use crate::login::{self, Proof, Verdict};
use crate::user::User;
use crate::{Ctx, Failure};

/// Answers a password grant.
///
/// # Errors
/// `invalid_grant` for a wrong password, a user who is unknown, disabled, has a second factor or
/// none of the client's Allowed Roles; `invalid_scope`; [`Failure::TooMany`] while locked.
pub async fn grant(
    ctx: &Ctx,
    client: Arc<Client>,
    request: &TokenRequest,
) -> Result<TokenAnswer, Failure> {
    let GrantRequest::Password {
        username,
        password,
        scope,
    } = &request.grant
    else {
        return Err(Failure::Internal("not a password grant".to_owned()));
    };
    let scope = grant_scope(scope.as_ref(), &client.rules.scopes)?;
    let password = Secret::new(password.expose().to_owned());
    let Proof { user, hash } = match login::verify(ctx, username, &password).await? {
        Verdict::Right(proof) => proof,
        Verdict::Refused(_) => return Err(wrong_credentials().into()),
        Verdict::Locked { retry_after } => return Err(Failure::TooMany { retry_after }),
    };
    // spec: security.md, Clients, Allowed Roles; Sign-in, "The password grant refuses users who
    // have a second factor"
    if user.has_second_factor || !client.admits(&user) {
        audit::failure(ctx, Operation::Login, &user.name).await?;
        return Err(wrong_credentials().into());
    }
    id_token::prepare(ctx, &client).await?;
    let scopes = scope.to_string();
    let issued = issue(ctx, &client, &user, hash, &scopes, &request.resource).await?;
    let answer = issued.ok_or_else(wrong_credentials)?;
    let id_token = id_token::for_token_answer(
        ctx,
        &client,
        &IdTokenRequest {
            user: &user,
            scope: &scope,
            nonce: None,
            auth_time: Some(ctx.now.seconds()),
            claims: None,
            session: None,
            access_token: Some(answer.access_token.expose()),
            code: None,
            lifetime: answer.expires_in,
        },
    )
    .await?;
    Ok(TokenAnswer { id_token, ..answer })
}

fn wrong_credentials() -> OAuthError {
    invalid_grant("Invalid login credentials")
}

/// `None` when the user was disabled or got another password since `hash` was looked at.
async fn issue(
    ctx: &Ctx,
    client: &Client,
    user: &User,
    hash: String,
    scopes: &str,
    resources: &[String],
) -> Result<Option<TokenAnswer>, Failure> {
    let lifetimes = Lifetimes::of(ctx, client).await?;
    let entropy = &*ctx.provider.environment().entropy;
    let access_token = random_token(entropy);
    let refresh_token = client
        .rules
        .allows_grant(GrantType::RefreshToken)
        .then(|| random_token(entropy));
    let family_end = ctx.now.plus_seconds(lifetimes.refresh_absolute);
    let refresh_hash = refresh_token.as_ref().map(|token| hash_hex(token.expose()));
    let family = Family {
        name: ctx.row_name(),
        client: client.name.clone(),
        user: user.name.clone(),
        expires_at: family_end,
        refresh_token: refresh_hash.clone(),
        scopes: scopes.to_owned(),
        resource: join_resources(resources),
        claims: None,
        auth_time: Some(ctx.now.seconds()),
        session: None,
    };
    let mut row = BearerRow::new(
        ctx,
        &client.name,
        &user.name,
        access_token.expose(),
        lifetimes.access,
    );
    row.scopes = scopes.to_owned();
    row.refresh_expires_at = refresh_hash
        .is_some()
        .then(|| lifetimes.refresh_end(ctx.now, family_end));
    row.refresh_hash = refresh_hash;
    row.family = Some(family.name.clone());
    row.resource.clone_from(&family.resource);
    row.auth_time = family.auth_time;
    row.grant_type = GrantType::Password.as_str();
    let entries = [Operation::TokenIssued, Operation::LegacySwitch].map(|operation| {
        Entry::new(ctx, operation, Status::Success)
            .client(&client.name)
            .user(&user.name)
            .detail("grant_type", row.grant_type)
    });
    let expires_in = row.expires_in;
    let now = ctx.now;
    let job = Arc::new((family, row, entries, hash));
    let stored = ctx
        .provider
        .database()
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move {
                let (family, row, entries, hash) = &*job;
                if !login::still_proven(tx, &family.user, hash).await? {
                    return Ok(false);
                }
                family::insert(tx, family, now).await?;
                row.insert(tx).await?;
                for entry in entries {
                    audit::record(tx, entry).await?;
                }
                Ok::<_, Failure>(true)
            })
        })
        .await?;
    Ok(stored.then(|| TokenAnswer {
        access_token,
        expires_in,
        refresh_token,
        scope: scopes.to_owned(),
        id_token: None,
    }))
}
