//! One client's queue of frames to be sent, bounded in number and bytes, and all clients' together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use signaling::CloseCode;
use signaling::message::ServerFrame;

use super::{Delays, lock};

/// Frames that may wait: all that a session that is resumed may have missed, and as many again.
const MOST_FRAMES: usize = 4_096;

/// Frames for which a queue keeps its room.
const FEW_FRAMES: usize = 4;

/// Bytes that may wait, in the same way. Signals of others are never so many
/// ([`signaling::Limits::under_way`]): it takes what the client asked for itself, or many who come and go.
const MOST_BYTES: usize = 1024 * 1024;

/// What waits for all clients together.
#[derive(Debug)]
pub struct Queues {
    most_bytes: usize,
    bytes: AtomicUsize,
    frames: AtomicUsize,
    outboxes: AtomicUsize,
    /// From when something waits until it and all that waits by then is handed to the system.
    delays: Delays,
}

/// What waits for one client.
#[derive(Debug)]
pub struct Outbox {
    queues: Arc<Queues>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Outgoing>,
    bytes: usize,
    closed: bool,
    /// Whoever empties the queue.
    waker: Option<Waker>,
    /// Whether they wait for something to be in it.
    awaited: bool,
    /// Since when something waits.
    since: Option<Instant>,
}

