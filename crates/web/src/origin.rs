//! Where a request really comes from and where it believes to be: addresses, hosts and schemes,
//! with proxies believed only when they are configured.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use crema_document::SiteConfig;
use crema_document::hosts::{HostMap, SiteNames, without_port};

/// What the edge knows about a request before it looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The sender.
    pub address: IpAddr,
    /// Whether the browser speaks https.
    pub secure: bool,
    /// The issuer and the base of the site's own URLs, without a slash at its end.
    pub issuer: String,
}

/// Judges a request to a site.
// spec: security.md, "`X-Forwarded-*` is believed only from configured proxies"; "Issuer and
// links never come from an unchecked header": the host has selected the site before.
pub fn origin(peer: IpAddr, headers: &HeaderMap, host: &str, config: &SiteConfig) -> Origin {
    let peer = peer.to_canonical();
    let trusted = is_trusted(config, peer);
    let forwarded_https = trusted
        && text(headers, "x-forwarded-proto")
            .is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"));
    let address = if trusted {
        forwarded_for(headers, config, peer)
    } else {
        peer
    };
    let (issuer, named_https) = match config.host_name().and_then(host_name) {
        Some(issuer) => {
            let https = issuer.starts_with("https://");
            (issuer, https)
        }
        None => {
            let scheme = if forwarded_https { "https" } else { "http" };
            (format!("{scheme}://{}", host.to_ascii_lowercase()), false)
        }
    };
    Origin {
        address,
        secure: forwarded_https || named_https,
        issuer,
    }
}

/// Whether a host, with or without a port, is one of the site's own names: its folder, its
/// `host_name`, one of its `domains`.
pub fn is_own_name(site: &str, host: &str, config: &SiteConfig) -> bool {
    // Nearly always; the map is for the others.
    without_port(host).eq_ignore_ascii_case(site)
        || HostMap::new([SiteNames::of(site, config)], None)
            .site_for(host)
            .is_ok_and(|found| found.is_some())
}

/// Whether the peer is a proxy of this site.
pub fn is_trusted(config: &SiteConfig, peer: IpAddr) -> bool {
    config
        .trusted_proxies()
        .iter()
        .any(|net| net.contains(&peer.to_canonical()))
}

/// `host_name` as an origin; without a scheme it is https, as Frappe's tools write it.
fn host_name(text: &str) -> Option<String> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = url::Url::parse(&with_scheme).ok()?;
    let known = matches!(url.scheme(), "http" | "https");
    known.then(|| url.origin().ascii_serialization())
}

/// The last address in `X-Forwarded-For` that is not one of our own proxies: what stands before
/// it could have been written by anybody.
fn forwarded_for(headers: &HeaderMap, config: &SiteConfig, peer: IpAddr) -> IpAddr {
    let mut address = peer;
    let lists: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    for entry in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Ok(hop) = entry.trim().parse::<IpAddr>() else {
            break;
        };
        address = hop.to_canonical();
        if !is_trusted(config, address) {
            break;
        }
    }
    address
}

/// The host that was asked for: that of the `Host` header, of which there has to be exactly one.
/// A request target with a host of its own has to name the same: what stands before us may have
/// looked at either.
pub fn host<'a>(uri: &'a axum::http::Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut all = headers.get_all(header::HOST).iter();
    let host = match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok()?,
        _ => return None,
    };
    match uri.authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host) => None,
        _ => Some(host),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
