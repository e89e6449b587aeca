//! Which site a request is for, from its Host.
//!
//! A pure function over the names that the configurations give. Only a site's own names select
//! it: its folder, the host of its `host_name`, its `domains`.

use std::collections::HashMap;
use std::net::Ipv6Addr;

use crate::config::SiteConfig;

/// The names under which one site may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteNames {
    /// The site: the name of its folder.
    pub site: String,
    /// `host_name`, with or without a scheme.
    pub host_name: Option<String>,
    /// `domains`.
    pub domains: Vec<String>,
}

impl SiteNames {
    /// The names of a site as its configuration gives them.
    pub fn of(site: &str, config: &SiteConfig) -> SiteNames {
        SiteNames {
            site: site.to_owned(),
            host_name: config.host_name().map(str::to_owned),
            domains: config.domains(),
        }
    }

    fn hosts(&self) -> impl Iterator<Item = String> {
        let host_name = self.host_name.iter().map(|name| host_of_url(name));
        let domains = self.domains.iter().map(|domain| host_of_url(domain));
        std::iter::once(self.site.as_str())
            .chain(host_name)
            .chain(domains)
            .filter_map(normal_host)
    }
}

/// A Host that several sites claim: none of them is served for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is claimed by several sites: {}", sites.join(", "))]
pub struct AmbiguousHost {
    /// The host, in its normal form.
    pub host: String,
    /// The sites that claim it, in order.
    pub sites: Vec<String>,
}

/// The sites of a bench by host, made once and asked for every request.
#[derive(Clone, Debug, Default)]
pub struct HostMap {
    hosts: HashMap<String, Vec<String>>,
    sites: Vec<String>,
    fallback: Option<String>,
}

impl HostMap {
    /// The map of these sites. `fallback` is the site for hosts that no site claims; the caller
    /// gives one only when `dns_multitenant` is off.
    pub fn new(names: impl IntoIterator<Item = SiteNames>, fallback: Option<&str>) -> HostMap {
        let mut map = HostMap::default();
        for names in names {
            for host in names.hosts() {
                let claimants = map.hosts.entry(host).or_default();
                if !claimants.contains(&names.site) {
                    claimants.push(names.site.clone());
                    claimants.sort();
                }
            }
            map.sites.push(names.site);
        }
        map.fallback = fallback
            .filter(|site| map.sites.iter().any(|known| known == site))
            .map(str::to_owned);
        map
    }

    /// The site for a Host header; `None` when there is none for it or the Host is not one.
    ///
    /// # Errors
    /// [`AmbiguousHost`] when several sites claim it.
    pub fn site_for(&self, host: &str) -> Result<Option<&str>, AmbiguousHost> {
        // Nearly every host comes as it is kept.
        if let Some([site]) = self.hosts.get(without_port(host)).map(Vec::as_slice) {
            return Ok(Some(site));
        }
        let Some(host) = normal_host(host) else {
            return Ok(None);
        };
        match self.hosts.get(&host).map(Vec::as_slice) {
            Some([site]) => Ok(Some(site)),
            Some(claimants) if !claimants.is_empty() => Err(AmbiguousHost {
                host,
                sites: claimants.to_vec(),
            }),
            _ => Ok(self.fallback.as_deref()),
        }
    }

    /// The site of that folder name, for `X-Frappe-Site-Name` from a configured proxy. Case is
    /// ignored as it is for hosts.
    pub fn site_named(&self, name: &str) -> Option<&str> {
        let exact = self.sites.iter().find(|site| *site == name);
        exact
            .or_else(|| {
                self.sites
                    .iter()
                    .find(|site| site.eq_ignore_ascii_case(name))
            })
            .map(String::as_str)
    }

    /// Every host that several sites claim, in order.
    pub fn conflicts(&self) -> Vec<AmbiguousHost> {
        let mut conflicts: Vec<_> = self
            .hosts
            .iter()
            .filter(|(_, sites)| sites.len() > 1)
            .map(|(host, sites)| AmbiguousHost {
                host: host.clone(),
                sites: sites.clone(),
            })
            .collect();
        conflicts.sort_by(|a, b| a.host.cmp(&b.host));
        conflicts
    }
}

/// A Host header without its port; as it is when it has none, or one that is none.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    }
}

/// The normal form of a Host header or host name: without port and trailing dot, in lower case,
/// international names in their ASCII form, IPv6 literals in brackets and in their shortest
/// spelling. `None` when it is no host: empty, too long, with other characters, or with a port
/// that is none.
pub fn normal_host(host: &str) -> Option<String> {
    if let Some(rest) = host.strip_prefix('[') {
        let (literal, port) = rest.split_once(']')?;
        let address: Ipv6Addr = literal.parse().ok()?;
        let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return port_fits.then(|| format!("[{address}]"));
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return None,
        None => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > 1000 || !name.chars().all(may_stand_in_host) {
        return None;
    }
    let ascii = if is_plain(name) {
        name.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(name).ok()?
    };
    let fits = ascii.len() <= 253
        && ascii
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && is_plain(label));
    fits.then_some(ascii)
}

