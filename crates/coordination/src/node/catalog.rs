//! Which items of the sets are known here. The items themselves stay with whoever owns the store.
//!
//! An item is held, and then others may have it, or it is a stub: known and not held, because it was
//! declined. Stubs are in the reconciled sets too, so that nobody offers again what is not wanted. They
//! are bounded; a forgotten one is offered once more, and that is all.

use std::collections::{BTreeMap, VecDeque};

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use station::{Digest, KeyId};

use super::input::{Checkpoint, HeldItem};
use crate::bytes::{ItemId, Nonce};
use crate::hash::{sha256, short};
use crate::message::Set;

#[derive(Debug, Default)]
pub(super) struct Catalog {
    sets: BTreeMap<Set, Known>,
    /// Stubs of all sets, the oldest first. Some may have become held since.
    stubs: VecDeque<(Set, ItemId)>,
    /// Exclusive or over every item known.
    summary: u64,
    heads: BTreeMap<(KeyId, u64), (Digest, ItemId)>,
}

#[derive(Debug, Default)]
struct Known {
    items: BTreeMap<ItemId, Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: u64,
    held: bool,
}

/// What both ends of one session mix into the ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Salt {
    pub(super) dialer: Nonce,
    pub(super) acceptor: Nonce,
    pub(super) session: u32,
}

impl Salt {
    pub(super) fn apply(&self, id: ItemId) -> ItemId {
        ItemId::new(sha256(&[
            self.dialer.as_bytes(),
            self.acceptor.as_bytes(),
            &self.session.to_be_bytes(),
            id.as_bytes(),
        ]))
    }
}

/// One end of a session: a set as it was when the session began.
#[derive(Debug)]
pub(super) struct Sorted {
    set: Negentropy<'static, NegentropyStorageVector>,
    /// What the salted ids mean.
    names: BTreeMap<ItemId, ItemId>,
}

/// What one step of a session showed.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// What to send next; nothing when the session is over.
    pub(super) next: Option<Vec<u8>>,
    /// Items only this end has.
    pub(super) have: Vec<ItemId>,
    /// Items only the other end has: salted.
    pub(super) need: Vec<ItemId>,
}

/// Two heads of one log for one size.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) checkpoint: Checkpoint,
    pub(super) other: Digest,
}

impl Catalog {
    /// An item is held from now on. True if it was not before.
    pub(super) fn hold(&mut self, set: Set, item: HeldItem) -> bool {
        self.know(set, item.id, item.time, true)
    }

    /// Notes what a checkpoint says, and finds out whether its log says something else as well.
    pub(super) fn compare(&mut self, id: ItemId, checkpoint: Checkpoint) -> Option<Split> {
        let key = (checkpoint.log, checkpoint.size);
        let first = self.heads.entry(key).or_insert((checkpoint.head, id));
        let head = first.0;
        (head != checkpoint.head).then_some(Split {
            checkpoint,
            other: head,
        })
    }

    /// An item is known and not held.
    pub(super) fn decline(&mut self, set: Set, id: ItemId, time: u64, most: usize) {
        if self.knows(set, id) {
            return;
        }
        self.know(set, id, time, false);
        self.stubs.push_back((set, id));
        while self.stubs.len() > most {
            if let Some((set, id)) = self.stubs.pop_front() {
                self.forget_stub(set, id);
            }
        }
    }

    /// An item that was held is not any more.
    pub(super) fn drop(&mut self, set: Set, id: ItemId, most: usize) {
        if let Some(entry) = self.remove(set, id) {
            if set == Set::Checkpoints {
                self.heads.retain(|_, (_, of)| *of != id);
            }
            self.decline(set, id, entry.time, most);
        }
    }

    pub(super) fn knows(&self, set: Set, id: ItemId) -> bool {
        self.entry(set, id).is_some()
    }

    pub(super) fn holds(&self, set: Set, id: ItemId) -> bool {
        self.entry(set, id).is_some_and(|entry| entry.held)
    }

    pub(super) fn time(&self, set: Set, id: ItemId) -> Option<u64> {
        self.entry(set, id).map(|entry| entry.time)
    }

    pub(super) fn held(&self, set: Set) -> impl Iterator<Item = ItemId> {
        let items = self
            .sets
            .get(&set)
            .into_iter()
            .flat_map(|known| &known.items);
        items.filter(|(_, entry)| entry.held).map(|(&id, _)| id)
    }

    pub(super) fn summary(&self) -> u64 {
        self.summary
    }

