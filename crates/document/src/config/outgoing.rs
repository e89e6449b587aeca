//! `outgoing_allow`: which internal servers a site may send requests to.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::keys::network;
use crate::hosts::normal_host;

/// One entry of `outgoing_allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedTarget {
    /// `idp.internal` or `idp.internal:8443`: this host name, whatever it resolves to.
    Host {
        /// The name in its normal form, see [`normal_host`].
        name: String,
        /// The only port that is meant; every port when absent.
        port: Option<u16>,
    },
    /// `10.1.2.3`, `10.1.2.3:8443`, `fd00::1`, `[fd00::1]:8443` or `10.1.0.0/16`: these addresses,
    /// whatever name leads to them.
    Network {
        /// The addresses.
        network: IpNet,
        /// The only port that is meant; every port when absent.
        port: Option<u16>,
    },
}

impl AllowedTarget {
    /// Reads an entry; `None` when it is none: a URL, a pattern, a port that does not exist.
    pub fn parse(text: &str) -> Option<AllowedTarget> {
        if let Some(network) = network(text) {
            return Some(AllowedTarget::Network {
                network,
                port: None,
            });
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(AllowedTarget::Network {
                network: IpNet::from(address.ip()),
                port: Some(address.port()).filter(|port| *port != 0),
            });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (text, None),
        };
        let name = normal_host(name).filter(|name| !is_number(name))?;
        Some(AllowedTarget::Host { name, port })
    }

    /// Whether a request to that host (a name in its normal form, or an address) and port, which
    /// goes to that address, is meant.
    pub fn admits(&self, host: &str, port: u16, address: IpAddr) -> bool {
        match self {
            AllowedTarget::Host { name, port: only } => {
                name == host && only.is_none_or(|only| only == port)
            }
            AllowedTarget::Network {
                network,
                port: only,
            } => network.contains(&address) && only.is_none_or(|only| only == port),
        }
    }
}

/// Whether a URL with this host would be read as one with an IPv4 address, so that the entry,
/// which is not one in the usual spelling, could never be met.
fn is_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").unwrap_or(last);
    !last.is_empty()
        && (digits.bytes().all(|byte| byte.is_ascii_digit())
            || (digits.len() < last.len() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_names_addresses_and_networks_with_or_without_a_port() {
        let address: IpAddr = "10.1.2.3".parse().unwrap();
        for (entry, host, port, admitted) in [
            ("idp.internal", "idp.internal", 443, true),
            ("IDP.Internal.", "idp.internal", 8443, true),
            ("idp.internal:8443", "idp.internal", 8443, true),
            ("idp.internal:8443", "idp.internal", 443, false),
            ("idp.internal", "evil.idp.internal", 443, false),
            ("internal", "idp.internal", 443, false),
            ("10.1.2.3", "x.example", 443, true),
            ("10.1.2.3:443", "x.example", 443, true),
            ("10.1.2.3:443", "x.example", 80, false),
            ("10.0.0.0/8", "x.example", 80, true),
            ("10.2.0.0/16", "x.example", 80, false),
            ("fd00::/8", "x.example", 80, false),
        ] {
            let parsed = AllowedTarget::parse(entry).expect(entry);
            assert_eq!(
                parsed.admits(host, port, address),
                admitted,
                "{entry} {host}:{port}"
            );
        }
        let own = "[fd00::1]:8443";
        let parsed = AllowedTarget::parse(own).expect(own);
        assert!(parsed.admits("[fd00::1]", 8443, "fd00::1".parse().unwrap()));
        assert!(!parsed.admits("[fd00::1]", 8443, "fd00::2".parse().unwrap()));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for entry in [
            "",
            "https://idp.internal",
            "idp.internal/",
            "*.internal",
            "a b",
            "idp.internal:",
            "idp.internal:0",
            "idp.internal:70000",
            "10.0.0.0/40",
            "10.1",
            "0x7f.1",
            "2130706433",
            "fd00::1%eth0",
            "user@idp.internal",
        ] {
            assert_eq!(AllowedTarget::parse(entry), None, "{entry}");
        }
    }
}
