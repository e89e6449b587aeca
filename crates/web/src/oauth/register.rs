//! `frappe.integrations.oauth2.register_client` (RFC 7591, RFC 7592).
//!
//! Neither a session's cookie nor its CSRF token plays a role here: nobody is signed in.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use crema_auth::register::{self, Presented, Registered};
use crema_protocol::endpoints;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use crate::call::Call;
use crate::reply::{self, COMPONENT, Problem, Reply};

/// Answers a registration, or the management of one.
///
/// # Errors
/// 404 while OAuth Settings switch it off; 401 for tokens that are not good; those of RFC 7591
/// §3.2.2; 415 for a body that is not JSON; 429 beyond the limit of the address.
pub async fn answer(call: &Call) -> Result<Reply, Problem> {
    let client_id = match call.method {
        Method::POST => {
            let body = json_body(call).await?;
            let made = register::register(&call.ctx, presented(call), body).await?;
            return Ok(reply::json(StatusCode::CREATED, &information(call, made)));
        }
        // The address that is registered at, without a client: only a registration can go there.
        Method::GET | Method::PUT | Method::DELETE => {
            let query = call.query()?;
            let client_id = query.get("client_id").map(str::to_owned);
            client_id.ok_or(Problem::Method("POST"))?
        }
        _ => return Err(Problem::Method("POST, GET, PUT, DELETE")),
    };
    let presented = presented(call);
    let found = match call.method {
        Method::DELETE => {
            register::remove(&call.ctx, presented, &client_id).await?;
            return Ok(removed());
        }
        Method::PUT => {
            let body = json_body(call).await?;
            register::replace(&call.ctx, presented, &client_id, body).await?
        }
        _ => register::read(&call.ctx, presented, &client_id).await?,
    };
    Ok(reply::json(StatusCode::OK, &information(call, found)))
}

/// What the `Authorization` header says.
fn presented(call: &Call) -> Presented<'_> {
    match (call.bearer(), call.authorization()) {
        (Some(token), _) => Presented::Bearer(token),
        (None, Some(_)) => Presented::Other,
        (None, None) => Presented::Nothing,
    }
}

/// The body, which has to be announced as JSON.
// spec: http.md, register_client, "JSON body only (415 otherwise)"
async fn json_body(call: &Call) -> Result<&[u8], Problem> {
    if call.media_type() == "application/json" {
        return Ok(&call.body);
    }
    // While nothing is here, nothing is said about what would be.
    register::check_open(&call.ctx).await?;
    Err(Problem::Frappe {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        exc_type: "UnsupportedMediaType",
        message: "The body has to be JSON, with the Content-Type application/json.".to_owned(),
    })
}

/// The client information response.
// spec: RFC 7591 §3.2.1; RFC 7592 §3
fn information(call: &Call, registered: Registered) -> Value {
    let mut body = registered.metadata.to_json();
    let id = registered.client_id.as_str();
    let token = registered.registration_access_token.expose();
    let uri = format!(
        "{}{}?client_id={}",
        call.ctx.issuer,
        endpoints::REGISTER.path,
        utf8_percent_encode(id, COMPONENT)
    );
    if let Some(secret) = &registered.client_secret {
        body.insert("client_secret".to_owned(), json!(secret.expose()));
    }
    for (name, value) in [
        ("client_id", json!(id)),
        ("client_id_issued_at", json!(registered.issued_at)),
        ("client_secret_expires_at", json!(0)),
        ("registration_access_token", json!(token)),
        ("registration_client_uri", json!(uri)),
    ] {
        body.insert(name.to_owned(), value);
    }
    Value::Object(body)
}

/// 204, never stored by anyone (RFC 7592 §2.3).
fn removed() -> Reply {
    let mut reply = reply::json(StatusCode::NO_CONTENT, &Value::Null);
    *reply.body_mut() = Body::empty();
    reply.headers_mut().remove(header::CONTENT_TYPE);
    reply
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
