//! What other servers say of themselves by DNS-SD.
//!
//! It is theirs to choose, so every value is bounded and checked here before it becomes a
//! [`Sighting`]; an announcement that does not fit is refused whole.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use station::Callsign;
use station::callsign::CallsignError;

use super::announcement::FP_DIGITS;
use crate::runtime::Sighting;

/// Most bytes of a path.
const MAX_PATH: usize = 64;
/// Most capabilities, and most bytes of each.
const MAX_CAPABILITIES: usize = 16;
const MAX_CAPABILITY: usize = 32;
/// Most addresses that are looked at.
const MAX_ADDRESSES: usize = 16;

/// Why an announcement is not believed to be a server's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misread {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is longer than it may be, or holds what it may not")]
    Malformed(&'static str),
    #[error("the callsign is none")]
    Callsign(#[source] CallsignError),
    #[error("no address is one of a local network")]
    NotLocal,
}

/// Reads what a server announced: where it is, and the values of its TXT record.
pub(super) fn read<'a>(
    port: u16,
    addresses: impl IntoIterator<Item = IpAddr>,
    txt: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Sighting, Misread> {
    let text = |key: &'static str| {
        let value = txt(key).map(std::str::from_utf8).transpose();
        value.map_err(|_| Misread::Malformed(key))
    };
    let callsign = text("callsign")?.ok_or(Misread::Missing("callsign"))?;
    let callsign = Callsign::parse(callsign).map_err(Misread::Callsign)?;
    let path = text("signalingEndpoint")?.unwrap_or("/signal");
    if !is_path(path) {
        return Err(Misread::Malformed("signalingEndpoint"));
    }
    let scheme = text("signalingProtocol")?.unwrap_or("ws");
    if !matches!(scheme, "ws" | "wss") {
        return Err(Misread::Malformed("signalingProtocol"));
    }
    let capabilities = capabilities(text("capabilities")?.unwrap_or_default())?;
    let fp = text("fp")?;
    if fp.is_some_and(|fp| fp.len() != FP_DIGITS || !fp.bytes().all(is_lower_hex)) {
        return Err(Misread::Malformed("fp"));
    }
    if port == 0 {
        return Err(Misread::Missing("port"));
    }
    let address = best(addresses).ok_or(Misread::NotLocal)?;
    let authority = SocketAddr::new(address, port);
    Ok(Sighting {
        callsign,
        endpoint: format!("http://{authority}"),
        signaling_url: format!("{scheme}://{authority}{path}"),
        capabilities,
        fp: fp.map(str::to_owned),
    })
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    path.starts_with('/') && path.len() <= MAX_PATH && path.bytes().all(plain)
}

