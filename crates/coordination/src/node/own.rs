//! What this server says of itself.
//!
//! Changes are gathered for a moment, and one signed record tells of them all. A record says nothing that
//! was not so when it was signed. If a record with our own signature turns up that is newer than ours,
//! we were here before and forgot, or a copy of us runs: our boot counter is raised above it, at once
//! the first time and ever more slowly if it goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use station::{Callsign, Fingerprint, Zone};

use super::conduct::doubled;
use super::input::{LinkId, Myself};
use super::roster::{Roster, pages};
use super::servers::Record;
use super::work::Work;
use super::{Command, Event, Node, Timer};
use crate::bytes::{Blob, BootNonce, PersonId, ServerId, Signature};
use crate::entropy::Entropy;
use crate::message::record::{MAX_CAPABILITIES, MAX_ENDPOINT, MAX_ENDPOINTS, MAX_NEIGHBOURS};
use crate::message::{Body, Change, Person, SignedRecord, Topic, Update};

#[derive(Debug)]
pub(super) struct Own {
    pub(super) id: ServerId,
    pub(super) fingerprint: Fingerprint,
    pub(super) callsign: Callsign,
    pub(super) chain: Vec<Blob>,
    key: Arc<[u8]>,
    pub(super) boot: u64,
    pub(super) boot_nonce: BootNonce,
    sequence: u64,
    endpoints: Vec<String>,
    capabilities: Vec<String>,
    operators: Here,
    guests: Here,
    /// The neighbours we tell of.
    announced: BTreeMap<ServerId, Zone>,
    flaps: BTreeMap<ServerId, Flap>,
    pub(super) record: Option<Record>,
    /// What the record to be signed next says, while it is being signed.
    draft: Option<Draft>,
    /// Whether something changed since the last draft.
    changed: bool,
    published: Option<Instant>,
    overtaken: Overtaken,
}

/// Who is here: as it is, and as the last record tells.
#[derive(Debug)]
struct Here {
    now: Roster,
    told: Roster,
}

#[derive(Debug)]
struct Draft {
    signed_without: SignedRecord,
    body: Body,
    changes: Vec<Change>,
}

/// A neighbour that came and went.
#[derive(Debug)]
struct Flap {
    count: u32,
    last: Instant,
}

/// Records with our signature that are not ours.
#[derive(Debug, Default)]
struct Overtaken {
    /// The newest: whose boot it was, and its counter.
    by: Option<(BootNonce, u64)>,
    /// How often we raised our counter.
    times: u32,
}

impl Own {
    pub(super) fn new(myself: Myself, boot: u64, entropy: &mut Entropy) -> Self {
        let fingerprint = myself.fingerprint();
        let here = || Here {
            now: Roster::empty(),
            told: Roster::empty(),
        };
        let mut own = Self {
            id: fingerprint.into(),
            fingerprint,
            callsign: myself.callsign,
            chain: myself.chain,
            key: myself.key,
            boot,
            boot_nonce: BootNonce::new(entropy.number().to_be_bytes()),
            sequence: 0,
            endpoints: Vec::new(),
            capabilities: Vec::new(),
            operators: here(),
            guests: here(),
            announced: BTreeMap::new(),
            flaps: BTreeMap::new(),
            record: None,
            draft: None,
            changed: true,
            published: None,
            overtaken: Overtaken::default(),
        };
        own.describe(myself.endpoints, myself.capabilities);
        own
    }

    pub(super) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    pub(super) fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Who is here, as our last record tells.
    pub(super) fn roster(&self, topic: Topic) -> &Roster {
        match topic {
            Topic::Operators => &self.operators.told,
            Topic::Guests => &self.guests.told,
        }
    }

    /// The links that our last record tells of.
    pub(super) fn announced_in(&self, zone: Zone) -> Vec<ServerId> {
        let of_zone = self.announced.iter().filter(|(_, of)| **of == zone);
        of_zone.map(|(&server, _)| server).collect()
    }

    fn describe(&mut self, mut endpoints: Vec<String>, mut capabilities: Vec<String>) {
        endpoints.retain(|one| one.len() <= MAX_ENDPOINT);
        endpoints.truncate(MAX_ENDPOINTS);
        capabilities.retain(|one| one.len() <= 32);
        capabilities.truncate(MAX_CAPABILITIES);
        self.endpoints = endpoints;
        self.capabilities = capabilities;
    }

    fn here(&mut self, topic: Topic) -> &mut Here {
        match topic {
            Topic::Operators => &mut self.operators,
            Topic::Guests => &mut self.guests,
        }
    }

