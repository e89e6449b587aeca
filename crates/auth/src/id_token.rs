//! ID tokens: who signed in, for whom, when.
//!
//! OpenID Connect Core §2, §3.1.3.6, §3.3.2.11, §12.2. Signed after the transaction that issued
//! the tokens has committed, never inside it. Records: Signing Key (through the keyring).

use crema_crypto::{SigningAlgorithm, SigningKey, jws};
use crema_protocol::id_token::IdTokenClaims;
use crema_protocol::scope::Scope;
use serde_json::{Map, Value, json};

use crate::claims::{self, Opens, Place};
use crate::client::Client;
use crate::user::User;
use crate::{Ctx, Failure, keys};

/// What one ID token is made of.
pub struct IdTokenRequest<'a> {
    /// The user it speaks about.
    pub user: &'a User,
    /// The granted scopes.
    pub scope: &'a Scope,
    /// The `nonce` of the authorization request.
    pub nonce: Option<&'a str>,
    /// When the user signed in, in seconds.
    pub auth_time: Option<i64>,
    /// The `claims` parameter of the authorization request.
    pub claims: Option<&'a str>,
    /// The `sid` claim of the session.
    pub session: Option<&'a str>,
    /// The access token issued beside it, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// The code issued beside it, for `c_hash`.
    pub code: Option<&'a str>,
    /// Seconds it is valid.
    pub lifetime: i64,
}

/// Makes sure that a key for this client's ID tokens exists, before anything is issued that
/// could then not be signed.
///
/// # Errors
/// When a key cannot be made or stored.
pub async fn prepare(ctx: &Ctx, client: &Client) -> Result<(), Failure> {
    let algorithm = client.id_token_algorithm();
    if client.rules.may_use_openid() && algorithm != SigningAlgorithm::HS256 {
        keys::ensure(ctx, algorithm).await?;
    }
    Ok(())
}

/// The ID token of a token answer: only when `openid` was granted.
///
/// # Errors
/// When the signing key cannot be read.
pub async fn for_token_answer(
    ctx: &Ctx,
    client: &Client,
    request: &IdTokenRequest<'_>,
) -> Result<Option<String>, Failure> {
    if !request.scope.contains("openid") {
        return Ok(None);
    }
    let with_user = client.claims_in_id_token;
    issue(ctx, client, request, with_user).await.map(Some)
}

/// Signs an ID token; `with_user` puts the userinfo claims into it.
///
/// # Errors
/// When the signing key cannot be read.
pub async fn issue(
    ctx: &Ctx,
    client: &Client,
    request: &IdTokenRequest<'_>,
    with_user: bool,
) -> Result<String, Failure> {
    let claims = claims(ctx, client, request, with_user);
    let algorithm = client.id_token_algorithm();
    if algorithm == SigningAlgorithm::HS256 {
        let secret = client.secret.as_ref().ok_or_else(|| {
            Failure::Internal("an HS256 client has no secret to sign with".to_owned())
        })?;
        let key = SigningKey::hmac(secret.expose().as_bytes()).map_err(Failure::internal)?;
        return jws::encode(&key, &claims).map_err(Failure::internal);
    }
    let key = keys::ensure(ctx, algorithm).await?;
    ctx.provider.environment().signers.sign(&key, claims).await
}

/// The authentication context class of every sign-in so far: a password, nothing more
/// (OpenID Connect Core §2: "0" would mean a long-lived cookie).
pub(crate) const ACR: &str = "1";

fn claims(
    ctx: &Ctx,
    client: &Client,
    request: &IdTokenRequest<'_>,
    with_user: bool,
) -> Map<String, Value> {
    let issued_at = ctx.now.seconds();
    let expires = issued_at.saturating_add(request.lifetime);
    let opens = Opens::all(request.scope);
    let user = claims::claims(
        ctx,
        request.user,
        &opens,
        request.claims,
        Place::IdToken { with_user },
    );
    let signed_in = request.auth_time.is_some();
    IdTokenClaims::new(
        &ctx.issuer,
        &request.user.subject,
        &client.rules.client_id,
        issued_at,
        expires,
    )
    .with_some("auth_time", request.auth_time)
    .with_some("nonce", request.nonce)
    .with_hashes(
        client.rules.id_token_signed_response_alg,
        request.access_token,
        request.code,
    )
    .with_some("sid", request.session)
    .with_some("acr", signed_in.then_some(ACR))
    .with_some("amr", signed_in.then(|| json!(["pwd"])))
    .with_user(user.into_map())
    .into_map()
}
