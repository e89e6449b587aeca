//! Introspection: what a token is worth, told to those who may know.
//!
//! RFC 7662; Frappe's `introspect_token`. Records: OAuth Bearer Token, OAuth Client, User (read).

use std::sync::Arc;

use crema_crypto::hash_hex;
use crema_protocol::error::{ErrorCode, OAuthError};
use crema_protocol::params::Params;
use crema_protocol::scope::Scope;
use serde_json::{Map, Value, json};

use crate::bearer::{self, StoredToken, TokenKind};
use crate::claims::{self, Place};
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
) -> Result<Map<String, Value>, Failure> {
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
    let token = params
        .get("token")
        .ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "Missing token parameter."))?;
    let Some((stored, kind)) = find(ctx, token, params.get("token_type_hint")).await? else {
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
    hint: Option<&str>,
) -> Result<Option<(StoredToken, TokenKind)>, Failure> {
    let order = match hint {
        Some("refresh_token") => [TokenKind::Refresh, TokenKind::Access],
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

fn inactive() -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("active".to_owned(), json!(false));
    answer
}

fn describe(
    ctx: &Ctx,
    stored: &StoredToken,
    kind: TokenKind,
    alive: &bearer::Alive,
) -> Map<String, Value> {
    let audience = match stored.resource.split(' ').collect::<Vec<_>>().as_slice() {
        [""] | [] => json!(stored.client),
        [one] => json!(one),
        many => json!(many),
    };
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("client_id", json!(stored.client));
    put(
        "trusted_client",
        json!(i32::from(alive.client.skip_authorization)),
    );
    put("active", json!(true));
    put("token_type", json!("Bearer"));
    put("exp", json!(stored.ends(kind).seconds()));
    put("iat", json!(stored.issued_at.seconds()));
    put("scope", json!(stored.scopes));
    put("sub", json!(alive.user.subject));
    put("username", json!(alive.user.name));
    put("aud", audience);
    put("iss", json!(ctx.issuer));
    if let Ok(scope) = Scope::parse(&stored.scopes)
        && scope.contains("openid")
    {
        let claims = stored.claims.as_deref();
        let about = claims::claims(
            ctx,
            &alive.user,
            &stored.opens(&scope),
            claims,
            Place::Introspection,
        );
        for (name, value) in about {
            answer.entry(name).or_insert(value);
        }
    }
    answer
}