    /// The next draft. True if more changed than one record's page tells.
    fn draft(&mut self, page_bytes: usize, most: usize) -> (Draft, bool) {
        let mut changes = Vec::new();
        let mut more = false;
        for topic in Topic::ALL {
            let here = self.here(topic);
            let difference = here.told.difference(&here.now);
            if difference.joined.is_empty() && difference.left.is_empty() {
                continue;
            }
            let mut change = pages(difference, here.told.head(), topic, page_bytes / 2);
            more |= change.len() > 1;
            let first = change.swap_remove(0);
            if let Some(told) = here.told.clone().with(&first, most) {
                here.told = told;
                changes.push(first);
            }
        }
        self.sequence += 1;
        let body = Body {
            boot_nonce: self.boot_nonce,
            endpoints: self.endpoints.clone(),
            capabilities: self.capabilities.clone(),
            open: self.announced_in(Zone::Open),
            part97: self.announced_in(Zone::Part97),
            operators: self.operators.told.head(),
            guests: self.guests.told.head(),
        };
        let draft = Draft {
            signed_without: SignedRecord {
                server: self.id,
                boot: self.boot,
                sequence: self.sequence,
                body: body.encode(),
                signature: Signature::new([0; 64]),
            },
            body,
            changes,
        };
        (draft, more)
    }
}

impl Node {
    pub(super) fn describe_myself(
        &mut self,
        endpoints: Vec<String>,
        capabilities: Vec<String>,
        now: Instant,
    ) {
        let before = self.own.endpoints.clone();
        self.own.describe(endpoints, capabilities);
        if self.own.endpoints != before {
            self.book.begin_anew(&self.limits, &mut self.entropy, now);
            self.dial_soon(now);
        }
        self.own_changed(now);
    }

    pub(super) fn person_joined(
        &mut self,
        topic: Topic,
        id: PersonId,
        person: &Person,
        now: Instant,
    ) {
        let joined = vec![(id, person.encode())];
        self.people_changed(topic, joined, Vec::new(), now);
    }

    pub(super) fn person_left(&mut self, topic: Topic, id: PersonId, now: Instant) {
        self.people_changed(topic, Vec::new(), vec![id], now);
    }

    fn people_changed(
        &mut self,
        topic: Topic,
        joined: Vec<(PersonId, Blob)>,
        left: Vec<PersonId>,
        now: Instant,
    ) {
        let most = self.limits.roster_bytes;
        let here = self.own.here(topic);
        let change = Change {
            topic,
            from: here.told.head(),
            joined,
            left,
        };
        if !here.now.apply(&change, most) {
            // More than any other server would take: who came last is not told of.
            let left = change.joined.iter().map(|(id, _)| *id).collect();
            let back = Change {
                joined: Vec::new(),
                left,
                ..change
            };
            here.now.apply(&back, most);
        }
        self.own_changed(now);
    }

    /// Our record does not say how things are any more.
    pub(super) fn own_changed(&mut self, now: Instant) {
        self.own.changed = true;
        let gathered = self.own.published.map(|then| then + self.limits.gather);
        let due = gathered.map_or(now, |due| due.max(now));
        self.timers.set_by(Timer::Publish, due);
    }

    pub(super) fn refresh(&mut self, now: Instant) {
        self.own.changed = true;
        self.publish(now);
    }

    /// Makes our record anew and has it signed.
    pub(super) fn publish(&mut self, now: Instant) {
        if self.own.draft.is_some() || !self.own.changed {
            return;
        }
        let (draft, more) = self
            .own
            .draft(self.limits.page_bytes, self.limits.roster_bytes);
        let statement = draft.signed_without.statement(self.own.fingerprint);
        self.own.published = Some(now);
        self.own.changed = more;
        self.own.draft = Some(draft);
        if !self.sign(Work::SignRecord, statement) {
            self.own.draft = None;
            self.own.changed = true;
            self.timers
                .set(Timer::Publish, now + self.limits.open.answer);
        }
        let refresh = self.entropy.around(self.limits.refresh);
        self.timers.set(Timer::Refresh, now + refresh);
    }

    pub(super) fn record_signed(&mut self, signature: Signature, now: Instant) {
        let Some(draft) = self.own.draft.take() else {
            return;
        };
        let signed = SignedRecord {
            signature,
            ..draft.signed_without
        };
        let record = Record {
            summary: signed.summary(),
            body: draft.body,
            made: now,
            signed: signed.clone(),
        };
        let before = self.own.record.as_ref().map(|record| record.summary);
        self.servers
            .exchange_own(self.own.id, before, record.summary);
        self.own.record = Some(record);
        let update = Update {
            record: signed,
            age: 0,
            changes: draft.changes,
        };
        self.spread(&update, None, now);
        self.look_around_soon(now);
        if self.own.changed {
            self.own_changed(now);
        }
    }

