//! Dialling other servers: from an endpoint to a WebSocket of `ham-coordinate.1`, or of the plain messages.
//!
//! Who is at the other end is proved by the handshake of the protocol itself, against the server's own
//! certificate. So TLS here keeps what passes from those who listen, and nobody's browser CA is asked
//! about it. Across amateur frequencies there is none: the zone is judged by the connection's own two
//! addresses before a byte is sent.

mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coordination::Protocol;
use coordination::message::{MAX_FRAME, SUBPROTOCOL};
use station::Zone;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::task::TaskTracker;

use crate::network::Ends;
use crate::network::endpoint::{Endpoint, EndpointError};
use crate::network::zoning::Zoning;
use crate::runtime::coordination::{Dials, carry};
use crate::runtime::{Coordinator, Resolver};

/// How long an address has to answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long TLS and the WebSocket handshake may take together.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Bytes a connection may read ahead or gather before writing.
const BUFFER: usize = 4 * 1024;

/// What dialling needs.
pub struct Dialer {
    coordinator: Arc<Coordinator>,
    zoning: Arc<Zoning>,
    resolver: Resolver,
    tls: TlsConnector,
}

/// Why a dial came to nothing.
#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the name has no address here")]
    NoAddress,
    #[error("nobody answers there")]
    Connect(#[source] std::io::Error),
    #[error("nobody answers there in time")]
    TooLong,
    #[error("TLS did not come about")]
    Tls(#[source] std::io::Error),
    #[error("what answers there takes no servers")]
    WebSocket(#[source] Box<tungstenite::Error>),
    #[error("this server is closed")]
    Closed,
}

impl Dialer {
    /// A dialer for a coordinator.
    ///
    /// # Errors
    /// What rustls says when its cryptography lacks what TLS needs: a fault of this program.
    pub fn new(
        coordinator: Arc<Coordinator>,
        zoning: Arc<Zoning>,
        resolver: Resolver,
    ) -> Result<Self, tokio_rustls::rustls::Error> {
        Ok(Self {
            coordinator,
            zoning,
            resolver,
            tls: tls::connector()?,
        })
    }

    /// Dials whom the coordinator wants dialled, for ever.
    pub async fn run(self, mut dials: Dials) {
        let dialer = Arc::new(self);
        let links = TaskTracker::new();
        while let Some(endpoint) = dials.recv().await {
            let dialer = Arc::clone(&dialer);
            links.spawn(async move {
                if let Err(error) = dialer.dial(&endpoint).await {
                    let error = anyhow::Error::from(error);
                    tracing::debug!(endpoint, "no link: {error:#}");
                    dialer.coordinator.dial_failed(endpoint);
                }
            });
        }
        std::future::pending::<()>().await;
    }

    /// Dials, and serves the link until it ends.
    async fn dial(&self, text: &str) -> Result<(), DialError> {
        let endpoint: Endpoint = text.parse()?;
        let opened = self.open(&endpoint, Some(SUBPROTOCOL)).await;
        let (link, protocol) = match opened {
            // It takes WebSockets there, and knows nothing of ours.
            Err(DialError::WebSocket(error)) if is_without_subprotocol(&error) => {
                (self.open(&endpoint, None).await?, Protocol::Plain)
            }
            opened => (opened?, Protocol::Coordinate),
        };
        let dialed = Some(text.to_owned());
        let line = Coordinator::link_up(&self.coordinator, dialed, link.ends, protocol);
        carry(line.ok_or(DialError::Closed)?, link.socket).await;
        Ok(())
    }

    async fn open(&self, endpoint: &Endpoint, protocol: Option<&str>) -> Result<Opened, DialError> {
        let stream = self.connect(endpoint).await?;
        let ends = (|| Ok(Ends::new(stream.local_addr()?, stream.peer_addr()?)))();
        let ends = ends.map_err(DialError::Connect)?;
        let open = self.zoning.of(ends).zone == Zone::Open;
        let opening = async {
            let (stream, ends): (Box<dyn Transport>, Ends) = if endpoint.tls && open {
                let name = tls::name(ends.remote.ip());
                let encrypted = self.tls.connect(name, stream).await;
                (
                    Box::new(encrypted.map_err(DialError::Tls)?),
                    ends.over_tls(),
                )
            } else {
                (Box::new(stream), ends)
            };
            let socket = shake_hands(stream, endpoint, ends, protocol).await?;
            Ok(Opened { socket, ends })
        };
        timeout(OPEN_WITHIN, opening)
            .await
            .map_err(|_| DialError::TooLong)?
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, DialError> {
        let mut last = DialError::NoAddress;
        for address in self
            .addresses(endpoint)
            .await
            .into_iter()
            .take(MOST_ADDRESSES)
        {
            match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // What passes is small, and somebody waits for it.
                    stream.set_nodelay(true).map_err(DialError::Connect)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = DialError::Connect(error),
                Err(_) => last = DialError::TooLong,
            }
        }
        Err(last)
    }

    async fn addresses(&self, endpoint: &Endpoint) -> Vec<SocketAddr> {
        let socket = |ip| SocketAddr::new(ip, endpoint.port);
        if let Some(ip) = endpoint.address() {
            return vec![socket(ip)];
        }
        if endpoint.host.ends_with(".local")
            && let Some(found) = self.resolver.addresses(&endpoint.host).await
            && !found.is_empty()
        {
            return found.into_iter().map(socket).collect();
        }
        let found = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await;
        found.map(Iterator::collect).unwrap_or_default()
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

/// A link's WebSocket, and what it goes over.
struct Opened {
    socket: WebSocketStream<Box<dyn Transport>>,
    ends: Ends,
}

/// Plain TCP, or TLS.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

async fn shake_hands(
    stream: Box<dyn Transport>,
    endpoint: &Endpoint,
    ends: Ends,
    protocol: Option<&str>,
) -> Result<WebSocketStream<Box<dyn Transport>>, DialError> {
    let failed = |error| DialError::WebSocket(Box::new(error));
    let url = endpoint.url(ends.websocket_scheme());
    let mut request = url.into_client_request().map_err(failed)?;
    if let Some(protocol) = protocol.and_then(|word| HeaderValue::from_str(word).ok()) {
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let shaken = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    Ok(shaken.map_err(failed)?.0)
}

fn is_without_subprotocol(error: &tungstenite::Error) -> bool {
    matches!(
        error,
        tungstenite::Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol
        ))
    )
}
