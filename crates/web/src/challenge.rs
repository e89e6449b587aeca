//! `WWW-Authenticate`: how a refused request could do better.
//!
//! RFC 6750 §3, RFC 9728 §5.1, RFC 6749 §5.2. From the first refusal a client that knows nothing
//! learns where the metadata of the resource is, and which scope to ask for. Challenges name only
//! what clients that registered themselves may ask for; a token of another client is told what it
//! lacks in any case.
// spec: http.md, Resource server, the table of statuses; register_client, "resource metadata and
// challenges name only those"

use axum::http::{HeaderValue, header};
use crema_document::Reason;
use crema_document::names::snake_case;
use crema_protocol::client_auth::basic_was_tried;
use crema_protocol::endpoints;
use crema_protocol::error::ErrorCode;
use crema_protocol::resource_scope::{ResourceScope, Verb};
use crema_protocol::scope::{self, Scope};
use serde_json::Value;

use crate::api::arguments::Arguments;
use crate::api::{methods, path};
use crate::call::{Call, TokenNote};
use crate::metrics::Endpoint;
use crate::problem::Problem;

/// How many bytes of a body are read once more to tell which DocType a refused call is about.
const LOOKED_THROUGH: usize = 64 * 1024;
/// How many DocTypes of one call are named.
const MOST_NAMED: usize = 8;

/// What an MCP client asks for at first beside reading: who the user is, and to stay signed in.
const SIGN_IN: &str = "openid offline_access";

/// The first revision of MCP whose clients keep the scopes that they have when they ask for more.
const CLIENTS_ACCUMULATE: &str = "2026-07-28";

const DEAD: &str = "The access token is expired, revoked or unknown.";
const ELSEWHERE: &str = "The access token is for another resource.";
const TOO_SMALL: &str = "The scope of the access token is too small.";

/// The challenge of a refusal, where there is something that could be done better.
pub(crate) fn challenge(call: &Call, problem: &Problem) -> Option<HeaderValue> {
    let text = match problem {
        Problem::Guest | Problem::BadCredentials(_) => unauthorized(call, None),
        Problem::DeadToken => unauthorized(call, Some(why_not_taken(call))),
        Problem::Refused(refusal) => match &refusal.reason {
            // Of an API key no other can be asked for.
            Reason::Scope(scope) if call.bearer().is_some() => {
                insufficient(call, missing(call, scope))
            }
            _ => return None,
        },
        Problem::OAuth(error) => match error.code {
            ErrorCode::InvalidClient => return basic(call),
            ErrorCode::InvalidToken => unauthorized(call, Some(&error.description)),
            ErrorCode::InsufficientScope => {
                insufficient(call, Scope::from_registered(scope::OPENID))
            }
            _ => return None,
        },
        _ => return None,
    };
    HeaderValue::from_str(&text).ok()
}

/// Why a bearer token was not taken, for people.
pub(crate) fn why_not_taken(call: &Call) -> &'static str {
    match call.token_note() {
        Some(TokenNote::Elsewhere) => ELSEWHERE,
        _ => DEAD,
    }
}

/// 401. `error` only when a token was sent: RFC 6750 §3.1.
fn unauthorized(call: &Call, error: Option<&str>) -> String {
    let mut challenge = bearer(call);
    if let Some(description) = error {
        put(&mut challenge, "error", ErrorCode::InvalidToken.as_str());
        put(&mut challenge, "error_description", description);
    }
    put_scope(&mut challenge, &needed(call));
    challenge
}

/// 403 for want of a scope.
fn insufficient(call: &Call, scope: Scope) -> String {
    let mut challenge = bearer(call);
    put(
        &mut challenge,
        "error",
        ErrorCode::InsufficientScope.as_str(),
    );
    put_scope(&mut challenge, &scope);
    put(&mut challenge, "error_description", TOO_SMALL);
    challenge
}

/// How a challenge begins: with the way to the metadata, unless OAuth Settings hide it.
fn bearer(call: &Call) -> String {
    let mut challenge = "Bearer ".to_owned();
    let settings = call.ctx.provider.last_settings();
    if settings.is_some_and(|settings| !settings.show_protected_resource_metadata) {
        put_first(&mut challenge, "realm", call.site_name());
        return challenge;
    }
    let mut address = endpoints::PROTECTED_RESOURCE.url(&call.ctx.issuer);
    if call.notes.endpoint() == Endpoint::Mcp {
        // RFC 9728 §3.1: the path of the resource stands behind the well-known one.
        address.push_str(endpoints::MCP.path);
    }
    put_first(&mut challenge, "resource_metadata", &address);
    challenge
}

