//! The userinfo answer.
//!
//! OpenID Connect Core §5.3; Frappe's `openid_profile`. Records: User (read).

use crema_protocol::error::{ErrorCode, OAuthError};

use crate::bearer::BearerToken;
use crate::claims::{Members, Place, claims};
use crate::{Ctx, Failure};

/// The userinfo answer for a bearer token.
///
/// # Errors
/// `insufficient_scope` when `openid` was not granted.
// spec: http.md, openid_profile; RFC 6750 §3.1
pub fn userinfo(ctx: &Ctx, token: &BearerToken) -> Result<Members, Failure> {
    if !token.scope.contains("openid") {
        return Err(OAuthError::new(
            ErrorCode::InsufficientScope,
            "The access token was not granted the scope openid.",
        )
        .into());
    }
    let requested = token.claims.as_deref();
    let opens = token.stored.opens(&token.scope);
    Ok(claims(ctx, &token.user, &opens, requested, Place::Userinfo))
}
