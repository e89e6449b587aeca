//! Which other origins may read what, in a browser.
//!
//! `/.well-known/*` is for everybody. The OAuth endpoints that public clients need are opened by
//! OAuth Settings' Allowed Public Client Origins, the API by `allow_cors` of `site_config.json`,
//! `/mcp` by both. Pages never answer: an authorization request is a navigation (RFC 9700 §2.6).
// spec: security.md, Inputs, outputs, network, CORS; http.md, CORS

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use crema_document::config::AllowCors;
use crema_protocol::endpoints;
use url::Url;

use crate::call::Call;
use crate::metrics::Endpoint;
use crate::reply::{self, Reply};

/// What scripts may send when the configuration does not say.
const HEADERS: &str = "Authorization, Content-Type, X-Frappe-CSRF-Token, X-Frappe-Site-Name, \
     Mcp-Protocol-Version";
/// What clients of the Model Context Protocol send, in any of its revisions.
const MCP_HEADERS: &str = "Authorization, Content-Type, X-Frappe-Site-Name, \
     Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID";
/// The methods they may use when the configuration does not say.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
/// Methods of the Model Context Protocol: a client that asks for a stream or ends a session is to
/// read that there is none.
const MCP_METHODS: &str = "POST, GET, DELETE";
/// What scripts may read of an answer beside its body.
const EXPOSED: &str = "WWW-Authenticate, Retry-After";
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "86400";

/// What an origin may do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Grant {
    /// Any origin may read this document, without credentials.
    Document,
    /// This origin's scripts may call the endpoint, which has these methods, without credentials.
    PublicClient(String),
    /// Any origin may, without credentials.
    Anybody,
    /// This origin may.
    Origin { credentials: bool },
    /// This origin may use `/mcp`, which reads no cookie.
    Mcp,
}

