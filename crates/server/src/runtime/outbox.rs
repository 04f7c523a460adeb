//! One client's queue of frames to be sent, bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::Mutex;

use signaling::CloseCode;
use signaling::message::ServerFrame;
use tokio::sync::Notify;

use super::lock;

/// Frames that may wait.
const MOST_FRAMES: usize = 512;

/// Bytes that may wait: a full list of people and some calls.
const MOST_BYTES: usize = 1024 * 1024;

/// What waits for one client.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Outgoing>,
    bytes: usize,
    closed: bool,
}

/// One thing for a socket to send.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame. What many clients are told waits here once.
    Frame(ServerFrame),
    /// A WebSocket ping.
    Ping,
    /// The last thing.
    Close(CloseCode),
}

/// The client does not read what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

impl Outbox {
    /// Adds to the queue. After a `Close` nothing more is taken.
    pub(super) fn push(&self, outgoing: Outgoing) -> Result<(), Overflow> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Ok(());
        }
        match &outgoing {
            Outgoing::Frame(frame) => {
                let weight = frame.weight();
                if waiting.frames.len() >= MOST_FRAMES || waiting.bytes + weight > MOST_BYTES {
                    return Err(Overflow);
                }
                waiting.bytes += weight;
            }
            // A client that does not read needs no more than one ping.
            Outgoing::Ping if waiting.frames.contains(&Outgoing::Ping) => return Ok(()),
            Outgoing::Ping => {}
            Outgoing::Close(_) => waiting.closed = true,
        }
        waiting.frames.push_back(outgoing);
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    /// Drops what waits and closes: for a client that would not read it anyway.
    pub(super) fn abandon(&self, code: CloseCode) {
        let mut waiting = lock(&self.waiting);
        waiting.frames.clear();
        waiting.closed = true;
        waiting.frames.push_back(Outgoing::Close(code));
        drop(waiting);
        self.filled.notify_one();
    }

    /// Everything that waits, as soon as something does. Safe to cancel.
    pub async fn take(&self) -> VecDeque<Outgoing> {
        loop {
            {
                let mut waiting = lock(&self.waiting);
                if !waiting.frames.is_empty() {
                    waiting.bytes = 0;
                    return std::mem::take(&mut waiting.frames);
                }
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Outgoing {
        Outgoing::Frame(ServerFrame::new(body.into(), 1, None))
    }

    #[tokio::test]
    async fn keeps_order_and_ends_with_close() {
        let outbox = Outbox::default();
        outbox.push(text("a")).unwrap();
        outbox.push(Outgoing::Ping).unwrap();
        outbox.push(Outgoing::Ping).unwrap();
        outbox.push(Outgoing::Close(CloseCode::Policy)).unwrap();
        outbox.push(text("too late")).unwrap();
        let taken = outbox.take().await;
        let expected = [
            text("a"),
            Outgoing::Ping,
            Outgoing::Close(CloseCode::Policy),
        ];
        assert_eq!(taken, expected);
    }

    #[tokio::test]
    async fn overflows_by_number_and_by_bytes_and_is_then_abandoned() {
        let outbox = Outbox::default();
        for _ in 0..MOST_FRAMES {
            outbox.push(text("a")).unwrap();
        }
        assert_eq!(outbox.push(text("a")), Err(Overflow));
        outbox.take().await;
        outbox.push(text(&"a".repeat(MOST_BYTES))).unwrap();
        assert_eq!(outbox.push(text("a")), Err(Overflow));
        outbox.abandon(CloseCode::TryAgainLater);
        assert_eq!(
            outbox.take().await,
            [Outgoing::Close(CloseCode::TryAgainLater)]
        );
    }
}
