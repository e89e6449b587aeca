//! `/.well-known/…`: documents that anybody may read from anywhere.

use axum::http::{HeaderValue, Method, StatusCode, header};
use crema_auth::metadata;
use serde_json::Value;

use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// How long clients may keep the documents, in seconds: shorter than a new signing key waits
/// before it signs.
const MAX_AGE: &str = "public, max-age=300";

/// The OpenID Provider's configuration.
///
/// # Errors
/// When the database cannot be read; 405 for other methods than GET and HEAD.
// spec: OpenID Connect Discovery §4; http.md, Metadata
pub async fn openid_configuration(call: &Call) -> Result<Reply, Problem> {
    only_get(call)?;
    let document = metadata::openid_configuration(&call.ctx).await?;
    Ok(published(reply::json_text(
        StatusCode::OK,
        document.as_bytes().to_vec(),
    )))
}

/// The authorization server's metadata (RFC 8414); 404 with a path suffix, because the issuer has
/// no path.
///
/// # Errors
/// 404 while OAuth Settings hide it; as [`openid_configuration`].
pub async fn authorization_server(call: &Call, suffix: &str) -> Result<Reply, Problem> {
    only_get(call)?;
    let document = match suffix {
        "" => metadata::authorization_server(&call.ctx).await?,
        _ => None,
    };
    document
        .map(|document| public(&document))
        .ok_or_else(hidden)
}

/// The metadata of this site as a protected resource, or of a part of it (RFC 9728 §3.1).
///
/// # Errors
/// 404 while OAuth Settings hide it; as [`openid_configuration`].
pub async fn protected_resource(call: &Call, path: &str) -> Result<Reply, Problem> {
    only_get(call)?;
    let document = metadata::protected_resource(&call.ctx, path).await?;
    document
        .map(|document| public(&document))
        .ok_or_else(hidden)
}

fn hidden() -> Problem {
    Problem::not_found("There is no such document.")
}

/// The public signing keys (RFC 7517 §5).
///
/// # Errors
/// As [`openid_configuration`].
pub async fn jwks(call: &Call) -> Result<Reply, Problem> {
    only_get(call)?;
    let keyring = call.ctx.provider.keyring(call.ctx.version().await?).await?;
    Ok(public(&keyring.jwks(call.ctx.now)))
}

fn only_get(call: &Call) -> Result<(), Problem> {
    match call.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Problem::Method("GET, HEAD")),
    }
}

fn public(document: &Value) -> Reply {
    published(reply::json(StatusCode::OK, document))
}

fn published(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(MAX_AGE));
    headers.remove(header::PRAGMA);
    reply
}