fn basic(call: &Call) -> Option<HeaderValue> {
    let mut sent = call.headers.get_all(header::AUTHORIZATION).iter();
    if !sent.any(|value| basic_was_tried(value.to_str().ok())) {
        return None;
    }
    let mut challenge = "Basic ".to_owned();
    put_first(&mut challenge, "realm", call.site_name());
    HeaderValue::from_str(&challenge).ok()
}

/// The scope that the refused request would have taken, as far as a client that registers itself
/// may ask for it.
fn needed(call: &Call) -> Scope {
    let allowed = allowed(call);
    let endpoint = call.notes.endpoint();
    if endpoint == Endpoint::Mcp {
        return first(&allowed).union(&announced(call).within(&allowed));
    }
    let asked = match (verb(endpoint), methods::scope_of(endpoint)) {
        (Some(verb), _) if endpoint.is_method() => named(call, called_about(call), verb),
        (Some(verb), _) => {
            let target = path::target(call.uri.path()).ok();
            named(call, target.map(|target| target.doctype), verb)
        }
        (None, Some(method)) => spelled(&method),
        (None, None) => Scope::default(),
    };
    asked.within(&allowed)
}

/// What the token of a refused request lacks. MCP clients of revisions that leave it to the server
/// to repeat what the token has are told that too: they ask for the named scopes and no others.
// spec: RFC 6750 §3.1; standards.md, U, "step-up flow", U2, "scope accumulates in step-up"
fn missing(call: &Call, wanted: &str) -> Scope {
    let wanted = spelled(wanted);
    let Some(TokenNote::Taken {
        self_registered,
        scope,
    }) = call.token_note()
    else {
        return wanted;
    };
    let both = match scope {
        Some(granted) if !accumulates(call) => granted.union(&wanted),
        _ => wanted.clone(),
    };
    if !self_registered {
        return both;
    }
    let allowed = allowed(call);
    match allowed.covers(&wanted) {
        true => both.within(&allowed),
        // No other scope would help: none is named.
        false => Scope::default(),
    }
}

/// Whether the client speaks a revision of MCP in which it adds what it is told to what it has.
fn accumulates(call: &Call) -> bool {
    // Revisions are days, written so that their order is that of their texts.
    let revision = call.header("mcp-protocol-version").unwrap_or_default();
    revision >= CLIENTS_ACCUMULATE
}

/// What clients that register themselves may ask for.
fn allowed(call: &Call) -> Scope {
    let settings = call.ctx.provider.last_settings();
    let listed = settings.map(|settings| settings.registration_scopes.join(" "));
    Scope::from_registered(&listed.unwrap_or_default()).with_implied()
}

/// What an MCP client asks for at first: the least with which it can show something.
// spec: standards.md, U, "S start with least scope"
fn first(allowed: &Scope) -> Scope {
    let mut texts = vec![SIGN_IN.to_owned()];
    for token in allowed.iter() {
        if let Some(ResourceScope::Documents {
            doctype,
            verb: None | Some(Verb::Read),
        }) = ResourceScope::parse(token)
        {
            texts.push(format!("{doctype}:{}", Verb::Read.name()));
        }
    }
    Scope::from_registered(&texts.join(" ")).within(allowed)
}

/// What OAuth Settings tell clients to ask for at once, which many have to: the SDK for Node
/// refreshes when it is told that its scope is too small, and never asks for a wider one.
fn announced(call: &Call) -> Scope {
    let settings = call.ctx.provider.last_settings();
    let listed = settings.map(|settings| settings.scopes_supported.join(" "));
    Scope::from_registered(&listed.unwrap_or_default())
}

