//! Fetching a small document from a host of the local network or an AREDN network, and from nowhere else.

use std::net::{IpAddr, SocketAddr};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use crate::network::split_authority;

/// A host to ask.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As the host knows itself: `localnode.local.mesh:80`.
    pub(super) authority: String,
    /// Its address, where that is known without asking a name server.
    pub(super) address: Option<SocketAddr>,
}

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody knows the name.
    #[error(
        "this machine finds no address for its name; use the node as name server, or its address"
    )]
    Name(#[source] std::io::Error),
    /// The address is elsewhere.
    #[error("its address {0} is neither one of a local network nor one of amateur radio")]
    Elsewhere(IpAddr),
    /// It cannot be reached.
    #[error("nobody listens there")]
    Connect(#[source] std::io::Error),
    /// It does not speak HTTP as it should.
    #[error("it does not speak HTTP")]
    Http(#[from] hyper::Error),
    /// It refuses.
    #[error("it answers {0}")]
    Status(StatusCode),
    /// It says too much, or breaks off.
    #[error("its answer is longer than it may be, or broke off")]
    Body,
}

impl Place {
    /// A node as its owner names it: `localnode.local.mesh`, `10.54.3.89`, with or without `http://` and a
    /// port; what follows is left out. Only names under `local.mesh` and addresses.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("http://").unwrap_or(text);
        let authority = text.split(['/', '?', '#']).next()?;
        let (host, port) = split_authority(authority)?;
        let host = host.to_ascii_lowercase();
        let port = port.unwrap_or(80);
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let named = host == "localnode" || host.ends_with(".local.mesh");
        if literal.is_err() && !(named && host.bytes().all(plain)) {
            return None;
        }
        Some(Self {
            authority: format!("{host}:{port}"),
            address: literal.ok().map(|address| SocketAddr::new(address, port)),
        })
    }
}

/// The document at a path, of at most so many bytes. The caller limits the time.
pub(super) async fn get(place: &Place, path: &str, most: usize) -> Result<Bytes, FetchError> {
    let address = match place.address {
        Some(address) => address,
        None => resolve(&place.authority).await?,
    };
    if !is_near(address.ip()) {
        return Err(FetchError::Elsewhere(address.ip()));
    }
    let stream = TcpStream::connect(address)
        .await
        .map_err(FetchError::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, or with the task that gives up.
    let fetching = async {
        let request = Request::get(path)
            .header(header::HOST, &place.authority)
            .body(Empty::<Bytes>::new())
            .map_err(|_| FetchError::Body)?;
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let body = Limited::new(response.into_body(), most).collect().await;
        Ok(body.map_err(|_| FetchError::Body)?.to_bytes())
    };
    tokio::pin!(fetching, connection);
    tokio::select! {
        fetched = &mut fetching => fetched,
        ended = &mut connection => {
            ended?;
            fetching.await
        }
    }
}

async fn resolve(authority: &str) -> Result<SocketAddr, FetchError> {
    let mut addresses = lookup_host(authority).await.map_err(FetchError::Name)?;
    addresses
        .next()
        .ok_or_else(|| FetchError::Name(std::io::Error::from(std::io::ErrorKind::NotFound)))
}

/// Whether an address is one of a local network, of this machine, or of amateur radio (44net).
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let amateur = matches!(four.octets(), [44, 0..=191, ..]);
            four.is_private() || four.is_link_local() || four.is_loopback() || amateur
        }
        IpAddr::V6(six) => six.is_unique_local() || six.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_by_their_network() {
        let place = |text: &str| Place::parse(text).map(|place| place.authority);
        for (text, authority) in [
            ("localnode.local.mesh", "localnode.local.mesh:80"),
            (
                "http://localnode.local.mesh:8080/a/status",
                "localnode.local.mesh:8080",
            ),
            (" K1ABC-hap.local.mesh ", "k1abc-hap.local.mesh:80"),
            ("localnode", "localnode:80"),
            ("10.54.3.89", "10.54.3.89:80"),
        ] {
            assert_eq!(place(text).as_deref(), Some(authority), "{text}");
        }
        for wrong in [
            "",
            "example.com",
            "http://user@localnode",
            "https://localnode",
            "a b.local.mesh",
        ] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_on_the_internet_is_asked() {
        for near in [
            "10.1.2.3",
            "192.168.1.1",
            "44.1.2.3",
            "127.0.0.1",
            "fd00::1",
        ] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in ["8.8.8.8", "44.192.0.1", "2001:db8::1", "0.0.0.0"] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }
}
