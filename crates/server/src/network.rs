//! This machine on its networks: addresses to give to people, names that are its own, and what may
//! cross which network ([`zones`]).

pub mod choice;
pub mod endpoint;
pub mod fetch;
pub mod links;
pub mod zones;
pub mod zoning;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{PoisonError, RwLock};

use signaling::{AddressGroup, Sharing};
use station::Callsign;

/// Both ends of a connection, IPv4 addresses in their plain form.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// This machine's end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Whether what passes between them is encrypted.
    pub tls: bool,
    /// The client's address, as a trusted proxy at the other end says.
    pub client: Option<IpAddr>,
    /// Whether the server was called by a name that anybody on the network could let lead here.
    by_name: bool,
}

impl Ends {
    /// Plain IPv4 where a socket of both families shows IPv4 as IPv6.
    #[must_use]
    pub fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        let plain = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
        Self {
            local: plain(local),
            remote: plain(remote),
            tls: false,
            client: None,
            by_name: false,
        }
    }

    /// The same, for a request to this host. A name that is not this machine's to itself may have led a
    /// stranger's page here (DNS rebinding), so who calls by one is not taken for somebody at the machine.
    #[must_use]
    pub fn called(self, host: &str) -> Self {
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let address = literal.parse::<IpAddr>();
        let own = address.map_or(host == "localhost", |address| address.is_loopback());
        Self {
            by_name: !own,
            ..self
        }
    }

    /// The same, for a client that a trusted proxy at the other end speaks for.
    #[must_use]
    pub fn for_client(self, address: IpAddr) -> Self {
        Self {
            client: Some(address.to_canonical()),
            ..self
        }
    }

    /// The same, encrypted.
    #[must_use]
    pub fn over_tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// The scheme of URLs by which the other end came.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The scheme of its WebSockets.
    #[must_use]
    pub fn websocket_scheme(&self) -> &'static str {
        if self.tls { "wss" } else { "ws" }
    }

    /// With whom the other end shares budgets.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        match self.client {
            // How near a proxy's client is, the socket does not tell.
            Some(client) => Sharing::of(client),
            None => Sharing::between(self.local.ip(), self.remote.ip()),
        }
    }

    /// The address of the other end, or its IPv6 network of 64 bits.
    #[must_use]
    pub fn group(&self) -> AddressGroup {
        AddressGroup::of(self.client.unwrap_or(self.remote.ip()))
    }

    /// Whether it is somebody at this machine: the connection stays within it, and the server was called by
    /// a loopback address or `localhost`.
    #[must_use]
    pub fn loopback(&self) -> bool {
        let ends = [Some(self.local.ip()), Some(self.remote.ip()), self.client];
        !self.by_name && ends.into_iter().flatten().all(|end| end.is_loopback())
    }
}

/// The names this server answers to, beside the address a client connected to.
#[derive(Debug)]
pub struct Names {
    configured: Vec<String>,
    machine: String,
    /// Labels with a number, which this server was given because somebody else had the plain one.
    numbered: RwLock<BTreeSet<String>>,
    /// The label that other servers find it by.
    unique: RwLock<Option<String>>,
}

impl Names {
    /// The machine's own name and those the owner configured (a proxy's, say).
    #[must_use]
    pub fn new(configured: &[String]) -> Self {
        let machine = gethostname::gethostname()
            .to_string_lossy()
            .to_ascii_lowercase();
        let machine = machine.split('.').next().unwrap_or_default().to_owned();
        let configured = configured
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect();
        Self {
            configured,
            machine,
            numbered: RwLock::default(),
            unique: RwLock::default(),
        }
    }

    /// Says which numbered labels, in lower case, are this server's from now on: `w1aw-2`, say.
    pub fn set_numbered(&self, labels: BTreeSet<String>) {
        *self
            .numbered
            .write()
            .unwrap_or_else(PoisonError::into_inner) = labels;
    }

