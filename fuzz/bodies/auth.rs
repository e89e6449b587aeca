// What each fuzz target of `crema-auth` does with one input.

use std::net::IpAddr;
use std::sync::LazyLock;

use crema_auth::outgoing::{Outgoing, is_public};
use crema_document::config::SiteConfig;
use serde_json::json;

fn config(keys: serde_json::Value) -> SiteConfig {
    let keys = keys.as_object().cloned().expect("an object");
    SiteConfig::from_keys(keys).expect("a configuration")
}

static STRICT: LazyLock<SiteConfig> = LazyLock::new(|| config(json!({})));

static DEVELOPER: LazyLock<SiteConfig> =
    LazyLock::new(|| config(json!({"developer_mode": 1, "outgoing_allow": "10.1.0.0/16"})));

/// The host as RFC 3986 has it, read without any of the habits of browsers: `None` when there is
/// none in letters, digits, `-`, `_` and dots, or in brackets.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.find(']') {
        Some(end) if authority.starts_with('[') => authority.get(..=end)?,
        _ => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// A URL that somebody wants a request sent to: whatever is admitted is `https` and has a host
/// that is what it looks like, and no address inside.
pub(crate) fn outgoing_url(data: &[u8]) {
    let Ok(url) = std::str::from_utf8(data) else {
        return;
    };
    let strict = Outgoing::may_go_to(&STRICT, url);
    if strict {
        assert!(Outgoing::may_go_to(&DEVELOPER, url), "{url:?}");
        let scheme = url.get(..8).unwrap_or_default();
        assert!(scheme.eq_ignore_ascii_case("https://"), "{url:?}");
    } else if !Outgoing::may_go_to(&DEVELOPER, url) {
        return;
    }
    assert!(
        url.is_ascii() && !url.contains([' ', '\\', '#', '\r', '\n', '\0']),
        "{url:?}"
    );
    let host = host(url).expect(url);
    assert!(!host.contains('@'), "{url:?}");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let admitted = match address {
            IpAddr::V4(v4) if !strict => v4.is_loopback() || v4.octets().starts_with(&[10, 1]),
            _ => !strict && address.is_loopback(),
        };
        assert!(admitted || is_public(address), "{url:?}");
    }
}
