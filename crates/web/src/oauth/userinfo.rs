//! `frappe.integrations.oauth2.openid_profile` (OpenID Connect Core §5.3).

use axum::http::{Method, StatusCode};
use crema_auth::{bearer, userinfo};

use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// Answers a userinfo request.
///
/// # Errors
/// 401 without a living bearer token in the header, 403 when it lacks `openid`.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if !matches!(call.method, Method::GET | Method::POST) {
        return Err(Problem::Method("GET, POST"));
    }
    let Some(token) = call.bearer() else {
        let sent = call.authorization().is_some();
        return Err(if sent {
            Problem::DeadToken
        } else {
            Problem::Guest
        });
    };
    let token = bearer::check(&call.ctx, token)
        .await?
        .ok_or(Problem::DeadToken)?;
    let about = userinfo::userinfo(&call.ctx, &token)?;
    Ok(reply::json(StatusCode::OK, &about))
}
