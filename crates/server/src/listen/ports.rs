//! Which port to listen on, and on which addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::config::{Config, PortChoice};

/// The ports clients look at, in this order.
const USUAL: [u16; 8] = [8080, 8081, 8082, 3000, 3001, 3002, 8888, 9090];

/// Where to look when all of them are taken.
const OTHERS: std::ops::RangeInclusive<u16> = 8000..=9000;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// The sockets the server listens on, all with one port.
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<TcpListener>,
    port: u16,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port that was asked for.
    #[error("port {0} is taken by another program; stop that one, or choose another with --port")]
    Taken(u16),
    /// Every port is.
    #[error(
        "every usual port and every port from 8000 to 9000 is taken; free one, or choose another with --port"
    )]
    AllTaken,
    /// The system refuses.
    #[error("cannot listen on {address}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Listener {
    /// Takes the port of the configuration.
    ///
    /// # Errors
    /// [`ListenError`] when it cannot be had.
    pub fn bind(config: &Config) -> Result<Self, ListenError> {
        match config.port {
            PortChoice::Only(port) => bind(config, port)?.ok_or(ListenError::Taken(port)),
            PortChoice::Usual => first_free(config),
        }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn first_free(config: &Config) -> Result<Listener, ListenError> {
    for port in USUAL {
        if let Some(listener) = bind(config, port)? {
            return Ok(listener);
        }
        tracing::info!(port, "taken by another program; trying the next");
    }
    for port in OTHERS.filter(|port| !USUAL.contains(port)) {
        if let Some(listener) = bind(config, port)? {
            tracing::warn!(
                port,
                "every usual port is taken; other devices must be told this one"
            );
            return Ok(listener);
        }
    }
    Err(ListenError::AllTaken)
}

/// Listens on every address of the configuration. None when the port is taken on one of them.
fn bind(config: &Config, port: u16) -> Result<Option<Listener>, ListenError> {
    let mut sockets: Vec<TcpListener> = Vec::new();
    for wanted in addresses(config) {
        let port = sockets
            .first()
            .and_then(|first| first.local_addr().ok())
            .map_or(port, |a| a.port());
        let address = SocketAddr::new(wanted.ip, port);
        match listen(address) {
            Ok(socket) => sockets.push(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(None),
            Err(_) if !wanted.needed => {}
            // No IPv6 on this machine: then IPv4 is all there is.
            Err(_) if wanted.ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && config.bind.is_none() => {
                let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
                match listen(address) {
                    Ok(socket) => sockets.push(socket),
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(None),
                    Err(source) => return Err(ListenError::Refused { address, source }),
                }
            }
            Err(source) => return Err(ListenError::Refused { address, source }),
        }
    }
    let port = sockets
        .first()
        .and_then(|first| first.local_addr().ok())
        .map_or(port, |a| a.port());
    Ok(Some(Listener { sockets, port }))
}

struct Wanted {
    ip: IpAddr,
    needed: bool,
}

fn addresses(config: &Config) -> Vec<Wanted> {
    let needed = |ip: IpAddr| Wanted { ip, needed: true };
    match config.bind {
        _ if config.no_lan => vec![
            needed(Ipv4Addr::LOCALHOST.into()),
            Wanted {
                ip: Ipv6Addr::LOCALHOST.into(),
                needed: false,
            },
        ],
        Some(ip) => vec![needed(ip)],
        None => vec![needed(Ipv6Addr::UNSPECIFIED.into())],
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // The unspecified address takes IPv4 too; any other is just itself.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // On Unix: connections that linger from the last run do not hold the port. On Windows the same
    // option would let two programs share it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn config(port: u16) -> Config {
        let folder = Some("unused".into());
        let options = Options {
            port: Some(port),
            data_dir: folder,
            no_lan: Some(true),
            ..Options::default()
        };
        Config::resolve(options).unwrap()
    }

    #[tokio::test]
    async fn an_explicit_port_never_moves() {
        let first = Listener::bind(&config(0)).unwrap();
        let error = Listener::bind(&config(first.port())).unwrap_err();
        assert!(
            matches!(error, ListenError::Taken(port) if port == first.port()),
            "{error}"
        );
        let sockets = first
            .sockets
            .iter()
            .map(|socket| socket.local_addr().unwrap().port());
        assert!(
            sockets.into_iter().all(|port| port == first.port()),
            "one port for all"
        );
    }

    #[tokio::test]
    async fn without_one_a_taken_port_is_passed_over() {
        let usual = Config {
            port: PortChoice::Usual,
            ..config(0)
        };
        let first = Listener::bind(&usual).unwrap();
        let second = Listener::bind(&usual).unwrap();
        assert_ne!(first.port(), second.port());
    }
}
