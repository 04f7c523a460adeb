//! When to look for what the two ends of a link hold differently.
//!
//! A beat has one number for all that an end holds. If the ends' numbers differ for two beats, the end that
//! dialled searches. While nothing comes of that and neither end holds anything else, as where the ends judge
//! servers differently, the next search is ever later, and after some there is none until one of them changes.
//! In a net where much happens the numbers differ often because something is on its way: that is no reason to
//! look later for what was lost.

use std::time::Instant;

use super::conduct::doubled;
use super::limits::LinkLimits;

/// After so many searches in vain the ends differ for good: until one of them changes.
const ENOUGH: u32 = 4;

/// How well the two ends of a link agree.
#[derive(Debug)]
pub(super) struct Search {
    /// Whether it is our end that searches.
    ours: bool,
    /// Beats since they did, as far as we know.
    differed: u32,
    /// Searches in which nothing was found, while neither end changed.
    in_vain: u32,
    fruitful: bool,
    next: Instant,
    /// What both ends held at the last search: ours, theirs.
    held: Option<(u64, u64)>,
}

impl Search {
    /// For a link that stands since now: what it begins with is a search of its own.
    pub(super) fn new(ours: bool, limits: &LinkLimits, now: Instant) -> Self {
        Self {
            ours,
            differed: 0,
            in_vain: 0,
            fruitful: true,
            next: now + limits.repair_first,
            held: None,
        }
    }

    /// Whether it is our end that searches.
    pub(super) fn is_ours(&self) -> bool {
        self.ours
    }

    /// Something new came over the link.
    pub(super) fn bore_fruit(&mut self) {
        self.fruitful = true;
    }

    /// A beat came. True if it is time to find out what differs, and the last search is `over`.
    pub(super) fn beat(
        &mut self,
        held: (u64, u64),
        over: bool,
        limits: &LinkLimits,
        now: Instant,
    ) -> bool {
        if held.0 == held.1 {
            self.differed = 0;
            self.in_vain = 0;
            return false;
        }
        self.differed += 1;
        let again = self.held == Some(held);
        let enough = again && self.in_vain >= ENOUGH;
        if !self.ours || !over || self.differed < 2 || now < self.next || enough {
            return false;
        }
        self.in_vain = if again && !self.fruitful {
            self.in_vain + 1
        } else {
            0
        };
        self.fruitful = false;
        self.held = Some(held);
        self.next = now + doubled(limits.repair_first, self.in_vain, limits.repair_most);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::node::Limits;

    /// Beats every second. Gives the seconds at which a search begins.
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn searches(beats: impl Fn(u64) -> (u64, u64), ours: bool) -> Vec<u64> {
        let limits = Limits::default().open;
        let begin = Instant::now();
        let mut search = Search::new(ours, &limits, begin);
        let due = |second: &u64| {
            let now = begin + Duration::from_secs(*second);
            search.beat(beats(*second), true, &limits, now)
        };
        (0..200).filter(due).collect()
    }

    #[test]
    fn what_stays_different_is_looked_for_ever_less() {
        assert_eq!(searches(|_| (1, 2), true), [2, 4, 8, 16, 32]);
        assert!(searches(|_| (1, 2), false).is_empty(), "the other end does");
        assert!(searches(|_| (1, 1), true).is_empty());
    }

    #[test]
    fn much_that_happens_puts_nothing_off() {
        let busy = searches(|second| (second, second + 1), true);
        assert_eq!(busy[..4], [2, 4, 6, 8]);
        let then_lost = searches(|second| (second.min(100), 500), true);
        assert_eq!(then_lost[49..54], [100, 102, 106, 114, 130]);
    }

    #[test]
    fn what_is_on_its_way_for_a_moment_is_not_looked_for() {
        assert!(searches(|second| (1, second % 2), true).is_empty());
    }
}