    /// Those labels.
    #[must_use]
    pub fn numbered(&self) -> BTreeSet<String> {
        let numbered = self.numbered.read();
        numbered.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says by which label, in lower case, other servers find this one from now on.
    pub fn set_unique(&self, label: Option<String>) {
        *self.unique.write().unwrap_or_else(PoisonError::into_inner) = label;
    }

    /// Whether somebody put another server (a proxy) before this one.
    #[must_use]
    pub fn behind_proxy(&self) -> bool {
        !self.configured.is_empty()
    }

    /// Whether `host` (without a port) means this server, on a connection that ends at `local`.
    ///
    /// An address must be the one the connection came to; a name must be one of this server's own.
    /// So a name of somebody else's that they point at this machine (DNS rebinding) is refused.
    #[must_use]
    pub fn is_own(&self, host: &str, local: IpAddr, owner: Option<&Callsign>) -> bool {
        let host = host.to_ascii_lowercase();
        if self.configured.contains(&host) {
            return true;
        }
        let literal = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        // Some programs name the interface that leads to a link-local address, which means nothing here
        // (RFC 6874, 3).
        let literal = literal.map(|literal| literal.split('%').next().unwrap_or_default());
        if let Ok(address) = literal.unwrap_or(&host).parse::<IpAddr>() {
            return address.to_canonical() == local;
        }
        if host == "localhost" {
            return local.is_loopback();
        }
        let owner = owner.map(|owner| owner.base().to_ascii_lowercase());
        let own = |label: &str| {
            label == "ham-server"
                || label == self.machine
                || Some(label) == owner.as_deref()
                || owner
                    .as_deref()
                    .is_some_and(|owner| is_mesh_label(label, owner))
                || self.is_numbered(label)
                || self.is_unique(label)
        };
        let label = host
            .strip_suffix(".local.mesh")
            .or_else(|| host.strip_suffix(".local"));
        // On an AREDN network names need no suffix.
        let bare = |host: &str| {
            host == self.machine
                || owner
                    .as_deref()
                    .is_some_and(|owner| is_mesh_label(host, owner))
        };
        label.map_or(!host.is_empty() && bare(&host), own)
    }

    fn is_unique(&self, label: &str) -> bool {
        let unique = self.unique.read();
        unique.unwrap_or_else(PoisonError::into_inner).as_deref() == Some(label)
    }

    fn is_numbered(&self, label: &str) -> bool {
        let numbered = self.numbered.read();
        numbered
            .unwrap_or_else(PoisonError::into_inner)
            .contains(label)
    }
}

/// Whether a label is the owner's server on an AREDN network (`w1aw-ham-server`).
fn is_mesh_label(label: &str, owner: &str) -> bool {
    label.strip_prefix(owner) == Some("-ham-server")
}

/// Splits `host[:port]` as it stands in a Host header or a URL.
#[must_use]
pub(crate) fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end_of_host);
    match port.strip_prefix(':') {
        _ if host.is_empty() => None,
        None if port.is_empty() => Some((host, None)),
        None => None,
        Some(port) => Some((host, Some(port.parse().ok()?))),
    }
}

/// Which of this machine's addresses the server listens on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reach {
    /// The one address it was told to listen on; none, or an unspecified one, means several.
    pub bind: Option<IpAddr>,
    /// Whether it serves this machine only.
    pub no_lan: bool,
}

impl Reach {
    /// The addresses by which other machines reach the server, the most useful first: private IPv4,
    /// other IPv4, those that machines give themselves where nobody gives any (RFC 3927), then IPv6 that is
    /// not link-local. Interfaces of containers and virtual machines are left out.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        if self.no_lan {
            return Vec::new();
        }
        let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!(%error, "the network interfaces cannot be listed");
            Vec::new()
        });
        let mut found: Vec<_> = interfaces
            .into_iter()
            .filter(|interface| interface.is_oper_up() && !is_virtual(&interface.name))
            .map(|interface| interface.ip())
            .filter(|address| self.includes(*address))
            .filter_map(|address| Some((rank(&address)?, address)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(_, address)| address).collect()
    }

    /// Whether connections to this address of the machine come to the server.
    fn includes(&self, address: IpAddr) -> bool {
        match self.bind {
            None | Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => true,
            Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => address.is_ipv4(),
            Some(bind) => bind.to_canonical() == address,
        }
    }
}

/// `address` as it stands in a URL.
#[must_use]
pub(crate) fn url_host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => is_unicast_link_local(address),
    }
}

/// How useful an address is to other machines, the least number first; none if it leads nowhere there. A
/// link-local IPv6 address needs the name of an interface, which browsers take in no URL.
fn rank(address: &IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(address) if address.is_private() => Some(0),
        IpAddr::V4(address) if address.is_link_local() => Some(2),
        IpAddr::V6(address) if is_unicast_link_local(address) => None,
        _ if address.is_loopback() => None,
        IpAddr::V4(_) => Some(1),
        IpAddr::V6(_) => Some(3),
    }
}

pub(crate) fn is_unicast_link_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Whether an address is one of a local network: what the browser CA may sign for.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || is_unicast_link_local(&address),
    }
}

