//! One transport to another server, whoever dialled it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coordination::message::Refusal;
use coordination::{Blob, Frame, Input, LinkId, Protocol};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{Coordinator, lock};

/// Time the other end has to take the last thing it is sent.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// After how long without a frame a server that knows only the plain messages is asked whether it is there.
/// Our own say so themselves.
const PING_AFTER: Duration = Duration::from_secs(20);

/// One link's way to the node. Dropping it says that the transport is gone.
#[derive(Debug)]
pub struct Line {
    coordinator: Arc<Coordinator>,
    link: LinkId,
    protocol: Protocol,
    outgoing: mpsc::Receiver<Outgoing>,
}

/// What a line holds at most: what the node gives a transport that writes nothing, a refusal, a ping and the end.
pub(super) const QUEUE: usize = coordination::WINDOW_FRAMES + 3;

/// One thing for a socket to send.
#[derive(Debug)]
pub enum Outgoing {
    /// A frame.
    Frame(Frame),
    /// A WebSocket ping.
    Ping,
    /// The last thing, and why.
    Close(Option<Refusal>),
}

/// The code of RFC 6455 and the reason that a WebSocket is closed with. Who speaks the subprotocol was told before; who
/// knows only the plain messages is told nowhere else.
fn close_of(refusal: Option<Refusal>) -> (u16, &'static str) {
    match refusal {
        None => (1000, ""),
        Some(full @ (Refusal::Full | Refusal::Paused)) => (1013, full.as_str()),
        Some(refusal) => (1008, refusal.as_str()),
    }
}

/// What a socket received.
#[derive(Debug)]
enum Heard {
    Frame(Frame),
    /// A ping or a pong, with so many bytes in it.
    Control(usize),
    /// The other end closes.
    Close,
}

impl Line {
    pub(super) fn new(
        coordinator: Arc<Coordinator>,
        link: LinkId,
        protocol: Protocol,
        outgoing: mpsc::Receiver<Outgoing>,
    ) -> Self {
        Self {
            coordinator,
            link,
            protocol,
            outgoing,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        lock(&self.coordinator.core).lines.remove(&self.link);
        self.coordinator.tell(Input::LinkDown { link: self.link });
    }
}

/// Reads and writes until either side ends it.
pub async fn carry<S>(mut line: Line, socket: WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sink, stream) = socket.split();
    let (link, coordinator) = (line.link, Arc::clone(&line.coordinator));
    let listening = listen(&coordinator, link, line.protocol, stream);
    let speaking = speak(&coordinator, link, &mut line.outgoing, sink);
    tokio::select! {
        () = listening => {}
        () = speaking => {}
    }
}

async fn listen<S>(
    coordinator: &Coordinator,
    link: LinkId,
    protocol: Protocol,
    mut stream: SplitStream<WebSocketStream<S>>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut asked = false;
    loop {
        let next = match protocol {
            Protocol::Coordinate => stream.next().await,
            Protocol::Plain => match timeout(PING_AFTER, stream.next()).await {
                Ok(next) => next,
                Err(_) if asked => return,
                Err(_) => {
                    asked = true;
                    lock(&coordinator.core).queue(link, Outgoing::Ping);
                    continue;
                }
            },
        };
        asked = false;
        match next.and_then(Result::ok).map(Heard::from) {
            Some(Heard::Frame(frame)) => {
                if let Some(open) = lock(&coordinator.core).lines.get_mut(&link) {
                    open.heard = Instant::now();
                }
                let is_text = matches!(frame, Frame::Text(_));
                coordinator.tell(Input::Frame { link, frame });
                // Nobody answers for what is in a text, so nothing else keeps its sender from being faster than the disk:
                // the next is read when this one is done with.
                if is_text && protocol == Protocol::Plain {
                    coordinator.catch_up().await;
                }
            }
            Some(Heard::Control(bytes)) => coordinator.tell(Input::Control { link, bytes }),
            Some(Heard::Close) | None => return,
        }
    }
}

async fn speak<S>(
    coordinator: &Coordinator,
    link: LinkId,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    mut sink: SplitSink<WebSocketStream<S>, Message>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut batch = Vec::new();
    while outgoing.recv_many(&mut batch, BATCH).await > 0 {
        let (mut frames, mut bytes) = (0, 0);
        for next in batch.drain(..) {
            if let Outgoing::Close(_) = next {
                let _ = timeout(CLOSE_WITHIN, async {
                    sink.send(next.into()).await?;
                    sink.close().await
                })
                .await;
                return;
            }
            if let Outgoing::Frame(frame) = &next {
                frames += 1;
                bytes += frame.len();
            }
            if sink.feed(next.into()).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
        coordinator.tell(Input::Written {
            link,
            frames,
            bytes,
        });
    }
}

impl From<Message> for Heard {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Frame(Frame::Text(text.as_str().into())),
            Message::Binary(bytes) => Self::Frame(Frame::Binary(Blob::from(bytes.as_ref()))),
            Message::Ping(bytes) | Message::Pong(bytes) => Self::Control(bytes.len()),
            // Only ever written.
            Message::Frame(frame) => Self::Control(frame.len()),
            Message::Close(_) => Self::Close,
        }
    }
}

impl From<Outgoing> for Message {
    fn from(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Frame(Frame::Text(text)) => Self::text(&*text),
            Outgoing::Frame(Frame::Binary(bytes)) => Self::binary(bytes.as_bytes().to_vec()),
            Outgoing::Ping => Self::Ping(Vec::new().into()),
            Outgoing::Close(refusal) => {
                let (code, reason) = close_of(refusal);
                Self::Close(Some(CloseFrame {
                    code: code.into(),
                    reason: reason.into(),
                }))
            }
        }
    }
}

/// Frames written with one flush.
const BATCH: usize = 32;