/// Refused before the mapping of international names, which would make some of them disappear.
fn may_stand_in_host(character: char) -> bool {
    !character.is_control()
        && !character.is_whitespace()
        && (!character.is_ascii() || is_plain_character(character))
}

fn is_plain_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Letters, digits, `-`, `_` and dots, and no label that claims to be an international one.
fn is_plain(name: &str) -> bool {
    name.chars().all(is_plain_character)
}

fn is_port(text: &str) -> bool {
    text.len() <= 5
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.is_empty() || text.parse::<u16>().is_ok())
}

/// The host, with its port, of a `host_name` such as `https://site.example:8443/`.
fn host_of_url(text: &str) -> &str {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(site: &str, host_name: Option<&str>, domains: &[&str]) -> SiteNames {
        SiteNames {
            site: site.to_owned(),
            host_name: host_name.map(str::to_owned),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        }
    }

    fn two_sites() -> HostMap {
        HostMap::new(
            [
                names(
                    "one.localhost",
                    Some("https://One.Example:8443/"),
                    &["www.one.example"],
                ),
                names(
                    "two.localhost",
                    None,
                    &["münchen.example", "shared.example"],
                ),
            ],
            None,
        )
    }

    // spec: cli.md, the site for a request
    #[test]
    fn folder_host_name_and_domains_select() {
        let map = two_sites();
        for (host, site) in [
            ("one.localhost", Some("one.localhost")),
            ("ONE.localhost:8000", Some("one.localhost")),
            ("one.localhost.", Some("one.localhost")),
            ("one.localhost:", Some("one.localhost")),
            ("one.example", Some("one.localhost")),
            ("www.one.example:443", Some("one.localhost")),
            ("MÜNCHEN.example", Some("two.localhost")),
            ("xn--mnchen-3ya.example", Some("two.localhost")),
            ("other.example", None),
            ("localhost", None),
            ("", None),
        ] {
            assert_eq!(map.site_for(host).unwrap(), site, "{host}");
        }
    }

    #[test]
    fn a_host_of_two_sites_selects_none() {
        let map = HostMap::new(
            [
                names("a", None, &["shared.example"]),
                names("b", Some("shared.example"), &[]),
            ],
            Some("a"),
        );
        let error = map.site_for("Shared.example:80").unwrap_err();
        assert_eq!(error.sites, ["a", "b"]);
        assert_eq!(map.conflicts(), [error]);
        assert_eq!(
            map.site_for("a").unwrap(),
            Some("a"),
            "the others still work"
        );
    }

    #[test]
    fn the_same_name_twice_in_one_site_is_no_conflict() {
        let map = HostMap::new([names("a", Some("http://A"), &["a.", "A"])], None);
        assert_eq!(map.site_for("a").unwrap(), Some("a"));
    }

    #[test]
    fn the_fallback_serves_hosts_without_a_site_but_no_broken_ones() {
        let map = HostMap::new([names("a", None, &[])], Some("a"));
        assert_eq!(map.site_for("192.168.1.7:8000").unwrap(), Some("a"));
        assert_eq!(map.site_for("[::1]:8000").unwrap(), Some("a"));
        for host in [
            "a b", "a/b", "a@b", "a:b", "a:99999", "[::1", "[x]", "..", "a..b", "a\u{0}",
        ] {
            assert_eq!(map.site_for(host).unwrap(), None, "{host:?}");
        }
        let gone = HostMap::new([names("a", None, &[])], Some("dropped"));
        assert_eq!(gone.site_for("b").unwrap(), None);
    }

    #[test]
    fn a_name_from_the_proxy() {
        let map = two_sites();
        assert_eq!(map.site_named("one.localhost"), Some("one.localhost"));
        assert_eq!(map.site_named("One.Localhost"), Some("one.localhost"));
        assert_eq!(
            map.site_named("one.example"),
            None,
            "names of sites, not hosts"
        );
        assert_eq!(map.site_named("../one.localhost"), None);
    }

    #[test]
    fn ipv6_spellings_are_one() {
        assert_eq!(normal_host("[0:0::1]:80"), normal_host("[::1]"));
        assert_eq!(normal_host("::1"), None);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(host in ".{0,80}") {
            let _ = two_sites().site_for(&host);
        }

        #[test]
        fn the_normal_form_is_its_own(host in "\\PC{0,30}") {
            if let Some(normal) = normal_host(&host) {
                prop_assert_eq!(normal_host(&normal), Some(normal));
            }
        }

        #[test]
        fn case_port_and_dot_do_not_matter(name in "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z][a-z0-9]{0,8}){0,3}", port: u16) {
            let plain = normal_host(&name);
            prop_assert_eq!(normal_host(&name.to_uppercase()), plain.clone());
            prop_assert_eq!(normal_host(&format!("{name}:{port}")), plain.clone());
            prop_assert_eq!(normal_host(&format!("{name}.")), plain);
        }
    }
}
