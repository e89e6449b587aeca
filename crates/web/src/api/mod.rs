//! `/api/method/<name>`: the methods that exist so far, in one table.

pub mod login;

use axum::http::{HeaderValue, Method, StatusCode, header};
use crema_auth::bearer;
use serde_json::{Value, json};

use crate::call::Call;
use crate::csrf::{self, Guard};
use crate::oauth::{authorize, introspect, revoke, token, userinfo, well_known};
use crate::reply::{self, Problem, Reply};

/// Answers a method call by its dotted name.
///
/// # Errors
/// 417 for a name that is no method, as in Frappe; else whatever the method says.
pub async fn method(call: &Call, name: &str) -> Result<Reply, Problem> {
    if call.method == Method::OPTIONS {
        return Ok(options());
    }
    match name {
        "frappe.integrations.oauth2.authorize" => authorize::answer(call).await,
        "frappe.integrations.oauth2.approve" => authorize::approve(call).await,
        "frappe.integrations.oauth2.get_token" => token::answer(call).await,
        "frappe.integrations.oauth2.revoke_token" => revoke::answer(call).await,
        "frappe.integrations.oauth2.introspect_token" => introspect::answer(call).await,
        "frappe.integrations.oauth2.openid_profile" => userinfo::answer(call).await,
        "frappe.integrations.oauth2.openid_configuration" => {
            well_known::openid_configuration(call).await
        }
        "login" => login::login(call).await,
        "logout" | "web_logout" => login::logout(call, name == "web_logout").await,
        "frappe.auth.get_logged_user" => get_logged_user(call).await,
        "ping" | "frappe.ping" => with_identity(call, json!("pong")).await,
        "version" | "frappe.version" => with_identity(call, json!(env!("CARGO_PKG_VERSION"))).await,
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
