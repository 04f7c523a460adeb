//! Items on their way: what one end lacks it asks for, a few at a time, and the other fetches them from its
//! store. Items that turn up in between are named to every neighbour at once, and withdrawals are sent
//! without being asked for.

use std::collections::BTreeMap;
use std::time::Instant;

use super::super::catalog::Split;
use super::super::input::{Admission, HeldItem, Token};
use super::super::outbox::Lane;
use super::super::work::Work;
use super::super::{Command, Event, LinkId, Node, Offence, Timer};
use super::{Exchange, Wanted};
use crate::bytes::{Blob, ItemId};
use crate::message::sets::{MAX_ITEM, MAX_NAMED};
use crate::message::{Absent, Get, Have, Item, Message, Set};

/// Items that one end may be about to ask for or to give.
const MAX_QUEUED: usize = 16 * 1024;
/// Items fetched from the store at once for one link.
const LOADING: usize = 4;
/// Items of one link that are judged at once: more than are asked for, and few enough that nobody's wait
/// long behind them.
const JUDGING: usize = 256;

impl Exchange {
    pub(super) fn want(&mut self, wanted: Wanted) {
        let given_up =
            wanted.session.is_none() && self.undelivered.contains_key(&(wanted.set, wanted.id));
        if self.wanted.len() < MAX_QUEUED && !given_up && !self.asked.contains(&wanted) {
            self.wanted.push_back(wanted);
        }
    }

    fn give(&mut self, set: Set, id: ItemId) {
        if self.giving.len() < MAX_QUEUED {
            self.giving.push_back((set, id));
        }
    }

    pub(super) fn name(&mut self, set: Set, id: ItemId) {
        if self.news.len() < MAX_QUEUED {
            self.news.push_back((set, id));
        }
    }

    /// An item came, or will not: it is not awaited any more.
    fn settle(&mut self, set: Set, id: ItemId) {
        let plain = Wanted {
            set,
            session: None,
            id,
        };
        self.asked.remove(&plain);
        if let Some(session) = &self.session {
            self.asked.remove(&Wanted {
                session: Some(session.salt.session),
                id: session.salt.apply(id),
                ..plain
            });
        }
    }

    fn will_not_come(&mut self, set: Set, id: ItemId, time: u64, most: usize) {
        self.settle(set, id);
        self.undelivered.insert((set, id), time);
        while self.undelivered.len() > most {
            self.undelivered.pop_first();
        }
    }
}

impl Node {
    /// The other end has these items.
    pub(in crate::node) fn they_have(&mut self, id: LinkId, have: &Have, now: Instant) {
        let items = have.items.iter().copied();
        let new: Vec<ItemId> = items
            .filter(|&item| !self.catalog.knows(have.set, item))
            .collect();
        if let Some(up) = self.up_mut(id) {
            for item in new {
                up.exchange.want(Wanted {
                    set: have.set,
                    session: None,
                    id: item,
                });
            }
            self.ask_more(id, now);
        }
    }

    /// Asks for more items, and when none are left goes on to the next set.
    pub(super) fn ask_more(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        let (most, end) = (limits.items, now + limits.set_answer);
        let Some(up) = link.up_mut() else { return };
        let exchange = &mut up.exchange;
        let mut gets: BTreeMap<(Set, Option<u32>), Vec<ItemId>> = BTreeMap::new();
        // Not one by one: a question costs as much as an id.
        let room = most.saturating_sub(exchange.asked.len());
        if room > most / 2 {
            while exchange.asked.len() < most
                && let Some(wanted) = exchange.wanted.pop_front()
            {
                let here = wanted.session.is_none() && self.catalog.knows(wanted.set, wanted.id);
                if !here && exchange.asked.insert(wanted) {
                    let list = gets.entry((wanted.set, wanted.session)).or_default();
                    list.push(wanted.id);
                }
            }
        }
        let done = exchange.asked.is_empty() && exchange.wanted.is_empty();
        let complete = exchange.session.as_ref().filter(|session| session.complete);
        let next = complete
            .filter(|_| done && exchange.search.is_ours())
            .map(|session| {
                let place = Set::ALL.iter().position(|set| *set == session.set);
                place.and_then(|place| Set::ALL.get(place + 1)).copied()
            });
        for ((set, session), items) in gets {
            self.timers.set(Timer::Exchange(id), end);
            let get = Message::Get(Get {
                set,
                session,
                items,
            });
            self.send(id, Lane::Bulk, &get, now);
        }
        match next {
            Some(Some(set)) => self.begin_session(id, set, now),
            Some(None) => self.end_session(id),
            None => {}
        }
    }

    pub(in crate::node) fn receive_item(&mut self, id: LinkId, item: Item, now: Instant) {
        let known = self.catalog.knows(item.set, item.id);
        let Some(up) = self.up_mut(id) else { return };
        up.exchange.settle(item.set, item.id);
        let room = up.exchange.judging < JUDGING;
        if !known && room && self.spend_effort(id, 1, now) {
            let Item {
                set,
                id: item,
                data,
            } = item;
            let work = Work::Admit {
                link: id,
                set,
                id: item,
            };
            let begun = self.begin(work, |token| Command::Admit {
                token,
                link: id,
                set,
                id: item,
                data,
            });
            if let Some(up) = self.up_mut(id).filter(|_| begun) {
                up.exchange.judging += 1;
            }
        }
        self.ask_more(id, now);
    }

