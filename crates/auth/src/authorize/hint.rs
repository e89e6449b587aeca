//! Who the request expects to be signed in: `id_token_hint` and a required `sub`.
//!
//! OpenID Connect Core §3.1.2.1, §5.5.1.

use crema_crypto::{SigningKey, jws};
use crema_protocol::client_rules::IdTokenAlgorithm;
use serde_json::Value;

use super::Examined;
use crate::user::User;
use crate::{Ctx, Failure};

/// How the signed-in user fits to what the request expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the one, or none is expected.
    Same,
    /// Another one is expected.
    Other,
    /// The hint is no ID token of this issuer for this client: it says nothing.
    Unknown,
}

/// Whether a request expects somebody.
pub(super) fn expects(examined: &Examined) -> bool {
    let request = &examined.request;
    let subject = request
        .claims
        .as_ref()
        .is_some_and(|claims| !claims.subjects().is_empty());
    subject || request.id_token_hint.is_some()
}

/// Whether the signed-in user is the one the request expects. An expired hint still counts.
pub(super) async fn fit(ctx: &Ctx, examined: &Examined, user: &User) -> Result<Fit, Failure> {
    let subjects = examined
        .request
        .claims
        .as_ref()
        .map(|claims| claims.subjects())
        .unwrap_or_default();
    if !subjects.is_empty() && !subjects.contains(&user.subject.as_str()) {
        return Ok(Fit::Other);
    }
    let Some(hint) = &examined.request.id_token_hint else {
        return Ok(Fit::Same);
    };
    let Some(claims) = verify(ctx, examined, hint.expose()).await? else {
        return Ok(Fit::Unknown);
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let ours = text("iss") == Some(ctx.issuer.as_str())
        && text("aud") == Some(examined.client.rules.client_id.as_str());
    Ok(match text("sub") {
        _ if !ours => Fit::Unknown,
        Some(subject) if subject == user.subject => Fit::Same,
        _ => Fit::Other,
    })
}

async fn verify(ctx: &Ctx, examined: &Examined, hint: &str) -> Result<Option<Value>, Failure> {
    let client = &examined.client;
    if client.rules.id_token_signed_response_alg == IdTokenAlgorithm::HS256 {
        let Some(secret) = &client.secret else {
            return Ok(None);
        };
        let Ok(key) = SigningKey::hmac(secret.expose().as_bytes()) else {
            return Ok(None);
        };
        return Ok(jws::decode_verified(hint, &[&key]).ok());
    }
    let keyring = ctx.provider.keyring(ctx.version().await?).await?;
    Ok(jws::decode_verified(hint, &keyring.verifying(ctx.now)).ok())
}
