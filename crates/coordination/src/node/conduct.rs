//! How servers behave, and what follows from it.
//!
//! An offence is what no honest server does, whatever its version, its clock or its links. Some are forgiven
//! with time, so that an accident ends nothing; too many end the link, and each ending makes the pause
//! longer until which the server is refused.

use std::time::{Duration, Instant};

use super::limits::Limits;

/// What a server did that no honest one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// A frame that is not of this protocol.
    Undecodable,
    /// More messages, bytes or signatures than any use of this protocol needs.
    Flood,
    /// A record that its server did not sign.
    ForgedRecord,
    /// A way that does not come through the server that sent it, or leads nowhere.
    BadWay,
    /// A message at a time when it means nothing.
    OutOfPlace,
    /// An item that is malformed, badly signed or not what it was called.
    BadItem,
}

impl Offence {
    /// The sentence for the log.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Undecodable => "sent a frame that is not of this protocol",
            Self::Flood => "sent more than any use of this protocol needs",
            Self::ForgedRecord => "passed on a record that its server did not sign",
            Self::BadWay => "passed on a message that was not on its way through here",
            Self::OutOfPlace => "sent a message at a time when it means nothing",
            Self::BadItem => "passed on an item that is not what it was called",
        }
    }
}

/// What one server did of late.
#[derive(Debug)]
pub(super) struct Conduct {
    offences: u32,
    counted: Instant,
    pauses: u32,
    until: Option<Instant>,
}

impl Conduct {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            offences: 0,
            counted: now,
            pauses: 0,
            until: None,
        }
    }

    /// Counts an offence. True if it was one too many: the server is refused for a while.
    pub(super) fn offend(&mut self, limits: &Limits, now: Instant) -> bool {
        self.forgive(limits, now);
        self.offences += 1;
        if self.offences <= limits.offences {
            return false;
        }
        let pause = doubled(limits.pause_first, self.pauses, limits.pause_most);
        self.until = Some(now + pause);
        self.pauses += 1;
        self.offences = 0;
        true
    }

    /// How long the server is still refused.
    pub(super) fn paused(&self, now: Instant) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(now);
        (left > Duration::ZERO).then_some(left)
    }

    /// When nothing is left to remember.
    pub(super) fn remembered_until(&self, limits: &Limits) -> Instant {
        self.until.unwrap_or(self.counted) + limits.pause_most
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_forgotten(&self, limits: &Limits, now: Instant) -> bool {
        self.remembered_until(limits) <= now
    }

    fn forgive(&mut self, limits: &Limits, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_millis();
        let forgiven = passed / limits.forgive.as_millis().max(1);
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        self.offences = self.offences.saturating_sub(forgiven);
        self.counted += limits.forgive * forgiven.min(1_000_000);
        if self.offences == 0 {
            self.counted = now;
        }
    }
}

/// A time, doubled so many times, but no longer than `most`.
pub(super) fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    let factor = 1_u32.checked_shl(times.min(20)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn accidents_are_forgiven_and_pauses_grow() {
        let limits = Limits::default();
        let mut now = Instant::now();
        let mut conduct = Conduct::new(now);
        for _ in 0..50 {
            assert!(!conduct.offend(&limits, now), "one in ten seconds");
            now += limits.forgive;
        }
        let mut pauses = Vec::new();
        for _ in 0..3 {
            while !conduct.offend(&limits, now) {}
            let pause = conduct.paused(now).unwrap();
            pauses.push(pause.as_secs());
            now += pause;
            assert_eq!(conduct.paused(now), None);
        }
        assert_eq!(pauses, [30, 60, 120]);
        assert!(!conduct.is_forgotten(&limits, now));
        assert!(conduct.is_forgotten(&limits, now + limits.pause_most));
    }

    #[test]
    fn doubling_ends() {
        let [first, most] = [Duration::from_secs(1), Duration::from_secs(60)];
        let times = |times| doubled(first, times, most).as_secs();
        assert_eq!([times(0), times(3), times(6), times(99)], [1, 8, 60, 60]);
    }
}