/// Bridges and tunnels of containers and virtual machines: nobody outside this machine reaches it by them.
pub(crate) fn is_virtual(name: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "docker",
        "veth",
        "virbr",
        "vnet",
        "cni",
        "podman",
        "lxc",
        "lxdbr",
        "incusbr",
        "vboxnet",
        "vmnet",
        "vEthernet",
    ];
    // Docker's own networks; a router's `br-lan` is what everybody is on.
    let docker = name
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_hexdigit()));
    docker || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_own_and_others_are_not() {
        let names = Names {
            configured: vec!["radio.example".into()],
            machine: "pi".into(),
            numbered: RwLock::default(),
            unique: RwLock::default(),
        };
        let owner = Callsign::parse("W1AW").unwrap();
        let lan: IpAddr = "192.168.1.9".parse().unwrap();
        let own = |host: &str, local: IpAddr| names.is_own(host, local, Some(&owner));
        for host in [
            "192.168.1.9",
            "pi",
            "PI.local",
            "w1aw.local",
            "ham-server.local",
            "radio.example",
            "w1aw-ham-server",
            "W1AW-ham-server.local.mesh",
        ] {
            assert!(own(host, lan), "{host}");
        }
        for host in [
            "localhost",
            "127.0.0.1",
            "192.168.1.8",
            "evil.example",
            "k1abc.local",
            "k1abc-ham-server",
            "-ham-server",
            "",
        ] {
            assert!(!own(host, lan), "{host}");
        }
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(own("localhost", loopback) && own("127.0.0.1", loopback));
        assert!(own("[::1]", "::1".parse().unwrap()));
        let link_local = "fe80::7".parse().unwrap();
        assert!(own("[fe80::7]", link_local) && own("[fe80::7%25eth0]", link_local));
        assert!(!own("[fe80::8%25eth0]", link_local) && !own("[%25eth0]", link_local));
        assert!(!own("evil.example", loopback));

        assert!(!own("w1aw-2.local", lan));
        names.set_numbered(BTreeSet::from(["w1aw-2".to_owned()]));
        assert!(own("W1AW-2.local", lan) && own("w1aw.local", lan));
        assert!(!own("w1aw-3.local", lan) && !own("w1aw-2", lan));
        names.set_numbered(BTreeSet::new());
        names.set_unique(Some("w1aw-0123456789abcdef".into()));
        assert!(own("w1aw-0123456789abcdef.local", lan) && !own("w1aw-0123.local", lan));
        assert!(!own("w1aw-2.local", lan));
    }

    #[test]
    fn authorities_are_split_where_the_port_begins() {
        assert_eq!(
            split_authority("localhost:8080"),
            Some(("localhost", Some(8080)))
        );
        assert_eq!(split_authority("[::1]:80"), Some(("[::1]", Some(80))));
        assert_eq!(split_authority("[::1]"), Some(("[::1]", None)));
        assert_eq!(split_authority("w1aw.local"), Some(("w1aw.local", None)));
        for wrong in ["", ":80", "a:b", "a:1:2", "a:70000", "[::1]x"] {
            assert_eq!(split_authority(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_addresses_listened_on_are_given_out() {
        let includes = |bind: Option<&str>, address: &str| {
            let bind = bind.map(|bind| bind.parse().unwrap());
            Reach {
                bind,
                no_lan: false,
            }
            .includes(address.parse().unwrap())
        };
        for (bind, address) in [
            (None, "192.168.1.9"),
            (Some("::"), "192.168.1.9"),
            (Some("0.0.0.0"), "192.168.1.9"),
            (Some("192.168.1.9"), "192.168.1.9"),
            (None, "fd00::1"),
        ] {
            assert!(includes(bind, address), "{bind:?} {address}");
        }
        for (bind, address) in [
            (Some("127.0.0.1"), "192.168.1.9"),
            (Some("192.168.1.9"), "10.0.0.1"),
            (Some("0.0.0.0"), "fd00::1"),
        ] {
            assert!(!includes(bind, address), "{bind:?} {address}");
        }
        let no_lan = Reach {
            bind: None,
            no_lan: true,
        };
        assert_eq!(no_lan.addresses(), Vec::<IpAddr>::new());
    }

    #[test]
    fn the_most_useful_address_comes_first() {
        let rank = |text: &str| rank(&text.parse().unwrap());
        let order = ["192.168.1.2", "44.1.2.3", "169.254.7.7", "fd00::2"];
        assert!(order.map(rank).is_sorted() && rank(order[0]).is_some());
        for nowhere in ["127.0.0.1", "::1", "fe80::2"] {
            assert_eq!(rank(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn mapped_addresses_are_plain() {
        let mapped = |text: &str| text.parse::<SocketAddr>().unwrap();
        let ends = Ends::new(
            mapped("[::ffff:127.0.0.1]:8080"),
            mapped("[::ffff:127.0.0.1]:9"),
        );
        assert_eq!(ends.local, mapped("127.0.0.1:8080"));
        assert!(ends.loopback());
        assert!(!Ends::new(mapped("10.0.0.1:1"), mapped("127.0.0.1:2")).loopback());
        for own in ["localhost", "127.0.0.1", "127.0.1.1", "[::1]"] {
            assert!(ends.called(own).loopback(), "{own}");
        }
        for other in ["w1aw.local", "pi", "192.168.1.5", "[fd00::1]", ""] {
            assert!(!ends.called(other).loopback(), "{other}");
        }
    }

    #[test]
    fn bridges_of_containers_are_told_from_those_that_people_are_on() {
        for virtual_one in [
            "docker0",
            "br-0123456789ab",
            "veth1a2b3c",
            "virbr0",
            "lxdbr0",
            "vboxnet0",
        ] {
            assert!(is_virtual(virtual_one), "{virtual_one}");
        }
        for real in [
            "br-lan",
            "br0",
            "bridge100",
            "eth0",
            "wlan0",
            "br-guestnetwork",
        ] {
            assert!(!is_virtual(real), "{real}");
        }
    }
}