/// What is to be sent together.
#[derive(Debug, Default)]
pub struct Batch {
    /// In this order.
    pub frames: VecDeque<Outgoing>,
    /// Since when the first waits.
    since: Option<Instant>,
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
            frames: AtomicUsize::new(0),
            outboxes: AtomicUsize::new(0),
            delays: Delays::default(),
        }
    }

    /// Frames that wait now.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    /// How long what was sent so far has waited.
    #[must_use]
    pub fn delays(&self) -> &Delays {
        &self.delays
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
        }
    }

    /// Adds to the queue, at that time. After a `Close` nothing more is taken.
    pub(super) fn push(&self, outgoing: Outgoing, now: Instant) -> Result<(), Overflow> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Ok(());
        }
        match &outgoing {
            Outgoing::Frame(frame) => {
                let size = frame.size();
                // A single frame is always taken: who reads at all is not closed for the others.
                let bytes = waiting.bytes + size;
                let too_much = !waiting.frames.is_empty() && bytes > self.queues.share();
                if waiting.frames.len() >= MOST_FRAMES || too_much {
                    return Err(Overflow);
                }
                waiting.bytes = bytes;
                self.queues.bytes.fetch_add(size, Ordering::Relaxed);
            }
            // A client that does not read needs no more than one ping.
            Outgoing::Ping if waiting.frames.contains(&Outgoing::Ping) => return Ok(()),
            Outgoing::Ping => {}
            Outgoing::Close(_) => waiting.closed = true,
        }
        self.add(&mut waiting, outgoing, now);
        Ok(())
    }

    /// Drops what waits and closes: for a client that would not read it anyway.
    pub(super) fn abandon(&self, code: CloseCode, now: Instant) {
        let mut waiting = lock(&self.waiting);
        self.forget(&mut waiting);
        waiting.frames.clear();
        waiting.closed = true;
        self.add(&mut waiting, Outgoing::Close(code), now);
    }

    fn add(&self, waiting: &mut Waiting, outgoing: Outgoing, now: Instant) {
        if waiting.frames.is_empty() {
            waiting.since = Some(now);
        }
        waiting.frames.push_back(outgoing);
        self.queues.frames.fetch_add(1, Ordering::Relaxed);
        if std::mem::take(&mut waiting.awaited)
            && let Some(waker) = &waiting.waker
        {
            waker.wake_by_ref();
        }
    }

    /// Puts everything that waits into `batch`, which is empty, as soon as something does. One task at a time
    /// may wait for it.
    pub fn poll_take(&self, batch: &mut Batch, context: &Context<'_>) -> Poll<()> {
        let mut waiting = lock(&self.waiting);
        if waiting.frames.is_empty() {
            let waker = context.waker();
            if !waiting
                .waker
                .as_ref()
                .is_some_and(|set| set.will_wake(waker))
            {
                waiting.waker = Some(waker.clone());
            }
            waiting.awaited = true;
            return Poll::Pending;
        }
        self.forget(&mut waiting);
        std::mem::swap(&mut waiting.frames, &mut batch.frames);
        batch.since = waiting.since.take();
        Poll::Ready(())
    }

    /// Everything that waits, as soon as something does. Safe to cancel.
    pub async fn take(&self) -> Batch {
        let mut batch = Batch::default();
        std::future::poll_fn(|context| self.poll_take(&mut batch, context)).await;
        batch
    }

    /// A batch of this queue was handed to the system. It is empty then, and can be used again.
    pub fn sent(&self, batch: &mut Batch) {
        if let Some(since) = batch.since.take() {
            self.queues.delays.count(since.elapsed());
        }
        batch.frames.clear();
        // Most clients are idle most of the time, and need no room for many.
        batch.frames.shrink_to(FEW_FRAMES);
    }

    /// What waited counts no longer.
    fn forget(&self, waiting: &mut Waiting) {
        let frames = waiting.frames.len();
        self.queues.frames.fetch_sub(frames, Ordering::Relaxed);
        let bytes = std::mem::take(&mut waiting.bytes);
        self.queues.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.forget(&mut lock(&self.waiting));
        self.queues.outboxes.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use signaling::message::Body;

    use super::*;

    fn outbox(most_bytes: usize) -> Outbox {
        Outbox::new(Arc::new(Queues::new(most_bytes)))
    }

    fn text(body: &str) -> Outgoing {
        Outgoing::Frame(Body::Own(body.into()).number(1, None))
    }

    /// A frame that has as many bytes.
    fn of_size(bytes: usize) -> Outgoing {
        let number = r#","seq":1}"#.len() - 1;
        text(&"a".repeat(bytes - number))
    }

    #[tokio::test]
    async fn keeps_order_and_ends_with_close() {
        let outbox = outbox(MOST_BYTES);
        outbox.push(text("a"), Instant::now()).unwrap();
        outbox.push(Outgoing::Ping, Instant::now()).unwrap();
        outbox.push(Outgoing::Ping, Instant::now()).unwrap();
        outbox
            .push(Outgoing::Close(CloseCode::Policy), Instant::now())
            .unwrap();
        outbox.push(text("too late"), Instant::now()).unwrap();
        let taken = outbox.take().await.frames;
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
            outbox.push(text("a"), Instant::now()).unwrap();
        }
        assert_eq!(outbox.push(text("a"), Instant::now()), Err(Overflow));
        outbox.take().await;
        outbox.push(of_size(MOST_BYTES), Instant::now()).unwrap();
        assert_eq!(outbox.queues.bytes(), MOST_BYTES);
        assert_eq!(outbox.push(text("a"), Instant::now()), Err(Overflow));
        outbox.abandon(CloseCode::TryAgainLater, Instant::now());
        assert_eq!(
            outbox.take().await.frames,
            [Outgoing::Close(CloseCode::TryAgainLater)]
        );
        assert_eq!(outbox.queues.bytes(), 0);
    }

    #[tokio::test]
    async fn who_does_not_read_has_a_share_of_what_all_may_hold() {
        let queues = Arc::new(Queues::new(1_000));
        let [slow, other, reader] = [(); 3].map(|()| Outbox::new(Arc::clone(&queues)));
        slow.push(of_size(600), Instant::now()).unwrap();
        other.push(of_size(600), Instant::now()).unwrap();
        assert_eq!(
            slow.push(text("a"), Instant::now()),
            Err(Overflow),
            "more than a third"
        );
        reader.push(of_size(600), Instant::now()).unwrap();
        reader.take().await;
        drop(slow);
        other.push(text("a"), Instant::now()).unwrap();
        drop(other);
        assert_eq!((queues.bytes(), queues.frames()), (0, 0));
    }

    #[tokio::test]
    async fn it_is_counted_how_long_a_batch_waited() {
        let outbox = outbox(MOST_BYTES);
        for _ in 0..2 {
            outbox.push(text("a"), Instant::now()).unwrap();
        }
        assert_eq!(outbox.queues.frames(), 2);
        let mut batch = outbox.take().await;
        outbox.sent(&mut batch);
        assert_eq!(outbox.queues.delays().histogram().count, 1);
    }
}
