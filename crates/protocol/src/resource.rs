//! Resource indicators. RFC 8707.
//!
//! Resources are compared in their canonical form, so that `https://site` and `https://site/` are
//! one: [`parse`] gives that form, and only it is stored.

use percent_encoding::percent_decode_str;
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
/// or any path below it. None of them has a query or an empty segment: no part of a site is named
/// by such.
///
/// # Errors
/// `invalid_target`.
// spec: RFC 8707 §2, "unknown", "SHOULD NOT include a query component"; standards.md, N,
// "resource per site and per MCP endpoint"
pub fn check(issuer: &str, resources: &[String]) -> Result<(), OAuthError> {
    let site = Place::parse(issuer);
    let known = |resource: &String| match (&site, Place::parse(resource)) {
        (Some(site), Some(place)) => place.is_of(site),
        _ => false,
    };
    if resources.iter().all(known) {
        Ok(())
    } else {
        Err(invalid_target("resource is not one of this server."))
    }
}

/// Whether a token for these resources (in canonical form, with spaces between them) is good for a
/// request to this path, as it was sent, at the site that answers under this issuer.
///
/// A token for no resource in particular is good everywhere. One for an origin is good for all of
/// it; one for a path for that path and all below it. Paths are compared segment by segment, each
/// percent-decoded and with regard to case; a slash at the end changes nothing. A path with dot
/// segments is below no other path, because who stands before this server may have read it
/// otherwise. `/api/v1/…`, `/api/v2/…` and `/api/…` are different paths. A method that is called
/// by `/?cmd=` is called at `/`, which is below the origin alone.
// spec: RFC 8707 §2; RFC 9700 §2.3; standards.md, U, "RS M validate audience"
pub fn admits(resources: &str, issuer: &str, path: &str) -> bool {
    if resources.is_empty() {
        return true;
    }
    let Some(site) = Place::parse(issuer) else {
        return false;
    };
    resources.split(' ').any(|resource| {
        Place::parse(resource).is_some_and(|place| place.is_of(&site) && place.holds(path))
    })
}

/// The resources of new tokens: all that were granted, or what is asked for now, if each of these
/// is one of them or a part of one.
///
/// # Errors
/// `invalid_target` when something is asked for that was not granted.
// spec: RFC 8707 §2.2; standards.md, N, "refresh may narrow, N widen"
pub fn narrow(granted: &[String], requested: &[String]) -> Result<Vec<String>, OAuthError> {
    if requested.is_empty() {
        Ok(granted.to_vec())
    } else if are_within(requested, granted) {
        Ok(requested.to_vec())
    } else {
        Err(invalid_target(
            "A resource was asked for that was not granted.",
        ))
    }
}

/// Whether each of `inner` is one of `outer`, or a part of one.
fn are_within(inner: &[String], outer: &[String]) -> bool {
    let places: Vec<Place> = outer.iter().filter_map(|one| Place::parse(one)).collect();
    inner.iter().all(|one| {
        let part =
            || Place::parse(one).is_some_and(|one| places.iter().any(|place| place.has(&one)));
        outer.contains(one) || part()
    })
}

/// A site, or a part of it.
struct Place(Url);

impl Place {
    /// `None` for what is at no origin, has a query, or has an empty segment within its path.
    fn parse(text: &str) -> Option<Place> {
        let url = Url::parse(text).ok()?;
        let named = url.query().is_none() && !url.path().contains("//");
        (named && url.origin().is_tuple()).then_some(Place(url))
    }

    /// Whether it is at the origin of that site.
    fn is_of(&self, site: &Place) -> bool {
        self.0.origin() == site.0.origin()
    }

    /// Whether the other is the same, or a part of this.
    fn has(&self, other: &Place) -> bool {
        self.is_of(other) && self.holds(other.0.path())
    }

    /// Whether a path of its site is its own, or below it.
    fn holds(&self, path: &str) -> bool {
        let own = trimmed(self.0.path());
        if own.is_empty() {
            return true;
        }
        let path = trimmed(path);
        if path.split('/').any(is_dots) {
            return false;
        }
        let mut segments = path.split('/');
        own.split('/')
            .all(|own| segments.next().is_some_and(|segment| is_same(own, segment)))
    }
}

/// A path without the slash that it begins with, and without one at its end.
fn trimmed(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path)
}

fn is_same(segment: &str, other: &str) -> bool {
    percent_decode_str(segment).eq(percent_decode_str(other))
}

fn is_dots(segment: &str) -> bool {
    [".", ".."].iter().any(|dots| is_same(segment, dots))
}

fn invalid_target(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}
