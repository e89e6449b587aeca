//! `/api/method/<name>`: the methods that exist so far, in one table.

pub mod login;

use axum::http::{HeaderValue, Method, StatusCode, header};
use crema_auth::bearer;
use serde_json::{Value, json};

use crate::call::Call;
use crate::csrf::{self, Guard};
use crate::metrics::Endpoint;
use crate::oauth::{authorize, introspect, revoke, token, userinfo, well_known};
use crate::reply::{self, Problem, Reply};

/// Answers a method call.
///
/// # Errors
/// 417 for a name that is no method, as in Frappe; else whatever the method says.
pub async fn method(call: &Call, method: Endpoint) -> Result<Reply, Problem> {
    if call.method == Method::OPTIONS {
        return Ok(options());
    }
    match method {
        Endpoint::Authorize => authorize::answer(call).await,
        Endpoint::Approve => authorize::approve(call).await,
        Endpoint::Token => token::answer(call).await,
        Endpoint::Revoke => revoke::answer(call).await,
        Endpoint::Introspect => introspect::answer(call).await,
        Endpoint::Userinfo => userinfo::answer(call).await,
        Endpoint::OpenidConfiguration => well_known::openid_configuration(call).await,
        Endpoint::Login => login::login(call).await,
        Endpoint::Logout => login::logout(call, false).await,
        Endpoint::WebLogout => login::logout(call, true).await,
        Endpoint::LoggedUser => get_logged_user(call).await,
        Endpoint::Ping => with_identity(call, json!("pong")).await,
        Endpoint::Version => with_identity(call, json!(env!("CARGO_PKG_VERSION"))).await,
        _ => Err(Problem::Frappe {
            status: StatusCode::EXPECTATION_FAILED,
            exc_type: "ValidationError",
            message: "There is no such method.".to_owned(),
        }),
    }
}

fn options() -> Reply {
    let mut reply = reply::json(StatusCode::OK, &Value::Null);
    *reply.body_mut() = axum::body::Body::empty();
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    reply
}

/// Who the request comes from, by bearer token or session.
///
/// # Errors
/// 401 when credentials were sent that are not good; a bad header never falls back to a cookie.
// spec: http.md, Resource server, "Under /api/ a bad or undecodable header is 401"
async fn identity(call: &Call) -> Result<Option<String>, Problem> {
    if call.authorization().is_some() {
        let token = call.bearer().ok_or(Problem::DeadToken)?;
        let token = bearer::check(&call.ctx, token)
            .await?
            .ok_or(Problem::DeadToken)?;
        return Ok(Some(token.user.name.clone()));
    }
    let Some(session) = call.session().await? else {
        return Ok(None);
    };
    csrf::check(call, session, &call.form()?, Guard::Session).await?;
    Ok(Some(session.user.clone()))
}

async fn get_logged_user(call: &Call) -> Result<Reply, Problem> {
    let user = identity(call).await?.ok_or(Problem::Guest)?;
    Ok(reply::message(call, json!(user)))
}

async fn with_identity(call: &Call, result: Value) -> Result<Reply, Problem> {
    identity(call).await?;
    Ok(reply::message(call, result))
}
