//! What others say of themselves, and passing it on.
//!
//! A record that is newer than the one held, and signed, takes its place and goes to every other link: so
//! each goes once over each link, in one direction or both, and then stops. What is not newer is dropped
//! before anything is verified. Only records of servers that are trusted here are passed on.

use std::time::{Duration, Instant};

use station::Zone;

use super::input::{Examined, LinkId, Standing};
use super::link::Claimed;
use super::outbox::Lane;
use super::roster::Roster;
use super::servers::{Record, made};
use super::work::Work;
use super::{Command, Event, Node, Offence, Source, Timer};
use crate::bytes::{Blob, ServerId};
use crate::hash;
use crate::message::{Body, Change, Introduction, Message, Topic, Update, Want};

/// How long a record counts that is shown only because its server lost its memory.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// Records sent for one unit of work.
pub(super) const RECORDS_PER_UNIT: usize = 8;

/// Bytes of details of people who are told of with a record, wanted or not.
const FEW_BYTES: usize = 2 * 1024;

impl Node {
    pub(super) fn receive_update(&mut self, id: LinkId, update: Update, now: Instant) {
        let server = update.record.server;
        if server == self.own.id {
            return self.own_record_heard(id, update, now);
        }
        let Some(known) = self.servers.get_mut(server) else {
            return self.ask_who_that_is(id, server, now);
        };
        if known.standing == Standing::Blacklisted {
            return;
        }
        let rank = (update.record.version(), update.record.summary());
        let held = known.record.as_ref().map(Record::rank);
        if rank.0 < self.servers.least_version(server) {
            return self.show_newest(id, server, now);
        }
        if held.is_some_and(|held| held.0 == rank.0 && held.1 > rank.1) {
            return self.show_other(id, server, now);
        }
        if held.is_some_and(|held| rank <= held)
            || self.works.is_verifying((server, rank.1))
            || made(update.age, self.limits.lifetime, now).is_none()
        {
            return;
        }
        self.verify_record(id, update, now);
    }

    fn verify_record(&mut self, id: LinkId, update: Update, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        let Some(known) = self.servers.get_mut(update.record.server) else {
            return;
        };
        // Over either budget it is found again by comparing what both ends hold.
        if known.updates.spend(1, self.limits.updates, now).is_err()
            || link.effort.spend(1, limits.effort, now).is_err()
        {
            return;
        }
        let key = known.key.clone();
        let statement = update.record.statement(known.fingerprint);
        let signature = update.record.signature;
        let update = Box::new(update);
        let work = Work::VerifyRecord { link: id, update };
        self.verify(work, &key, statement, signature);
    }

    pub(super) fn record_verified(
        &mut self,
        id: LinkId,
        update: Update,
        genuine: bool,
        now: Instant,
    ) {
        if !genuine {
            return self.offend(id, Offence::ForgedRecord, now);
        }
        let server = update.record.server;
        let Some(known) = self.servers.get(server) else {
            return;
        };
        let rank = (update.record.version(), update.record.summary());
        if known
            .record
            .as_ref()
            .is_some_and(|held| rank <= held.rank())
        {
            return;
        }
        // A body that cannot be read is its server's doing, or of a version to come: it is not for us.
        let Ok(body) = Body::decode(&update.record.body) else {
            return;
        };
        let Some(made) = made(update.age, self.limits.lifetime, now) else {
            return;
        };
        if let Some(link) = self.links.get_mut(&id).and_then(super::Link::up_mut) {
            link.agreement.bore_fruit();
        }
        let record = Record {
            summary: rank.1,
            signed: update.record.clone(),
            body,
            made,
        };
        self.keep_record(server, record, now);
        let changes = self.take_changes(server, &update.changes, id, now);
        if self.is_trusted(server) {
            let update = Update { changes, ..update };
            self.spread(&update, Some(id), now);
        }
    }

