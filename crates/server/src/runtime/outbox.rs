//! One client's queue of frames to be sent, bounded in number and bytes, and all clients' together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use signaling::CloseCode;
use signaling::message::ServerFrame;
use tokio::sync::Notify;

use super::lock;

/// Frames that may wait.
const MOST_FRAMES: usize = 512;

/// Bytes that may wait: a full list of people and some calls.
const MOST_BYTES: usize = 1024 * 1024;

/// What waits for all clients together.
#[derive(Debug)]
pub struct Queues {
    most_bytes: usize,
    bytes: AtomicUsize,
    outboxes: AtomicUsize,
}

/// What waits for one client.
#[derive(Debug)]
pub struct Outbox {
    queues: Arc<Queues>,
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

impl Queues {
    /// No queues yet, which may hold so many bytes together. Beyond it each may hold its even share.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            bytes: AtomicUsize::new(0),
            outboxes: AtomicUsize::new(0),
        }
    }

    /// Bytes that wait now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that one queue may hold now.
    fn share(&self) -> usize {
        if self.bytes() <= self.most_bytes {
            return MOST_BYTES;
        }
        let outboxes = self.outboxes.load(Ordering::Relaxed).max(1);
        (self.most_bytes / outboxes).min(MOST_BYTES)
    }
}

impl Outbox {
    /// An empty queue, one of many.
    #[must_use]
    pub fn new(queues: Arc<Queues>) -> Self {
        queues.outboxes.fetch_add(1, Ordering::Relaxed);
        Self {
            queues,
            waiting: Mutex::default(),
            filled: Notify::new(),
        }
    }

    /// Adds to the queue. After a `Close` nothing more is taken.
    pub(super) fn push(&self, outgoing: Outgoing) -> Result<(), Overflow> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Ok(());
        }
        match &outgoing {
            Outgoing::Frame(frame) => {
                let weight = frame.weight();
                // A single frame is always taken: who reads at all is not closed for the others.
                let bytes = waiting.bytes + weight;
                let too_much = !waiting.frames.is_empty() && bytes > self.queues.share();
                if waiting.frames.len() >= MOST_FRAMES || too_much {
                    return Err(Overflow);
                }
                waiting.bytes = bytes;
                self.queues.bytes.fetch_add(weight, Ordering::Relaxed);
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
        self.forget(&mut waiting);
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
                    self.forget(&mut waiting);
                    return std::mem::take(&mut waiting.frames);
                }
            }
            self.filled.notified().await;
        }
    }

    /// What waited counts no longer.
    fn forget(&self, waiting: &mut Waiting) {
        let bytes = std::mem::take(&mut waiting.bytes);
        self.queues.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let bytes = lock(&self.waiting).bytes;
        self.queues.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.queues.outboxes.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(most_bytes: usize) -> Outbox {
        Outbox::new(Arc::new(Queues::new(most_bytes)))
    }

    fn text(body: &str) -> Outgoing {
        Outgoing::Frame(ServerFrame::new(body.into(), 1, None))
    }

    #[tokio::test]
    async fn keeps_order_and_ends_with_close() {
        let outbox = outbox(MOST_BYTES);
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
        let outbox = outbox(10 * MOST_BYTES);
        for _ in 0..MOST_FRAMES {
            outbox.push(text("a")).unwrap();
        }
        assert_eq!(outbox.push(text("a")), Err(Overflow));
        outbox.take().await;
        outbox.push(text(&"a".repeat(MOST_BYTES))).unwrap();
        assert_eq!(outbox.queues.bytes(), MOST_BYTES);
        assert_eq!(outbox.push(text("a")), Err(Overflow));
        outbox.abandon(CloseCode::TryAgainLater);
        assert_eq!(
            outbox.take().await,
            [Outgoing::Close(CloseCode::TryAgainLater)]
        );
        assert_eq!(outbox.queues.bytes(), 0);
    }

    #[tokio::test]
    async fn who_does_not_read_has_a_share_of_what_all_may_hold() {
        let queues = Arc::new(Queues::new(1_000));
        let [slow, other, reader] = [(); 3].map(|()| Outbox::new(Arc::clone(&queues)));
        slow.push(text(&"a".repeat(600))).unwrap();
        other.push(text(&"a".repeat(600))).unwrap();
        assert_eq!(slow.push(text("a")), Err(Overflow), "more than a third");
        reader.push(text(&"a".repeat(600))).unwrap();
        reader.take().await;
        drop(slow);
        other.push(text("a")).unwrap();
        drop(other);
        assert_eq!(queues.bytes(), 0);
    }
}
