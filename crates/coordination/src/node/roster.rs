//! Who is at one server, of one topic, and how to get from one such list to the next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::bytes::{Blob, Head, PersonId};
use crate::hash::sha256;
use crate::message::people::MAX_PERSON;
use crate::message::{Change, Topic};

/// Changes that are kept, so that who missed some need not be told of everybody.
const RECENT: usize = 32;
/// Bytes in them.
const RECENT_BYTES: usize = 32 * 1024;
/// What somebody counts beside their details: nobody is for nothing, however little is said of them.
const EACH: usize = 64;
/// What the id of somebody who left takes in a page.
const GONE: usize = 16;

/// The people of one topic at one server, and how they came to be these.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    people: BTreeMap<PersonId, Entry>,
    bytes: usize,
    head: Head,
    /// The last changes, the oldest first; each leads to the next, and the last to `head`.
    recent: VecDeque<Change>,
}

#[derive(Debug, Clone)]
struct Entry {
    details: Blob,
    digest: [u8; 32],
}

/// Who is different in two rosters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) joined: Vec<(PersonId, Blob)>,
    pub(crate) left: Vec<PersonId>,
}

impl Roster {
    pub(crate) fn empty() -> Self {
        Self {
            people: BTreeMap::new(),
            bytes: 0,
            head: head(&BTreeMap::new()),
            recent: VecDeque::new(),
        }
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// What everybody counts.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = (PersonId, &Blob)> {
        self.people.iter().map(|(&id, entry)| (id, &entry.details))
    }

    /// The roster after these changes, if they start from this one and lead to `to` within `most` bytes.
    pub(crate) fn after(&self, changes: &[&Change], to: Head, most: usize) -> Option<Self> {
        let mut next = self.clone();
        for change in changes {
            next = next.with(change, most)?;
        }
        (next.head == to).then_some(next)
    }

    /// The roster after a change that starts from this one, wherever it leads, within `most` bytes.
    pub(crate) fn with(mut self, change: &Change, most: usize) -> Option<Self> {
        if change.from != self.head || !self.apply(change, most) {
            return None;
        }
        self.head = head(&self.people);
        self.remember(change);
        Some(self)
    }

    /// Adds a page of a longer change. False if it does not fit.
    pub(crate) fn apply(&mut self, page: &Change, most: usize) -> bool {
        for id in &page.left {
            if let Some(entry) = self.people.remove(id) {
                self.bytes -= EACH + entry.details.len();
            }
        }
        for (id, details) in &page.joined {
            if details.len() > MAX_PERSON {
                return false;
            }
            let entry = Entry {
                details: details.clone(),
                digest: sha256(&[details.as_bytes()]),
            };
            self.bytes += EACH + details.len();
            if let Some(before) = self.people.insert(*id, entry) {
                self.bytes -= EACH + before.details.len();
            }
        }
        self.bytes <= most
    }

    /// Computes the head again, after every page was applied. What led here is not known then.
    pub(crate) fn seal_pages(&mut self) {
        self.head = head(&self.people);
        self.recent.clear();
    }

    fn remember(&mut self, change: &Change) {
        self.recent.push_back(change.clone());
        let size = |change: &Change| -> usize {
            let joined: usize = change.joined.iter().map(|one| EACH + one.1.len()).sum();
            joined + GONE * change.left.len()
        };
        let mut bytes: usize = self.recent.iter().map(size).sum();
        while self.recent.len() > RECENT || bytes > RECENT_BYTES {
            match self.recent.pop_front() {
                Some(oldest) => bytes -= size(&oldest),
                None => break,
            }
        }
    }

