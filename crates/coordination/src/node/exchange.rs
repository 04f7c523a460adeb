//! Bringing sets together over one link.
//!
//! The end that dialled finds out what differs, one set after another ([`Set::ALL`]), by salted ids. It asks
//! for what it lacks and names what the other end lacks; everything is fetched by whoever wants it, a few
//! items at a time, and judged by the owner of the store. Items that turn up in between are named to every
//! neighbour at once, and withdrawals are sent without being asked for. If
//! nothing comes of a search the next is ever later, and after some there is none until one end knows
//! something else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use super::catalog::{Salt, Sorted, Split, Step};
use super::conduct::doubled;
use super::input::{Admission, HeldItem, LinkId, Token};
use super::link::Phase;
use super::outbox::Lane;
use super::repair::ENOUGH;
use super::work::Work;
use super::{Command, Event, Node, Offence, Timer};
use crate::bytes::{Blob, ItemId, Nonce};
use crate::message::sets::{MAX_ITEM, MAX_NAMED};
use crate::message::{Absent, Get, Have, Item, Message, Reconcile, Set};

/// Items that one end may be about to ask for or to give.
const MAX_QUEUED: usize = 16 * 1024;
/// Items fetched from the store at once for one link.
const LOADING: usize = 4;
/// Items of one link that are judged at once: more than are asked for, and few enough that nobody's wait long behind them.
const JUDGING: usize = 256;
/// Steps of one session.
const MAX_STEPS: u32 = 256;
/// Items sorted for one unit of work.
const SORTED_PER_UNIT: usize = 256;
/// Items added up for one unit of work, as each step of a session may make it do with all.
const ADDED_PER_UNIT: usize = 4 * 1024;

/// What is going on about sets on one link.
#[derive(Debug)]
pub(super) struct Exchange {
    nonces: [Nonce; 2],
    dials: bool,
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
    differed: u32,
    in_vain: u32,
    fruitful: bool,
    next: Option<Instant>,
    /// What both ends knew at the last search: ours, theirs.
    searched: Option<(u64, u64)>,
}

/// An item, by its id or as one session salted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    set: Set,
    session: Option<u32>,
    id: ItemId,
}

#[derive(Debug)]
struct Session {
    set: Set,
    salt: Salt,
    sorted: Sorted,
    steps: u32,
    /// Whether everything that differs is known.
    complete: bool,
}

impl Exchange {
    pub(super) fn new(nonces: [Nonce; 2], dials: bool) -> Self {
        Self {
            nonces,
            dials,
            sessions: 0,
            session: None,
            wanted: VecDeque::new(),
            asked: BTreeSet::new(),
            giving: VecDeque::new(),
            loading: 0,
            judging: 0,
            news: VecDeque::new(),
            undelivered: BTreeMap::new(),
            differed: 0,
            in_vain: 0,
            fruitful: true,
            next: None,
            searched: None,
        }
    }

    fn salt(&self, session: u32) -> Salt {
        Salt {
            dialer: self.nonces[0],
            acceptor: self.nonces[1],
            session,
        }
    }

