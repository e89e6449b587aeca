//! `/api/openapi.json`: the site's own API in OpenAPI 3.1, for whoever asks: what the definitions
//! say, of that only what this caller may.

use axum::http::Method;
use crema_auth::caller::{self, Caller, Unidentified};

use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Answers with the description.
///
/// # Errors
/// 401 when credentials were sent that are not good; 405 for other methods than GET and HEAD.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Problem::Method("GET, HEAD"));
    }
    let _caller = identity(call).await?;
    Err(Problem::not_found("There is no such document."))
}

async fn identity(call: &Call) -> Result<Caller, Problem> {
    let source = call.header("frappe-authorization-source");
    let session = call.session().await?;
    let found = caller::identify(&call.ctx, call.authorization(), source, session).await;
    found.map_err(|error| match error {
        Unidentified::Failure(failure) => failure.into(),
        _ => Problem::DeadToken,
    })
}