    /// Who is different in another roster.
    pub(crate) fn difference(&self, other: &Self) -> Difference {
        let gone = |id: &PersonId| !other.people.contains_key(id);
        let new = |id: &PersonId, entry: &Entry| {
            self.people
                .get(id)
                .is_none_or(|before| before.digest != entry.digest)
        };
        Difference {
            joined: other
                .people
                .iter()
                .filter(|(id, entry)| new(id, entry))
                .map(|(&id, entry)| (id, entry.details.clone()))
                .collect(),
            left: self.people.keys().copied().filter(gone).collect(),
        }
    }

    /// The way here from the roster with that head, in pages of so many bytes: by the last changes if they
    /// reach back that far, else from nobody.
    pub(crate) fn pages_from(&self, from: Head, topic: Topic, page_bytes: usize) -> Vec<Change> {
        let known = self.recent.iter().position(|change| change.from == from);
        let (from, difference) = match known {
            Some(first) => (from, self.sum_up(first)),
            None if from == self.head => return Vec::new(),
            None => {
                let joined = self.people().map(|(id, details)| (id, details.clone()));
                let everybody = Difference {
                    joined: joined.collect(),
                    left: Vec::new(),
                };
                (Self::empty().head, everybody)
            }
        };
        pages(difference, from, topic, page_bytes)
    }

    /// What the changes from the given one on come to.
    fn sum_up(&self, first: usize) -> Difference {
        let changes = || self.recent.range(first..);
        let touched: BTreeSet<PersonId> = changes()
            .flat_map(|change| change.joined.iter().map(|(id, _)| id).chain(&change.left))
            .copied()
            .collect();
        let mut difference = Difference::default();
        for id in touched {
            match self.people.get(&id) {
                Some(entry) => difference.joined.push((id, entry.details.clone())),
                None => difference.left.push(id),
            }
        }
        difference
    }
}

/// A change in pages: first all who left, then who joined.
pub(crate) fn pages(
    difference: Difference,
    from: Head,
    topic: Topic,
    page_bytes: usize,
) -> Vec<Change> {
    let page = || Change {
        topic,
        from,
        joined: Vec::new(),
        left: Vec::new(),
    };
    let mut pages = Vec::new();
    let mut last = page();
    let mut room = page_bytes;
    let mut turn = |last: &mut Change, size: usize| {
        if size > room && room < page_bytes {
            pages.push(std::mem::replace(last, page()));
            room = page_bytes;
        }
        room = room.saturating_sub(size);
    };
    for id in difference.left {
        turn(&mut last, GONE);
        last.left.push(id);
    }
    for (id, details) in difference.joined {
        turn(&mut last, GONE + details.len());
        last.joined.push((id, details));
    }
    pages.push(last);
    pages
}