    /// Puts a record in the place of the one before, and draws the consequences.
    fn keep_record(&mut self, server: ServerId, record: Record, now: Instant) {
        let before = self.servers.take_record(server);
        let links = |body: &Body| (body.open.clone(), body.part97.clone());
        let same_links = before
            .as_ref()
            .is_some_and(|before| links(&before.body) == links(&record.body));
        let old = before.map_or_else(Vec::new, |before| before.body.endpoints);
        let new = record.body.endpoints.clone();
        let end = record.made + self.limits.lifetime;
        self.servers.put_record(server, record);
        self.timers.set(Timer::Expire(server), end);
        if old != new {
            self.endpoints_changed(server, &old, &new, now);
        }
        if !same_links {
            self.look_around_soon(now);
        }
        if self.servers.get(server).is_some_and(|known| known.shown) {
            self.tell(Event::ServerChanged { server });
        }
    }

    fn endpoints_changed(&mut self, id: ServerId, old: &[String], new: &[String], now: Instant) {
        if !self.is_trusted(id) {
            return;
        }
        for gone in old.iter().filter(|one| !new.contains(one)) {
            self.book.remove(gone, Source::Peer);
        }
        for endpoint in new {
            self.peer_found(endpoint, Source::Peer, None, now);
            self.book.belongs_to(endpoint, id);
        }
    }

    /// Sends a record to everybody but the one it came from and the one it is of. Guests stay where
    /// encryption is allowed.
    pub(super) fn spread(&mut self, update: &Update, from: Option<LinkId>, now: Instant) {
        let server = update.record.server;
        let whole: super::Frame = (&Message::Update(update.clone())).into();
        let without_guests = without_guests(update);
        for id in self.links_up() {
            let Some(link) = self.links.get(&id) else {
                continue;
            };
            if Some(id) == from || link.peer() == Some(server) {
                continue;
            }
            let frame = match link.zone {
                Zone::Open => whole.clone(),
                Zone::Part97 => without_guests.clone(),
            };
            self.send_frame(id, Lane::Records, frame, now);
        }
    }

    /// Sends the newest record of a server over one link, with its people where they are few: whoever lacks
    /// the record mostly lacks them too.
    pub(super) fn send_record(&mut self, id: LinkId, server: ServerId, now: Instant) {
        let record = if server == self.own.id {
            self.own.record.as_ref()
        } else if self.is_trusted(server) {
            self.servers
                .get(server)
                .and_then(|known| known.record.as_ref())
        } else {
            None
        };
        let zone = self.links.get(&id).map(|link| link.zone);
        if let (Some(record), Some(zone)) = (record, zone) {
            let few = |topic| self.few_people(server, topic, record, zone);
            let update = Message::Update(Update {
                record: record.signed.clone(),
                age: record.age(now),
                changes: Topic::ALL.into_iter().filter_map(few).collect(),
            });
            self.send(id, Lane::Records, &update, now);
        }
    }

    /// Everybody at a server, if they are few and as its record says.
    fn few_people(
        &self,
        server: ServerId,
        topic: Topic,
        record: &Record,
        zone: Zone,
    ) -> Option<Change> {
        let roster = self.roster_passed_on(server, topic)?;
        let complete = roster.head() == record.body.head(topic);
        if zone == Zone::Part97 || !complete || roster.bytes() > FEW_BYTES {
            return None;
        }
        let nobody = Roster::empty().head();
        roster
            .pages_from(nobody, topic, self.limits.page_bytes)
            .pop()
    }

    /// Somebody has another record of the same version than ours, which everybody keeps: its server signed two, most likely
    /// because it lost its memory in between, and learns from ours where to go on.
    fn show_other(&mut self, id: LinkId, server: ServerId, now: Instant) {
        let of_peer = self.links.get(&id).and_then(super::Link::peer) == Some(server);
        let known = self.servers.get(server);
        let known = known.filter(|known| of_peer || known.standing == Standing::Trusted);
        let Some(record) = known.and_then(|known| known.record.as_ref()) else {
            return;
        };
        let update = Message::Update(Update {
            record: record.signed.clone(),
            age: record.age(now),
            changes: Vec::new(),
        });
        if self.spend_effort(id, 1, now) {
            self.send(id, Lane::Records, &update, now);
        }
    }

    /// Somebody has a record that is older than the newest we ever saw. If its server lost its memory, it
    /// learns from that one where to go on; for the others it only has to be worth passing on.
    pub(super) fn show_newest(&mut self, id: LinkId, server: ServerId, now: Instant) {
        let held = self
            .servers
            .get(server)
            .is_some_and(|known| known.record.is_some());
        if held || !self.spend_effort(id, 1, now) {
            return;
        }
        if let Some(record) = self.servers.newest(server).cloned() {
            let nearly_over = self.limits.lifetime.saturating_sub(SHOWN_FOR);
            let update = Message::Update(Update {
                record,
                age: nearly_over.as_secs(),
                changes: Vec::new(),
            });
            self.send(id, Lane::Records, &update, now);
        }
    }