    /// A link to a server stands: it is told of, at once unless it comes and goes.
    pub(super) fn neighbour_found(&mut self, server: ServerId, now: Instant) {
        let limits = self.limits;
        let hold = match self.own.flaps.get_mut(&server) {
            Some(flap) => flap.hold(&limits, now),
            None => Duration::ZERO,
        };
        self.timers.set(Timer::Announce(server), now + hold);
        self.look_around_soon(now);
    }

    pub(super) fn announce(&mut self, server: ServerId, now: Instant) {
        let link = self.neighbours.get(&server);
        let Some(link) = link.and_then(|link| self.links.get(link)) else {
            return;
        };
        if self.own.announced.len() < MAX_NEIGHBOURS {
            self.own.announced.insert(server, link.zone);
            self.own_changed(now);
        }
    }

    pub(super) fn neighbour_lost(&mut self, server: ServerId, now: Instant) {
        self.timers.clear(Timer::Announce(server));
        let limits = self.limits;
        self.own.flaps.retain(|_, flap| {
            flap.forget(&limits, now);
            flap.count > 0
        });
        let flap = self.own.flaps.entry(server).or_insert(Flap {
            count: 0,
            last: now,
        });
        flap.count = flap.count.saturating_add(1);
        flap.last = now;
        if self.own.announced.remove(&server).is_some() {
            self.own_changed(now);
        }
        self.look_around_soon(now);
    }

    /// Somebody has a record of ours that is newer than ours, or another of the same version.
    pub(super) fn own_record_heard(&mut self, link: LinkId, update: Update, now: Instant) {
        let Some(record) = &self.own.record else {
            return;
        };
        let heard = (update.record.version(), update.record.summary());
        if heard <= record.rank()
            || heard.0.boot < self.own.boot
            || !self.spend_effort(link, 1, now)
        {
            return;
        }
        let statement = update.record.statement(self.own.fingerprint);
        let signature = update.record.signature;
        let key = Arc::clone(&self.own.key);
        let update = Box::new(update);
        let work = Work::VerifyOwnRecord { link, update };
        self.verify(work, &key, statement, signature);
    }

    pub(super) fn own_record_verified(
        &mut self,
        link: LinkId,
        update: &Update,
        genuine: bool,
        now: Instant,
    ) {
        if !genuine {
            return self.offend(link, super::Offence::ForgedRecord, now);
        }
        let Ok(body) = Body::decode(&update.record.body) else {
            return;
        };
        let boot = update.record.boot;
        if body.boot_nonce == self.own.boot_nonce || boot < self.own.boot {
            return;
        }
        // Who answers our raising of the counter by raising it as well is running.
        let same = |&(nonce, before): &(BootNonce, u64)| nonce == body.boot_nonce && before < boot;
        if self.own.overtaken.by.as_ref().is_some_and(same) {
            self.tell(Event::Clone);
        }
        self.own.overtaken.by = Some((body.boot_nonce, boot));
        let pause = match self.own.overtaken.times {
            0 => Duration::ZERO,
            times => doubled(self.limits.adopt_again, times - 1, self.limits.pause_most),
        };
        self.timers.set_by(Timer::Adopt, now + pause);
    }

    /// Raises our boot counter above the one that was heard.
    pub(super) fn adopt(&mut self, now: Instant) {
        let Some((_, boot)) = self.own.overtaken.by else {
            return;
        };
        if boot < self.own.boot {
            return;
        }
        self.own.overtaken.times = self.own.overtaken.times.saturating_add(1);
        self.own.boot = boot.saturating_add(1);
        self.own.sequence = 0;
        self.commands.push_back(Command::RememberBoot {
            boot: self.own.boot,
        });
        self.own.changed = true;
        self.publish(now);
    }
}

impl Flap {
    fn forget(&mut self, limits: &super::Limits, now: Instant) {
        let passed = now.saturating_duration_since(self.last).as_millis();
        let forgotten = passed / limits.flap_forget.as_millis().max(1);
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        self.count = self.count.saturating_sub(forgotten);
        if forgotten > 0 {
            self.last = now;
        }
    }

    fn hold(&mut self, limits: &super::Limits, now: Instant) -> Duration {
        self.forget(limits, now);
        match self.count.checked_sub(limits.flaps) {
            None | Some(0) => Duration::ZERO,
            Some(over) => doubled(limits.flap_hold, over - 1, Duration::from_secs(60)),
        }
    }
}