    fn want(&mut self, wanted: Wanted) {
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

    fn name(&mut self, set: Set, id: ItemId) {
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

    /// A beat came. True if it is time to find out what differs.
    fn beat(&mut self, ours: u64, theirs: u64, limits: &super::LinkLimits, now: Instant) -> bool {
        if ours == theirs {
            self.differed = 0;
            self.in_vain = 0;
            return false;
        }
        self.differed += 1;
        let due = self.next.is_none_or(|next| now >= next);
        let same_again = self.searched == Some((ours, theirs)) && self.in_vain >= ENOUGH;
        if self.differed < 2 || !self.dials || self.session.is_some() || !due || same_again {
            return false;
        }
        self.searched = Some((ours, theirs));
        self.in_vain = if self.fruitful { 0 } else { self.in_vain + 1 };
        self.fruitful = false;
        self.next = Some(now + doubled(limits.repair_first, self.in_vain, limits.repair_most));
        true
    }
}

impl Node {
    /// A link stands: the end that dialled begins.
    pub(super) fn exchange_begins(&mut self, id: LinkId, now: Instant) {
        let dials = self.up_mut(id).is_some_and(|up| up.exchange.dials);
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
        if link
            .up_mut()
            .is_some_and(|up| up.exchange.beat(ours, theirs, limits, now))
        {
            self.begin_session(id, Set::ALL[0], now);
        }
    }

    fn begin_session(&mut self, id: LinkId, set: Set, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        let Some(up) = link.up_mut() else { return };
        let exchange = &mut up.exchange;
        exchange.sessions = exchange.sessions.wrapping_add(1);
        let salt = exchange.salt(exchange.sessions);
        let sorted = self
            .catalog
            .sort(set, &salt, &exchange.undelivered, limits.step);
        let Some((sorted, first)) = sorted.and_then(|mut sorted| {
            let first = sorted.begin()?;
            Some((sorted, first))
        }) else {
            return;
        };
        exchange.session = Some(Session {
            set,
            salt,
            sorted,
            steps: 0,
            complete: false,
        });
        let end = now + limits.set_answer;
        self.timers.set(Timer::Exchange(id), end);
        self.send_step(id, set, salt.session, first, now);
    }

    fn send_step(&mut self, id: LinkId, set: Set, session: u32, step: Vec<u8>, now: Instant) {
        let step = Message::Reconcile(Reconcile {
            set,
            session,
            step: step.into(),
        });
        self.send(id, Lane::Bulk, &step, now);
    }

    /// A step of a session: a question to the end that was dialled, or its answer.
    pub(super) fn reconcile(&mut self, id: LinkId, step: &Reconcile, now: Instant) {
        match self.up_mut(id).map(|up| up.exchange.dials) {
            Some(true) => self.advance_session(id, step, now),
            Some(false) => self.answer_session(id, step, now),
            None => {}
        }
    }

    fn answer_session(&mut self, id: LinkId, step: &Reconcile, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        let Phase::Up(up) = &mut link.phase else {
            return;
        };
        let exchange = &mut up.exchange;
        let known = exchange.session.as_ref();
        if known.is_none_or(|session| session.salt.session != step.session) {
            // Paid for before it is done: whoever has no more left costs nothing.
            let units = 1 + self.catalog.len(step.set) / SORTED_PER_UNIT;
            if link.effort.spend(units, limits.effort, now).is_err() {
                return;
            }
            let salt = exchange.salt(step.session);
            let nothing = BTreeMap::new();
            let sorted = self.catalog.sort(step.set, &salt, &nothing, limits.step);
            let Some(sorted) = sorted else { return };
            exchange.session = Some(Session {
                set: step.set,
                salt,
                sorted,
                steps: 0,
                complete: false,
            });
        }
        let Some(session) = exchange.session.as_mut() else {
            return;
        };
        let units = session.sorted.len() / ADDED_PER_UNIT;
        if link.effort.spend(units, limits.effort, now).is_err() {
            return;
        }
        session.steps += 1;
        let fits = session.set == step.set && session.steps <= MAX_STEPS;
        let step_bytes = step.step.as_bytes();
        let answer = fits.then(|| session.sorted.answer(step_bytes)).flatten();
        match answer {
            Some(answer) => self.send_step(id, step.set, step.session, answer, now),
            None => self.offend(id, Offence::OutOfPlace, now),
        }
    }

    fn advance_session(&mut self, id: LinkId, step: &Reconcile, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let end = now + self.limits.of(link.zone).set_answer;
        let Some(up) = link.up_mut() else { return };
        let session = up.exchange.session.as_mut();
        // An answer to a session that was given up is late, not wrong.
        let Some(session) = session.filter(|session| {
            session.salt.session == step.session && session.set == step.set && !session.complete
        }) else {
            return;
        };
        session.steps += 1;
        let shown = session.sorted.advance(step.step.as_bytes());
        let Some(Step { next, have, need }) = shown.filter(|_| session.steps <= MAX_STEPS) else {
            up.exchange.session = None;
            return self.offend(id, Offence::OutOfPlace, now);
        };
        session.complete = next.is_none();
        let (set, number) = (session.set, session.salt.session);
        for salted in need {
            up.exchange.want(Wanted {
                set,
                session: Some(number),
                id: salted,
            });
        }
        for item in have {
            if self.catalog.holds(set, item) {
                up.exchange.name(set, item);
            }
        }
        self.timers.set(Timer::Exchange(id), end);
        if let Some(next) = next {
            self.send_step(id, set, number, next, now);
        }
        self.give_more(id, now);
        self.ask_more(id, now);
    }

    /// Asks for more items, and when none are left goes on to the next set.
    fn ask_more(&mut self, id: LinkId, now: Instant) {
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
        let next = complete.filter(|_| done && exchange.dials).map(|session| {
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

    fn end_session(&mut self, id: LinkId) {
        self.timers.clear(Timer::Exchange(id));
        if let Some(up) = self.up_mut(id) {
            up.exchange.session = None;
        }
    }

    /// What was awaited did not come: it is not awaited any more, and looked for again later.
    pub(super) fn exchange_due(&mut self, id: LinkId, now: Instant) {
        if let Some(up) = self.up_mut(id) {
            up.exchange.asked.clear();
            if up.exchange.dials {
                up.exchange.wanted.retain(|wanted| wanted.session.is_none());
                up.exchange.session = None;
            }
            self.ask_more(id, now);
        }
    }

    /// The other end has these items.
    pub(super) fn they_have(&mut self, id: LinkId, have: &Have, now: Instant) {
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

    /// The other end asks for items.
    pub(super) fn they_get(&mut self, id: LinkId, get: &Get, now: Instant) {
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
    pub(super) fn give_more(&mut self, id: LinkId, now: Instant) {
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

    pub(super) fn item_loaded(&mut self, token: Token, data: Option<Blob>, now: Instant) {
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

    pub(super) fn receive_item(&mut self, id: LinkId, item: Item, now: Instant) {
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

    pub(super) fn item_admitted(&mut self, token: Token, outcome: Admission, now: Instant) {
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
                    up.exchange.fruitful = true;
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

    pub(super) fn absent(&mut self, id: LinkId, absent: &Absent, now: Instant) {
        let most = self.limits.undelivered;
        let Some(up) = self.up_mut(id) else { return };
        for &(item, time) in &absent.items {
            up.exchange.will_not_come(absent.set, item, time, most);
        }
        self.ask_more(id, now);
    }

    /// An item is held from now on: every neighbour hears of it but the one it came from.
    pub(super) fn item_held(
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
    pub(super) fn note_held(&mut self, set: Set, item: HeldItem) -> bool {
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
