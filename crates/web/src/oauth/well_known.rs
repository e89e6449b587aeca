//! `/.well-known/…`: documents that anybody may read from anywhere.

use axum::http::{HeaderValue, Method, StatusCode, header};
use crema_auth::metadata::{self, Document};

use crate::api::options;
use crate::call::Call;
use crate::reply::{self, Problem, Reply};

/// How long clients may keep the documents, in seconds: shorter than a new signing key waits
/// before it signs.
const MAX_AGE: &str = "public, max-age=300";
/// What may be done with them.
const METHODS: &str = "GET, HEAD";

/// The OpenID Provider's configuration.
///
/// # Errors
/// When the database cannot be read; 405 for other methods than GET and HEAD.
// spec: OpenID Connect Discovery §4; http.md, Metadata
pub async fn openid_configuration(call: &Call) -> Result<Reply, Problem> {
    match early(call) {
        Some(early) => early,
        None => Ok(published(
            call,
            &metadata::openid_configuration(&call.ctx).await?,
        )),
    }
}

/// The authorization server's metadata (RFC 8414); 404 with a path suffix, because the issuer has
/// no path.
///
/// # Errors
/// 404 while OAuth Settings hide it; as [`openid_configuration`].
pub async fn authorization_server(call: &Call, suffix: &str) -> Result<Reply, Problem> {
    if let Some(early) = early(call) {
        return early;
    }
    let document = match suffix {
        "" => metadata::authorization_server(&call.ctx).await?,
        _ => None,
    };
    found(call, document)
}

/// The metadata of this site as a protected resource, or of a part of it (RFC 9728 §3.1), whose
/// path is taken as it was sent.
///
/// # Errors
/// 404 while OAuth Settings hide it, and for what cannot be the path of a resource; as
/// [`openid_configuration`].
pub async fn protected_resource(call: &Call, path: &str) -> Result<Reply, Problem> {
    if let Some(early) = early(call) {
        return early;
    }
    found(call, metadata::protected_resource(&call.ctx, path).await?)
}

/// The public signing keys (RFC 7517 §5).
///
/// # Errors
/// As [`openid_configuration`].
pub async fn jwks(call: &Call) -> Result<Reply, Problem> {
    match early(call) {
        Some(early) => early,
        None => Ok(published(call, &metadata::jwks(&call.ctx).await?)),
    }
}

/// What can be said without the document.
fn early(call: &Call) -> Option<Result<Reply, Problem>> {
    match call.method {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => {
            let mut reply = options();
            let allow = HeaderValue::from_static(METHODS);
            reply.headers_mut().insert(header::ALLOW, allow);
            Some(Ok(reply))
        }
        _ => Some(Err(Problem::Method(METHODS))),
    }
}

fn found(call: &Call, document: Option<Document>) -> Result<Reply, Problem> {
    match document {
        Some(document) => Ok(published(call, &document)),
        None => Err(Problem::not_found("There is no such document.")),
    }
}

/// The document, or 304 for who has it.
// spec: http.md, Metadata; RFC 9110 §13.1.2 and §15.4.5
fn published(call: &Call, document: &Document) -> Reply {
    let known = call.headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|value| value.to_str().ok());
    let unchanged = known.any(|tags| names(tags, &document.tag));
    let (status, body) = match unchanged {
        true => (StatusCode::NOT_MODIFIED, Vec::new()),
        false => (StatusCode::OK, document.text.as_bytes().to_vec()),
    };
    let length = body.len();
    let mut reply = reply::json_text(status, body);
    let headers = reply.headers_mut();
    headers.remove(header::PRAGMA);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(MAX_AGE));
    if let Ok(tag) = HeaderValue::from_str(&document.tag) {
        headers.insert(header::ETAG, tag);
    }
    if unchanged {
        headers.remove(header::CONTENT_TYPE);
    } else if call.method == Method::HEAD {
        // The body is taken away later, and its length with it.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    reply
}

/// Whether `If-None-Match` names this tag; weak ones count as well.
fn names(tags: &str, own: &str) -> bool {
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_tag_is_known_weak_in_a_list_or_as_a_star() {
        let own = "\"0123\"";
        for tags in ["\"0123\"", "W/\"0123\"", "\"a\", \"0123\"", "*", " * "] {
            assert!(names(tags, own), "{tags}");
        }
        for tags in ["", "0123", "\"01234\"", "\"a\",\"b\"", "w/\"0123\"", "**"] {
            assert!(!names(tags, own), "{tags}");
        }
    }
}
