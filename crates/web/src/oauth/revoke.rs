//! `frappe.integrations.oauth2.revoke_token` (RFC 7009).

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::call::Call;
use crate::oauth::introspect::body_parameters;
use crate::reply::{self, Problem, Reply};

/// Answers a revocation: `{}` whether there was something to end or not.
///
/// # Errors
/// `invalid_client`, `invalid_request`; 405 for other methods.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if call.method != Method::POST {
        return Err(Problem::Method("POST"));
    }
    let params = body_parameters(call)?;
    crema_auth::revoke::revoke(&call.ctx, call.authorization(), &params).await?;
    Ok(reply::json(StatusCode::OK, &json!({})))
}
