//! Bringing sets together over one link.
//!
//! The end that dialled finds out what differs, one set after another ([`Set::ALL`]): `sessions`. It asks for
//! what it lacks and names what the other end lacks; everything is fetched by whoever wants it, and judged
//! by the owner of the store: `items`. It does so when the link stands, and when [`Search`] says that it is time.

mod items;
mod sessions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use super::input::LinkId;
use super::search::Search;
use super::{LinkLimits, Node};
use crate::bytes::{ItemId, Nonce};
use crate::message::Set;
use sessions::Session;

/// What is going on about sets on one link.
#[derive(Debug)]
pub(super) struct Exchange {
    nonces: [Nonce; 2],
    search: Search,
    sessions: u32,
    session: Option<Session>,
    /// Items the other end has, not asked for yet.
    wanted: VecDeque<Wanted>,
    /// Items asked for.
    asked: BTreeSet<Wanted>,
    /// Items the other end asked for.
    giving: VecDeque<(Set, ItemId)>,
    loading: usize,
    /// Items that came and are being judged.
    judging: usize,
    /// Items to be named to the other end.
    news: VecDeque<(Set, ItemId)>,
    /// Items the other end knows and does not give, with their times.
    undelivered: BTreeMap<(Set, ItemId), u64>,
}

/// An item, by its id or as one session salted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    set: Set,
    session: Option<u32>,
    id: ItemId,
}

impl Exchange {
    pub(super) fn new(nonces: [Nonce; 2], dials: bool, limits: &LinkLimits, now: Instant) -> Self {
        Self {
            nonces,
            search: Search::new(dials, limits, now),
            sessions: 0,
            session: None,
            wanted: VecDeque::new(),
            asked: BTreeSet::new(),
            giving: VecDeque::new(),
            loading: 0,
            judging: 0,
            news: VecDeque::new(),
            undelivered: BTreeMap::new(),
        }
    }
}

impl Node {
    /// A link stands: the end that dialled begins.
    pub(super) fn exchange_begins(&mut self, id: LinkId, now: Instant) {
        let dials = self
            .up_mut(id)
            .is_some_and(|up| up.exchange.search.is_ours());
        if dials {
            self.begin_session(id, Set::ALL[0], now);
        }
    }

    pub(super) fn exchange_beat(&mut self, id: LinkId, theirs: u64, now: Instant) {
        let ours = self.catalog.summary();
        let limits = self.limits;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = limits.of(link.zone);
        let Some(up) = link.up_mut() else { return };
        let over = up.exchange.session.is_none();
        if up.exchange.search.beat((ours, theirs), over, limits, now) {
            self.begin_session(id, Set::ALL[0], now);
        }
    }

    /// What was awaited did not come: it is not awaited any more, and looked for again later.
    pub(super) fn exchange_due(&mut self, id: LinkId, now: Instant) {
        if let Some(up) = self.up_mut(id) {
            up.exchange.asked.clear();
            if up.exchange.search.is_ours() {
                up.exchange.wanted.retain(|wanted| wanted.session.is_none());
                up.exchange.session = None;
            }
            self.ask_more(id, now);
        }
    }
}
