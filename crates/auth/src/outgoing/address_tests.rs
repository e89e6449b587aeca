use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::is_public;

/// The registries of special-purpose addresses at IANA, as text, read by another library than the
/// code: networks that are not to be reached.
const INSIDE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

fn inside() -> impl Iterator<Item = IpNet> {
    INSIDE.iter().map(|network| network.parse().unwrap())
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[test]
fn the_edges_of_every_network_that_is_not_public() {
    for network in inside() {
        assert!(!is_public(network.network()), "{network}: first");
        assert!(!is_public(network.broadcast()), "{network}: last");
    }
}

#[test]
fn hosts_on_the_internet() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700:4700::1111",
        "3ffe:ffff::1",
        "64:ff9b::1.1.1.1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

proptest! {
    #[test]
    fn ipv4_is_public_outside_of_the_registry(bits: u32) {
        let address = IpAddr::V4(Ipv4Addr::from_bits(bits));
        let listed = inside().any(|network| network.contains(&address));
        prop_assert_eq!(is_public(address), !listed);
    }

    #[test]
    fn ipv6_is_public_outside_of_the_registry(bits: u128, head in any::<u16>()) {
        // Half of them in a network that matters.
        let bits = if head % 2 == 0 { bits } else { bits & !(0xffff << 112) | (0x2001 << 112) };
        let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
        let global: IpNet = "2000::/3".parse().unwrap();
        let listed = inside().any(|network| network.contains(&address));
        prop_assert_eq!(is_public(address), global.contains(&address) && !listed);
    }

    #[test]
    fn anything_in_a_listed_network_is_refused(at in any::<prop::sample::Index>(), bits: u128) {
        let network = inside().nth(at.index(INSIDE.len())).unwrap();
        let address = match network {
            IpNet::V4(network) => {
                let host = (bits as u32) & network.hostmask().to_bits();
                IpAddr::V4(Ipv4Addr::from_bits(network.network().to_bits() | host))
            }
            IpNet::V6(network) => {
                let host = bits & network.hostmask().to_bits();
                IpAddr::V6(Ipv6Addr::from_bits(network.network().to_bits() | host))
            }
        };
        prop_assert!(!is_public(address), "{} in {}", address, network);
    }

    #[test]
    fn an_ipv4_address_inside_counts_behind_one_prefix_only(bits: u32) {
        let inner = Ipv4Addr::from_bits(bits);
        let with = |high: u128| IpAddr::V6(Ipv6Addr::from_bits(high << 32 | u128::from(bits)));
        let nat64 = 0x0064_ff9b_0000_0000_0000_0000_u128;
        prop_assert_eq!(is_public(with(nat64)), is_public(IpAddr::V4(inner)));
        prop_assert!(!is_public(IpAddr::V6(inner.to_ipv6_mapped())));
        prop_assert!(!is_public(with(0)));
        let six_to_four = (0x2002_u128 << 112) | (u128::from(bits) << 80) | 1;
        prop_assert!(!is_public(IpAddr::V6(Ipv6Addr::from_bits(six_to_four))));
    }
}
