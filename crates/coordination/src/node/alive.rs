//! Who is there.
//!
//! A server is there if its newest record is joined to ours by links that both ends announce, and it has
//! answered us since we started: over a link of its own, or with a signature over a nonce that we sent it
//! through others. Without that, records of servers that were switched off while we were would bring them
//! back.

use std::time::Instant;

use station::{Statement, Zone};

use super::conduct::doubled;
use super::input::{LinkId, Standing};
use super::outbox::Lane;
use super::routes::{Routes, Seen, Tried};
use super::work::Work;
use super::{Event, Node, Timer};
use crate::bytes::{Nonce, ServerId, Signature};
use crate::message::routed::Alive;
use crate::message::{Message, Payload, Routed};

/// A question that a server has not answered yet.
#[derive(Debug)]
pub(super) struct Asked {
    nonce: Nonce,
    tries: u32,
    tried: Tried,
}

impl Node {
    /// The links everybody announces changed: computes the ways anew, but not too often.
    pub(super) fn look_around_soon(&mut self, now: Instant) {
        let due = self.routes.computed().map(|then| then + self.limits.route);
        self.timers
            .set_by(Timer::Route, due.map_or(now, |due| due.max(now)));
    }

    pub(super) fn look_around(&mut self, now: Instant) {
        let own = [Zone::Open, Zone::Part97].map(|zone| self.neighbours_in(zone));
        let mut seen = vec![Seen {
            server: self.own.id,
            transit: true,
            open: &own[0],
            part97: &own[1],
        }];
        seen.extend(self.servers.iter().filter_map(|(id, server)| {
            let body = &server.record.as_ref()?.body;
            (server.standing != Standing::Blacklisted).then_some(Seen {
                server: id,
                transit: server.standing == Standing::Trusted,
                open: &body.open,
                part97: &body.part97,
            })
        }));
        self.routes = Routes::new(&seen, now);
        let servers: Vec<ServerId> = self.servers.iter().map(|(id, _)| id).collect();
        for server in servers {
            self.look_at(server, now);
        }
        self.dial_soon(now);
    }

    /// Servers we have links to, told of or not.
    fn neighbours_in(&self, zone: Zone) -> Vec<ServerId> {
        let links = self.neighbours.iter();
        let of_zone =
            links.filter(|(_, link)| self.links.get(link).map(|one| one.zone) == Some(zone));
        of_zone.map(|(&server, _)| server).collect()
    }

    /// Tells whether a server is there, if that changed, and asks it if that is not certain.
    fn look_at(&mut self, server: ServerId, now: Instant) {
        let reached = self.routes.reaches(server);
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        let there = reached && known.confirmed && known.record.is_some();
        let shown = std::mem::replace(&mut known.shown, there);
        if reached && !known.confirmed && !self.timers.is_set(Timer::Ask(server)) {
            self.timers.set(Timer::Ask(server), now);
        }
        match (shown, there) {
            (false, true) => {
                self.tell(Event::ServerUp { server });
                self.tell_everybody(server);
            }
            (true, false) => {
                self.tell(Event::ServerDown { server });
            }
            _ => {}
        }
    }

    /// Asks a server whether it lives.
    pub(super) fn ask(&mut self, server: ServerId, now: Instant) {
        let limits = self.limits;
        // The answer to the last try may come later still, but is not waited for.
        self.asking.remove(&server);
        if self.asking.len() >= limits.asks {
            let again = now + self.entropy.around(limits.open.answer / 8);
            return self.timers.set(Timer::Ask(server), again);
        }
        let nonce = self.draw_nonce();
        let Some(known) = self.servers.get_mut(server) else {
            return;
        };
        if known.confirmed || !self.routes.reaches(server) {
            known.asked = None;
            return;
        }
        let asked = known.asked.get_or_insert_with(|| Asked {
            nonce,
            tries: 0,
            tried: Tried::default(),
        });
        let way = self
            .routes
            .another_way(server, Zone::Part97, &mut asked.tried);
        let Some(way) = way else {
            known.asked = None;
            return;
        };
        self.asking.insert(server);
        let (nonce, tries) = (asked.nonce, asked.tries);
        asked.tries = asked.tries.saturating_add(1);
        let limits = limits.of(self.zone_of(&way));
        let again = doubled(limits.answer, tries, limits.repair_most);
        let again = now + self.entropy.around(again);
        self.timers.set(Timer::Ask(server), again);
        self.route(way, Payload::Ask(nonce), now);
    }