fn capabilities(list: &str) -> Result<Vec<String>, Misread> {
    let words: Vec<_> = list
        .split(',')
        .filter(|word| !word.is_empty())
        .take(MAX_CAPABILITIES + 1)
        .collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = |word: &&str| word.len() <= MAX_CAPABILITY && word.bytes().all(plain);
    if words.len() > MAX_CAPABILITIES || !words.iter().all(fits) {
        return Err(Misread::Malformed("capabilities"));
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

/// The address of a local network that works for most: private IPv4, then IPv4 of networks without
/// any configuration, then private IPv6. Link-local IPv6 needs an interface that URLs cannot name.
fn best(addresses: impl IntoIterator<Item = IpAddr>) -> Option<IpAddr> {
    let rank = |address: &IpAddr| match address {
        IpAddr::V4(address) if address.is_private() => Some(0),
        IpAddr::V4(address) if is_usable_link_local(*address) => Some(1),
        IpAddr::V6(address) if address.is_unique_local() => Some(2),
        _ => None,
    };
    let ranked = addresses
        .into_iter()
        .take(MAX_ADDRESSES)
        .map(|address| address.to_canonical())
        .filter_map(|address| Some((rank(&address)?, address)));
    ranked.min().map(|(_, address)| address)
}

fn is_usable_link_local(address: Ipv4Addr) -> bool {
    address.is_link_local() && !matches!(address.octets(), [_, _, 0 | 255, _])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::announcement::Announcement;
    use super::*;
    use crate::CAPABILITIES;

    type Txt = BTreeMap<&'static str, Vec<u8>>;

    fn ours() -> Announcement {
        Announcement {
            callsign: Callsign::parse("F/W1AW").unwrap(),
            fp: "0123456789abcdef".into(),
        }
    }

    fn txt() -> Txt {
        let [server, ..] = ours().services();
        let txt = server.txt.into_iter();
        txt.map(|(key, value)| (key, value.into_bytes())).collect()
    }

    fn read_at(addresses: &[&str], txt: &Txt) -> Result<Sighting, Misread> {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        read(8080, addresses, |key| txt.get(key).map(Vec::as_slice))
    }

    fn read_with(key: &'static str, value: impl Into<Vec<u8>>) -> Result<Sighting, Misread> {
        let mut txt = txt();
        txt.insert(key, value.into());
        read_at(&["192.168.1.2"], &txt)
    }

    #[test]
    fn what_we_announce_is_read_by_others() {
        let [server, signaling, web] = ours().services();
        assert_eq!(server.instance, "F/W1AW 01234567");
        assert_eq!(
            (signaling.host.as_str(), web.host.as_str()),
            ("w1aw.local.", "ham-server.local.")
        );
        // What is not probed for must be nobody else's.
        assert_eq!(server.host, "w1aw-0123456789abcdef.local.");
        assert!(server.unique && !signaling.unique && !web.unique);
        assert_eq!(server.txt, signaling.txt);
        assert_eq!(web.txt, [("path", "/".to_owned())]);
        let sighting = read_at(&["192.168.1.2"], &txt()).unwrap();
        assert_eq!(sighting.callsign.as_str(), "F/W1AW");
        assert_eq!(sighting.endpoint, "http://192.168.1.2:8080");
        assert_eq!(sighting.signaling_url, "ws://192.168.1.2:8080/signal");
        assert_eq!(sighting.capabilities, CAPABILITIES);
        assert_eq!(sighting.fp.as_deref(), Some("0123456789abcdef"));
    }

    #[test]
    fn a_program_that_tells_only_the_callsign_is_a_server_too() {
        let txt = Txt::from([("callsign", b"k1abc".to_vec())]);
        let sighting = read_at(&["fd00::7"], &txt).unwrap();
        assert_eq!(sighting.callsign.as_str(), "K1ABC");
        assert_eq!(sighting.signaling_url, "ws://[fd00::7]:8080/signal");
        assert_eq!((sighting.capabilities.len(), sighting.fp), (0, None));
    }

    #[test]
    fn what_is_malformed_is_refused_whole() {
        let malformed = |key| Err(Misread::Malformed(key));
        assert!(matches!(
            read_with("callsign", "GUEST"),
            Err(Misread::Callsign(_))
        ));
        assert!(matches!(
            read_with("callsign", "W1AW\u{7}"),
            Err(Misread::Callsign(_))
        ));
        assert_eq!(read_with("callsign", [0xff, 0xfe]), malformed("callsign"));
        for path in [
            "signal",
            "/a b",
            "/a\u{1b}[2J",
            "//é",
            "/?x",
            &"/x".repeat(40),
        ] {
            assert_eq!(
                read_with("signalingEndpoint", path),
                malformed("signalingEndpoint"),
                "{path}"
            );
        }
        assert_eq!(
            read_with("signalingProtocol", "javascript"),
            malformed("signalingProtocol")
        );
        for list in ["a\nb", "<b>", &"x".repeat(33), &"a,".repeat(17)] {
            assert_eq!(
                read_with("capabilities", list),
                malformed("capabilities"),
                "{list}"
            );
        }
        for fp in ["", "0123", "0123456789ABCDEF", "0123456789abcdef0"] {
            assert_eq!(read_with("fp", fp), malformed("fp"), "{fp}");
        }
        let none = Txt::new();
        assert_eq!(
            read_at(&["10.0.0.1"], &none),
            Err(Misread::Missing("callsign"))
        );
        let port = read(0, ["10.0.0.1".parse().unwrap()], |_| Some(b"W1AW"));
        assert!(port.is_err());
    }

    #[test]
    fn only_addresses_of_local_networks_count() {
        let endpoint = |addresses: &[&str]| read_at(addresses, &txt()).map(|seen| seen.endpoint);
        for foreign in [
            "8.8.8.8",
            "2001:db8::1",
            "127.0.0.1",
            "::1",
            "224.0.0.251",
            "0.0.0.0",
            "fe80::1",
            "169.254.255.1",
        ] {
            assert_eq!(endpoint(&[foreign]), Err(Misread::NotLocal), "{foreign}");
        }
        assert_eq!(endpoint(&[]), Err(Misread::NotLocal));
        let all = ["fd00::1", "fe80::1", "169.254.7.7", "8.8.8.8", "10.1.2.3"];
        assert_eq!(endpoint(&all).unwrap(), "http://10.1.2.3:8080");
        assert_eq!(
            endpoint(&["::ffff:10.0.0.1"]).unwrap(),
            "http://10.0.0.1:8080"
        );
    }

    proptest! {
        /// Whatever is announced becomes short and plain, or nothing.
        #[test]
        fn what_is_read_is_short_and_plain(
            port: u16,
            addresses in prop::collection::vec(any::<IpAddr>(), 0..40),
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..255), 5),
        ) {
            let keys = ["callsign", "capabilities", "signalingEndpoint", "signalingProtocol", "fp"];
            let txt: Txt = keys.into_iter().zip(values).filter(|(_, value)| !value.is_empty()).collect();
            if let Ok(seen) = read(port, addresses, |key| txt.get(key).map(Vec::as_slice)) {
                let plain = |text: &str| text.len() < 200 && text.bytes().all(|b| b.is_ascii_graphic());
                prop_assert!(plain(&seen.endpoint) && plain(&seen.signaling_url));
                prop_assert!(seen.capabilities.iter().all(|word| plain(word)));
            }
        }
    }
}