/// The answer to a preflight, when the request is one.
pub async fn preflight(call: &Call) -> Option<Reply> {
    let asked = call.header("access-control-request-method");
    if call.method != Method::OPTIONS || asked.is_none() {
        return None;
    }
    let mut reply = reply::json(StatusCode::NO_CONTENT, &serde_json::Value::Null);
    *reply.body_mut() = axum::body::Body::empty();
    reply.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(grant) = granted(call, reply.headers_mut()).await {
        let (methods, allowed) = lists(call, &grant);
        let headers = reply.headers_mut();
        put(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
        put(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &allowed);
        put(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    Some(reply)
}

/// The methods and headers that may be used. What `site_config.json` lists is about what it opens.
fn lists(call: &Call, grant: &Grant) -> (String, String) {
    let own = |methods: &str, headers: &str| (methods.to_owned(), headers.to_owned());
    match grant {
        Grant::Document => own(&endpoints::JWKS.allow(), HEADERS),
        Grant::PublicClient(methods) => own(methods, HEADERS),
        Grant::Mcp => own(MCP_METHODS, MCP_HEADERS),
        Grant::Anybody | Grant::Origin { .. } => {
            let config = call.ctx.provider.site().config();
            let list = |own: Vec<String>, default: &str| match own.is_empty() {
                true => default.to_owned(),
                false => own.join(", "),
            };
            (
                list(config.allow_cors_for_methods(), METHODS),
                list(config.allow_cors_for_headers(), HEADERS),
            )
        }
    }
}

/// Adds the headers that let the asking origin read an answer; errors carry them too.
pub async fn apply(call: &Call, headers: &mut HeaderMap) {
    granted(call, headers).await;
}

async fn granted(call: &Call, headers: &mut HeaderMap) -> Option<Grant> {
    let path = call.uri.path();
    let grant = if is_document(path) {
        // Also without an Origin: a cache may hand the answer to somebody who sends one.
        Some(Grant::Document)
    } else if path.starts_with("/api/") || Endpoint::of(path) == Endpoint::Mcp {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        grant(call, path, call.header(header::ORIGIN)?).await
    } else {
        None
    }?;
    let origin = match grant {
        Grant::Document | Grant::Anybody => "*",
        Grant::PublicClient(_) | Grant::Origin { .. } | Grant::Mcp => {
            call.header(header::ORIGIN)?
        }
    };
    put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if grant == (Grant::Origin { credentials: true }) {
        put(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    put(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    Some(grant)
}

/// Whether the path is one at which documents about servers are looked for: below `/.well-known/`,
/// or, where clients take a path to be that of an issuer, behind it. Nothing is there then, which a
/// script has to be able to read too.
fn is_document(path: &str) -> bool {
    let behind = [
        endpoints::OPENID_CONFIGURATION.path,
        endpoints::AUTHORIZATION_SERVER.path,
    ];
    let appended = !path.starts_with("/api/") && behind.iter().any(|end| path.ends_with(end));
    path.starts_with("/.well-known/") || appended
}

async fn grant(call: &Call, path: &str, origin: &str) -> Option<Grant> {
    let for_public_clients = match Endpoint::of(path) {
        Endpoint::Authorize | Endpoint::Approve => return None,
        Endpoint::Mcp => return allows(call, origin).await.then_some(Grant::Mcp),
        Endpoint::Token => Some(endpoints::TOKEN),
        Endpoint::Revoke => Some(endpoints::REVOKE),
        Endpoint::Introspect => Some(endpoints::INTROSPECT),
        Endpoint::Userinfo => Some(endpoints::USERINFO),
        Endpoint::Register => Some(endpoints::REGISTER),
        _ => None,
    };
    if let Some(endpoint) = for_public_clients
        && is_public_client(call, origin).await
    {
        return Some(Grant::PublicClient(endpoint.allow()));
    }
    configured(call, origin)
}

/// Whether scripts of this origin may use what both OAuth Settings' Allowed Public Client Origins
/// and `allow_cors` open.
pub async fn allows(call: &Call, origin: &str) -> bool {
    configured(call, origin).is_some() || is_public_client(call, origin).await
}

/// Whether Allowed Public Client Origins name this origin; nobody while settings cannot be read.
async fn is_public_client(call: &Call, origin: &str) -> bool {
    let settings = call.ctx.settings().await;
    settings.is_ok_and(|settings| {
        let mut listed = settings.allowed_public_client_origins.iter();
        listed.any(|entry| names(entry, origin))
    })
}

fn configured(call: &Call, origin: &str) -> Option<Grant> {
    let config = call.ctx.provider.site().config();
    match config.allow_cors() {
        AllowCors::Nobody => None,
        AllowCors::Everybody => Some(Grant::Anybody),
        AllowCors::Origins(origins) => {
            let listed = origins
                .iter()
                .any(|own| own.trim_end_matches('/') == origin);
            let credentials = config.cors_allow_credentials();
            listed.then_some(Grant::Origin { credentials })
        }
    }
}

/// Whether an entry of Allowed Public Client Origins means this origin: itself, in any spelling
/// that browsers understand, its bare host, or `*`.
fn names(entry: &str, origin: &str) -> bool {
    let entry = entry.trim().trim_end_matches('/');
    if entry == "*" || entry == origin {
        return true;
    }
    if entry.contains("://") {
        let own = Url::parse(entry).ok().map(|url| url.origin());
        return own.is_some_and(|own| own.is_tuple() && own.ascii_serialization() == origin);
    }
    let host = origin.split_once("://").map(|(_, authority)| authority);
    !entry.is_empty() && host.is_some_and(|host| host.eq_ignore_ascii_case(entry))
}

fn put(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn an_entry_is_an_origin_a_host_or_everybody() {
        let origin = "https://app.example.com";
        for entry in [
            "*",
            origin,
            "https://app.example.com/",
            "HTTPS://App.Example.com:443",
            "app.example.com",
            " App.Example.com ",
        ] {
            assert!(names(entry, origin), "{entry}");
        }
        for entry in [
            "example.com",
            "http://app.example.com",
            "https://app.example.com.evil",
            "https://app.example.com:8443",
            "https://",
            "",
        ] {
            assert!(!names(entry, origin), "{entry}");
        }
        assert!(!names("app.example.com", "https://app.example.com:8443"));
        assert!(!names("app.example.com", "null"));
        assert!(!names("null:///", "null") && !names("", "https://"));
        assert!(names("capacitor://localhost", "capacitor://localhost"));
        assert!(names("localhost:3000", "http://localhost:3000"));
    }
}