    /// Somebody wants records.
    pub(super) fn wanted(&mut self, id: LinkId, want: &Want, now: Instant) {
        let wanted = want.unknown.len() + want.known.len();
        if !self.spend_effort(id, 1 + wanted / RECORDS_PER_UNIT, now) {
            return;
        }
        for &server in &want.unknown {
            let chain = if server == self.own.id {
                Some(self.own.chain.clone())
            } else {
                let known = self.servers.get(server);
                let passed_on = known.filter(|known| known.standing == Standing::Trusted);
                passed_on.map(|known| known.chain.clone())
            };
            if let Some(chain) = chain {
                let introduction = Message::Intro(Introduction { chain });
                if !self.send(id, Lane::Records, &introduction, now) {
                    return;
                }
            }
        }
        for &server in &want.known {
            self.send_record(id, server, now);
        }
    }

    /// A record came whose server was never introduced.
    fn ask_who_that_is(&mut self, id: LinkId, server: ServerId, now: Instant) {
        let Some(up) = self.up_mut(id) else { return };
        if up.agreement.ask_for(server, now) {
            let want = Message::Want(Want {
                known: Vec::new(),
                unknown: vec![server],
            });
            self.send(id, Lane::Records, &want, now);
        }
    }

    pub(super) fn introduced(&mut self, id: LinkId, introduction: Introduction, now: Instant) {
        let chain = introduction.chain;
        let fingerprint = hash::fingerprint(chain.first().map_or(&[], Blob::as_bytes));
        let server = ServerId::from(fingerprint);
        let asked = self
            .up_mut(id)
            .is_some_and(|up| up.agreement.asked_for(server));
        if self.servers.get(server).is_some() || server == self.own.id {
            return;
        }
        if !asked {
            return self.offend(id, Offence::OutOfPlace, now);
        }
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = self.limits.of(link.zone);
        if link.effort.spend(chain.len(), limits.effort, now).is_err() {
            return;
        }
        let work = Work::ExamineIntroduction {
            link: id,
            server,
            chain: chain.clone(),
        };
        self.begin(work, |token| Command::Examine { token, chain });
    }

    pub(super) fn introduction_examined(
        &mut self,
        id: LinkId,
        server: ServerId,
        chain: Vec<Blob>,
        examined: Option<Examined>,
        now: Instant,
    ) {
        let Some(Examined {
            callsign,
            key,
            standing,
        }) = examined
        else {
            return self.offend(id, Offence::BadItem, now);
        };
        // Two neighbours may have introduced it at once.
        if self.servers.get(server).is_some() {
            return;
        }
        let crowded = || {
            let (strangers, brought) = self.servers.strangers(id);
            strangers >= self.limits.strangers || brought >= self.limits.strangers_each
        };
        if standing == Standing::Stranger && crowded() || self.servers.len() >= self.limits.servers
        {
            return;
        }
        let fingerprint = hash::fingerprint(chain.first().map_or(&[], Blob::as_bytes));
        let claimed = Claimed {
            id: server,
            fingerprint,
            chain,
            callsign,
            key,
            standing,
        };
        if let Some(up) = self.up_mut(id) {
            up.agreement.introduced(server);
        }
        self.add_server(claimed, Some(id), now);
        let want = Message::Want(Want {
            known: vec![server],
            unknown: Vec::new(),
        });
        self.send(id, Lane::Records, &want, now);
    }

    fn add_server(&mut self, claimed: Claimed, brought_by: Option<LinkId>, now: Instant) {
        let (server, fingerprint) = (claimed.id, claimed.fingerprint);
        let (standing, callsign) = (claimed.standing, claimed.callsign.clone());
        self.servers.insert(server, claimed, brought_by, now);
        // Who is introduced and never heard of is forgotten as one whose record has ended.
        self.timers
            .set(Timer::Expire(server), now + self.limits.lifetime);
        if standing == Standing::Stranger {
            self.tell(Event::Stranger {
                server,
                fingerprint,
                callsign,
            });
        }
    }

