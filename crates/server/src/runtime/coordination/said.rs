//! What other servers said in plain messages: who they are, whom their owners distrust, which files they hand out.
//!
//! None of it is proved or acted on. It is kept in memory only: every server says it anew with each link. What somebody
//! says for whom nobody here vouches lasts as long as their link; of the others it lasts until they say otherwise, so that
//! it can be read while they are out of reach.

use std::collections::BTreeMap;
use std::time::Instant;

use coordination::message::advice::{CatalogEntry, Distrust};
use coordination::message::plain::{Announcement, PlainMessage};
use coordination::{LinkId, Node, ServerId, Standing};

use super::node::Core;

/// Entries kept of one list of a trusted server, and of somebody else's.
const MOST_TRUSTED: usize = 128;
const MOST_STRANGE: usize = 32;

/// Entries kept of all lists of trusted servers together. Strangers are few, and have their own.
const MOST_TOGETHER: usize = 4_096;

/// Servers whose words are kept while they are out of reach.
const MOST_AWAY: usize = 64;

/// Everything that was said.
#[derive(Debug, Default)]
pub(super) struct Said {
    by: BTreeMap<Speaker, Words>,
}

/// Whose words these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Speaker {
    /// A server that proved who it is.
    Proved(ServerId),
    /// Whoever is at the other end of a link that proves nothing.
    Unproved(LinkId),
}

/// What one of them said.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) announced: Option<Announcement>,
    pub(super) distrusted: List<Distrust>,
    pub(super) catalog: List<CatalogEntry>,
    /// When something was last said.
    pub(super) heard: Instant,
}

/// A list that comes in pages.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// How many more there are, which are not kept.
    pub(super) left_out: usize,
    /// What came of a newer one whose last page is still to come.
    coming: Option<(Vec<T>, usize)>,
}

impl<T> List<T> {
    /// Takes a page of which so many entries may be kept. The last one puts the list in the place of the one before.
    fn take(&mut self, page: Vec<T>, more: bool, most: usize) {
        let (mut items, mut left_out) = self.coming.take().unwrap_or_default();
        let room = most.saturating_sub(items.len());
        left_out += page.len().saturating_sub(room);
        items.extend(page.into_iter().take(room));
        if more {
            self.coming = Some((items, left_out));
        } else {
            (self.items, self.left_out) = (items, left_out);
        }
    }

    fn len(&self) -> usize {
        let coming = self.coming.as_ref().map_or(0, |(items, _)| items.len());
        self.items.len().max(coming)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            left_out: 0,
            coming: None,
        }
    }
}

impl Words {
    fn new(now: Instant) -> Self {
        Self {
            announced: None,
            distrusted: List::default(),
            catalog: List::default(),
            heard: now,
        }
    }

    fn len(&self) -> usize {
        self.distrusted.len() + self.catalog.len()
    }
}

impl Said {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Speaker, &Words)> {
        self.by.iter().map(|(&speaker, words)| (speaker, words))
    }

    pub(super) fn of(&self, speaker: Speaker) -> Option<&Words> {
        self.by.get(&speaker)
    }

    /// Takes what somebody said. `trusted` tells whether somebody trusted here vouches for a speaker.
    fn take(
        &mut self,
        speaker: Speaker,
        message: PlainMessage,
        trusted: impl Fn(Speaker) -> bool,
        now: Instant,
    ) {
        let others = self
            .by
            .iter()
            .filter(|(other, _)| **other != speaker && trusted(**other));
        let room = MOST_TOGETHER.saturating_sub(others.map(|(_, words)| words.len()).sum());
        let most = if trusted(speaker) {
            MOST_TRUSTED.min(room / 2)
        } else {
            MOST_STRANGE
        };
        let words = self.by.entry(speaker).or_insert_with(|| Words::new(now));
        words.heard = now;
        match message {
            // Who proved who they are says more of themselves in their record, and signs it.
            PlainMessage::PeerAnnounce { server } => {
                if matches!(speaker, Speaker::Unproved(_)) {
                    words.announced = Some(server);
                }
            }
            PlainMessage::ContentSync { catalog, more } => {
                words.catalog.take(catalog.entries, more, most);
            }
            PlainMessage::BlacklistUpdate { blacklist, more } => {
                words.distrusted.take(blacklist, more, most);
            }
            PlainMessage::CertSync { .. } => {}
        }
    }

    /// Forgets those who are gone and whose words do not outlast their link, and of the others whoever was silent for
    /// longest beyond what is kept.
    fn forget(&mut self, here: impl Fn(Speaker) -> bool, trusted: impl Fn(Speaker) -> bool) {
        self.by
            .retain(|&speaker, _| here(speaker) || trusted(speaker));
        let mut away: Vec<(Instant, Speaker)> = self
            .by
            .iter()
            .filter(|(speaker, _)| !here(**speaker))
            .map(|(&speaker, words)| (words.heard, speaker))
            .collect();
        away.sort_unstable();
        let beyond = away.len().saturating_sub(MOST_AWAY);
        for (_, speaker) in away.into_iter().take(beyond) {
            self.by.remove(&speaker);
        }
    }
}