    pub(in crate::node) fn item_admitted(
        &mut self,
        token: Token,
        outcome: Admission,
        now: Instant,
    ) {
        let Some(Work::Admit { link, set, id }) = self.works.finish(token) else {
            return;
        };
        let most = self.limits.undelivered;
        if let Some(up) = self.up_mut(link) {
            up.exchange.judging = up.exchange.judging.saturating_sub(1);
        }
        match outcome {
            Admission::Held(item) => {
                if let Some(up) = self.up_mut(link) {
                    up.exchange.search.bore_fruit();
                }
                self.item_held(set, item, Some(link), now);
            }
            Admission::Declined { id, time } => {
                self.catalog.decline(set, id, time, self.limits.stubs);
            }
            Admission::Full => {}
            Admission::Bad => {
                if let Some(up) = self.up_mut(link) {
                    up.exchange.will_not_come(set, id, 0, most);
                }
                self.offend(link, Offence::BadItem, now);
            }
        }
    }

    pub(in crate::node) fn absent(&mut self, id: LinkId, absent: &Absent, now: Instant) {
        let most = self.limits.undelivered;
        let Some(up) = self.up_mut(id) else { return };
        for &(item, time) in &absent.items {
            up.exchange.will_not_come(absent.set, item, time, most);
        }
        self.ask_more(id, now);
    }

    /// The other end asks for items.
    pub(in crate::node) fn they_get(&mut self, id: LinkId, get: &Get, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(up) = link.up_mut() else { return };
        let exchange = &mut up.exchange;
        let session = exchange.session.as_ref();
        let session = session
            .filter(|session| Some(session.salt.session) == get.session && session.set == get.set);
        let items = get.items.iter().copied();
        let items: Vec<ItemId> = match (get.session, session) {
            (None, _) => items.collect(),
            (Some(_), Some(session)) => items
                .filter_map(|salted| session.sorted.name(salted))
                .collect(),
            (Some(_), None) => return,
        };
        let mut absent = Vec::new();
        for item in items {
            if self.catalog.holds(get.set, item) {
                exchange.give(get.set, item);
            } else {
                let time = self.catalog.time(get.set, item).unwrap_or(0);
                absent.push((item, time));
            }
        }
        if !absent.is_empty() {
            let absent = Message::Absent(Absent {
                set: get.set,
                items: absent,
            });
            self.send(id, Lane::Bulk, &absent, now);
        }
        self.give_more(id, now);
    }

    /// Fetches what is to be given and names what is new, as far as the link has room.
    pub(in crate::node) fn give_more(&mut self, id: LinkId, now: Instant) {
        self.describe_more(id);
        while let Some(link) = self.links.get_mut(&id) {
            let limits = self.limits.of(link.zone);
            let hungry = link.outbox.is_hungry(Lane::Bulk, limits);
            let Some(up) = link.up_mut().filter(|_| hungry) else {
                return;
            };
            let exchange = &mut up.exchange;
            if let Some(&(set, _)) = exchange.news.front() {
                let most = (limits.step / 40).min(MAX_NAMED);
                let mut items = Vec::new();
                while items.len() < most
                    && let Some(&(of, item)) = exchange.news.front()
                    && of == set
                {
                    exchange.news.pop_front();
                    items.push(item);
                }
                let have = Message::Have(Have { set, items });
                self.send(id, Lane::Bulk, &have, now);
            } else if exchange.loading < LOADING
                && let Some((set, item)) = exchange.giving.pop_front()
            {
                let work = Work::Load {
                    link: id,
                    set,
                    id: item,
                };
                let begun = self.begin(work, |token| Command::Load {
                    token,
                    set,
                    id: item,
                });
                if let Some(up) = self.up_mut(id).filter(|_| begun) {
                    up.exchange.loading += 1;
                } else {
                    return;
                }
            } else {
                return;
            }
        }
    }

    pub(in crate::node) fn item_loaded(&mut self, token: Token, data: Option<Blob>, now: Instant) {
        let Some(Work::Load { link, set, id }) = self.works.finish(token) else {
            return;
        };
        let Some(up) = self.up_mut(link) else { return };
        up.exchange.loading = up.exchange.loading.saturating_sub(1);
        let message = match data {
            Some(data) if data.len() <= MAX_ITEM => Message::Item(Item { set, id, data }),
            _ => Message::Absent(Absent {
                set,
                items: vec![(id, self.catalog.time(set, id).unwrap_or(0))],
            }),
        };
        self.send(link, Lane::Bulk, &message, now);
        self.give_more(link, now);
    }

    /// An item is held from now on: every neighbour hears of it but the one it came from.
    pub(in crate::node) fn item_held(
        &mut self,
        set: Set,
        item: HeldItem,
        from: Option<LinkId>,
        now: Instant,
    ) {
        if !self.note_held(set, item) {
            return;
        }
        for id in self.links_up() {
            let Some(up) = self.up_mut(id).filter(|_| Some(id) != from) else {
                continue;
            };
            match set {
                Set::Tombstones | Set::Rekeys => up.exchange.give(set, item.id),
                Set::Certificates | Set::Checkpoints => up.exchange.name(set, item.id),
            }
            self.give_more(id, now);
        }
        if set == Set::Certificates {
            self.tell_plain_links(item.id);
        }
    }

    /// Notes that an item is held. True if it was not.
    pub(in crate::node) fn note_held(&mut self, set: Set, item: HeldItem) -> bool {
        if let Some(checkpoint) = item.checkpoint
            && let Some(Split { checkpoint, other }) = self.catalog.compare(item.id, checkpoint)
        {
            self.tell(Event::SplitLog {
                log: checkpoint.log,
                size: checkpoint.size,
                heads: [other, checkpoint.head],
            });
        }
        self.catalog.hold(set, item)
    }
}
