//! Which URLs a request may go to: judged by what is written, and by what its name resolves to.

use std::net::IpAddr;

use crema_document::config::{AllowedTarget, SiteConfig};
use url::{Host, Url};

use super::address::is_public;

/// Longest URL that a request is sent to, in bytes.
const LONGEST: usize = 2048;

/// What a site's configuration says about the servers that it sends requests to.
#[derive(Debug)]
pub(super) struct Rules {
    developer: bool,
    /// Nobody but the operator chose the address.
    operator: bool,
    allowed: Vec<AllowedTarget>,
}

/// Where a request goes, before its name is resolved.
#[derive(Debug)]
pub(super) struct Target {
    /// What is sent; without user info and fragment.
    pub(super) url: Url,
    /// The host as the URL has it: what is resolved and what the certificate has to name.
    pub(super) host: String,
    /// The address, when the host is one.
    pub(super) literal: Option<IpAddr>,
    /// The port, 443 or 80 when the URL has none.
    pub(super) port: u16,
}

impl Rules {
    pub(super) fn of(config: &SiteConfig) -> Rules {
        Rules {
            developer: config.developer_mode(),
            operator: false,
            allowed: config.outgoing_allow(),
        }
    }

    /// Everything is admitted, `http` too.
    pub(super) fn of_operator() -> Rules {
        Rules {
            developer: true,
            operator: true,
            allowed: Vec::new(),
        }
    }

    /// Reads a URL. `None` when no request goes there: it is no URL in ASCII, not `https` (in
    /// developer mode also not `http`), has user info, a fragment or port 0, is too long, or its
    /// host is an address that is not admitted.
    pub(super) fn target(&self, url: &str) -> Option<Target> {
        if url.len() > LONGEST || !url.bytes().all(may_stand_in_url) {
            return None;
        }
        // The reading of URLs makes up for slashes that are missing and drops those too many.
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        if authority.is_empty() || authority.contains('@') {
            return None;
        }
        let secure = scheme.eq_ignore_ascii_case("https");
        let scheme_fits = secure || (self.developer && scheme.eq_ignore_ascii_case("http"));
        let url = Url::parse(url).ok()?;
        if !scheme_fits || url.fragment().is_some() {
            return None;
        }
        let port = url.port_or_known_default().filter(|port| *port != 0)?;
        let literal = match url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        let target = Target {
            host: url.host_str()?.to_owned(),
            url,
            literal,
            port,
        };
        let admitted = literal.is_none_or(|address| self.admits(&target, address));
        admitted.then_some(target)
    }

    /// Whether a request for that target may be sent to that address.
    pub(super) fn admits(&self, target: &Target, address: IpAddr) -> bool {
        let host = target.host.strip_suffix('.').unwrap_or(&target.host);
        self.operator
            || is_public(address)
            || (self.developer && address.is_loopback())
            || (self.allowed.iter()).any(|allowed| allowed.admits(host, target.port, address))
    }
}

/// No blanks or control characters, which the reading of URLs would drop, and no backslash, which
/// it takes for a slash; nothing beyond ASCII (RFC 3986), because it would become something else.
fn may_stand_in_url(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\'
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
