//! The methods of the resource server: by which HTTP methods each may be called, and what it
//! takes to call it.

use axum::http::StatusCode;
use crema_auth::Failure;
use crema_auth::caller::Caller;
use crema_document::{Reason, Refusal};
use serde_json::json;

use crate::api::arguments::Arguments;
use crate::api::{answered, apps, client, identity, keys};
use crate::call::{ApiVersion, Call};
use crate::metrics::Endpoint;
use crate::reply::{self, Problem, Reply};

/// What it takes to call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing: guests may, and so may every token.
    Nothing,
    /// Somebody, with whatever scope.
    Somebody,
    /// What the document takes that it is about.
    Document,
    /// Somebody; a scope that is not `all` has to name the method.
    Scope,
}

/// Reading may come by POST, as SDKs with long filters do.
const READ: &str = "GET, HEAD, POST";
const WRITE: &str = "POST, PUT";
/// What does not matter.
const ANY: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// How much of a name is repeated in an answer.
const LONGEST_NAME: usize = 140;

/// A method.
struct Method {
    /// Its dotted names; the first is the one that scopes name.
    names: &'static [&'static str],
    endpoint: Endpoint,
    /// HTTP methods.
    allow: &'static str,
    needs: Needs,
}

macro_rules! methods {
    ($($names:expr, $endpoint:ident, $allow:expr, $needs:ident;)+) => {
        &[$(Method {
            names: &$names,
            endpoint: Endpoint::$endpoint,
            allow: $allow,
            needs: Needs::$needs,
        }),+]
    };
}

/// The table of methods.
// spec: http.md, Resource server, the table of paths and "Methods declare the DocType scopes they
// need"
#[rustfmt::skip]
static METHODS: &[Method] = methods! {
    ["ping", "frappe.ping"], Ping, ANY, Nothing;
    ["version", "frappe.version"], Version, ANY, Nothing;
    ["frappe.auth.get_logged_user"], LoggedUser, ANY, Somebody;
    ["frappe.client.get_list"], ClientGetList, READ, Document;
    ["frappe.client.get_count"], ClientGetCount, READ, Document;
    ["frappe.client.get"], ClientGet, READ, Document;
    ["frappe.client.get_value"], ClientGetValue, READ, Document;
    ["frappe.client.get_single_value"], ClientGetSingleValue, READ, Document;
    ["frappe.client.insert"], ClientInsert, WRITE, Document;
    ["frappe.client.insert_many"], ClientInsertMany, WRITE, Document;
    ["frappe.client.set_value"], ClientSetValue, WRITE, Document;
    ["frappe.client.save"], ClientSave, WRITE, Document;
    ["frappe.client.bulk_update"], ClientBulkUpdate, WRITE, Document;
    ["frappe.client.delete"], ClientDelete, "POST, DELETE", Document;
    ["frappe.core.doctype.user.user.generate_keys"], GenerateKeys, "POST", Scope;
};

/// The method of that dotted name.
pub(crate) fn named(name: &str) -> Option<Endpoint> {
    let found = METHODS.iter().find(|method| method.names.contains(&name));
    found.map(|method| method.endpoint)
}

/// The scope that a method takes which is not about documents, where it takes one.
pub(crate) fn scope_of(endpoint: Endpoint) -> Option<String> {
    let method = METHODS.iter().find(|method| method.endpoint == endpoint)?;
    (method.needs == Needs::Scope).then(|| method.scope())
}

/// Answers a call to the method that the request calls `name`.
///
/// # Errors
/// 401 and 403 as in the table of statuses, 405 for another HTTP method, 417 and 403 for names
/// that are no method.
pub async fn answer(call: &Call, endpoint: Endpoint, name: &str) -> Result<Reply, Problem> {
    let found = METHODS.iter().find(|method| method.endpoint == endpoint);
    let Some(method) = found else {
        return apps::answer(call, name).await;
    };
    allowed(call, method.allow)?;
    let caller = identity::identify(call).await?;
    let arguments = arguments(call)?;
    method.admit(&caller)?;
    let outcome = match endpoint {
        Endpoint::Ping => Ok(reply::message(call, json!("pong"))),
        Endpoint::Version => Ok(reply::message(call, json!(env!("CARGO_PKG_VERSION")))),
        Endpoint::LoggedUser => Ok(reply::message(call, json!(caller.user))),
        Endpoint::GenerateKeys => answered(keys::generate(call, &caller, &arguments)).await,
        _ => answered(client::answer(call, endpoint, &caller, &arguments)).await,
    };
    outcome.map_err(|problem| match caller.is_guest() {
        true => problem.for_guest(),
        false => problem,
    })
}

