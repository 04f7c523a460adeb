//! What waits to be sent over one link.
//!
//! Three lanes, and a later one moves only when the earlier are empty: what people wait for, records, and
//! sets. Messages longer than the link's frames are sent in parts, so on a slow link a part of a
//! certificate delays a call by a part's time and no more. Each lane is bounded; what does not fit is
//! not sent, and found again when the ends compare what they hold.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::input::Frame;
use super::limits::LinkLimits;
use crate::budget::Meter;
use crate::bytes::Blob;
use crate::message::{LANES, Message, Part};

/// Frames given to a transport that are not written yet, however short they are: whoever owns it needs a queue of
/// this length, and of three more for a refusal, a ping and the end.
pub const WINDOW_FRAMES: usize = 256;

/// In what order messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Handshake, beats, parcels.
    Urgent,
    /// Records and who is where, questions whether a server lives.
    Records,
    /// Sets, plain messages.
    Bulk,
}

#[derive(Debug)]
pub(super) struct Outbox {
    lanes: [Waiting; LANES],
    /// Bytes given to the transport and not written yet, and the frames they are in.
    unwritten: usize,
    unwritten_frames: usize,
    meter: Meter,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// How much of the first frame is sent already, in parts.
    sent: usize,
}

/// What there is to send now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Send(Frame),
    /// Nothing before then, by the link's rate.
    At(Instant),
    /// Nothing until something happens.
    Nothing,
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            lanes: Default::default(),
            unwritten: 0,
            unwritten_frames: 0,
            meter: Meter::new(now),
        }
    }

    /// Puts a frame at the end of a lane, unless the lane is full.
    pub(super) fn push(&mut self, lane: Lane, frame: Frame, limits: &LinkLimits) -> bool {
        let waiting = &mut self.lanes[lane as usize];
        let full = waiting.bytes + frame.len() > limits.waiting[lane as usize];
        if full && waiting.bytes > 0 {
            return false;
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        true
    }

    /// Whether a lane has so little to do that more may be fetched for it.
    pub(super) fn is_hungry(&self, lane: Lane, limits: &LinkLimits) -> bool {
        self.lanes[lane as usize].bytes < limits.waiting[lane as usize] / 2
    }

    /// Frames were written.
    pub(super) fn written(&mut self, frames: usize, bytes: usize) {
        self.unwritten = self.unwritten.saturating_sub(bytes);
        self.unwritten_frames = self.unwritten_frames.saturating_sub(frames);
    }

    /// Takes what is to be sent now.
    pub(super) fn next(&mut self, limits: &LinkLimits, now: Instant) -> Next {
        if self.unwritten >= limits.window || self.unwritten_frames >= WINDOW_FRAMES {
            return Next::Nothing;
        }
        let Some(lane) = self.lanes.iter().position(|lane| !lane.frames.is_empty()) else {
            return Next::Nothing;
        };
        let waiting = &mut self.lanes[lane];
        let length = waiting.piece(limits.frame);
        if let Some(rate) = limits.send
            && let Err(at) = self.meter.spend(length, rate, now)
        {
            return Next::At(at);
        }
        match waiting.take(lane, length) {
            Some(frame) => {
                self.unwritten += frame.len();
                self.unwritten_frames += 1;
                Next::Send(frame)
            }
            None => Next::Nothing,
        }
    }
}

impl Waiting {
    /// How much of the first frame goes next.
    fn piece(&self, most: usize) -> usize {
        match self.frames.front() {
            Some(Frame::Binary(bytes)) => (bytes.len() - self.sent).min(most),
            Some(Frame::Text(text)) => text.len(),
            None => 0,
        }
    }

    fn take(&mut self, lane: usize, length: usize) -> Option<Frame> {
        if let Some(Frame::Binary(bytes)) = self.frames.front()
            && length < bytes.len()
        {
            let data = &bytes.as_bytes()[self.sent..self.sent + length];
            let last = self.sent + length == bytes.len();
            let part = Message::Part(Part {
                lane: u8::try_from(lane).unwrap_or(u8::MAX),
                last,
                data: data.into(),
            });
            self.bytes -= length;
            self.sent += length;
            if last {
                self.frames.pop_front();
                self.sent = 0;
            }
            return Some(Frame::Binary(part.encode().into()));
        }
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }
}

