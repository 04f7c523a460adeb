//! Candidates with the address that the server sees.
//!
//! Browsers hide their addresses behind names that only multicast resolves (`.local`,
//! draft-ietf-mmusic-mdns-ice-candidates), and many an access point blocks multicast. So such a candidate is
//! followed by a copy with the sender's address, as it is on the socket's own other end and never from a
//! header. Nothing has to be believed: what a wrong one leads to does not hold the call's key.

use std::net::IpAddr;

use crate::origin::Origin;

/// Browsers write less than half of this.
const MAX_CANDIDATE: usize = 512;

/// The candidate (RFC 8839, 5.1) with the address by which its receiver may reach its sender; none where it
/// hides no address, or the server sees none of a local network.
pub(super) fn copy(candidate: &str, sender: &Origin, receiver: &Origin) -> Option<String> {
    if candidate.len() > MAX_CANDIDATE {
        return None;
    }
    let mut fields: Vec<_> = candidate.split(' ').collect();
    let [_, _, _, _, name, _, "typ", "host", ..] = fields[..] else {
        return None;
    };
    if !name.to_ascii_lowercase().ends_with(".local") {
        return None;
    }
    let address = address(sender, receiver)?.to_string();
    fields[4] = &address;
    Some(fields.join(" "))
}

/// Where the receiver finds the sender. Who is at the server's own machine is where the receiver finds the
/// server.
fn address(sender: &Origin, receiver: &Origin) -> Option<IpAddr> {
    let seen = sender.ends?.remote.to_canonical();
    let address = if seen.is_loopback() {
        receiver.ends?.local.to_canonical()
    } else {
        seen
    };
    is_private(address).then_some(address)
}

/// Whether an address is one of a local network, and can be written without naming an interface.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use station::Zone;

    use super::*;

    const HIDDEN: &str = "candidate:1 1 udp 2113937151 5f0c.local 51234 typ host generation 0";

    fn from(remote: &str) -> Origin {
        let local = if remote.contains(':') {
            "fd00::1"
        } else {
            "192.168.1.1"
        };
        let local = if remote == "127.0.0.1" { remote } else { local };
        let [local, remote] = [local, remote].map(|text| text.parse().unwrap());
        Origin::direct(local, remote, Zone::Open)
    }

    fn seen(sender: &str, receiver: &str) -> Option<String> {
        let copy = copy(HIDDEN, &from(sender), &from(receiver))?;
        let address = copy
            .strip_prefix("candidate:1 1 udp 2113937151 ")?
            .strip_suffix(" 51234 typ host generation 0")?;
        Some(address.to_owned())
    }

    #[test]
    fn the_address_is_the_senders_or_where_its_receiver_finds_the_server() {
        for (sender, receiver, expected) in [
            ("192.168.1.7", "192.168.1.8", Some("192.168.1.7")),
            ("::ffff:192.168.1.7", "192.168.1.8", Some("192.168.1.7")),
            ("169.254.3.7", "192.168.1.8", Some("169.254.3.7")),
            ("fd00::7", "fd00::8", Some("fd00::7")),
            ("192.168.1.7", "127.0.0.1", Some("192.168.1.7")),
            ("127.0.0.1", "192.168.1.8", Some("192.168.1.1")),
            ("127.0.0.1", "127.0.0.1", None),
            ("fe80::7", "fd00::8", None),
            ("2001:db8::7", "fd00::8", None),
            ("203.0.113.7", "192.168.1.8", None),
            ("44.1.2.3", "192.168.1.8", None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(seen(sender, receiver), expected, "{sender} to {receiver}");
        }
    }

    #[test]
    fn behind_a_proxy_no_address_is_seen() {
        let behind = Origin {
            ends: None,
            ..from("192.168.1.7")
        };
        assert_eq!(copy(HIDDEN, &behind, &from("192.168.1.8")), None);
        assert_eq!(copy(HIDDEN, &from("127.0.0.1"), &behind), None);
    }

    #[test]
    fn only_hidden_addresses_of_hosts_are_copied() {
        let (one, other) = (from("192.168.1.7"), from("192.168.1.8"));
        for plain in [
            "",
            "candidate:1",
            "candidate:1 1 udp 1 192.168.1.7 5 typ host",
            "candidate:1 1 udp 1 5f0c.local 5 typ srflx raddr 0.0.0.0 rport 0",
            "candidate:1 1 udp 1 5f0c.local 5",
            "candidate:1 1 udp 1 5f0c.example 5 typ host",
        ] {
            assert_eq!(copy(plain, &one, &other), None, "{plain}");
        }
        let long = format!("{HIDDEN} {}", "x".repeat(MAX_CANDIDATE));
        assert_eq!(copy(&long, &one, &other), None);
        let tcp = "candidate:2 1 tcp 1 5F0C.LOCAL 9 typ host tcptype active";
        let copied = "candidate:2 1 tcp 1 192.168.1.7 9 typ host tcptype active";
        assert_eq!(copy(tcp, &one, &other).as_deref(), Some(copied));
    }
}
