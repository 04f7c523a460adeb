//! A bounded crowd of things that strangers bring: when it is full, whoever brought the most gives way.

use std::collections::{BTreeMap, VecDeque};

/// At most so many things, by who brought them.
#[derive(Debug)]
pub(super) struct Shares<K, T> {
    most: usize,
    count: usize,
    /// Of each the oldest first; of nobody none.
    held: BTreeMap<K, VecDeque<T>>,
}

impl<K: Ord + Copy, T> Shares<K, T> {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            count: 0,
            held: BTreeMap::new(),
        }
    }

    /// Takes one in. What it costs in a full crowd is given back: the oldest of whoever has the most.
    pub(super) fn push(&mut self, of: K, item: T) -> Option<T> {
        let gone = if self.count >= self.most {
            self.drop_one()
        } else {
            None
        };
        self.held.entry(of).or_default().push_back(item);
        self.count += 1;
        gone
    }

    /// Everything, with who brought it. Nothing is left.
    pub(super) fn take(&mut self) -> Vec<(K, T)> {
        self.count = 0;
        let held = std::mem::take(&mut self.held).into_iter();
        held.flat_map(|(of, items)| items.into_iter().map(move |item| (of, item)))
            .collect()
    }

    fn drop_one(&mut self) -> Option<T> {
        let heaviest = self.held.iter().max_by_key(|(_, items)| items.len());
        let of = heaviest.map(|(of, _)| *of)?;
        let items = self.held.get_mut(&of)?;
        let gone = items.pop_front();
        self.count -= usize::from(gone.is_some());
        if items.is_empty() {
            self.held.remove(&of);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_brought_the_most_gives_way() {
        let mut shares = Shares::new(4);
        for (of, item) in [(1, "a"), (2, "b"), (2, "c"), (2, "d")] {
            assert_eq!(shares.push(of, item), None);
        }
        assert_eq!(shares.push(2, "e"), Some("b"));
        assert_eq!(shares.push(3, "f"), Some("c"));
        assert_eq!(shares.push(3, "g"), Some("d"));
        let mut left = shares.take();
        left.sort_unstable();
        assert_eq!(left, [(1, "a"), (2, "e"), (3, "f"), (3, "g")]);
        assert_eq!(shares.take(), []);
        assert_eq!(shares.push(1, "h"), None);
    }
}
