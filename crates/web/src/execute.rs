//! Methods called by the operator of this machine: through the same code as a request to
//! `/api/method/…`, without one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use crema_auth::caller::{Caller, Credential};
use crema_auth::user::GUEST;
use crema_auth::{Ctx, Failure, Provider};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};

use crate::api;
use crate::call::Call;
use crate::metrics::Endpoint;
use crate::reply::Problem;
use crate::request_id::RequestId;

/// The names of arguments that come without one, in Frappe's order.
#[rustfmt::skip]
static POSITIONS: &[(&str, &[&str])] = &[
    ("frappe.client.get_list", &["doctype", "fields", "filters", "group_by", "order_by", "limit_start", "limit_page_length"]),
    ("frappe.client.get_count", &["doctype", "filters"]),
    ("frappe.client.get", &["doctype", "name", "filters"]),
    ("frappe.client.get_value", &["doctype", "fieldname", "filters"]),
    ("frappe.client.get_single_value", &["doctype", "field"]),
    ("frappe.client.insert", &["doc"]),
    ("frappe.client.insert_many", &["docs"]),
    ("frappe.client.set_value", &["doctype", "name", "fieldname", "value"]),
    ("frappe.client.save", &["doc"]),
    ("frappe.client.bulk_update", &["docs"]),
    ("frappe.client.delete", &["doctype", "name"]),
    ("frappe.core.doctype.user.user.generate_keys", &["user"]),
];

/// One call.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The method's dotted name.
    pub method: String,
    /// Its arguments by name.
    pub arguments: Map<String, Value>,
    /// Name of the User who calls it.
    pub user: String,
    /// What the audit trail shows as the program of the one who called.
    pub user_agent: &'static str,
}

/// Why a call was not done, in the words of an answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// The name of Frappe's exception, or the error code of OAuth.
    pub kind: String,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for NotDone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for NotDone {}

impl Execution {
    /// Gives arguments their names, after those that have one.
    ///
    /// # Errors
    /// When the method's order of arguments is not known, there are too many, or one was named.
    pub fn place(&mut self, values: Vec<Value>) -> Result<(), NotDone> {
        if values.is_empty() {
            return Ok(());
        }
        let known = POSITIONS.iter().find(|(name, _)| *name == self.method);
        let names = known.map(|(_, names)| *names).unwrap_or_default();
        if values.len() > names.len() {
            let message = match names {
                [] => "this method takes arguments by name only".to_owned(),
                names => format!("the arguments are {}", names.join(", ")),
            };
            return Err(not_done("TypeError", message));
        }
        for (name, value) in names.iter().zip(values) {
            if self.arguments.insert((*name).to_owned(), value).is_some() {
                return Err(not_done("TypeError", format!("{name} was given twice")));
            }
        }
        Ok(())
    }
}

/// Calls a method as a user, who counts as having just signed in. Gives its result; null for one
/// that has none.
///
/// # Errors
/// [`NotDone`]: what a request would have been refused for.
// spec: cli.md, `execute`
pub async fn execute(
    provider: &Arc<Provider>,
    issuer: &str,
    execution: &Execution,
) -> Result<Value, NotDone> {
    let endpoint = Endpoint::of_method(&execution.method);
    if !is_callable(endpoint) {
        let message = "It is for clients and browsers, over HTTP.".to_owned();
        return Err(not_done("ValidationError", message));
    }
    let mut method = Method::POST;
    loop {
        let call = call(provider, issuer, execution, endpoint, method.clone())?;
        let user = caller(&call.ctx, &execution.user).await;
        call.act_as(user.map_err(|failure| told(failure.into()))?);
        match Box::pin(api::method(&call, endpoint, &execution.method)).await {
            Ok(reply) => {
                let body = reply.into_body().collect().await;
                let body = body.map_err(|error| not_done("InternalError", error.to_string()))?;
                return Ok(result(&body.to_bytes()));
            }
            // Nothing was done: a method is asked for its HTTP methods first.
            Err(Problem::Method(allow)) if method == Method::POST => {
                let first = allow.split(", ").next().unwrap_or_default();
                method = Method::from_bytes(first.as_bytes()).unwrap_or(Method::GET);
            }
            Err(problem) => return Err(told(problem)),
        }
    }
}

