//! Which parcels of one sender arrived already.
//!
//! A sender numbers its parcels in each of its boots. Behind the highest number a window of some width is
//! remembered one by one; what is older counts as too late. Parcels of another boot than the one in the
//! sender's newest record do not come so far. So nothing is delivered twice, whoever repeats it and
//! whenever.

use std::collections::BTreeSet;

use crate::bytes::BootNonce;

/// How far a parcel may come behind a later one.
const WIDTH: u64 = 512;

#[derive(Debug, Default)]
pub(super) struct Window {
    boot: Option<BootNonce>,
    highest: u64,
    seen: BTreeSet<u64>,
}

/// What a parcel is by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It was not here yet.
    New,
    /// It is here already.
    Again,
    /// Whether it was here is not remembered any more.
    TooLate,
}

impl Window {
    /// What a parcel with that number is.
    pub(super) fn arrival(&self, boot: BootNonce, number: u64) -> Arrival {
        if self.boot != Some(boot) {
            Arrival::New
        } else if self.seen.contains(&number) {
            Arrival::Again
        } else if number <= self.highest.saturating_sub(WIDTH) {
            Arrival::TooLate
        } else {
            Arrival::New
        }
    }

    /// A parcel arrived. Only for parcels whose sender is certain, and in that boot.
    pub(super) fn add(&mut self, boot: BootNonce, number: u64) {
        if self.boot != Some(boot) {
            *self = Self {
                boot: Some(boot),
                ..Self::default()
            };
        }
        self.highest = self.highest.max(number);
        self.seen.insert(number);
        self.seen = self
            .seen
            .split_off(&(self.highest.saturating_sub(WIDTH) + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parcel_arrives_once_in_any_order() {
        let [first, second] = [1, 2].map(|boot| BootNonce::new([boot; 8]));
        let mut window = Window::default();
        for number in [3, 1, 2, 600, 100] {
            assert_eq!(window.arrival(first, number), Arrival::New, "{number}");
            window.add(first, number);
            assert_eq!(window.arrival(first, number), Arrival::Again, "{number}");
        }
        assert_eq!(window.arrival(first, 50), Arrival::TooLate, "behind");
        assert_eq!(window.arrival(first, 599), Arrival::New);
        assert_eq!(window.arrival(second, 1), Arrival::New);
        window.add(second, 1);
        assert_eq!(window.arrival(second, 600), Arrival::New);
        for number in 2..2_000 {
            window.add(second, number);
        }
        assert!(window.seen.len() <= 512);
    }
}
