//! Transports between hosts, and the weather on them.

use std::time::Duration;

use coordination::LinkId;
use station::Zone;

/// One transport. Frames arrive in order unless the weather says otherwise.
pub(crate) struct Transport {
    pub(crate) ends: [End; 2],
    pub(crate) zone: Zone,
    /// Silently cut: nothing arrives any more, and nobody is told.
    pub(crate) cut: bool,
}

pub(crate) struct End {
    pub(crate) host: usize,
    pub(crate) link: LinkId,
    /// When what it sent is on the way.
    pub(crate) free_at: Duration,
    /// When the last frame it sent arrives.
    pub(crate) last_arrival: Duration,
    /// Whether its node still knows of it.
    pub(crate) open: bool,
}

/// What happens to frames.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) latency: Duration,
    /// Up to so much more, for each frame anew.
    pub(crate) jitter: Duration,
    /// Of a hundred frames.
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    /// Whether frames overtake each other.
    pub(crate) reordered: bool,
    /// How long the surroundings take to sign, verify and fetch, at most.
    pub(crate) slow_work: Duration,
}

impl Weather {
    pub(crate) const CALM: Self = Self {
        latency: Duration::from_millis(2),
        jitter: Duration::ZERO,
        lost: 0,
        doubled: 0,
        reordered: false,
        slow_work: Duration::ZERO,
    };
}

/// Bytes a second that a zone's transports carry, and how long each frame takes besides.
pub(crate) fn speed(zone: Zone) -> (u64, Duration) {
    match zone {
        Zone::Open => (10_000_000, Duration::ZERO),
        Zone::Part97 => (1_200, Duration::from_millis(200)),
    }
}