    /// How many items of a set are known.
    pub(super) fn len(&self, set: Set) -> usize {
        self.sets.get(&set).map_or(0, |known| known.items.len())
    }

    /// The set as one end of a session sees it, with what the other end is known not to give.
    pub(super) fn sort(
        &self,
        set: Set,
        salt: &Salt,
        undelivered: &BTreeMap<(Set, ItemId), u64>,
        step_bytes: usize,
    ) -> Option<Sorted> {
        let mut names = BTreeMap::new();
        let mut sorted = NegentropyStorageVector::new();
        let here = self
            .sets
            .get(&set)
            .into_iter()
            .flat_map(|known| &known.items);
        let here = here.map(|(&id, entry)| (id, entry.time));
        let there = undelivered
            .iter()
            .filter(|((of, id), _)| *of == set && !self.knows(set, *id))
            .map(|(&(_, id), &time)| (id, time));
        for (id, time) in here.chain(there) {
            let salted = salt.apply(id);
            names.insert(salted, id);
            // Fails only for a vector that is sealed already.
            sorted
                .insert(time, Id::from_byte_array(*salted.as_bytes()))
                .ok()?;
        }
        sorted.seal().ok()?;
        let step_bytes = u64::try_from(step_bytes).ok()?;
        let set = Negentropy::owned(sorted, step_bytes).ok()?;
        Some(Sorted { set, names })
    }

    fn entry(&self, set: Set, id: ItemId) -> Option<&Entry> {
        self.sets.get(&set)?.items.get(&id)
    }

    fn know(&mut self, set: Set, id: ItemId, time: u64, held: bool) -> bool {
        let entry = Entry { time, held };
        let before = self.sets.entry(set).or_default().items.insert(id, entry);
        if before.is_none() {
            self.summary ^= share(set, id);
        }
        before.is_none_or(|before| held && !before.held)
    }

    fn remove(&mut self, set: Set, id: ItemId) -> Option<Entry> {
        let entry = self.sets.get_mut(&set)?.items.remove(&id)?;
        self.summary ^= share(set, id);
        Some(entry)
    }

    fn forget_stub(&mut self, set: Set, id: ItemId) {
        if self.entry(set, id).is_some_and(|entry| !entry.held) {
            self.remove(set, id);
        }
    }
}

impl Sorted {
    /// The first message of a session.
    pub(super) fn begin(&mut self) -> Option<Vec<u8>> {
        self.set.initiate().ok()
    }

    /// The answer to a message of the end that began; nothing if it is malformed.
    pub(super) fn answer(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.set.reconcile(message).ok()
    }

