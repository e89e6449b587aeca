//! Which addresses are on the Internet, and which may lead inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not the public Internet: IANA's registry of special-purpose addresses,
/// the networks that are no unicast, and what clouds put at their own guests.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8), // this network, RFC 791; Linux connects to itself
    (Ipv4Addr::new(10, 0, 0, 0), 8), // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10), // carrier-grade NAT, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8), // loopback, RFC 1122
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform, from inside its machines only
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local and the metadata of clouds, RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12), // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24), // protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relays, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4), // reserved, and broadcast, RFC 1112 and RFC 919
];

/// Networks inside 2000::/3 that are not the public Internet. What lies outside of 2000::/3 is not
/// global unicast: loopback, mapped and compatible addresses, unique-local, link-local,
/// site-local, discard, multicast.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u8)] = &[
    // Protocol assignments, RFC 2928: Teredo (2001::/32), benchmarking (2001:2::/48), ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),     // 6to4, RFC 3056: an IPv4 address inside
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),     // documentation, RFC 9637
];

/// Addresses of IPv4 hosts as networks without IPv4 see them, RFC 6052.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether the address belongs to a host on the public Internet, so that a request to it reaches
/// nothing that only this machine, its network or its provider could reach.
///
/// An IPv4 address in an IPv6 one is not public, with one exception: behind RFC 6052's prefix
/// it counts as what it is, because a network without IPv4 reaches every IPv4 host like that.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if within_v6(address, NAT64) => is_public_v4(last_four(address)),
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_UNICAST)
                && !NOT_PUBLIC_V6
                    .iter()
                    .any(|network| within_v6(address, *network))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4
        .iter()
        .any(|network| within_v4(address, *network))
}

fn within_v4(address: Ipv4Addr, (network, length): (Ipv4Addr, u8)) -> bool {
    let unlike = address.to_bits() ^ network.to_bits();
    unlike.leading_zeros() >= u32::from(length)
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u8)) -> bool {
    let unlike = address.to_bits() ^ network.to_bits();
    unlike.leading_zeros() >= u32::from(length)
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
