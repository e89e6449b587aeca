//! The log line of a request.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::http::{Method, Uri};

use crate::call::Call;
use crate::metrics::{Endpoint, Outcome};
use crate::reply::Reply;

/// Nothing of a path behind this many bytes is logged.
const LONGEST_PATH: usize = 128;
/// A segment that is longer is not logged: names are short, secrets are not.
const LONGEST_SEGMENT: usize = 26;

/// One line a request: never the query, which may hold a code or a hint, and never a body.
pub(crate) struct RequestLine {
    method: Method,
    uri: Uri,
    endpoint: Endpoint,
}

impl RequestLine {
    /// Takes what the line needs from a request that is about to be consumed.
    pub(crate) fn new(method: &Method, uri: &Uri, endpoint: Endpoint) -> RequestLine {
        RequestLine {
            method: method.clone(),
            uri: uri.clone(),
            endpoint,
        }
    }

    /// Writes it. The request's id stands in the span around it.
    pub(crate) fn write(
        &self,
        address: IpAddr,
        call: Option<&Call>,
        reply: &Reply,
        outcome: Outcome,
        micros: u64,
    ) {
        tracing::info!(
            site = call.map(Call::site_name),
            method = self.method.as_str(),
            path = &*shown(self.endpoint, self.uri.path()),
            status = reply.status().as_u16(),
            outcome = outcome.label(),
            micros,
            address = %address,
            "request"
        );
    }
}

/// A path as it may be logged. That of a known method is; in others somebody may have put
/// something secret, so long segments are left out.
fn shown(endpoint: Endpoint, path: &str) -> Cow<'_, str> {
    let known = endpoint.is_method() || path.len() <= LONGEST_SEGMENT;
    if known && path.len() <= LONGEST_PATH {
        return Cow::Borrowed(path);
    }
    let mut shown = String::with_capacity(path.len().min(LONGEST_PATH));
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            shown.push('/');
        }
        let segment = match segment.len() > LONGEST_SEGMENT {
            true => "…",
            false => segment,
        };
        if shown.len() + segment.len() > LONGEST_PATH {
            shown.push('…');
            break;
        }
        shown.push_str(segment);
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_methods_are_shown_and_secrets_in_others_are_not() {
        let same = |path: &str| assert_eq!(shown(Endpoint::of(path), path), path);
        same("/api/v2/method/frappe.integrations.oauth2.introspect_token");
        same("/.well-known/oauth-authorization-server/some/issuer");
        same("/api/resource/User/jo@example.com");
        let secret = "k".repeat(27);
        for (path, safe) in [
            (format!("/{secret}"), "/…"),
            (format!("/api/method/{secret}"), "/api/method/…"),
            (format!("/reset/{secret}/now"), "/reset/…/now"),
            (
                format!("/.well-known/jwks.json/{secret}"),
                "/.well-known/jwks.json/…",
            ),
        ] {
            assert_eq!(shown(Endpoint::of(&path), &path), safe);
        }
        let long = "/a-path".repeat(100);
        let cut = shown(Endpoint::of(&long), &long);
        assert!(cut.len() < LONGEST_PATH + 5 && cut.ends_with('…'));
    }
}
