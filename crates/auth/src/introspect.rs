//! Introspection: what a token is worth, told to those who may know.
//!
//! RFC 7662; Frappe's `introspect_token`. Records: OAuth Bearer Token, OAuth Client, User (read).

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::scope::Scope;
use crema_protocol::token_query::{TokenQuery, TokenTypeHint};
use serde_json::{Value, json};

use crate::bearer::{self, StoredToken, TokenKind};
use crate::claims::{self, Members, Place};
use crate::client::Client;
use crate::client_auth::{self, Proof};
use crate::{Ctx, Failure};

/// Who asks.
enum Asker {
    /// A client that proved itself.
    Client(Arc<Client>),
    /// The bearer of the token with this hash: it sees only itself.
    Bearer(String),
}

/// Answers an introspection request; anything that is not alive, or not the asker's business,
/// is exactly `{"active": false}`.
///
/// # Errors
/// `invalid_client` without credentials or with wrong ones, `invalid_token` for a dead bearer,
/// `invalid_request` without a `token`.
// spec: security.md, Codes and tokens, introspection; RFC 7662 §2.2
pub async fn introspect(
    ctx: &Ctx,
    authorization: Option<&str>,
    bearer: Option<&str>,
    params: &Params,
) -> Result<Members, Failure> {
    params.reject_repeated(&[client_auth::SECRET])?;
    let asker = match bearer {
        Some(token) => match bearer::check(ctx, token).await? {
            Some(_) => Asker::Bearer(hash_hex(token)),
            None => {
                return Err(OAuthError::new(
                    ErrorCode::InvalidToken,
                    "The access token is expired, revoked or unknown.",
                )
                .into());
            }
        },
        None => Asker::Client(
            client_auth::authenticate(ctx, authorization, params, Proof::Needed).await?,
        ),
    };
    let query = TokenQuery::parse(params)?;
    let Some((stored, kind)) = find(ctx, query.token.expose(), query.hint).await? else {
        return Ok(inactive());
    };
    if !may_see(&asker, &stored) {
        return Ok(inactive());
    }
    let Some(alive) = bearer::alive(ctx, &stored, kind).await? else {
        return Ok(inactive());
    };
    Ok(describe(ctx, &stored, kind, &alive))
}

/// The token as either kind; the hint only says which to try first (RFC 7009 §2.1).
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn find(
    ctx: &Ctx,
    token: &str,
    hint: Option<TokenTypeHint>,
) -> Result<Option<(StoredToken, TokenKind)>, Failure> {
    let order = match hint {
        Some(TokenTypeHint::RefreshToken) => [TokenKind::Refresh, TokenKind::Access],
        _ => [TokenKind::Access, TokenKind::Refresh],
    };
    for kind in order {
        if let Some(stored) = bearer::find(ctx, token, kind).await? {
            return Ok(Some((stored, kind)));
        }
    }
    Ok(None)
}

fn may_see(asker: &Asker, stored: &StoredToken) -> bool {
    match asker {
        Asker::Bearer(hash) => *hash == stored.access_hash,
        Asker::Client(client) => {
            let sees_all =
                client.may_introspect && !client.is_public() && !client.dynamically_registered;
            sees_all || client.name == stored.client
        }
    }
}

fn inactive() -> Members {
    let mut answer = Members::default();
    answer.put("active", false);
    answer
}

fn describe(ctx: &Ctx, stored: &StoredToken, kind: TokenKind, alive: &bearer::Alive) -> Members {
    let mut answer = Members::default();
    answer.put("client_id", alive.client.rules.client_id.as_str());
    answer.put("trusted_client", i32::from(alive.client.skip_authorization));
    answer.put("active", true);
    answer.put("token_type", "Bearer");
    answer.put("exp", stored.ends(kind).seconds());
    answer.put("iat", stored.issued_at.seconds());
    answer.put("scope", stored.scopes.as_str());
    answer.put("sub", alive.user.subject.as_str());
    answer.put("username", alive.user.name.as_str());
    answer.put("aud", audience(stored, &alive.client));
    answer.put("iss", ctx.issuer.as_str());
    if let Ok(scope) = Scope::parse(&stored.scopes)
        && scope.contains("openid")
    {
        let requested = stored.claims.as_deref();
        let opens = stored.opens(&scope);
        let place = Place::Introspection;
        answer.put_all(claims::claims(ctx, &alive.user, &opens, requested, place));
    }
    answer
}

/// The resources that the token is for, or the client itself.
fn audience(stored: &StoredToken, client: &Client) -> Value {
    let resources = stored.resource.split(' ').filter(|one| !one.is_empty());
    match resources.collect::<Vec<_>>().as_slice() {
        [] => json!(client.rules.client_id),
        [one] => json!(one),
        many => json!(many),
    }
}
