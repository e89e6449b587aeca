//! Redirect URIs: which one a request may use, which may be registered, how parameters are added.
//!
//! RFC 6749 §3.1.2, RFC 8252 §7 and §8.4, RFC 9700 §2.1 and §4.1. Matching never parses URLs:
//! bytes are compared, so that no two parsers can disagree about what was compared.

use url::{Host, Url};

use crate::error::{ErrorCode, OAuthError};
use crate::limits;
use crate::params::encode_pairs;

/// Hosts whose port may differ, as they stand behind `http://`.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes that run or reveal something in the browser instead of leading to a client.
const DANGEROUS_SCHEMES: [&str; 8] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "javascript",
    "vbscript",
    "view-source",
];

/// The redirect URIs of a record: any white space between them.
// spec: doctypes.md, OAuth Client, "redirect_uris (whitespace separated)"
pub fn split_registered(text: &str) -> Vec<&str> {
    text.split_ascii_whitespace().collect()
}

/// Whether the presented URI is a registered one.
///
/// Byte for byte; only the port of `http://127.0.0.1`, `http://[::1]` and, when registered so,
/// `http://localhost` may differ. URIs with a fragment or a scripting scheme never match.
// spec: security.md, Authorization endpoint, line 2; RFC 8252 §7.3; RFC 9700 §2.1
pub fn matches<'a>(registered: impl IntoIterator<Item = &'a str>, presented: &str) -> bool {
    if presented.contains('#') || has_dangerous_scheme(presented) {
        return false;
    }
    let loopback = split_loopback(presented);
    registered
        .into_iter()
        .any(|own| own == presented || (loopback.is_some() && split_loopback(own) == loopback))
}

/// Takes an `http` loopback URI apart into its host and what follows the port.
fn split_loopback(uri: &str) -> Option<(&'static str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (host, rest) = LOOPBACK_HOSTS
        .iter()
        .find_map(|host| rest.strip_prefix(host).map(|rest| (*host, rest)))?;
    let rest = match rest.strip_prefix(':') {
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (port, rest) = rest.split_at_checked(end)?;
            is_port(port).then_some(rest)?
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && text.parse::<u16>().is_ok()
}

/// The scheme in lower case, when there is something like one.
fn scheme(uri: &str) -> Option<String> {
    let (scheme, _) = uri.split_once(':')?;
    let mut bytes = scheme.bytes();
    let valid = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    valid.then(|| scheme.to_ascii_lowercase())
}

fn has_dangerous_scheme(uri: &str) -> bool {
    scheme(uri).is_some_and(|scheme| DANGEROUS_SCHEMES.contains(&scheme.as_str()))
}

/// Whether the URI leads to this machine, whatever its port: who answers there is not known.
// spec: security.md, Authorization endpoint, "except for custom schemes and loopback"
pub fn is_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
        None => false,
    }
}

/// Whether the URI has any scheme but `http` and `https`: another app may have claimed it.
pub fn is_custom_scheme(uri: &str) -> bool {
    !matches!(scheme(uri).as_deref(), Some("http" | "https"))
}

/// Whether a client may register the URI.
///
/// `https` anywhere; `http` for loopback only; for public clients also private-use schemes with a
/// dot and those in `allowed_schemes`.
///
/// # Errors
/// `invalid_redirect_uri`, saying which rule it breaks.
// spec: http.md, register_client; RFC 8252 §7.1; OAuth 2.1 §2.3.1
pub fn check_registrable(
    uri: &str,
    public: bool,
    allowed_schemes: &[&str],
) -> Result<(), OAuthError> {
    check_characters(uri)?;
    let scheme = scheme(uri).ok_or_else(|| refuse("A redirect URI has to be absolute."))?;
    let url = Url::parse(uri).map_err(|_| refuse("A redirect URI is not a valid URI."))?;
    if has_dangerous_scheme(uri) {
        return Err(refuse("The scheme of a redirect URI is not allowed."));
    }
    match scheme.as_str() {
        "https" => check_web_host(uri, &url, "https://"),
        "http" if split_loopback(uri).is_some() => Ok(()),
        "http" => Err(refuse(
            "http redirect URIs are for 127.0.0.1, [::1] and localhost only.",
        )),
        _ if !public => Err(refuse(
            "Only public clients may use a private-use URI scheme.",
        )),
        private if private.contains('.') => Ok(()),
        private
            if allowed_schemes
                .iter()
                .any(|one| one.eq_ignore_ascii_case(private)) =>
        {
            Ok(())
        }
        _ => Err(refuse("A private-use URI scheme needs a dot in its name.")),
    }
}

fn check_characters(uri: &str) -> Result<(), OAuthError> {
    if uri.len() > limits::REDIRECT_URI {
        return Err(refuse("A redirect URI is too long."));
    }
    if uri.contains('#') {
        return Err(refuse("A redirect URI must not have a fragment."));
    }
    if uri.contains('*') {
        return Err(refuse("A redirect URI must not have a wildcard."));
    }
    let forbidden = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte);
    if uri.bytes().any(forbidden) {
        return Err(refuse(
            "A redirect URI contains characters that are not allowed.",
        ));
    }
    Ok(())
}

/// The authority must read the same to everybody: no user information, no encoded characters.
fn check_web_host(uri: &str, url: &Url, prefix: &str) -> Result<(), OAuthError> {
    let plain = uri
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let rest = uri.get(prefix.len()..).unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if !plain || authority.is_empty() || authority.contains(['@', '%']) || !url.has_host() {
        return Err(refuse("The host of a redirect URI is not valid."));
    }
    Ok(())
}

fn refuse(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRedirectUri, description)
}

/// Checks the `redirect_uri` of a token request against the one its code is bound to: it has to
/// be there if it was sent before, and has to be the same if it is there.
///
/// # Errors
/// `invalid_grant`.
// spec: http.md, get_token, "must equal the one used, if one was"; RFC 6749 §4.1.3
pub fn check_bound(bound: &str, was_sent: bool, presented: Option<&str>) -> Result<(), OAuthError> {
    let description = match presented {
        Some(presented) if presented != bound => {
            "redirect_uri is not the one of the authorization request."
        }
        None if was_sent => "redirect_uri is missing.",
        _ => return Ok(()),
    };
    Err(OAuthError::new(ErrorCode::InvalidGrant, description))
}

/// The URI with these parameters behind its query, which stays as it is.
// spec: security.md, Authorization endpoint, "keeping an existing query"; RFC 6749 §4.1.2
pub fn append_query(uri: &str, params: &[(String, String)]) -> String {
    let (base, fragment) = match uri.find('#') {
        Some(at) => uri.split_at(at),
        None => (uri, ""),
    };
    let added = encode_pairs(
        params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let joint = match base.split_once('?') {
        _ if added.is_empty() => "",
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{base}{joint}{added}{fragment}")
}

/// The URI with these parameters as its fragment.
// spec: RFC 6749 §4.2.2
pub fn append_fragment(uri: &str, params: &[(String, String)]) -> String {
    let base = uri.split('#').next().unwrap_or_default();
    let added = encode_pairs(
        params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    format!("{base}#{added}")
}

/// What to show a person as the place they are sent to: host and port, names in their ASCII form;
/// for private-use schemes the scheme and what stands in the host's place.
// spec: security.md, Authorization endpoint, "the host it will redirect to are shown"
pub fn host_for_display(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return String::new();
    };
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    if is_custom_scheme(uri) {
        let slashes = if url.has_host() { "//" } else { "" };
        format!("{}:{slashes}{host}{port}", url.scheme())
    } else {
        format!("{host}{port}")
    }
}
