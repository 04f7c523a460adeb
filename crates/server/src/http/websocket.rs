//! What every client's WebSocket has: how much it may hold, and how it ends.
//!
//! `examples/websocket-echo.rs` puts an echo on the same, for a foreign judge of the protocol (RFC 6455).

use std::error::Error as _;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::SinkExt as _;
use signaling::message::MAX_FRAME;
use tokio::time::timeout;
use tungstenite::Error as Cause;

use crate::listen::BytesRead;

/// A message up to this size, in bytes, is still read, to be refused with a typed error; a larger one ends the
/// connection.
pub const MAX_READ: usize = 2 * MAX_FRAME;

/// Bytes that may come on the wire until a message ends. It can come in pieces, which cost work even when
/// they are empty.
const MOST_UNFINISHED: u64 = 8 * MAX_FRAME as u64;

/// Bytes a client's connection may read ahead: most signals whole. It is much of what an idle connection costs, with the
/// library's default of 128 KiB nearly all.
const READ_BUFFER: usize = 1536;

/// Bytes that are gathered before they are written.
const WRITE_BUFFER: usize = 16 * 1024;

/// Time a client has to take the last frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

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

/// The upgrade with our bounds.
pub fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
}

/// Whether nothing larger than [`MAX_READ`] was read because something larger came.
#[must_use]
pub fn is_oversized(error: &axum::Error) -> bool {
    matches!(cause(error), Some(Cause::Capacity(_)))
}

/// Ends the connection after a failed read: with the code for what the client did wrong (RFC 6455, 7.4.1), if it
/// did and is still there.
pub async fn fail(socket: &mut WebSocket, error: &axum::Error) {
    let code = match cause(error) {
        Some(Cause::Utf8(_)) => 1007,
        Some(Cause::Capacity(_)) => 1009,
        Some(Cause::Protocol(_)) => 1002,
        _ => return,
    };
    let reason = Utf8Bytes::default();
    let close = Message::Close(Some(CloseFrame { code, reason }));
    // Who does not take it is gone, or does not want to know.
    let _ = timeout(CLOSE_WITHIN, socket.send(close)).await;
}

/// Sends the answer to the client's close (RFC 6455, 5.5.1), which the library has prepared.
pub async fn answer_close(socket: &mut WebSocket) {
    let _ = timeout(CLOSE_WITHIN, socket.flush()).await;
}

fn cause(error: &axum::Error) -> Option<&Cause> {
    error.source()?.downcast_ref()
}