/// The verb for the documents that a request is about.
const fn verb(endpoint: Endpoint) -> Option<Verb> {
    Some(match endpoint {
        Endpoint::List
        | Endpoint::Read
        | Endpoint::Meta
        | Endpoint::Count
        | Endpoint::ClientGetList
        | Endpoint::ClientGetCount
        | Endpoint::ClientGet
        | Endpoint::ClientGetValue
        | Endpoint::ClientGetSingleValue => Verb::Read,
        Endpoint::Create | Endpoint::ClientInsert | Endpoint::ClientInsertMany => Verb::Create,
        Endpoint::Update
        | Endpoint::ClientSetValue
        | Endpoint::ClientSave
        | Endpoint::ClientBulkUpdate => Verb::Write,
        Endpoint::Delete | Endpoint::ClientDelete => Verb::Delete,
        _ => return None,
    })
}

/// The DocTypes that the arguments of a method name.
fn called_about(call: &Call) -> Vec<String> {
    if call.body.len() > LOOKED_THROUGH {
        return Vec::new();
    }
    let Ok(arguments) = Arguments::of(call) else {
        return Vec::new();
    };
    let doctype = |value: &Value| Some(value.get("doctype")?.as_str()?.to_owned());
    let mut named: Vec<String> = match arguments.value("docs") {
        Some(Value::Array(list)) => list.iter().filter_map(doctype).collect(),
        _ => Vec::new(),
    };
    named.extend(arguments.value("doc").as_ref().and_then(doctype));
    named.extend(arguments.text("doctype").ok().flatten());
    named.dedup();
    named.truncate(MOST_NAMED);
    named
}

/// The scopes for doing this with documents of these DocTypes, of those that there are.
fn named(call: &Call, doctypes: impl IntoIterator<Item = String>, verb: Verb) -> Scope {
    let registry = call.ctx.provider.site().registry();
    let known = doctypes
        .into_iter()
        .filter(|name| registry.get(name).is_some());
    known.fold(Scope::default(), |scope, name| {
        let token = format!("{}:{}", snake_case(&name), verb.name());
        scope.union(&spelled(&token))
    })
}

/// A scope-token about resources as a scope. A DocType whose name cannot be written in one is
/// opened by `all` alone.
fn spelled(token: &str) -> Scope {
    match Scope::parse(token) {
        Ok(scope) if ResourceScope::parse(token).is_some() => scope,
        _ => Scope::from_registered(scope::ALL),
    }
}

fn put_scope(challenge: &mut String, scope: &Scope) {
    if !scope.is_empty() {
        put(challenge, "scope", &scope.to_string());
    }
}

fn put(challenge: &mut String, name: &str, value: &str) {
    challenge.push_str(", ");
    put_first(challenge, name, value);
}

/// Writes a parameter. RFC 6750 §3: values are of printable ASCII without `"` and `\`, so nothing
/// in them can end them.
fn put_first(challenge: &mut String, name: &str, value: &str) {
    challenge.push_str(name);
    challenge.push_str("=\"");
    challenge.extend(value.chars().map(|character| match character {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => character,
        _ => '?',
    }));
    challenge.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_of(allowed: &str) -> String {
        first(&Scope::from_registered(allowed).with_implied()).to_string()
    }

    #[test]
    fn at_first_an_mcp_client_asks_to_read() {
        assert_eq!(first_of("openid profile email"), SIGN_IN);
        assert_eq!(first_of("all"), "");
        assert_eq!(first_of(""), "");
        let listed = "openid todo:* note:read note:write method:a.b file:delete";
        assert_eq!(
            first_of(listed),
            "openid offline_access todo:read note:read"
        );
        assert_eq!(
            first_of("offline_access todo:read"),
            "offline_access todo:read"
        );
    }

    #[test]
    fn nothing_ends_a_value() {
        let mut challenge = String::new();
        put_first(&mut challenge, "realm", "a\", error=\"x\\\r\né");
        assert_eq!(
            challenge,
            "realm=\"a', error='x/????\"".replace("????", "???")
        );
    }

    #[test]
    fn what_no_scope_can_spell_is_all() {
        assert_eq!(spelled("todo:read").to_string(), "todo:read");
        assert_eq!(spelled("method:a.b").to_string(), "method:a.b");
        for token in [
            "a\"b:read",
            "ä:read",
            "a:b:read",
            "to do:read",
            "",
            "a\\b:read",
        ] {
            assert_eq!(spelled(token).to_string(), "all", "{token}");
        }
    }
}
