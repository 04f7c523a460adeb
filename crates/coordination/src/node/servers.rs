//! What is known of every server: its certificates, its newest record, who is there.
//!
//! Invariants: `buckets` is the exclusive or over the records of trusted servers, our own included; a
//! server's record is the newest by version and, among records of one version, by summary, so that all
//! keep the same one even of a server that signs two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use station::{Callsign, Fingerprint};

use super::alive::Asked;
use super::input::{LinkId, Standing};
use super::presence::Gathering;
use super::roster::Roster;
use super::window::{Arrival, Window};
use crate::budget::Meter;
use crate::bytes::{Blob, BootNonce, ServerId};
use crate::message::{BUCKETS, Body, SignedRecord, Topic, Version};

/// A server's record, and when it was made.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) signed: SignedRecord,
    pub(super) body: Body,
    pub(super) summary: u64,
    /// When its server made it, as far as can be said here.
    pub(super) made: Instant,
}

/// Which of two records everybody keeps.
pub(super) type Rank = (Version, u64);

impl Record {
    pub(super) fn rank(&self) -> Rank {
        (self.signed.version(), self.summary)
    }

    /// For how many seconds it is known.
    pub(super) fn age(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.made).as_secs()
    }
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) fingerprint: Fingerprint,
    pub(super) chain: Vec<Blob>,
    pub(super) callsign: Callsign,
    pub(super) key: Arc<[u8]>,
    pub(super) standing: Standing,
    /// The link that brought its certificates; none if they were remembered.
    pub(super) brought_by: Option<LinkId>,
    pub(super) record: Option<Record>,
    /// Whether it answered us since we started.
    pub(super) confirmed: bool,
    /// Whether it is there, as the last telling said.
    pub(super) shown: bool,
    pub(super) asked: Option<Asked>,
    pub(super) updates: Meter,
    pub(super) operators: People,
    pub(super) guests: People,
}

/// Who is at a server, of one topic.
#[derive(Debug)]
pub(super) struct People {
    pub(super) roster: Roster,
    /// How the newest roster is sought, while this is not it.
    pub(super) gathering: Option<Gathering>,
}

impl People {
    fn nobody() -> Self {
        Self {
            roster: Roster::empty(),
            gathering: None,
        }
    }
}

impl Server {
    pub(super) fn people(&self, topic: Topic) -> &People {
        match topic {
            Topic::Operators => &self.operators,
            Topic::Guests => &self.guests,
        }
    }

    pub(super) fn people_mut(&mut self, topic: Topic) -> &mut People {
        match topic {
            Topic::Operators => &mut self.operators,
            Topic::Guests => &mut self.guests,
        }
    }

    /// Whether the roster is the one in the record.
    pub(super) fn knows_people(&self, topic: Topic) -> bool {
        let head = self.people(topic).roster.head();
        let record = self.record.as_ref();
        record.is_none_or(|record| record.body.head(topic) == head)
    }
}

#[derive(Debug)]
pub(super) struct Servers {
    known: BTreeMap<ServerId, Server>,
    /// The newest record seen of each server, also of those that are forgotten otherwise: nothing older
    /// counts, and a server that forgot its counters is shown it. Strangers' are forgotten with them, for whoever makes
    /// up ever new ones must not crowd the others out.
    newest: BTreeMap<ServerId, SignedRecord>,
    /// Whose newest records were not given to be stored yet: of servers that were trusted.
    news: BTreeSet<ServerId>,
    /// Which parcels of each server arrived: nothing arrives twice because its server was forgotten in
    /// between.
    windows: BTreeMap<ServerId, Window>,
    buckets: [u64; BUCKETS],
}

impl Servers {
    pub(super) fn new(newest: Vec<SignedRecord>) -> Self {
        Self {
            known: BTreeMap::new(),
            newest: newest.into_iter().map(|one| (one.server, one)).collect(),
            news: BTreeSet::new(),
            windows: BTreeMap::new(),
            buckets: [0; BUCKETS],
        }
    }

