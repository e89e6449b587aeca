//! `frappe.integrations.oauth2.get_token` (RFC 6749 §3.2).

use axum::http::{Method, StatusCode};
use crema_auth::token::{self, Arrival, TokenAnswer};
use crema_protocol::error::OAuthError;
use crema_protocol::params::Params;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::metrics::Grant;
use crate::reply::{self, Problem, Reply};

/// Answers a token request.
///
/// # Errors
/// The errors of RFC 6749 §5.2; 405 for other methods.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    let params = parameters(call)?;
    call.notes.set_grant(Grant::of(params.get("grant_type")));
    let arrival = match call.method {
        Method::GET => Arrival::Address,
        _ => Arrival::Body,
    };
    let answer = token::token(&call.ctx, call.authorization(), &params, arrival).await?;
    Ok(reply::json(StatusCode::OK, &body(answer)))
}

/// A form or JSON body by POST. The seeds also show the parameters in the address: that is for
/// trying things out and works in `developer_mode` only.
// spec: http.md, Authorization server, get_token
fn parameters(call: &Call) -> Result<Params, Problem> {
    let developer = call.ctx.provider.site().config().developer_mode();
    match call.method {
        Method::POST if call.uri.query().is_some_and(|query| !query.is_empty()) => {
            Err(Problem::oauth(OAuthError::invalid_request(
                "URL query parameters are not allowed",
            )))
        }
        Method::POST => call.form(),
        Method::GET if developer => call.query(),
        _ => Err(Problem::Method("POST")),
    }
}

// spec: RFC 6749 §5.1; OpenID Connect Core §3.1.3.3
fn body(answer: TokenAnswer) -> Value {
    let mut body = Map::new();
    body.insert(
        "access_token".to_owned(),
        json!(answer.access_token.expose()),
    );
    body.insert("expires_in".to_owned(), json!(answer.expires_in));
    body.insert("token_type".to_owned(), json!("Bearer"));
    body.insert("scope".to_owned(), json!(answer.scope));
    if let Some(refresh_token) = &answer.refresh_token {
        body.insert("refresh_token".to_owned(), json!(refresh_token.expose()));
    }
    if let Some(id_token) = &answer.id_token {
        body.insert("id_token".to_owned(), json!(id_token));
    }
    Value::Object(body)
}
