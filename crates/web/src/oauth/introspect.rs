//! `frappe.integrations.oauth2.introspect_token` (RFC 7662).

use axum::http::{Method, StatusCode};
use crema_protocol::error::OAuthError;
use crema_protocol::params::Params;

use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// Answers an introspection.
///
/// # Errors
/// `invalid_client`, `invalid_token`, `invalid_request`; 405 for other methods.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if call.method != Method::POST {
        return Err(Problem::Method("POST"));
    }
    let params = body_parameters(call)?;
    let about =
        crema_auth::introspect::introspect(&call.ctx, call.authorization(), call.bearer(), &params)
            .await?;
    Ok(reply::json(StatusCode::OK, &about))
}

/// The parameters of a POST that carries a token: never from the address, where they would be
/// logged.
///
/// # Errors
/// `invalid_request`.
pub(super) fn body_parameters(call: &Call) -> Result<Params, Problem> {
    if call.uri.query().is_some_and(|query| !query.is_empty()) {
        let text = "URL query parameters are not allowed";
        return Err(Problem::oauth(OAuthError::invalid_request(text)));
    }
    call.form()
}