impl Core {
    /// Somebody said something in a plain message.
    pub(super) fn heard_plainly(
        &mut self,
        link: LinkId,
        from: Option<ServerId>,
        message: PlainMessage,
        now: Instant,
    ) {
        self.forget_the_gone();
        let speaker = from.map_or(Speaker::Unproved(link), Speaker::Proved);
        let node = self.node.as_ref();
        let trusted = |speaker| is_trusted(node, speaker);
        self.said.take(speaker, message, trusted, now);
    }

    /// Forgets what those said whose words end with their link.
    pub(super) fn forget_the_gone(&mut self) {
        let node = self.node.as_ref();
        let lines = &self.lines;
        let here = |speaker| match speaker {
            Speaker::Proved(server) => node
                .and_then(|node| node.server(server))
                .is_some_and(|known| known.link.is_some()),
            Speaker::Unproved(link) => lines.contains_key(&link),
        };
        self.said.forget(here, |speaker| is_trusted(node, speaker));
    }
}

fn is_trusted(node: Option<&Node>, speaker: Speaker) -> bool {
    let Speaker::Proved(server) = speaker else {
        return false;
    };
    let known = node.and_then(|node| node.server(server));
    known.is_some_and(|known| known.standing == Standing::Trusted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coordination::message::advice::DistrustScope;
    use station::KeyId;

    use super::*;

    fn page(keys: std::ops::Range<usize>, more: bool) -> PlainMessage {
        let distrust = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            Distrust {
                scope: DistrustScope::Key,
                fingerprint: None,
                identity: None,
                key_id: Some(KeyId::new(key)),
                callsign: None,
                reason: String::new(),
            }
        };
        PlainMessage::BlacklistUpdate {
            blacklist: keys.map(distrust).collect(),
            more,
        }
    }

    fn server(number: usize) -> Speaker {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        Speaker::Proved(ServerId::new(id))
    }

    fn kept(said: &Said, speaker: Speaker) -> (usize, usize) {
        let words = said.of(speaker).map(|words| &words.distrusted);
        words.map_or((0, 0), |list| (list.items.len(), list.left_out))
    }

    #[test]
    fn a_list_counts_when_its_last_page_is_there_and_takes_the_place_of_the_one_before() {
        let (mut said, now) = (Said::default(), Instant::now());
        let say = |said: &mut Said, message| said.take(server(1), message, |_| true, now);
        say(&mut said, page(0..3, false));
        say(&mut said, page(5..7, true));
        assert_eq!(kept(&said, server(1)), (3, 0), "the one before");
        say(&mut said, page(7..8, false));
        assert_eq!(kept(&said, server(1)), (3, 0));
        let first = &said.of(server(1)).unwrap().distrusted.items[0];
        assert_eq!(first.key_id.unwrap().as_bytes()[7], 5);
        say(&mut said, page(0..0, false));
        assert_eq!(kept(&said, server(1)), (0, 0), "withdrawn");
    }

    #[test]
    fn nobody_fills_the_memory_with_what_they_say() {
        let (mut said, now) = (Said::default(), Instant::now());
        let stranger = Speaker::Unproved(LinkId(1));
        let trusted = |speaker| matches!(speaker, Speaker::Proved(_));
        said.take(stranger, page(0..10_000, true), trusted, now);
        said.take(stranger, page(0..10_000, false), trusted, now);
        assert_eq!(kept(&said, stranger), (MOST_STRANGE, 20_000 - MOST_STRANGE));
        for number in 0..100 {
            said.take(server(number), page(0..10_000, false), trusted, now);
        }
        let all: usize = said.iter().map(|(_, words)| words.len()).sum();
        assert!(all <= MOST_TOGETHER + MOST_STRANGE, "{all}");
        assert_eq!(kept(&said, server(0)).0, MOST_TRUSTED);
    }

    #[test]
    fn who_is_gone_is_forgotten_unless_somebody_vouches_for_them() {
        let (mut said, now) = (Said::default(), Instant::now());
        let stranger = Speaker::Unproved(LinkId(1));
        let trusted = |speaker| matches!(speaker, Speaker::Proved(_));
        said.take(stranger, page(0..1, false), trusted, now);
        for number in 0..=MOST_AWAY {
            let later = now + Duration::from_secs(number as u64);
            said.take(server(number), page(0..1, false), trusted, later);
        }
        said.forget(|speaker| speaker == stranger, trusted);
        assert_eq!(kept(&said, stranger).0, 1, "it is still there");
        assert!(said.of(server(0)).is_none(), "the first of too many");
        assert!(said.of(server(1)).is_some());
        said.forget(|_| false, trusted);
        assert!(said.of(stranger).is_none());
    }
}
