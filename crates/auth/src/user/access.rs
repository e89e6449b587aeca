//! From where and when a user may sign in: `restrict_ip`, `login_after`, `login_before`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::User;
use crate::Ctx;

/// Frappe's words for who may not be here, and not now.
pub(crate) const WRONG_ADDRESS: &str = "Access not allowed from this IP Address";
const WRONG_HOUR: &str = "Login not allowed at this time";

impl User {
    /// Why the user may not come from the request's address or at its hour, if so.
    pub(crate) fn refused_here_and_now(&self, ctx: &Ctx) -> Option<&'static str> {
        if !self.admits_address(ctx.address) {
            return Some(WRONG_ADDRESS);
        }
        if self.login_after == 0 && self.login_before == 0 {
            return None;
        }
        let local = ctx.provider.site().local(ctx.now).micros();
        let hour = local.div_euclid(3_600_000_000).rem_euclid(24);
        (!self.admits_hour(hour)).then_some(WRONG_HOUR)
    }

    /// Whether the user may sign in from that address.
    pub fn admits_address(&self, address: IpAddr) -> bool {
        addresses_admit(self.restrict_ip.as_deref().unwrap_or_default(), address)
    }

    /// Whether the user may sign in at that hour (0 to 23) of the site's clock.
    pub fn admits_hour(&self, hour: i64) -> bool {
        let not_yet = self.login_after > 0 && hour < self.login_after;
        let no_longer = self.login_before > 0 && hour >= self.login_before;
        !not_yet && !no_longer
    }
}

/// Whether a `restrict_ip` admits the address: when it is empty, or has it among its addresses,
/// beginnings of addresses as Frappe understands them (`192.168.1`) and networks (`10.0.0.0/8`).
pub(crate) fn addresses_admit(restrict_ip: &str, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut entries = entries(restrict_ip).peekable();
    entries.peek().is_none() || entries.any(|entry| admits(entry, address))
}

/// Whether everything in a `restrict_ip` can admit something: who mistypes one is told, instead
/// of being locked out.
pub(crate) fn addresses_are_valid(restrict_ip: &str) -> bool {
    let is_beginning = |entry: &str| {
        let plain = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
        entry.len() <= 45 && entry.contains(['.', ':']) && entry.bytes().all(plain)
            || entry.len() <= 3 && entry.parse::<u8>().is_ok()
    };
    entries(restrict_ip).all(|entry| entry.parse::<IpNet>().is_ok() || is_beginning(entry))
}

fn entries(restrict_ip: &str) -> impl Iterator<Item = &str> {
    restrict_ip
        .split([',', '\n', '\r', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn admits(entry: &str, address: IpAddr) -> bool {
    if let Ok(network) = entry.parse::<IpNet>() {
        return network.contains(&address);
    }
    if let Ok(exact) = entry.parse::<IpAddr>() {
        return exact.to_canonical() == address;
    }
    // A beginning ends where a part of the address ends: `10.1` is not the beginning of 10.19.…
    let text = address.to_string();
    match text.strip_prefix(entry) {
        Some(rest) => entry.ends_with(['.', ':']) || rest.starts_with(['.', ':']),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_beginnings_and_networks() {
        let admits = |entry: &str, address: &str| {
            super::admits(entry, address.parse::<IpAddr>().unwrap().to_canonical())
        };
        assert!(admits("10.1.2.3", "10.1.2.3"));
        assert!(admits("10.1.2.3", "::ffff:10.1.2.3"));
        assert!(admits("10.1", "10.1.2.3"));
        assert!(admits("10.1.", "10.1.2.3"));
        assert!(!admits("10.1", "10.19.2.3"));
        assert!(!admits("10.1.2.3", "10.1.2.30"));
        assert!(admits("10.0.0.0/8", "10.200.0.1"));
        assert!(!admits("10.0.0.0/8", "11.0.0.1"));
        assert!(admits("2001:db8::/32", "2001:db8::1"));
        assert!(!admits("nonsense", "10.1.2.3"));
    }
}