    pub(super) fn get(&self, id: ServerId) -> Option<&Server> {
        self.known.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.known.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ServerId, &Server)> {
        self.known.iter().map(|(&id, server)| (id, server))
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Servers whose root is unknown here: all, and those a link brought.
    pub(super) fn strangers(&self, brought_by: LinkId) -> (usize, usize) {
        let strangers = || {
            let servers = self.known.values();
            servers.filter(|server| server.standing == Standing::Stranger)
        };
        let theirs = strangers().filter(|server| server.brought_by == Some(brought_by));
        (strangers().count(), theirs.count())
    }

    pub(super) fn insert(
        &mut self,
        id: ServerId,
        claimed: super::link::Claimed,
        brought_by: Option<LinkId>,
        now: Instant,
    ) {
        let server = Server {
            fingerprint: claimed.fingerprint,
            chain: claimed.chain,
            callsign: claimed.callsign,
            key: claimed.key,
            standing: claimed.standing,
            brought_by,
            record: None,
            confirmed: false,
            shown: false,
            asked: None,
            updates: Meter::new(now),
            operators: People::nobody(),
            guests: People::nobody(),
        };
        self.known.insert(id, server);
    }

    pub(super) fn remove(&mut self, id: ServerId) {
        self.take_record(id);
        let removed = self.known.remove(&id);
        if removed.is_some_and(|server| server.standing == Standing::Stranger) {
            self.newest.remove(&id);
            self.windows.remove(&id);
        }
    }

    /// Changes what we make of a server, and whether its record counts for others.
    pub(super) fn set_standing(&mut self, id: ServerId, standing: Standing) {
        let record = self.take_record(id);
        if let Some(server) = self.known.get_mut(&id) {
            server.standing = standing;
        }
        if let Some(record) = record {
            self.put_record(id, record);
            if standing == Standing::Trusted {
                self.news.insert(id);
            }
        }
    }

    /// Puts a record in the place of the one before.
    pub(super) fn put_record(&mut self, id: ServerId, record: Record) {
        self.take_record(id);
        let Some(server) = self.known.get_mut(&id) else {
            return;
        };
        if server.standing == Standing::Trusted {
            self.buckets[bucket(id)] ^= record.summary;
        }
        let signed = record.signed.clone();
        let trusted = server.standing == Standing::Trusted;
        server.record = Some(record);
        if self.newest.get(&id) != Some(&signed) {
            self.newest.insert(id, signed);
            if trusted {
                self.news.insert(id);
            }
        }
    }

    pub(super) fn take_record(&mut self, id: ServerId) -> Option<Record> {
        let server = self.known.get_mut(&id)?;
        let record = server.record.take()?;
        if server.standing == Standing::Trusted {
            self.buckets[bucket(id)] ^= record.summary;
        }
        Some(record)
    }

    /// Counts our own record among those held, in the place of the one before.
    pub(super) fn exchange_own(&mut self, id: ServerId, before: Option<u64>, after: u64) {
        self.buckets[bucket(id)] ^= before.unwrap_or(0) ^ after;
    }

    pub(super) fn buckets(&self) -> &[u64; BUCKETS] {
        &self.buckets
    }

    pub(super) fn summary(&self) -> u64 {
        self.buckets.iter().fold(0, |all, one| all ^ one)
    }

    /// The lowest version that a record of this server must have.
    pub(super) fn least_version(&self, id: ServerId) -> Version {
        self.newest
            .get(&id)
            .map(SignedRecord::version)
            .unwrap_or_default()
    }

    /// The newest record seen of a server.
    pub(super) fn newest(&self, id: ServerId) -> Option<&SignedRecord> {
        self.newest.get(&id)
    }

    /// What a parcel of a server is by its number.
    pub(super) fn arrival(&self, from: ServerId, boot: BootNonce, number: u64) -> Arrival {
        let window = self.windows.get(&from);
        window.map_or(Arrival::New, |window| window.arrival(boot, number))
    }

    /// A parcel of a server arrived.
    pub(super) fn arrived(&mut self, from: ServerId, boot: BootNonce, number: u64) {
        self.windows.entry(from).or_default().add(boot, number);
    }

    /// Takes the newest records that changed, and forgets those of servers that are not known if they are
    /// many.
    pub(super) fn take_news(&mut self, most: usize) -> Vec<SignedRecord> {
        if self.newest.len() > most {
            let excess = self.newest.len() - most;
            let unknown = |id: &&ServerId| !self.known.contains_key(*id);
            let forgotten: Vec<_> = self.newest.keys().filter(unknown).copied().collect();
            for id in forgotten.into_iter().take(excess) {
                self.newest.remove(&id);
                self.windows.remove(&id);
            }
        }
        let news = std::mem::take(&mut self.news);
        let record = |id| self.newest.get(&id).cloned();
        news.into_iter().filter_map(record).collect()
    }
}

/// When a record was made that is known for so many seconds; nothing if that is longer than it counts.
pub(super) fn made(age: u64, lifetime: Duration, now: Instant) -> Option<Instant> {
    let age = Duration::from_secs(age);
    (age < lifetime).then(|| now.checked_sub(age).unwrap_or(now))
}

pub(super) fn bucket(id: ServerId) -> usize {
    usize::from(id.as_bytes()[0]) % BUCKETS
}