    /// What an answer shows; nothing if it is malformed.
    pub(super) fn advance(&mut self, answer: &[u8]) -> Option<Step> {
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = self
            .set
            .reconcile_with_ids(answer, &mut have, &mut need)
            .ok()?;
        let salted = |id: Id| ItemId::new(id.to_bytes());
        let have = have.into_iter().map(salted);
        // The order in which the library gives them differs from run to run.
        let mut need: Vec<ItemId> = need.into_iter().map(salted).collect();
        need.sort_unstable();
        Some(Step {
            next,
            have: have.filter_map(|id| self.name(id)).collect(),
            need,
        })
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The item a salted id means.
    pub(super) fn name(&self, salted: ItemId) -> Option<ItemId> {
        self.names.get(&salted).copied()
    }
}

/// An item's share in the summary.
fn share(set: Set, id: ItemId) -> u64 {
    short(&[&[set as u8], id.as_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SALT: Salt = Salt {
        dialer: Nonce::new([1; 32]),
        acceptor: Nonce::new([2; 32]),
        session: 3,
    };

    fn item(number: u16) -> HeldItem {
        HeldItem {
            id: ItemId::new(sha256(&[&number.to_be_bytes()])),
            time: u64::from(number / 10),
            checkpoint: None,
        }
    }

    fn catalog(held: impl IntoIterator<Item = u16>) -> Catalog {
        let mut catalog = Catalog::default();
        for number in held {
            catalog.hold(Set::Certificates, item(number));
        }
        catalog
    }

    /// What each of two lacks, by a whole session; and the bytes it took.
    fn reconcile(a: &Catalog, b: &Catalog) -> (Vec<ItemId>, Vec<ItemId>, usize) {
        let sort = |catalog: &Catalog| {
            let nothing = BTreeMap::new();
            catalog
                .sort(Set::Certificates, &SALT, &nothing, 4_096)
                .unwrap()
        };
        let (mut a, mut b) = (sort(a), sort(b));
        let (mut have, mut need, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut message = a.begin();
        while let Some(question) = message {
            let answer = b.answer(&question).unwrap();
            bytes += question.len() + answer.len();
            let step = a.advance(&answer).unwrap();
            have.extend(step.have);
            need.extend(step.need.into_iter().map(|salted| b.name(salted).unwrap()));
            message = step.next;
        }
        have.sort_unstable();
        need.sort_unstable();
        (have, need, bytes)
    }

    fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<ItemId> {
        let mut ids: Vec<_> = numbers.into_iter().map(|n| item(n).id).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn ten_differences_in_ten_thousand_cost_little() {
        let a = catalog((0..10_000).filter(|n| n % 2_000 != 7));
        let b = catalog((0..10_000).filter(|n| n % 2_000 != 1_003));
        let (have, need, bytes) = reconcile(&a, &b);
        assert_eq!(have, ids((0..5).map(|n| n * 2_000 + 1_003)));
        assert_eq!(need, ids((0..5).map(|n| n * 2_000 + 7)));
        assert!(bytes < 20_000, "{bytes} bytes");
    }

    #[test]
    fn equal_sets_have_equal_summaries_however_they_came_to_be() {
        let mut a = catalog([1, 2, 3]);
        let mut b = catalog([3, 1]);
        assert_ne!(a.summary(), b.summary());
        b.decline(Set::Certificates, item(2).id, item(2).time, 10);
        assert_eq!(a.summary(), b.summary(), "who declined an item knows it");
        assert_eq!(reconcile(&a, &b).0, []);
        a.drop(Set::Certificates, item(3).id, 10);
        assert!(!a.holds(Set::Certificates, item(3).id));
        assert_eq!(a.summary(), b.summary());
    }

    #[test]
    fn stubs_are_bounded_and_what_is_held_stays() {
        let mut catalog = catalog([1]);
        for number in 2..10 {
            catalog.decline(Set::Certificates, item(number).id, 0, 3);
        }
        catalog.hold(Set::Certificates, item(7));
        for number in 10..20 {
            catalog.decline(Set::Certificates, item(number).id, 0, 3);
        }
        let known = (0..30).filter(|&n| catalog.knows(Set::Certificates, item(n).id));
        assert_eq!(known.collect::<Vec<_>>(), [1, 7, 17, 18, 19]);
        let held: Vec<_> = catalog.held(Set::Certificates).collect();
        assert_eq!(held.len(), 2);
    }

    #[test]
    fn a_log_with_two_heads_is_noticed() {
        let checkpoint = |size, head| Checkpoint {
            log: KeyId::new([1; 32]),
            size,
            head: Digest::new([head; 32]),
        };
        let mut catalog = Catalog::default();
        assert_eq!(catalog.compare(item(1).id, checkpoint(1, 1)), None);
        assert_eq!(catalog.compare(item(1).id, checkpoint(2, 2)), None);
        assert_eq!(catalog.compare(item(1).id, checkpoint(1, 1)), None);
        let split = catalog.compare(item(1).id, checkpoint(1, 9)).unwrap();
        assert_eq!(split.other, Digest::new([1; 32]));
    }

    proptest! {
        #[test]
        fn a_session_finds_exactly_what_differs(
            both in prop::collection::btree_set(0_u16..400, 0..300),
            ours in prop::collection::btree_set(400_u16..500, 0..50),
            theirs in prop::collection::btree_set(500_u16..600, 0..50),
        ) {
            let a = catalog(both.iter().chain(&ours).copied());
            let b = catalog(both.iter().chain(&theirs).copied());
            let (have, need, _) = reconcile(&a, &b);
            prop_assert_eq!(have, ids(ours));
            prop_assert_eq!(need, ids(theirs));
        }

        #[test]
        fn any_message_is_answered_or_refused(
            message in prop::collection::vec(any::<u8>(), 0..200),
            held in 0_u16..100,
        ) {
            let catalog = catalog(0..held);
            let nothing = BTreeMap::new();
            let sort = || catalog.sort(Set::Certificates, &SALT, &nothing, 4_096).unwrap();
            let mut with_version = vec![0x61];
            with_version.extend(message);
            let _ = sort().answer(&with_version);
            let mut begun = sort();
            begun.begin().unwrap();
            let _ = begun.advance(&with_version);
        }
    }
}
