//! Fetching a small document from a host of the local network or an AREDN network, and from nowhere else; among
//! them what a server says of itself.

use std::net::{IpAddr, SocketAddr};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use station::Callsign;
use tokio::net::{TcpStream, lookup_host};

use super::split_authority;
use crate::runtime::Introduction;

/// Most bytes of what a server says of itself.
const MAX_INFO: usize = 64 * 1024;
/// Digits of a fingerprint by which servers are told apart.
const FP_DIGITS: usize = 16;

/// A host to ask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As the host knows itself: `localnode.local.mesh:80`.
    pub(crate) authority: String,
    /// Its address, where that is known without asking a name server.
    pub(crate) address: Option<SocketAddr>,
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
    pub(crate) fn parse(text: &str) -> Option<Self> {
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

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self {
            authority: address.to_string(),
            address: Some(address),
        }
    }
}

/// Who a server says it is; none where what answers is no server of this kind with an owner. The caller limits the time.
pub(crate) async fn introduction(place: &Place) -> Result<Option<Introduction>, FetchError> {
    let said = get(place, "/api/info", MAX_INFO).await?;
    let info = serde_json::from_slice::<Value>(&said).ok();
    Ok(info.and_then(|info| introduced(&info)))
}

fn introduced(info: &Value) -> Option<Introduction> {
    let is_server = info["type"] == "signaling";
    let callsign = Callsign::parse(info["callsign"].as_str()?).ok()?;
    let fp = info["certFingerprint"].as_str().and_then(|fingerprint| {
        let hexadecimal = fingerprint.bytes().all(|digit| digit.is_ascii_hexdigit());
        let fp = fingerprint.get(..FP_DIGITS)?;
        hexadecimal.then(|| fp.to_owned())
    });
    is_server.then_some(Introduction { callsign, fp })
}

/// The document at a path, of at most so many bytes. The caller limits the time.
pub(crate) async fn get(place: &Place, path: &str, most: usize) -> Result<Bytes, FetchError> {
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
    use serde_json::json;

    use super::*;

    #[test]
    fn only_servers_of_our_kind_are_believed_to_be_some() {
        let said = json!({
            "type": "signaling", "callsign": "K1ABC",
            "certFingerprint": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        });
        let found = introduced(&said).unwrap();
        assert_eq!(found.callsign.as_str(), "K1ABC");
        assert_eq!(found.fp.as_deref(), Some("0123456789abcdef"));
        for wrong in [
            json!({ "type": "printer", "callsign": "K1ABC" }),
            json!({ "type": "signaling", "callsign": "nobody at all" }),
            json!({ "type": "signaling", "callsign": null }),
            json!([]),
        ] {
            assert_eq!(introduced(&wrong), None, "{wrong}");
        }
        let odd = json!({ "type": "signaling", "callsign": "K1ABC", "certFingerprint": "xyz" });
        assert_eq!(introduced(&odd).unwrap().fp, None);
    }

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
