//! What every client's WebSocket has: how it begins, how much it may hold, how frames are written, how it ends.
//!
//! The library reads and does the closing. Frames are put together and written here, because the library keeps for each
//! socket a buffer as large as the longest frame that it ever wrote, and most sockets are idle most of the time.
//!
//! `examples/websocket-echo.rs` puts an echo on the same, for a foreign judge of the protocol (RFC 6455).

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::SinkExt as _;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use signaling::message::MAX_FRAME;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::listen::BytesRead;

pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// A message up to this size, in bytes, is still read, to be refused with a typed error; a larger one ends the
/// connection.
pub const MAX_READ: usize = 2 * MAX_FRAME;

/// Bytes that may come on the wire until a message ends. It can come in pieces, which cost work even when
/// they are empty.
const MOST_UNFINISHED: u64 = 8 * MAX_FRAME as u64;

/// Bytes a client's connection may read ahead: most signals whole. It is much of what an idle connection costs, with the
/// library's default of 128 KiB nearly all.
const READ_BUFFER: usize = 1536;

/// Time a client has to take the last frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A client's WebSocket, over plain TCP or TLS.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A request to become a WebSocket (RFC 6455, 4.2.1). What is none is refused with 426.
#[derive(Debug)]
pub struct Upgrade {
    answer: Response,
    /// As the client's headers list them.
    subprotocols: Vec<HeaderValue>,
    upgrading: OnUpgrade,
}

impl<S: Sync> FromRequest<S> for Upgrade {
    type Rejection = StatusCode;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, StatusCode> {
        let answer = create_response_with_body(&request, Body::empty);
        let subprotocols = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
        Ok(Self {
            answer: answer.map_err(|_| StatusCode::UPGRADE_REQUIRED)?,
            subprotocols: subprotocols.iter().cloned().collect(),
            upgrading: hyper::upgrade::on(&mut request),
        })
    }
}

impl Upgrade {
    /// Agrees to a subprotocol, if the client asks for it (4.2.2). Whether it does.
    pub fn agree(&mut self, subprotocol: &'static str) -> bool {
        let lists = self
            .subprotocols
            .iter()
            .filter_map(|list| list.to_str().ok());
        let mut asked = lists.flat_map(|list| list.split(','));
        let agreed = asked.any(|one| one.trim() == subprotocol);
        if agreed {
            let agreed = HeaderValue::from_static(subprotocol);
            self.answer
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, agreed);
        }
        agreed
    }

    /// The answer that makes the connection a WebSocket, which is then served in a task of its own.
    pub fn serve<F>(
        self,
        config: WebSocketConfig,
        serve: impl FnOnce(Box<Socket>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let upgrading = self.upgrading;
        tokio::spawn(async move {
            let upgraded = match upgrading.await {
                Ok(upgraded) => TokioIo::new(upgraded),
                Err(error) => {
                    return tracing::debug!(%error, "a connection ended before it was a WebSocket");
                }
            };
            // The task would have room for the socket in each future that has it in turn.
            let opening = Socket::from_raw_socket(upgraded, Role::Server, Some(config));
            let socket = Box::new(Box::pin(opening).await);
            serve(socket).await;
        });
        self.answer
    }
}

/// The bounds of a client's WebSocket.
#[must_use]
pub fn bounds() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // The library only answers pings and closes: at once.
        .write_buffer_size(0)
        .max_message_size(Some(MAX_READ))
        .max_frame_size(Some(MAX_READ))
}

/// Puts the head of an unfragmented frame of the server's behind what is in `out`; `size` bytes of payload belong behind it (5.2).
pub fn put_head(out: &mut Vec<u8>, opcode: OpCode, size: usize) {
    let head = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    let length = size as u64;
    out.reserve(head.len(length) + size);
    // Writing into memory does not fail.
    let _ = head.format(length, out);
}

/// Writes whole frames.
///
/// # Errors
/// The connection is gone. It is of no use either when this is given up before it ends.
pub async fn write(socket: &mut Socket, frames: &[u8]) -> Result<(), Error> {
    // Frames that the library has begun to write, as answers to pings, must not be torn apart.
    socket.flush().await?;
    let stream = socket.get_mut();
    stream.write_all(frames).await?;
    Ok(stream.flush().await?)
}

/// How long the current message is, on the wire.
#[derive(Debug)]
pub(super) struct Unfinished {
    read: BytesRead,
    begun: u64,
}

impl Unfinished {
    /// None has begun.
    pub(super) fn new(read: BytesRead) -> Self {
        let begun = read.so_far();
        Self { read, begun }
    }

    /// A message has ended.
    pub(super) fn end(&mut self) {
        self.begun = self.read.so_far();
    }

    /// Whether so much came since the last message that no message that we read can come of it.
    pub(super) fn is_endless(&self) -> bool {
        self.read.so_far() - self.begun > MOST_UNFINISHED
    }
}

/// Whether nothing larger than [`MAX_READ`] was read because something larger came.
#[must_use]
pub fn is_oversized(error: &Error) -> bool {
    matches!(error, Error::Capacity(_))
}

/// Ends the connection after a failed read: with the code for what the client did wrong (7.4.1), if it
/// did and is still there.
pub async fn fail(socket: &mut Socket, error: &Error) {
    let code = match error {
        Error::Utf8(_) => 1007,
        Error::Capacity(_) => 1009,
        Error::Protocol(_) => 1002,
        _ => return,
    };
    // Who does not take it is gone, or does not want to know.
    let _ = timeout(CLOSE_WITHIN, close(socket, code)).await;
}

/// Sends a close, the last frame.
///
/// # Errors
/// The connection is gone.
pub async fn close(socket: &mut Socket, code: u16) -> Result<(), Error> {
    let reason = Utf8Bytes::default();
    let code = code.into();
    socket
        .send(Message::Close(Some(CloseFrame { code, reason })))
        .await
}

/// Sends the answer to the client's close (5.5.1), which the library has prepared.
pub async fn answer_close(socket: &mut Socket) {
    let _ = timeout(CLOSE_WITHIN, socket.flush()).await;
}