/// Whether it is a method of the resource server, or perhaps an app's.
fn is_callable(endpoint: Endpoint) -> bool {
    let others = [Endpoint::Ping, Endpoint::Version, Endpoint::UnknownMethod];
    endpoint.is_resource() || others.contains(&endpoint)
}

fn call(
    provider: &Arc<Provider>,
    issuer: &str,
    execution: &Execution,
    endpoint: Endpoint,
    method: Method,
) -> Result<Call, NotDone> {
    let path = format!("/api/method/{}", execution.method);
    let uri: Uri = path
        .parse()
        .map_err(|_| not_done("ValidationError", "This is no name of a method.".to_owned()))?;
    let mut headers = HeaderMap::new();
    let agent = HeaderValue::from_static(execution.user_agent);
    headers.insert(header::USER_AGENT, agent);
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let body = serde_json::to_vec(&execution.arguments)
        .map_err(|error| not_done("ValidationError", error.to_string()))?;
    let id = RequestId::claimed(b"command-line")
        .ok_or_else(|| not_done("InternalError", "no request id".to_owned()))?;
    Ok(Call::new(
        Arc::clone(provider),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        issuer.to_owned(),
        true,
        method,
        uri,
        headers,
        Bytes::from(body),
        id,
        endpoint,
    ))
}

/// That user in person, as after a sign-in a moment ago.
async fn caller(ctx: &Ctx, name: &str) -> Result<Caller, Failure> {
    // Definitions in memory are those of this moment from here on.
    ctx.version().await?;
    let user = ctx.user(name).await?;
    let user = user.ok_or_else(|| Failure::NotFound(format!("User {name} not found")))?;
    if !user.enabled && name != GUEST {
        return Err(Failure::Permission(format!("User {name} is disabled")));
    }
    let is_guest = name == GUEST;
    Ok(Caller {
        user: user.name.clone(),
        actor: Arc::clone(&user.actor),
        credential: if is_guest {
            Credential::Guest
        } else {
            Credential::Session
        },
        scopes: None,
        auth_time: (!is_guest).then(|| ctx.now.seconds()),
    })
}

/// The result in an answer: its `message`, or the whole where there is none, as of `ping` in v2.
fn result(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut members)) => members.remove("message").unwrap_or(Value::Null),
        Ok(other) => other,
        Err(_) => Value::Null,
    }
}

fn not_done(kind: &str, message: String) -> NotDone {
    let kind = kind.to_owned();
    NotDone { kind, message }
}

fn told(problem: Problem) -> NotDone {
    match problem {
        Problem::Frappe {
            exc_type, message, ..
        } => not_done(exc_type, message),
        Problem::Refused(refusal) => not_done(refusal.reason.exc_type(), refusal.message),
        Problem::Guest => not_done("AuthenticationError", "A guest may not do this.".to_owned()),
        Problem::Unavailable => not_done(
            "temporarily_unavailable",
            "The database does not answer.".to_owned(),
        ),
        Problem::TooMany { retry_after } => not_done(
            "TooManyRequestsError",
            format!("Too many attempts. Try again in {retry_after} seconds."),
        ),
        Problem::OAuth(error) => {
            let body = error.body();
            let text = body.get("error_description").and_then(Value::as_str);
            not_done("ValidationError", text.unwrap_or_default().to_owned())
        }
        other => not_done("InternalError", format!("status {}", other.status())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn execution(method: &str) -> Execution {
        Execution {
            method: method.to_owned(),
            arguments: Map::new(),
            user: "Administrator".to_owned(),
            user_agent: "test",
        }
    }

    #[test]
    fn arguments_without_a_name_get_one() {
        let mut get = execution("frappe.client.get");
        assert_eq!(get.place(vec![json!("User"), json!("Guest")]), Ok(()));
        assert_eq!(
            Value::Object(get.arguments.clone()),
            json!({"doctype": "User", "name": "Guest"})
        );
        assert!(get.place(vec![json!("User")]).is_err());
        assert!(
            execution("frappe.client.delete")
                .place(vec![json!(1); 3])
                .is_err()
        );
        assert!(execution("own.method").place(vec![json!(1)]).is_err());
        assert!(execution("own.method").place(vec![]).is_ok());
    }

    #[test]
    fn every_method_with_an_order_exists() {
        for (name, _) in POSITIONS {
            assert!(api::methods::named(name).is_some(), "{name}");
        }
    }
}
