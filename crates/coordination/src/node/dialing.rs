//! Whom to dial.
//!
//! What the owner named, always. As long as there are too few links, whoever is known, first those that are
//! not reached through others; which ones then follows from both ids, so that not everybody dials the same.
//! With links enough only those that are still not reached a while after the last link came to stand, so
//! that the servers grow together whoever hears of whom, and not everybody dials everybody meanwhile.

use std::time::{Duration, Instant};

use station::Zone;

use super::book::Idle;
use super::input::Source;
use super::{Command, Node, Timer};
use crate::bytes::ServerId;
use crate::hash::short;
use crate::message::record::MAX_ENDPOINT;

/// Endpoints named to a server that finds no place here.
const ELSEWHERE: usize = 8;

/// When the node looks whom to dial.
#[derive(Debug, Default)]
pub(super) struct Dialing {
    /// When it last looked.
    looked: Option<Instant>,
    /// When what the last link shows of the others should be known.
    on: Option<Instant>,
}

/// How much an endpoint is worth a dial: the lower the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Owners,
    Unreached,
    /// One link more, in the order of these numbers.
    Another(u64),
}

impl Node {
    pub(super) fn peer_found(
        &mut self,
        endpoint: &str,
        source: Source,
        hint: Option<[u8; 8]>,
        now: Instant,
    ) {
        let own = self.own.endpoints().iter().any(|one| one == endpoint);
        if own || endpoint.is_empty() || endpoint.len() > MAX_ENDPOINT {
            return;
        }
        self.book.add(endpoint, source, hint, &self.limits, now);
        self.dial_soon(now);
    }

    pub(super) fn dial_failed(&mut self, endpoint: &str, now: Instant) {
        self.book.ended(
            endpoint,
            Duration::ZERO,
            &self.limits,
            &mut self.entropy,
            now,
        );
        self.dial_soon(now);
    }

    /// A link stands: what it shows of the others is awaited before more are dialled than needed.
    pub(super) fn wait_before_dialing(&mut self, zone: Zone, now: Instant) {
        let news = self.entropy.around(self.limits.of(zone).answer * 2);
        self.dialing.on = Some(now + news);
    }

    /// Something changed about whom to dial: looks, but not too often.
    pub(super) fn dial_soon(&mut self, now: Instant) {
        let due = self.dialing.looked.map(|then| then + self.limits.gather);
        self.timers
            .set_by(Timer::Dial, due.map_or(now, |due| due.max(now)));
    }

    /// Dials whoever is worth it now, and sets when to look again.
    pub(super) fn dial(&mut self, now: Instant) {
        self.dialing.looked = Some(now);
        let dialing = self.book.dialing_now();
        let mut free = self.limits.dials.saturating_sub(dialing);
        let links = self.neighbours.len() + dialing;
        let mut few = self.limits.wanted_links.saturating_sub(links);
        let waits = self.dialing.on.filter(|&until| until > now);
        let mut later: Option<Instant> = None;
        let mut due: Vec<(Worth, u32, String)> = Vec::new();
        for idle in self.book.idle() {
            let Some(worth) = self.worth(&idle) else {
                continue;
            };
            let when = match worth {
                Worth::Owners => Some(idle.next),
                Worth::Unreached if few > 0 => Some(idle.next),
                Worth::Unreached => Some(waits.map_or(idle.next, |until| until.max(idle.next))),
                Worth::Another(_) => (few > 0).then_some(idle.next),
            };
            match when {
                Some(when) if when > now => {
                    later = Some(later.map_or(when, |later| later.min(when)));
                }
                Some(_) => due.push((worth, idle.failures, idle.endpoint.to_owned())),
                None => {}
            }
        }
        due.sort_unstable();
        for (worth, _, endpoint) in due {
            let needed = few > 0 || waits.is_none() && worth == Worth::Unreached;
            if free == 0 || !needed && worth != Worth::Owners {
                continue;
            }
            few = few.saturating_sub(1);
            free -= 1;
            self.book.dialing(&endpoint);
            self.commands.push_back(Command::Dial { endpoint });
        }
        let later = later.into_iter().chain(waits).min();
        if let Some(later) = later {
            self.timers.set(Timer::Dial, later);
        }
    }

    /// How much an endpoint is worth a dial, if it is at all.
    fn worth(&self, idle: &Idle<'_>) -> Option<Worth> {
        let server = idle.server.or_else(|| self.server_by_hint(idle.hint?));
        if server == Some(self.own.id)
            || server.is_some_and(|server| self.neighbours.contains_key(&server))
        {
            return None;
        }
        if idle.by_owner {
            return Some(Worth::Owners);
        }
        // Who is not certain to be there may be hidden by somebody in between.
        let there = |server: &ServerId| self.servers.get(*server).is_some_and(|known| known.shown);
        match server.filter(there) {
            Some(server) => Some(Worth::Another(short(&[
                self.own.id.as_bytes(),
                server.as_bytes(),
            ]))),
            None => Some(Worth::Unreached),
        }
    }

    fn server_by_hint(&self, hint: [u8; 8]) -> Option<ServerId> {
        let begins = |id: &ServerId| id.as_bytes()[..8] == hint;
        let known = self.servers.iter().map(|(id, _)| id);
        known.chain([self.own.id]).find(begins)
    }

    /// Where a server may turn that finds no place here.
    pub(super) fn endpoints_elsewhere(&self) -> Vec<String> {
        let neighbours = self.neighbours.keys().filter(|id| self.is_trusted(**id));
        let records = neighbours.filter_map(|&id| self.servers.get(id)?.record.as_ref());
        let endpoints = records.filter_map(|record| record.body.endpoints.first());
        endpoints.take(ELSEWHERE).cloned().collect()
    }
}