    /// Somebody asks whether we live.
    pub(super) fn asked(&mut self, id: LinkId, routed: &Routed, nonce: Nonce, now: Instant) {
        if self.spend_on_ways(id, 1, now) {
            let boot = *self.own.boot_nonce.as_bytes();
            let statement = Statement::alive(self.own.fingerprint, nonce.as_bytes(), boot);
            let way = routed.way_back();
            self.sign(
                Work::SignAlive {
                    link: id,
                    way,
                    nonce,
                },
                statement,
            );
        }
    }

    pub(super) fn alive_signed(
        &mut self,
        way: Vec<ServerId>,
        nonce: Nonce,
        signature: Signature,
        now: Instant,
    ) {
        let alive = Alive {
            nonce,
            boot_nonce: self.own.boot_nonce,
            signature,
        };
        self.route(way, Payload::Alive(alive), now);
    }

    /// Somebody says that they live.
    pub(super) fn answered(&mut self, id: LinkId, server: ServerId, alive: &Alive, now: Instant) {
        let Some(known) = self.servers.get(server) else {
            return;
        };
        let asked = known.asked.as_ref().map(|asked| asked.nonce);
        let record = known.record.as_ref();
        let boot = record.map(|record| record.body.boot_nonce);
        if asked != Some(alive.nonce) || boot != Some(alive.boot_nonce) {
            return;
        }
        let key = known.key.clone();
        let boot = alive.boot_nonce.as_bytes();
        let statement = Statement::alive(known.fingerprint, alive.nonce.as_bytes(), *boot);
        if self.spend_on_ways(id, 1, now) {
            let work = Work::VerifyAlive {
                link: id,
                server,
                nonce: alive.nonce,
            };
            self.verify(work, &key, statement, alive.signature);
        }
    }

    pub(super) fn alive_verified(
        &mut self,
        server: ServerId,
        nonce: Nonce,
        genuine: bool,
        now: Instant,
    ) {
        // Who forged it is among those it came through, and cannot be told.
        if !genuine {
            return;
        }
        if let Some(known) = self.servers.get_mut(server)
            && known
                .asked
                .as_ref()
                .is_some_and(|asked| asked.nonce == nonce)
        {
            known.asked = None;
            known.confirmed = true;
            self.asking.remove(&server);
            self.timers.clear(Timer::Ask(server));
            self.look_at(server, now);
        }
    }

    /// Sends something on a way that begins here.
    pub(super) fn route(&mut self, way: Vec<ServerId>, payload: Payload, now: Instant) {
        let lane = lane(&payload);
        let Some(&link) = self.neighbours.get(&way[1]) else {
            return;
        };
        let routed = Message::Routed(Routed {
            way,
            at: 1,
            payload,
        });
        self.send(link, lane, &routed, now);
    }

    /// The strictest zone a way crosses.
    pub(super) fn zone_of(&self, way: &[ServerId]) -> Zone {
        let step = |pair: &[ServerId]| self.routes.zone(pair[0], pair[1]);
        let zones = way.windows(2).filter_map(step);
        zones.max().unwrap_or(Zone::Open)
    }

    /// Charges work for a message on its way to a link. False if that is more than it may cause.
    pub(super) fn spend_on_ways(&mut self, id: LinkId, units: usize, now: Instant) -> bool {
        let Some(link) = self.links.get_mut(&id) else {
            return false;
        };
        let effort = self.limits.of(link.zone).effort_on_ways;
        link.effort_on_ways.spend(units, effort, now).is_ok()
    }
}

/// What people wait for goes first.
pub(super) fn lane(payload: &Payload) -> Lane {
    match payload {
        Payload::Parcel(_) | Payload::Receipt(_) => Lane::Urgent,
        Payload::Ask(_) | Payload::Alive(_) => Lane::Records,
    }
}