fn head(people: &BTreeMap<PersonId, Entry>) -> Head {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(people.len() * 2);
    for (id, entry) in people {
        parts.push(id.as_bytes());
        parts.push(&entry.digest);
    }
    let mut head = [0; 16];
    head.copy_from_slice(&sha256(&parts)[..16]);
    Head::new(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_000_000;

    fn id(number: u8) -> PersonId {
        PersonId::new([number; 8])
    }

    fn change(from: &Roster, joined: &[u8], left: &[u8]) -> Change {
        let person = |&number: &u8| (id(number), Blob::from(vec![number; 100]));
        Change {
            topic: Topic::Operators,
            from: from.head(),
            joined: joined.iter().map(person).collect(),
            left: left.iter().copied().map(id).collect(),
        }
    }

    fn after(roster: &Roster, change: &Change) -> Roster {
        roster.clone().with(change, MOST).unwrap()
    }

    fn from_pages(start: &Roster, pages: &[Change]) -> Roster {
        let nobody = Roster::empty();
        let from = pages.first().map_or(start.head(), |page| page.from);
        let mut next = if from == nobody.head() {
            nobody
        } else {
            start.clone()
        };
        for page in pages {
            assert_eq!(page.from, from);
            assert!(next.apply(page, MOST));
        }
        next.seal_pages();
        next
    }

    #[test]
    fn the_head_is_of_the_people_and_not_of_their_history() {
        let empty = Roster::empty();
        let one = after(&empty, &change(&empty, &[1], &[]));
        let two = after(&one, &change(&one, &[2], &[]));
        let back = after(&two, &change(&two, &[], &[2]));
        assert_eq!(back.head(), one.head());
        assert_ne!(two.head(), one.head());
    }

    #[test]
    fn a_change_that_does_not_fit_changes_nothing() {
        let empty = Roster::empty();
        let one = after(&empty, &change(&empty, &[1], &[]));
        let two = after(&one, &change(&one, &[2], &[]));
        let second = change(&one, &[2], &[]);
        assert!(empty.after(&[&second], two.head(), MOST).is_none(), "a gap");
        assert!(one.after(&[&second], one.head(), MOST).is_none(), "a lie");
        let both = 2 * (EACH + 100);
        let less = one.after(&[&second], two.head(), both - 1);
        assert!(less.is_none(), "too much");
        assert!(one.after(&[&second], two.head(), both).is_some());
    }

    #[test]
    fn nobody_is_for_nothing() {
        let nobody = Roster::empty();
        let crowd = Change {
            topic: Topic::Guests,
            from: nobody.head(),
            joined: (0..100).map(|n| (id(n), Blob::from(Vec::new()))).collect(),
            left: Vec::new(),
        };
        assert!(nobody.clone().with(&crowd, 99 * EACH).is_none());
        let all = nobody.with(&crowd, 100 * EACH).unwrap();
        assert_eq!(all.bytes(), 100 * EACH);
    }

    #[test]
    fn who_left_is_told_in_pages_too() {
        let everybody = Difference {
            left: (0..100).map(id).collect(),
            joined: (100..110)
                .map(|n| (id(n), Blob::from(vec![n; 100])))
                .collect(),
        };
        let pages = pages(everybody, Head::new([0; 16]), Topic::Guests, 500);
        let size = |page: &Change| GONE * page.left.len() + (GONE + 100) * page.joined.len();
        assert!(pages.iter().all(|page| size(page) <= 500), "{pages:?}");
        let left: usize = pages.iter().map(|page| page.left.len()).sum();
        let joined: usize = pages.iter().map(|page| page.joined.len()).sum();
        assert_eq!((left, joined), (100, 10));
        let late = pages.iter().skip_while(|page| page.joined.is_empty());
        assert!(late.skip(1).all(|page| page.left.is_empty()));
    }

    #[test]
    fn who_missed_something_gets_what_was_missed_or_everybody() {
        let mut rosters = vec![Roster::empty()];
        for number in 1..=40 {
            let last = rosters.last().unwrap().clone();
            let left = [number / 2];
            rosters.push(after(&last, &change(&last, &[number], &left)));
        }
        let newest = rosters.last().unwrap();
        for missed in &rosters {
            let pages = newest.pages_from(missed.head(), Topic::Operators, 1_000);
            let got = from_pages(missed, &pages);
            assert_eq!(got.head(), newest.head());
        }
        let recent = newest.pages_from(rosters[38].head(), Topic::Operators, 1_000);
        assert_eq!(recent.len(), 1);
        assert_eq!(recent[0].joined.len(), 2);
        assert!(
            newest
                .pages_from(newest.head(), Topic::Operators, 1_000)
                .is_empty()
        );
    }

    #[test]
    fn a_difference_leads_to_the_other_roster() {
        let empty = Roster::empty();
        let one = after(&empty, &change(&empty, &[1, 2, 3], &[]));
        let two = after(&one, &change(&one, &[4], &[1, 2]));
        let difference = one.difference(&two);
        assert_eq!(difference.left, [id(1), id(2)]);
        assert_eq!(difference.joined.len(), 1);
        let page = &pages(difference, one.head(), Topic::Operators, 10_000)[0];
        assert_eq!(after(&one, page).head(), two.head());
    }
}
