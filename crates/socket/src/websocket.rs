//! What every client's WebSocket has: how it begins, how much it may hold, how frames are written, how it ends.
//!
//! The library reads and does the closing. Frames are put together and written here, because the library keeps for each
//! socket a buffer as large as the longest frame that it ever wrote, and most sockets are idle most of the time.
//!
//! `examples/websocket-echo.rs` puts an echo on the same, for a foreign judge of the protocol (RFC 6455).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::task::AtomicWaker;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite as _;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::ahead::Ahead;
use crate::lingering::BytesRead;

pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Bytes of the library's buffer for reading: most signals fit. It is much of what an idle connection costs, with the
/// library's default of 128 KiB nearly all.
const READ_BUFFER: usize = 1536;

/// Time a client has to take the last frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A WebSocket as the library has it, over plain TCP or TLS.
pub type Stream = WebSocketStream<Ahead<TokioIo<Upgraded>>>;

/// A client's WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    /// Who is woken when there is something to read.
    bell: Arc<Bell>,
    /// The same.
    waker: Waker,
    /// Whether the library may have begun to write an answer: it answers pings and closes by itself.
    answering: bool,
}

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
                Ok(upgraded) => Ahead::new(TokioIo::new(upgraded)),
                Err(error) => {
                    return tracing::debug!(%error, "a connection ended before it was a WebSocket");
                }
            };
            // The task would have room for the socket in each future that has it in turn.
            let opening = Stream::from_raw_socket(upgraded, Role::Server, Some(config));
            let stream = Box::pin(opening).await;
            serve(Box::new(Socket::new(stream))).await;
        });
        self.answer
    }
}

/// Whether a socket woke its task since it was last looked at. A task that something else woke, as most are by what is to be
/// written, need not look: a look at a socket where nothing came costs as much as checking a signal.
#[derive(Debug)]
struct Bell {
    task: AtomicWaker,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Socket {
    fn new(stream: Stream) -> Self {
        let bell = Arc::new(Bell {
            task: AtomicWaker::new(),
            // Something may have come already.
            rung: AtomicBool::new(true),
        });
        Self {
            stream,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            answering: false,
        }
    }

    /// The next frame; none after the end. Pings and closes are given too, and answered besides.
    // Within the server, which is built for size, it would be as slow as that.
    #[inline(never)]
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.bell.task.register(context.waker());
        if !self.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let mut context = Context::from_waker(&self.waker);
        let frame = ready!(self.stream.poll_next_unpin(&mut context));
        // There may be more.
        self.bell.rung.store(true, Ordering::Release);
        self.answering |= matches!(frame, Some(Ok(Message::Ping(_) | Message::Close(_))));
        Poll::Ready(frame)
    }

    /// The next frame; none after the end.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Writes whole frames.
    ///
    /// # Errors
    /// The connection is gone. It is of no use either when this is given up before it ends.
    pub async fn write(&mut self, frames: &[u8]) -> Result<(), Error> {
        let mut left = frames;
        poll_fn(|context| self.poll_write(&mut left, context)).await
    }

    #[inline(never)]
    fn poll_write(
        &mut self,
        left: &mut &[u8],
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        // A frame that the library has begun to write must not be torn apart.
        if self.answering {
            ready!(self.stream.poll_flush_unpin(context))?;
            self.answering = false;
        }
        let mut stream = Pin::new(self.stream.get_mut());
        while !left.is_empty() {
            let written = ready!(stream.as_mut().poll_write(context, left))?;
            if written == 0 {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
            }
            *left = left.get(written..).unwrap_or_default();
        }
        stream.poll_flush(context).map_err(Error::from)
    }

    /// Ends the connection after a failed read: with the code for what the client did wrong (7.4.1), if it
    /// did and is still there.
    pub async fn fail(&mut self, error: &Error) {
        let code = match error {
            Error::Utf8(_) => 1007,
            Error::Capacity(_) => 1009,
            Error::Protocol(_) => 1002,
            _ => return,
        };
        // Who does not take it is gone, or does not want to know.
        let _ = timeout(CLOSE_WITHIN, self.close(code)).await;
    }

    /// Sends a close, the last frame.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn close(&mut self, code: u16) -> Result<(), Error> {
        let reason = Utf8Bytes::default();
        let code = code.into();
        self.stream
            .send(Message::Close(Some(CloseFrame { code, reason })))
            .await
    }

    /// Sends the answer to the client's close (5.5.1), which the library has prepared.
    pub async fn answer_close(&mut self) {
        let _ = timeout(CLOSE_WITHIN, self.stream.flush()).await;
    }

    /// The library's own, for those who leave the writing to it.
    #[must_use]
    pub fn into_stream(self) -> Stream {
        self.stream
    }
}

/// The bounds of a client's WebSocket: a message of more than `most` bytes ends the connection.
#[must_use]
pub fn bounds(most: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // The library only answers pings and closes: at once.
        .write_buffer_size(0)
        .max_message_size(Some(most))
        .max_frame_size(Some(most))
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

/// How long the current message is, on the wire. A message can come in pieces, which cost work even when they are
/// empty.
#[derive(Debug)]
pub struct Unfinished {
    read: BytesRead,
    begun: u64,
    most: u64,
}

impl Unfinished {
    /// None has begun. Until one ends at most so many bytes may come.
    #[must_use]
    pub fn new(read: BytesRead, most: u64) -> Self {
        let begun = read.so_far();
        Self { read, begun, most }
    }

    /// A message has ended.
    pub fn end(&mut self) {
        self.begun = self.read.so_far();
    }

    /// Whether so much came since the last message that no message that is read can come of it.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.read.so_far() - self.begun > self.most
    }
}

/// Whether nothing more was read because something came that is larger than the bound.
#[must_use]
pub fn is_oversized(error: &Error) -> bool {
    matches!(error, Error::Capacity(_))
}
