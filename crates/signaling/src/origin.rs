//! Where a connection comes from, as the server sees it.

use std::net::{IpAddr, Ipv6Addr};

pub use station::Zone;

/// What the owner of the sockets knows of the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// With whom it shares budgets.
    pub group: AddressGroup,
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
            group: AddressGroup::of(remote),
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
}
