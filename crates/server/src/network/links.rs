//! This machine's interfaces and their networks, as the system tells.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use ipnet::IpNet;

use super::{is_link_local, is_virtual};

/// Every address of this machine with its network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links(Vec<Link>);

/// One address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The interface's name.
    pub interface: String,
    /// The address, and how many of its bits are the network's.
    pub address: IpNet,
    /// Whether the interface is up and has a carrier.
    pub up: bool,
}

impl Links {
    /// Asks the system. Where it does not tell, there are none.
    #[must_use]
    pub fn read() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!(%error, "the network interfaces cannot be listed");
            Vec::new()
        });
        let links = interfaces.into_iter().filter_map(|interface| {
            let bits = match &interface.addr {
                if_addrs::IfAddr::V4(address) => address.prefixlen,
                if_addrs::IfAddr::V6(address) => address.prefixlen,
            };
            Some(Link {
                address: IpNet::new(interface.ip(), bits).ok()?,
                up: interface.is_oper_up(),
                interface: interface.name,
            })
        });
        let mut links: Vec<_> = links.collect();
        links.sort();
        Self(links)
    }

    /// Every address.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.iter()
    }

    /// The interfaces by which a connection may pass: those that have one of this machine's addresses
    /// given, and those whose network the other end is in. A link-local network is on every interface, and
    /// so tells none.
    #[must_use]
    pub fn interfaces(&self, own: [Option<IpAddr>; 2], remote: IpAddr) -> Vec<&str> {
        let telling = !is_link_local(&remote);
        let passed = |link: &&Link| {
            own.contains(&Some(link.address.addr())) || telling && link.address.contains(&remote)
        };
        let mut names: Vec<_> = self
            .iter()
            .filter(passed)
            .map(|link| link.interface.as_str())
            .collect();
        names.dedup();
        names
    }

    /// Whether an address is this machine's own or on one of its networks, and so reached without a router.
    #[must_use]
    pub fn are_next_to(&self, address: IpAddr) -> bool {
        self.iter().any(|link| link.address.contains(&address))
    }

    #[cfg(test)]
    pub(crate) fn new<const N: usize>(links: [(&str, &str); N]) -> Self {
        let link = |(name, address): (&str, &str)| Link {
            interface: name.to_owned(),
            address: address.parse().unwrap(),
            up: true,
        };
        Self(links.map(link).into())
    }
}

/// The address from which this machine would reach another, if it knows a way there. Sends nothing:
/// connecting a UDP socket only asks the system's routing table.
#[must_use]
pub fn source_towards(remote: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = match remote {
        IpAddr::V4(_) => ([0; 4], 0).into(),
        IpAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((remote, DISCARD)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The address from which this machine would reach everybody, by an interface that is up: none where no
/// network leads further. Sends nothing.
#[must_use]
pub fn way_out(links: &Links) -> Option<IpAddr> {
    let leads_out = |source: &IpAddr| {
        links.iter().any(|link| {
            link.address.addr() == *source
                && link.up
                && !source.is_loopback()
                && !is_virtual(&link.interface)
        })
    };
    ANYWHERE
        .into_iter()
        .filter_map(source_towards)
        .find(leads_out)
}

/// Addresses of nobody (RFC 5737, RFC 3849): a way there is the way to everywhere.
const ANYWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// A port nobody listens on (RFC 863); none is ever sent to.
const DISCARD: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_passes_the_interface_of_its_own_end_and_of_its_way_back() {
        let links = Links::new([
            ("eth0", "10.0.0.2/24"),
            ("wlan0", "192.168.1.5/24"),
            ("wlan0", "fe80::1/64"),
        ]);
        let names = |own: [Option<&str>; 2], remote: &str| {
            let own = own.map(|address| address.map(|text| text.parse().unwrap()));
            links.interfaces(own, remote.parse().unwrap())
        };
        assert_eq!(names([Some("10.0.0.2"), None], "10.0.0.7"), ["eth0"]);
        assert_eq!(
            names([Some("10.0.0.2"), None], "192.168.1.7"),
            ["eth0", "wlan0"]
        );
        assert_eq!(
            names([Some("192.168.1.5"), Some("10.0.0.2")], "8.8.8.8"),
            ["eth0", "wlan0"]
        );
        assert!(names([Some("10.0.0.9"), None], "8.8.8.8").is_empty());
        assert!(names([Some("10.0.0.9"), None], "fe80::7").is_empty());
    }

    #[test]
    fn the_system_tells_this_machines_own_addresses() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert!(Links::read().are_next_to(loopback));
        assert_eq!(source_towards(loopback), Some(loopback));
    }
}
