//! Where a request comes from when a proxy passes it on.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::listen::Door;
use crate::network::Ends;

/// The ends of the connection and, if a trusted proxy is at the other, the client it speaks for. A proxy that
/// does not say speaks for itself.
pub(super) fn ends(door: &Door, ends: Ends, headers: &HeaderMap) -> Ends {
    let remote = ends.remote.ip();
    if !door.trusts(remote) {
        return ends;
    }
    let client = client_address(headers, |address| door.trusts(address));
    ends.for_client(client.unwrap_or(remote))
}

/// The last address in `X-Forwarded-For` that is no trusted proxy's: what stands before it anybody could
/// have written. None when there is none, or it is not an address.
fn client_address(headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<_> = values.map(|value| value.to_str().unwrap_or("?")).collect();
    let entries = lines.iter().flat_map(|line| line.split(',')).rev();
    for entry in entries {
        let address = read(entry.trim())?.to_canonical();
        if !trusted(address) {
            return Some(address);
        }
    }
    None
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn read(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        client_address(&headers, trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_counts() {
        let found = |lines: &[&str], expected: &str| {
            assert_eq!(client(lines).as_deref(), Some(expected), "{lines:?}");
        };
        found(&["192.168.1.7"], "192.168.1.7");
        found(&["1.1.1.1, 192.168.1.7"], "192.168.1.7");
        found(&["1.1.1.1", "192.168.1.7, 10.0.0.2"], "192.168.1.7");
        found(&["192.168.1.7:4711"], "192.168.1.7");
        found(&["[fd00::7]:4711"], "fd00::7");
        found(&["[fd00::7]"], "fd00::7");
        found(&["fd00::7"], "fd00::7");
        found(&["::ffff:192.168.1.7"], "192.168.1.7");
        for nobody in [
            &[][..],
            &["unknown"],
            &["192.168.1.7, _hidden"],
            &["10.0.0.1"],
        ] {
            assert_eq!(client(nobody), None, "{nobody:?}");
        }
    }
}
