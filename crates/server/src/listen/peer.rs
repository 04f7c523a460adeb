//! Who is at the other end of a connection within this machine.

use crate::network::Ends;

/// Whether the other end's socket belongs to the user this server runs as; none where the system
/// does not tell (only Linux does, without privileges).
#[must_use]
pub fn same_user(ends: Ends) -> Option<bool> {
    #[cfg(target_os = "linux")]
    {
        linux::same_user(ends)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = ends;
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io::{BufRead as _, BufReader};
    use std::net::{IpAddr, SocketAddr};
    use std::os::unix::fs::MetadataExt as _;

    use crate::network::Ends;

    pub(super) fn same_user(ends: Ends) -> Option<bool> {
        let own = fs::metadata("/proc/self").ok()?.uid();
        // The other end's socket is the one whose local address is our remote one. An IPv4
        // connection may be in either table, in its mapped form in the second.
        let forms = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => {
                let mapped = SocketAddr::new(ip.to_ipv6_mapped().into(), address.port());
                vec![("/proc/net/tcp", address), ("/proc/net/tcp6", mapped)]
            }
            IpAddr::V6(_) => vec![("/proc/net/tcp6", address)],
        };
        let theirs = forms(ends.remote).into_iter().zip(forms(ends.local));
        theirs
            .filter_map(|((table, remote), (_, local))| owner(table, &hex(remote), &hex(local)))
            .next()
            .map(|owner| owner == own)
    }

    /// The user of the socket between two addresses (proc(5), `/proc/net/tcp`).
    fn owner(table: &str, local: &str, remote: &str) -> Option<u32> {
        let lines = BufReader::new(File::open(table).ok()?)
            .lines()
            .map_while(Result::ok);
        lines.skip(1).find_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let matches = fields.next()? == local && fields.next()? == remote;
            if matches {
                fields.nth(4)?.parse().ok()
            } else {
                None
            }
        })
    }

    /// An address as that table writes it: words in the machine's byte order, then the port.
    fn hex(address: SocketAddr) -> String {
        let word = |bytes: &[u8]| {
            let bytes = bytes.try_into().unwrap_or_default();
            format!("{:08X}", u32::from_ne_bytes(bytes))
        };
        let ip = match address.ip() {
            IpAddr::V4(ip) => word(&ip.octets()),
            IpAddr::V6(ip) => ip.octets().chunks_exact(4).map(word).collect(),
        };
        format!("{ip}:{:04X}", address.port())
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, TcpStream};

        use super::*;

        #[test]
        fn our_own_connections_are_ours() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(address) else {
                    continue;
                };
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (server, remote) = listener.accept().unwrap();
                let ends = Ends::new(server.local_addr().unwrap(), remote);
                assert_eq!(same_user(ends), Some(true), "{address}");
                let nobody = Ends::new(ends.local, SocketAddr::new(ends.remote.ip(), 1));
                assert_eq!(same_user(nobody), None);
                drop(client);
            }
        }
    }
}
