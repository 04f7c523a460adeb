//! Where a connection comes from, as the server sees it.

use std::net::{IpAddr, Ipv6Addr};

pub use station::Zone;

/// What the owner of the sockets knows of the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// With whom it shares budgets.
    pub sharing: Sharing,
    /// What kind of network it comes over.
    pub zone: Zone,
    /// The socket's own two addresses, never from a header; none when a proxy is at the other end.
    pub ends: Option<SocketEnds>,
}

/// The addresses of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketEnds {
    /// The server's.
    pub local: IpAddr,
    /// The client's.
    pub remote: IpAddr,
}

/// Addresses that one household or machine can use at will: an IPv4 address, or 64 bits of an IPv6 one
/// (RFC 4291, 2.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressGroup(IpAddr);

/// With whom a connection shares budgets.
///
/// Far away, 64 bits of IPv6 are one household or one machine. On the server's own network they are everybody: there each
/// address counts for itself, and all together for as much as [`NEIGHBOURS`] of them, since one machine can have
/// any number of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// The same household or machine.
    pub group: AddressGroup,
    /// The network that it shares with the server, if that is one of 64 bits.
    pub network: Option<AddressGroup>,
}

/// A network of neighbours has so many times the budget of one of them.
pub const NEIGHBOURS: u32 = 16;

impl Sharing {
    /// Of whoever has the address `remote` and reached the server at `local`.
    #[must_use]
    pub fn between(local: IpAddr, remote: IpAddr) -> Self {
        let far = Self::of(remote);
        match (local.to_canonical(), remote.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V6(address)) if AddressGroup::of(local) == far.group => Self {
                group: AddressGroup(address.into()),
                network: Some(far.group),
            },
            _ => far,
        }
    }

    /// Of whoever has the address, and may be anywhere.
    #[must_use]
    pub fn of(remote: IpAddr) -> Self {
        Self {
            group: AddressGroup::of(remote),
            network: None,
        }
    }

    /// Everybody it shares with, and how many times one's budget they have together.
    pub fn groups(self) -> impl Iterator<Item = (AddressGroup, u32)> {
        let network = self.network.map(|network| (network, NEIGHBOURS));
        std::iter::once((self.group, 1)).chain(network)
    }
}

impl AddressGroup {
    /// The group of an address; an IPv4 address in its IPv6 form is in the same as in its own.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                Self(Ipv6Addr::from(network).into())
            }
        }
    }

    /// The address, or the first of the network.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }
}

impl Origin {
    /// A connection between two addresses.
    #[must_use]
    pub fn direct(local: IpAddr, remote: IpAddr, zone: Zone) -> Self {
        Self {
            sharing: Sharing::between(local, remote),
            zone,
            ends: Some(SocketEnds { local, remote }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_a_network_shares_budgets() {
        let group = |text: &str| AddressGroup::of(text.parse().unwrap());
        assert_eq!(group("2001:db8::1"), group("2001:db8::ffff:0:0:2"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_eq!(group("::ffff:192.168.1.9"), group("192.168.1.9"));
        assert_ne!(group("192.168.1.9"), group("192.168.1.8"));
        assert_eq!(group("2001:db8::1").address().to_string(), "2001:db8::");
    }

    #[test]
    fn neighbours_count_for_themselves_and_as_a_network() {
        let sharing = |local: &str, remote: &str| {
            Sharing::between(local.parse().unwrap(), remote.parse().unwrap())
        };
        let one = sharing("fd00::1", "fd00::7");
        let other = sharing("fd00::1", "fd00::8");
        assert_ne!(one.group, other.group);
        assert!(one.network.is_some() && one.network == other.network);
        let far = sharing("fd00::1", "2001:db8::7");
        assert_eq!(far, sharing("fd00::1", "2001:db8::8"));
        assert_eq!(far.network, None);
        for local in ["192.168.1.1", "::ffff:192.168.1.1", "fd00::1"] {
            assert_eq!(sharing(local, "192.168.1.7").network, None);
        }
        let counted: Vec<_> = one.groups().map(|(_, times)| times).collect();
        assert_eq!(counted, [1, NEIGHBOURS]);
    }
}
