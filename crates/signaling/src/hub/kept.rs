//! A session's frames: their numbers, and those kept because they may not have arrived.
//!
//! Invariant: the frames kept are those numbered `released + 1` to `sent`, without gaps.

use std::collections::VecDeque;

use super::Limits;
use crate::message::{Body, ServerFrame};

#[derive(Debug, Default)]
pub(super) struct Kept {
    frames: VecDeque<ServerFrame>,
    bytes: usize,
    released: u64,
    sent: u64,
}

impl Kept {
    /// Goes on with the numbers of a connection that had `sent` frames.
    pub(super) fn after(sent: u64) -> Self {
        Self {
            released: sent,
            sent,
            ..Self::default()
        }
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// What its frames count for.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes the next frame and keeps it; the oldest give way when there are too many for the limits, or
    /// for this session's `share` of what all sessions may keep.
    pub(super) fn number(
        &mut self,
        body: Body,
        reply_to: Option<&str>,
        limits: &Limits,
        share: usize,
    ) -> ServerFrame {
        self.sent += 1;
        let frame = body.number(self.sent, reply_to);
        self.bytes += counts(&frame);
        self.frames.push_back(frame.clone());
        let most = limits.kept_bytes.min(share);
        while self.frames.len() > limits.kept_frames || self.bytes > most {
            self.release(self.released + 1);
        }
        frame
    }

    /// The frames up to a number have arrived.
    pub(super) fn release(&mut self, seq: u64) {
        while self.released < seq {
            let Some(arrived) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= counts(&arrived);
            self.released += 1;
        }
        if self.frames.is_empty() {
            // Most sessions are idle most of the time, and need no memory for this.
            self.frames = VecDeque::new();
        }
    }

    /// The frames after `last_seq`; none when some of them are gone, or it was never sent.
    pub(super) fn missed(&self, last_seq: u64) -> Option<Vec<ServerFrame>> {
        if !(self.released..=self.sent).contains(&last_seq) {
            return None;
        }
        let arrived = usize::try_from(last_seq - self.released).ok()?;
        Some(self.frames.iter().skip(arrived).cloned().collect())
    }
}

/// What a frame counts for: a message that others are sent too is kept once for all of them.
fn counts(frame: &ServerFrame) -> usize {
    let most = if frame.is_shared() {
        SHARED
    } else {
        usize::MAX
    };
    frame.size().min(most)
}

/// What a message that many keep counts for at most.
const SHARED: usize = 256;
