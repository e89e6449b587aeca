//! Resource indicators. RFC 8707.
//!
//! Resources are compared in their canonical form, so that `https://site` and `https://site/` are
//! one: [`parse`] gives that form, and only it is stored.

use url::Url;

use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::params::Params;

/// Reads all `resource` parameters into their canonical form, each once.
///
/// # Errors
/// `invalid_target` for one that is not an absolute URI, has a fragment, or is too long, and for
/// too many of them.
// spec: RFC 8707 §2; http.md, authorize, "`resource` (RFC 8707, repeatable"
pub fn parse(params: &Params) -> Result<Vec<String>, OAuthError> {
    let mut resources = Vec::new();
    for value in params.all("resource") {
        let resource = canonical(value).ok_or_else(|| {
            invalid_target("resource has to be an absolute URI without fragment.")
        })?;
        if !resources.contains(&resource) {
            resources.push(resource);
        }
        if resources.len() > limits::RESOURCES {
            return Err(invalid_target("resource was sent too often."));
        }
    }
    Ok(resources)
}

/// The canonical form of a resource identifier: scheme and host in lower case, no default port,
/// and a bare origin without its `/`. `None` for what RFC 8707 does not allow.
// spec: http.md, authorize, "a bare origin matches with or without `/`"
pub fn canonical(resource: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if resource.len() > limits::RESOURCE || !resource.bytes().all(plain) {
        return None;
    }
    let url = Url::parse(resource).ok()?;
    let credentials = !url.username().is_empty() || url.password().is_some();
    if url.fragment().is_some() || credentials {
        return None;
    }
    let bare = url.has_host() && url.path() == "/" && url.query().is_none();
    let text = url.as_str();
    Some(
        if bare {
            text.strip_suffix('/').unwrap_or(text)
        } else {
            text
        }
        .to_owned(),
    )
}

/// Whether all these resources (in canonical form) are of the site with this issuer: its origin,
/// or any path below it.
///
/// # Errors
/// `invalid_target`.
// spec: RFC 8707 §2, "unknown"; standards.md, N, "resource per site and per MCP endpoint"
pub fn check(issuer: &str, resources: &[String]) -> Result<(), OAuthError> {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let own = origin(issuer).filter(url::Origin::is_tuple);
    let known = |one: &String| own.is_some() && origin(one) == own;
    if resources.iter().all(known) {
        Ok(())
    } else {
        Err(invalid_target("resource is not one of this server."))
    }
}

/// The resources of new tokens: all that were granted, or those of them that are asked for now.
///
/// # Errors
/// `invalid_target` when something is asked for that was not granted.
// spec: RFC 8707 §2.2; standards.md, N, "refresh may narrow, N widen"
pub fn narrow(granted: &[String], requested: &[String]) -> Result<Vec<String>, OAuthError> {
    if requested.is_empty() {
        Ok(granted.to_vec())
    } else if requested.iter().all(|one| granted.contains(one)) {
        Ok(requested.to_vec())
    } else {
        Err(invalid_target(
            "A resource was asked for that was not granted.",
        ))
    }
}

fn invalid_target(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}
