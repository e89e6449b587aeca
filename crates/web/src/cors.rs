//! Which other origins may read what, in a browser.
//!
//! `/.well-known/*` is for everybody. The OAuth endpoints that public clients need are opened by
//! OAuth Settings' Allowed Public Client Origins, the API by `allow_cors` of `site_config.json`.
//! Pages never answer: an authorization request is a navigation (RFC 9700 §2.6).
// spec: security.md, Inputs, outputs, network, CORS; http.md, CORS

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use crema_document::config::AllowCors;
use crema_protocol::endpoints;

use crate::call::Call;
use crate::reply::{self, Reply};

/// What scripts may send when the configuration does not say.
const HEADERS: &str = "Authorization, Content-Type, X-Frappe-CSRF-Token, X-Frappe-Site-Name, \
     Mcp-Protocol-Version";
/// The methods they may use when the configuration does not say.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
/// What scripts may read of an answer beside its body.
const EXPOSED: &str = "WWW-Authenticate, Retry-After";
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "86400";

/// What an origin may do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Grant {
    /// Any origin may, without credentials.
    Anybody,
    /// This origin may.
    Origin { credentials: bool },
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
    if apply(call, reply.headers_mut()).await {
        let config = call.ctx.provider.site().config();
        let list = |own: Vec<String>, default: &str| match own.is_empty() {
            true => default.to_owned(),
            false => own.join(", "),
        };
        let methods = list(config.allow_cors_for_methods(), METHODS);
        let allowed = list(config.allow_cors_for_headers(), HEADERS);
        let headers = reply.headers_mut();
        put(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
        put(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &allowed);
        put(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    Some(reply)
}

/// Adds the headers that let the asking origin read an answer; errors carry them too. Gives
/// whether it may.
pub async fn apply(call: &Call, headers: &mut HeaderMap) -> bool {
    let path = call.uri.path();
    if path.starts_with("/.well-known/") {
        // Also without an Origin: a cache may hand the answer to somebody who sends one.
        put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        put(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        return true;
    }
    if !path.starts_with("/api/") {
        return false;
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = call.header(header::ORIGIN) else {
        return false;
    };
    let Some(grant) = grant(call, path, origin).await else {
        return false;
    };
    match grant {
        Grant::Anybody => put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        Grant::Origin { credentials } => {
            put(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if credentials {
                put(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
            }
        }
    }
    put(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    true
}

async fn grant(call: &Call, path: &str, origin: &str) -> Option<Grant> {
    let name = crate::app::method_name(path.strip_suffix('/').unwrap_or(path));
    let is = |endpoint: endpoints::Endpoint| name.is_some() && endpoint.method_name() == name;
    if is(endpoints::AUTHORIZE) || is(endpoints::APPROVE) {
        return None;
    }
    let for_public_clients = [
        endpoints::TOKEN,
        endpoints::REVOKE,
        endpoints::INTROSPECT,
        endpoints::USERINFO,
        endpoints::REGISTER,
    ];
    if for_public_clients.into_iter().any(is) {
        let settings = call.ctx.settings().await.ok()?;
        let listed = &settings.allowed_public_client_origins;
        if listed.iter().any(|entry| names(entry, origin)) {
            return Some(Grant::Origin { credentials: false });
        }
    }
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

/// Whether an entry of Allowed Public Client Origins means this origin: itself, its bare host, or
/// `*`.
fn names(entry: &str, origin: &str) -> bool {
    let entry = entry.trim().trim_end_matches('/');
    if entry == "*" || entry == origin {
        return true;
    }
    let host = origin.split_once("://").map(|(_, authority)| authority);
    !entry.contains("://") && host.is_some_and(|host| host.eq_ignore_ascii_case(entry))
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
            "app.example.com",
            " App.Example.com ",
        ] {
            assert!(names(entry, origin), "{entry}");
        }
        for entry in [
            "example.com",
            "http://app.example.com",
            "https://app.example.com.evil",
            "",
        ] {
            assert!(!names(entry, origin), "{entry}");
        }
        assert!(!names("app.example.com", "https://app.example.com:8443"));
        assert!(!names("app.example.com", "null"));
    }
}