/// Whether the request's HTTP method is one of those.
pub(super) fn allowed(call: &Call, allow: &'static str) -> Result<(), Problem> {
    let mut allowed = allow.split(", ");
    match allowed.any(|allowed| allowed == call.method.as_str()) {
        true => Ok(()),
        false => Err(Problem::Method(allow)),
    }
}

/// The arguments of a call, which no other site's page made.
pub(super) fn arguments(call: &Call) -> Result<Arguments, Problem> {
    let mut arguments = Arguments::of(call)?;
    identity::same_site(call, &arguments)?;
    if call.uri.path() == "/" {
        arguments.remove("cmd");
    }
    Ok(arguments)
}

/// Whether the caller's credential opens that method. What its documents take is asked by them.
///
/// # Errors
/// 401 for guests, 403 for a scope that is too small.
pub(crate) fn admit(endpoint: Endpoint, caller: &Caller) -> Result<(), Problem> {
    let found = METHODS.iter().find(|method| method.endpoint == endpoint);
    found.map_or(Ok(()), |method| method.admit(caller))
}

/// The dotted names of all methods, by which scopes name them.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    METHODS
        .iter()
        .filter_map(|method| method.names.first().copied())
}

impl Method {
    /// The scope that names it.
    fn scope(&self) -> String {
        format!("method:{}", self.names.first().copied().unwrap_or_default())
    }

    fn admit(&self, caller: &Caller) -> Result<(), Problem> {
        let named = matches!(self.needs, Needs::Somebody | Needs::Scope);
        if named && caller.is_guest() {
            return Err(Problem::Guest);
        }
        let name = self.names.first().copied().unwrap_or_default();
        if self.needs == Needs::Scope && !caller.may_call(name) {
            return Err(needs_scope(self.scope()));
        }
        Ok(())
    }
}

/// 403 for a token that lacks this scope.
pub(super) fn needs_scope(scope: String) -> Problem {
    let message = format!("This needs the scope {scope}, which the token does not have");
    Problem::Refused(Refusal::new(Reason::Scope(scope), message))
}

/// A name that is no method, in Frappe's words: of an app that is not there, or a function that
/// may not be called.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn unknown(call: &Call, caller: &Caller, name: &str) -> Result<Problem, Problem> {
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let app = name.split('.').next().unwrap_or_default();
    if is_installed(call, app).await? {
        return Ok(match caller.is_guest() {
            true => Problem::Guest,
            false => Problem::Frappe {
                status: StatusCode::FORBIDDEN,
                exc_type: "PermissionError",
                message: format!(
                    "Function {name} is not whitelisted. \
                     No method of this name may be called; is it spelled right?"
                ),
            },
        });
    }
    let method = match call.version {
        ApiVersion::V1 => "method for command",
        ApiVersion::V2 => "method",
    };
    Ok(Problem::Frappe {
        status: StatusCode::EXPECTATION_FAILED,
        exc_type: "ValidationError",
        message: format!("Failed to get {method} {name} with App {app} is not installed"),
    })
}

async fn is_installed(call: &Call, app: &str) -> Result<bool, Problem> {
    // What comes along is always there.
    if app == "frappe" {
        return Ok(true);
    }
    let database = call.ctx.provider.database();
    let installed = crema_document::apps::installed(database)
        .await
        .map_err(Failure::from)?;
    Ok(installed.iter().any(|known| known.name == app))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_an_endpoint_of_its_own_and_names_that_lead_to_it() {
        for (number, method) in METHODS.iter().enumerate() {
            assert!(method.endpoint.is_resource() && method.endpoint.is_method());
            for name in method.names {
                assert_eq!(Endpoint::of_method(name), method.endpoint);
            }
            let same = |other: &&Method| other.endpoint == method.endpoint;
            assert_eq!(METHODS.iter().filter(same).count(), 1, "{number}");
        }
    }
}
