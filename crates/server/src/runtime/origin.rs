//! Where connections come from, in the hub's words.

use std::net::IpAddr;

use signaling::{Origin, Zone};

use crate::network::Ends;

/// Where a connection without a proxy comes from.
pub(super) fn of(ends: Ends) -> Origin {
    let (local, remote) = (ends.local.ip(), ends.remote.ip());
    let crossed = [zone(local), zone(remote)];
    Origin::direct(local, remote, crossed.into_iter().max().unwrap_or_default())
}

/// What kind of network an address belongs to, as far as the address alone tells.
///
/// 44net (44.0.0.0/9 and 44.128.0.0/10) is registered for amateur radio, and counts as crossing its
/// frequencies. 10.0.0.0/8 is AREDN's too, but far more often an ordinary network's, where refusing calls
/// would be wrong every day: it counts as open.
fn zone(address: IpAddr) -> Zone {
    let IpAddr::V4(address) = address.to_canonical() else {
        return Zone::Open;
    };
    match address.octets() {
        [44, 0..=191, ..] => Zone::Part97,
        _ => Zone::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amateur_addresses_are_known_and_private_ones_are_open() {
        for (address, expected) in [
            ("44.27.1.2", Zone::Part97),
            ("44.190.0.1", Zone::Part97),
            ("44.192.0.1", Zone::Open),
            ("10.54.25.119", Zone::Open),
            ("192.168.1.9", Zone::Open),
            ("127.0.0.1", Zone::Open),
            ("fe80::1", Zone::Open),
        ] {
            assert_eq!(zone(address.parse().unwrap()), expected, "{address}");
        }
        let ends =
            |local: &str, remote: &str| Ends::new(local.parse().unwrap(), remote.parse().unwrap());
        let lan = of(ends("192.168.1.1:80", "192.168.1.2:9"));
        assert_eq!(lan.zone, Zone::Open);
        let routed = of(ends("44.27.1.1:80", "10.0.0.2:9"));
        assert_eq!(routed.zone, Zone::Part97, "either end decides");
    }
}
