//! What can be told from a request before it is routed: which token its answer is about.

use axum::http::Method;
use crema_auth::{Failure, bearer};
use crema_protocol::client_auth::ClientCredentials;
use crema_protocol::endpoints;
use crema_protocol::params::Params;

use crate::app::method_name;
use crate::call::Call;

/// Where the answer is about an access token, has the first statement of the request read it
/// together with the site's version, instead of one statement for each. The checks are made
/// where they belong, on what was read here.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn look_ahead(call: &Call) -> Result<(), Failure> {
    if let Some(token) = call.bearer() {
        return bearer::look_ahead(&call.ctx, token, None).await;
    }
    let introspected = call.method == Method::POST
        && method_name(call.uri.path()) == endpoints::INTROSPECT.method_name();
    if !introspected {
        return Ok(());
    }
    // What is wrong with the body is told by the endpoint, in its own order.
    let Ok(params) = call.form() else {
        return Ok(());
    };
    let looked = introspection(call, &params).await;
    call.keep_form(params);
    looked
}

async fn introspection(call: &Call, params: &Params) -> Result<(), Failure> {
    let Some(token) = params.get("token") else {
        return Ok(());
    };
    let presented = ClientCredentials::from_request(call.authorization(), params);
    bearer::look_ahead(&call.ctx, token, presented.ok().flatten()).await
}
