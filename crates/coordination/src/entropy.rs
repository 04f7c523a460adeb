//! Randomness, all of it from the 32 bytes that the node was started with.
//!
//! Whoever starts a [`Node`](crate::Node) draws them from the system and tells nobody. Everything that
//! others must not foresee is derived from them by SHA-256 over a count, so the same start and the same
//! inputs give the same commands.

use std::time::Duration;

use crate::hash::sha256;

#[derive(Debug)]
pub(crate) struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next 32 bytes.
    pub(crate) fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        sha256(&[&self.seed, &self.drawn.to_be_bytes()])
    }

    pub(crate) fn number(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.draw();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Between three and five quarters of a time, so that many who wait for the same do not come at
    /// once.
    pub(crate) fn around(&mut self, time: Duration) -> Duration {
        let sixteenths = u32::try_from(12 + self.number() % 9).unwrap_or(16);
        time * sixteenths / 16
    }
}
