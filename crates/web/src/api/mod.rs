//! Everything under `/api/` beside the OAuth endpoints: methods, documents, lists.

pub(crate) mod apps;
pub mod arguments;
pub(crate) mod client;
pub mod documents;
pub(crate) mod identity;
mod keys;
pub mod login;
pub(crate) mod meta;
pub mod methods;
pub mod path;
mod rows;

use std::future::Future;
use std::pin::Pin;

use axum::http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use crate::call::Call;
use crate::metrics::Endpoint;
use crate::oauth::{authorize, introspect, register, revoke, token, userinfo, well_known};
use crate::reply::{self, Problem, Reply};

pub(crate) use identity::identify;

/// Answers a method call; `name` is how the request calls it.
///
/// # Errors
/// Whatever the method says.
pub async fn method(call: &Call, method: Endpoint, name: &str) -> Result<Reply, Problem> {
    if call.method == Method::OPTIONS {
        return Ok(options());
    }
    match method {
        Endpoint::Authorize => authorize::answer(call).await,
        Endpoint::Approve => authorize::approve(call).await,
        Endpoint::Token => token::answer(call).await,
        Endpoint::Revoke => revoke::answer(call).await,
        Endpoint::Register => register::answer(call).await,
        Endpoint::Introspect => introspect::answer(call).await,
        Endpoint::Userinfo => userinfo::answer(call).await,
        Endpoint::OpenidConfiguration => well_known::openid_configuration(call).await,
        Endpoint::Login => login::login(call).await,
        Endpoint::Logout => login::logout(call, false).await,
        Endpoint::WebLogout => login::logout(call, true).await,
        method => methods::answer(call, method, name).await,
    }
}

/// Answers a request to a DocType or a document.
///
/// # Errors
/// Whatever it is refused for.
pub async fn document(call: &Call) -> Result<Reply, Problem> {
    if call.method == Method::OPTIONS {
        return Ok(options());
    }
    documents::answer(call).await
}

/// Answers a request to a path under `/api/` that leads nowhere.
///
/// # Errors
/// Always: 401 for bad credentials, else 404, or for what looks like a method what a name is
/// answered that is none.
pub async fn nothing(call: &Call) -> Result<Reply, Problem> {
    let path = call.uri.path();
    // Behind the name of some of Frappe's methods a path goes on.
    if let Some((_, rest)) = path.split_once("/method/")
        && let Some((name, _)) = rest.split_once('/')
        && name.contains('.')
    {
        return methods::answer(call, Endpoint::UnknownMethod, name).await;
    }
    identify(call).await?;
    Err(Problem::not_found("There is no such page."))
}

/// An answer under way whose type is not a part of its caller's: those of documents hold each
/// other so deep that the compiler gives up.
fn answered<'a>(
    answer: impl Future<Output = Result<Reply, Problem>> + Send + 'a,
) -> Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>> {
    Box::pin(answer)
}

/// The answer to OPTIONS when it is no preflight.
pub(crate) fn options() -> Reply {
    let mut reply = reply::json(StatusCode::OK, &Value::Null);
    *reply.body_mut() = axum::body::Body::empty();
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    reply
}
