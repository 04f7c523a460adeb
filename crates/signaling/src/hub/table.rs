//! A table looked up by names that the server makes itself.
//!
//! Every signal looks here again and again, so the hash costs next to nothing: nobody else chooses these names, so nobody
//! can choose them so that they collide. Whoever goes through all does so in the order of the names: what the hub does
//! follows from what it is told, and from nothing else.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// What there is by a name.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    // Boxed, since much of such a table is empty.
    entries: FxHashMap<K, Box<V>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            entries: FxHashMap::default(),
        }
    }
}

impl<K: Copy + Hash + Ord, V> Table<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, name: K) -> Option<&V> {
        self.entries.get(&name).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, name: K) -> Option<&mut V> {
        self.entries.get_mut(&name).map(Box::as_mut)
    }

    pub(super) fn contains(&self, name: K) -> bool {
        self.entries.contains_key(&name)
    }

    /// Puts something in the place of what was there by that name.
    pub(super) fn insert(&mut self, name: K, value: V) {
        self.entries.insert(name, Box::new(value));
    }

    pub(super) fn remove(&mut self, name: K) -> Option<V> {
        self.entries.remove(&name).map(|value| *value)
    }

    /// All names in their order.
    pub(super) fn names(&self) -> Vec<K> {
        #[expect(clippy::disallowed_methods, reason = "they are put in order")]
        let mut names: Vec<_> = self.entries.keys().copied().collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_through_in_order() {
        let mut table = Table::default();
        for name in [7, 3, 1_u64 << 40, 5] {
            table.insert(name, name);
        }
        table.insert(3, 4);
        assert_eq!(table.remove(5), Some(5));
        assert_eq!(
            (table.len(), table.get(3), table.get(5)),
            (3, Some(&4), None)
        );
        assert_eq!(table.names(), [3, 7, 1 << 40]);
    }
}
