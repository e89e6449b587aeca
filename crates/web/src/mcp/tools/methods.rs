//! The tool that calls whitelisted methods.

use crema_auth::app_code::MethodScope;
use serde_json::{Map, Value, json};

use super::{Given, Use, members, read, secrets};
use crate::api::arguments::{Arguments, plain};
use crate::api::client::{self, document};
use crate::api::{apps, methods};
use crate::metrics::Endpoint;
use crate::reply::Problem;

/// Calls a method by its dotted path.
pub(super) async fn call_method(using: &Use<'_>) -> Given {
    let name = using.arguments.required("method")?;
    let given = match using.arguments.get("arguments") {
        None => Map::new(),
        Some(given) => {
            document(given).map_err(|_| Problem::malformed("arguments has to be an object."))?
        }
    };
    let given = Arguments::of_members(given);
    let Some(endpoint) = methods::named(&name) else {
        return of_app(using, &name, &given).await;
    };
    methods::admit(endpoint, using.caller)?;
    let result = match endpoint {
        Endpoint::Ping => json!("pong"),
        Endpoint::Version => json!(env!("CARGO_PKG_VERSION")),
        Endpoint::LoggedUser => json!(using.caller.user),
        Endpoint::GenerateKeys => return Err(secrets::not_here("Generating keys")),
        Endpoint::ClientGetList => return read::page(using, &given, "result").await,
        _ => {
            for doctype in made(endpoint, &given) {
                secrets::may_make(&doctype)?;
            }
            let result = client::result(endpoint, &using.documents, &given).await?;
            without_secrets(using, result.unwrap_or_default())
        }
    };
    Ok(members([("result", result)]))
}

/// A method of an app. What takes a scope of its own is administration, which can bring secrets to
/// light, and not for assistants.
async fn of_app(using: &Use<'_>, name: &str, given: &Arguments) -> Given {
    let Some(method) = apps::named(using.call, name) else {
        return Err(methods::unknown(using.call, using.caller, name).await?);
    };
    if method.scope == MethodScope::Method {
        return Err(secrets::not_here("This method"));
    }
    let result = apps::run(using.call, using.caller, method, given).await?;
    Ok(members([("result", result)]))
}

/// The DocTypes of which a call would make documents.
fn made(endpoint: Endpoint, given: &Arguments) -> Vec<String> {
    let documents = match endpoint {
        Endpoint::ClientInsert => vec![given.value("doc").unwrap_or_default()],
        Endpoint::ClientInsertMany => match given.value("docs") {
            Some(Value::Array(documents)) => documents,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let doctype = |value: &Value| plain(document(value).ok()?.get("doctype")?);
    documents.iter().filter_map(doctype).collect()
}

/// A document among results says which DocType it is of.
fn without_secrets(using: &Use<'_>, mut result: Value) -> Value {
    if let Value::Object(values) = &mut result
        && let Some(doctype) = values.get("doctype").and_then(plain)
    {
        secrets::hide(&using.documents, &doctype, values);
    }
    result
}