    /// A server proved over a link of its own who it is.
    pub(super) fn met(&mut self, id: LinkId, peer: Claimed, now: Instant) {
        let server = peer.id;
        if self.servers.get(server).is_none() {
            self.add_server(peer, Some(id), now);
        } else if self.servers.get(server).map(|known| known.standing) != Some(peer.standing) {
            self.judge(server, peer.standing, now);
        }
        if let Some(known) = self.servers.get_mut(server) {
            known.confirmed = true;
        }
    }

    /// A server that was known before this start.
    pub(super) fn remember_server(&mut self, chain: Vec<Blob>, examined: Examined, now: Instant) {
        let fingerprint = hash::fingerprint(chain.first().map_or(&[], Blob::as_bytes));
        let id = ServerId::from(fingerprint);
        if id == self.own.id || self.servers.len() >= self.limits.servers {
            return;
        }
        let claimed = Claimed {
            id,
            fingerprint,
            chain,
            callsign: examined.callsign,
            key: examined.key,
            standing: examined.standing,
        };
        self.servers.insert(id, claimed, None, now);
        self.timers
            .set(Timer::Expire(id), now + self.limits.lifetime);
    }

    /// A record has come to its end, and with it what is known of its server.
    pub(super) fn expire(&mut self, server: ServerId, now: Instant) {
        if self.neighbours.contains_key(&server) {
            // Its record will be made anew soon, or it will be silent and its link end.
            self.servers.take_record(server);
            self.timers
                .set(Timer::Expire(server), now + self.limits.lifetime);
        } else {
            self.forget_server(server, now);
        }
        self.look_around_soon(now);
    }

    pub(super) fn forget_server(&mut self, server: ServerId, now: Instant) {
        self.timers.clear(Timer::Expire(server));
        self.timers.clear(Timer::Ask(server));
        self.asking.remove(&server);
        for topic in Topic::ALL {
            self.timers.clear(Timer::Gather(server, topic));
        }
        let Some(known) = self.servers.get(server) else {
            return;
        };
        let shown = known.shown;
        let record = known.record.as_ref();
        let old = record.map_or_else(Vec::new, |record| record.body.endpoints.clone());
        self.endpoints_changed(server, &old, &[], now);
        self.servers.remove(server);
        if shown {
            self.tell(Event::ServerDown { server });
        }
    }

    /// What we make of a server changed.
    pub(super) fn judge(&mut self, server: ServerId, standing: Standing, now: Instant) {
        let Some(known) = self.servers.get(server) else {
            return;
        };
        let before = known.standing;
        if before == standing {
            return;
        }
        let record = known.record.clone();
        if before == Standing::Trusted
            && let Some(record) = &record
        {
            self.endpoints_changed(server, &record.body.endpoints, &[], now);
        }
        self.servers.set_standing(server, standing);
        self.tell(Event::Judged { server, standing });
        if standing == Standing::Blacklisted {
            self.servers.take_record(server);
            if let Some(&link) = self.neighbours.get(&server) {
                let refusal = crate::message::Refusal::Blacklisted;
                self.refuse(link, refusal, Duration::ZERO, now);
            }
        }
        if standing == Standing::Trusted
            && let Some(record) = record
        {
            self.endpoints_changed(server, &[], &record.body.endpoints, now);
            let update = Update {
                age: record.age(now),
                record: record.signed,
                changes: Vec::new(),
            };
            self.spread(&update, self.neighbours.get(&server).copied(), now);
        }
        self.look_around_soon(now);
    }

    pub(super) fn is_trusted(&self, server: ServerId) -> bool {
        let known = self.servers.get(server);
        known.is_some_and(|known| known.standing == Standing::Trusted)
    }

    pub(super) fn remember_records(&mut self, now: Instant) {
        let records = self.servers.take_news(self.limits.servers);
        if !records.is_empty() {
            self.commands.push_back(Command::Remember { records });
        }
        self.timers.set(Timer::Remember, now + self.limits.remember);
    }
}

fn without_guests(update: &Update) -> super::Frame {
    let changes = update.changes.iter();
    let changes = changes.filter(|change| change.topic != Topic::Guests);
    let update = Update {
        changes: changes.cloned().collect(),
        ..update.clone()
    };
    (&Message::Update(update)).into()
}
