//! When something is due. Each kind of thing has at most one time, and is asked for in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct Timers<K> {
    due: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// Sets when `what` is due, whenever it was before.
    pub(crate) fn set(&mut self, what: K, at: Instant) {
        if let Some(before) = self.due.insert(what, at) {
            self.order.remove(&(before, what));
        }
        self.order.insert((at, what));
    }

    /// Sets when `what` is due, unless it is due before that.
    pub(crate) fn set_by(&mut self, what: K, at: Instant) {
        if self.due.get(&what).is_none_or(|&due| at < due) {
            self.set(what, at);
        }
    }

    pub(crate) fn clear(&mut self, what: K) {
        if let Some(before) = self.due.remove(&what) {
            self.order.remove(&(before, what));
        }
    }

    pub(crate) fn is_set(&self, what: K) -> bool {
        self.due.contains_key(&what)
    }

    /// Takes what has been due the longest by now.
    pub(crate) fn take(&mut self, now: Instant) -> Option<K> {
        let &(due, what) = self.order.first()?;
        (due <= now).then(|| {
            self.clear(what);
            what
        })
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|&(due, _)| due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a start for virtual time")]
    fn each_thing_has_one_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        timers.set('a', at(5));
        timers.set('b', at(3));
        timers.set('a', at(1));
        timers.set_by('b', at(4));
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.take(at(0)), None);
        assert_eq!(timers.take(at(9)), Some('a'));
        assert_eq!(timers.take(at(9)), Some('b'));
        assert_eq!(timers.next(), None);
    }
}