impl From<&Message> for Frame {
    fn from(message: &Message) -> Self {
        Self::Binary(Blob::from(message.encode()))
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self::Text(Arc::from(text))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::node::Limits;

    fn frame(byte: u8, length: usize) -> Frame {
        Frame::Binary(vec![byte; length].into())
    }

    fn parts(frame: &Frame) -> (u8, bool, Vec<u8>) {
        let Frame::Binary(bytes) = frame else {
            panic!("a text")
        };
        match Message::decode(bytes.as_bytes()) {
            Ok(Message::Part(part)) => (part.lane, part.last, part.data.as_bytes().to_vec()),
            other => panic!("{other:?}"),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_is_urgent_waits_for_a_part_and_no_longer() {
        let limits = Limits::default().part97;
        let mut now = start();
        let mut outbox = Outbox::new(now);
        let mut order = Vec::new();
        assert!(outbox.push(Lane::Bulk, frame(1, 1_000), &limits));
        for step in 0..8 {
            if step == 1 {
                assert!(outbox.push(Lane::Urgent, frame(2, 300), &limits));
            }
            match outbox.next(&limits, now) {
                Next::Send(frame) => {
                    order.push(frame.clone());
                    outbox.written(1, frame.len());
                }
                Next::At(at) => now = at,
                Next::Nothing => {}
            }
        }
        let [first, urgent, second, third] = order.as_slice() else {
            panic!("{} frames", order.len());
        };
        assert_eq!(*urgent, frame(2, 300));
        let pieces = [parts(first), parts(second), parts(third)];
        assert_eq!(pieces.each_ref().map(|piece| piece.1), [false, false, true]);
        assert_eq!(pieces.each_ref().map(|piece| piece.0), [2, 2, 2]);
        let whole: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.2).collect();
        assert_eq!(whole, vec![1; 1_000]);
    }

    #[test]
    fn a_slow_link_gets_its_rate_and_no_more() {
        let limits = Limits::default().part97;
        let begin = start();
        let mut now = begin;
        let mut outbox = Outbox::new(now);
        for _ in 0..20 {
            assert!(outbox.push(Lane::Records, frame(1, 400), &limits));
        }
        let mut sent = 0;
        loop {
            match outbox.next(&limits, now) {
                Next::Send(frame) => {
                    sent += frame.len();
                    outbox.written(1, frame.len());
                }
                Next::At(at) => now = at,
                Next::Nothing => break,
            }
        }
        assert_eq!(sent, 8_000);
        assert_eq!(
            now - begin,
            Duration::from_secs(8),
            "800 a second after a burst of 1600"
        );
    }

    #[test]
    fn a_transport_that_does_not_write_gets_nothing_more() {
        let limits = Limits::default().open;
        let now = start();
        let mut outbox = Outbox::new(now);
        for _ in 0..5 {
            assert!(outbox.push(Lane::Records, frame(1, 64 * 1024), &limits));
        }
        for _ in 0..4 {
            assert!(matches!(outbox.next(&limits, now), Next::Send(_)));
        }
        assert_eq!(outbox.next(&limits, now), Next::Nothing);
        outbox.written(0, 1);
        assert!(matches!(outbox.next(&limits, now), Next::Send(_)));
    }

    #[test]
    fn a_transport_that_does_not_write_gets_few_frames_however_short_they_are() {
        let limits = Limits::default().open;
        let now = start();
        let mut outbox = Outbox::new(now);
        for _ in 0..2 * WINDOW_FRAMES {
            assert!(outbox.push(Lane::Records, frame(1, 10), &limits));
        }
        for _ in 0..WINDOW_FRAMES {
            assert!(matches!(outbox.next(&limits, now), Next::Send(_)));
        }
        assert_eq!(outbox.next(&limits, now), Next::Nothing);
        outbox.written(1, 10);
        assert!(matches!(outbox.next(&limits, now), Next::Send(_)));
        assert_eq!(outbox.next(&limits, now), Next::Nothing);
    }

    #[test]
    fn a_full_lane_takes_nothing_and_leaves_the_others_alone() {
        let limits = Limits::default().part97;
        let mut outbox = Outbox::new(start());
        while outbox.push(Lane::Bulk, frame(1, 1_000), &limits) {}
        assert!(!outbox.is_hungry(Lane::Bulk, &limits));
        assert!(outbox.push(Lane::Urgent, frame(2, 1_000), &limits));
    }
}
