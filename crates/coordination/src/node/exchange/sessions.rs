//! What differs between two ends: sessions of negentropy over salted ids, one set after another.

use std::collections::BTreeMap;
use std::time::Instant;

use super::super::catalog::{Salt, Sorted, Step};
use super::super::link::Phase;
use super::super::outbox::Lane;
use super::super::{LinkId, Node, Offence, Timer};
use super::{Exchange, Wanted};
use crate::message::{Message, Reconcile, Set};

/// Steps of one session.
const MAX_STEPS: u32 = 256;
/// Items sorted for one unit of work.
const SORTED_PER_UNIT: usize = 256;
/// Items added up for one unit of work, as each step of a session may make it do with all.
const ADDED_PER_UNIT: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) set: Set,
    pub(super) salt: Salt,
    pub(super) sorted: Sorted,
    steps: u32,
    /// Whether everything that differs is known.
    pub(super) complete: bool,
}

impl Exchange {
    fn salt(&self, session: u32) -> Salt {
        Salt {
            dialer: self.nonces[0],
            acceptor: self.nonces[1],
            session,
        }
    }
}

impl Node {
    pub(super) fn begin_session(&mut self, id: LinkId, set: Set, now: Instant) {
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
    pub(in crate::node) fn reconcile(&mut self, id: LinkId, step: &Reconcile, now: Instant) {
        match self.up_mut(id).map(|up| up.exchange.search.is_ours()) {
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

    pub(super) fn end_session(&mut self, id: LinkId) {
        self.timers.clear(Timer::Exchange(id));
        if let Some(up) = self.up_mut(id) {
            up.exchange.session = None;
        }
    }
}
