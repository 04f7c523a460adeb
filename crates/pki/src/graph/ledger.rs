//! Who is charged for the places that strangers' certificates take.
//!
//! A place is charged to the link that brought the certificate, to its origin, and to the root above
//! it. When all places are taken, the link that holds the most gives up its newest, if the newcomer's
//! link holds clearly less: a flood over one link or many does not starve the others.

use std::collections::BTreeMap;

use station::KeyId;

use super::limits::{Full, Share, Source};

/// Places of one pool; `T` names what takes one.
#[derive(Debug)]
pub(super) struct Ledger<T> {
    share: Share,
    taken: usize,
    unreserved: usize,
    links: BTreeMap<u64, BTreeMap<u64, T>>,
    origins: BTreeMap<u64, usize>,
    roots: BTreeMap<KeyId, usize>,
    arrivals: u64,
}

/// A place that was taken. Given back by [`Ledger::release`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    link: u64,
    origin: u64,
    root: Option<KeyId>,
    trusted: bool,
    arrival: u64,
}

impl<T: Copy> Ledger<T> {
    pub(super) fn new(share: Share) -> Self {
        Self {
            share,
            taken: 0,
            unreserved: 0,
            links: BTreeMap::new(),
            origins: BTreeMap::new(),
            roots: BTreeMap::new(),
            arrivals: 0,
        }
    }

    /// Places taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether there is a place, and what must go for it.
    pub(super) fn room(&self, source: Source, root: Option<KeyId>) -> Result<Option<T>, Full> {
        let Source::Stranger {
            link,
            origin,
            trusted,
        } = source
        else {
            return Ok(None);
        };
        let each = self.share.each;
        let held = self.links.get(&link).map_or(0, BTreeMap::len);
        if held >= each {
            return Err(Full::Link);
        }
        if self.origins.get(&origin).is_some_and(|held| *held >= each) {
            return Err(Full::Origin);
        }
        if let Some(root) = root
            && self.roots.get(&root).is_some_and(|held| *held >= each)
        {
            return Err(Full::Root(root));
        }
        let open = self.share.total - self.share.reserved.min(self.share.total);
        if self.taken < self.share.total && (trusted || self.unreserved < open) {
            return Ok(None);
        }
        self.to_evict(held).map(Some).ok_or(Full::Total)
    }

    /// The newest of the link that holds the most, when that is clearly more than `held`.
    fn to_evict(&self, held: usize) -> Option<T> {
        let heaviest = self.links.values().max_by_key(|items| items.len())?;
        let newest = heaviest.last_key_value()?;
        (heaviest.len() > held + 1).then_some(*newest.1)
    }

    /// Takes a place, whether or not there is room.
    pub(super) fn charge(&mut self, source: Source, root: Option<KeyId>, item: T) -> Option<Place> {
        let Source::Stranger {
            link,
            origin,
            trusted,
        } = source
        else {
            return None;
        };
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.taken += 1;
        self.unreserved += usize::from(!trusted);
        self.links.entry(link).or_default().insert(arrival, item);
        *self.origins.entry(origin).or_default() += 1;
        if let Some(root) = root {
            *self.roots.entry(root).or_default() += 1;
        }
        Some(Place {
            link,
            origin,
            root,
            trusted,
            arrival,
        })
    }

    /// Gives a place back.
    pub(super) fn release(&mut self, place: Place) {
        self.taken -= 1;
        self.unreserved -= usize::from(!place.trusted);
        if let Some(items) = self.links.get_mut(&place.link) {
            items.remove(&place.arrival);
            if items.is_empty() {
                self.links.remove(&place.link);
            }
        }
        decrease(&mut self.origins, &place.origin);
        if let Some(root) = &place.root {
            decrease(&mut self.roots, root);
        }
    }
}

fn decrease<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
