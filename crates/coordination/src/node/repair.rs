//! Finding what was missed: both ends of a link compare what they hold of records.
//!
//! When a link stands, and when [`Search`] says so, the end that dialled sends a digest, with a number for each
//! of 32 parts; the other end answers with the versions in those parts that differ, and gets what is newer, or is
//! asked for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::input::{LinkId, Standing};
use super::limits::LinkLimits;
use super::outbox::Lane;
use super::records::RECORDS_PER_UNIT;
use super::search::Search;
use super::servers::bucket;
use super::{Node, Timer};
use crate::bytes::ServerId;
use crate::message::{Beat, Digest, MAX_VERSIONS, MAX_WANTED, Message, Version, Versions, Want};

/// Servers whose introduction is awaited.
const MAX_AWAITED: usize = 256;
/// Units of work that comparing a digest is.
const DIGEST_EFFORT: usize = 8;

/// How well the two ends of a link agree on records.
#[derive(Debug)]
pub(super) struct Agreement {
    search: Search,
    awaited: BTreeMap<ServerId, Instant>,
    /// How long an introduction is awaited before it is asked for again: less than the time between two searches, each
    /// of which brings the record again that is worth nothing without it.
    answer: Duration,
}

impl Agreement {
    pub(super) fn new(searches: bool, limits: &LinkLimits, now: Instant) -> Self {
        Self {
            search: Search::new(searches, limits, now),
            awaited: BTreeMap::new(),
            answer: limits.answer,
        }
    }

    /// Something new came over the link.
    pub(super) fn bore_fruit(&mut self) {
        self.search.bore_fruit();
    }

    /// Whether to ask for the introduction of a server.
    pub(super) fn ask_for(&mut self, server: ServerId, now: Instant) -> bool {
        if self.awaited.len() >= MAX_AWAITED {
            let answer = self.answer;
            self.awaited.retain(|_, asked| *asked + answer > now);
        }
        let asked = self.awaited.get(&server);
        let due = asked.is_none_or(|asked| *asked + self.answer <= now);
        if due && self.awaited.len() < MAX_AWAITED {
            self.awaited.insert(server, now);
        }
        due && self.awaited.contains_key(&server)
    }

    /// Whether it was asked for.
    pub(super) fn asked_for(&self, server: ServerId) -> bool {
        self.awaited.contains_key(&server)
    }

    /// Its certificates were read: it is asked for no more.
    pub(super) fn introduced(&mut self, server: ServerId) {
        self.awaited.remove(&server);
        self.search.bore_fruit();
    }
}

impl Node {
    /// Sends a beat, and sets when the next is due.
    pub(super) fn beat(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let next = now + self.limits.of(link.zone).beat;
        let beat = Message::Beat(Beat {
            records: self.servers.summary(),
            sets: self.catalog.summary(),
        });
        self.send(id, Lane::Urgent, &beat, now);
        self.timers.set(Timer::Beat(id), next);
    }

    /// Ends a link on which nothing was heard for too long, or whose handshake takes too long.
    pub(super) fn look_for_silence(&mut self, id: LinkId, now: Instant) {
        let Some(link) = self.links.get(&id) else {
            return;
        };
        let end = link.heard + self.limits.of(link.zone).dead;
        if link.up().is_some() && end > now {
            self.timers.set(Timer::Silence(id), end);
        } else {
            self.close(id, Duration::ZERO, now);
        }
    }

    pub(super) fn compare_beat(&mut self, id: LinkId, beat: Beat, now: Instant) {
        let ours = self.servers.summary();
        let limits = self.limits;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let limits = limits.of(link.zone);
        let Some(up) = link.up_mut() else { return };
        let held = (ours, beat.records);
        if up.agreement.search.beat(held, true, limits, now) {
            self.send_digest(id, now);
        }
        self.exchange_beat(id, beat.sets, now);
    }

    pub(super) fn send_digest(&mut self, id: LinkId, now: Instant) {
        let buckets = self.servers.buckets().to_vec();
        let digest = Message::Digest(Digest { buckets });
        self.send(id, Lane::Records, &digest, now);
    }

    pub(super) fn compare_digest(&mut self, id: LinkId, digest: &Digest, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let effort = self.limits.of(link.zone).effort;
        if link.effort.spend(DIGEST_EFFORT, effort, now).is_err() {
            return;
        }
        let ours = *self.servers.buckets();
        for (number, (ours, theirs)) in ours.iter().zip(&digest.buckets).enumerate() {
            if ours == theirs {
                continue;
            }
            let versions = self.versions_in(number);
            let versions = versions
                .into_iter()
                .take(MAX_VERSIONS)
                .map(|(server, version)| (server, version.boot, version.sequence));
            let message = Message::Versions(Versions {
                bucket: u8::try_from(number).unwrap_or(u8::MAX),
                versions: versions.collect(),
            });
            self.send(id, Lane::Records, &message, now);
        }
    }

    pub(super) fn compare_versions(&mut self, id: LinkId, versions: &Versions, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let effort = self.limits.of(link.zone).effort;
        if link.effort.spend(1, effort, now).is_err() {
            return;
        }
        let theirs: BTreeMap<ServerId, Version> = versions
            .versions
            .iter()
            .map(|&(server, boot, sequence)| (server, Version { boot, sequence }))
            .collect();
        let ours = self.versions_in(usize::from(versions.bucket));
        let newer = |(server, version): &(ServerId, Version)| {
            theirs.get(server).is_none_or(|theirs| theirs < version)
        };
        let mut give: Vec<ServerId> = ours
            .iter()
            .copied()
            .filter(newer)
            .map(|one| one.0)
            .collect();
        let want = self.wish(id, &theirs, now);
        let nothing = want.known.is_empty() && want.unknown.is_empty();
        if give.is_empty() && nothing {
            // Then the records differ although their versions do not: both ends keep the same one of two.
            give = ours.iter().map(|one| one.0).collect();
        }
        if !self.spend_effort(id, give.len() / RECORDS_PER_UNIT, now) {
            return;
        }
        for server in give {
            self.send_record(id, server, now);
        }
        if !nothing {
            self.send(id, Lane::Records, &Message::Want(want), now);
        }
    }

    /// What to ask for of what the other end has.
    fn wish(&mut self, id: LinkId, theirs: &BTreeMap<ServerId, Version>, now: Instant) -> Want {
        let mut want = Want::default();
        for (&server, &version) in theirs.iter().take(MAX_WANTED) {
            if server == self.own.id {
                let ours = self.own.record.as_ref();
                if ours.is_some_and(|ours| ours.signed.version() < version) {
                    want.known.push(server);
                }
            } else if let Some(known) = self.servers.get(server) {
                let held = known.record.as_ref().map(|record| record.signed.version());
                let least = self.servers.least_version(server);
                let newer = held.map_or(version >= least, |held| version > held);
                if held.is_none() && version < least {
                    self.show_newest(id, server, now);
                } else if newer && known.standing != Standing::Blacklisted {
                    want.known.push(server);
                }
            } else if self
                .up_mut(id)
                .is_some_and(|up| up.agreement.ask_for(server, now))
            {
                want.unknown.push(server);
            }
        }
        want
    }

    /// The records of one part that we pass on.
    fn versions_in(&self, number: usize) -> Vec<(ServerId, Version)> {
        let own = self.own.record.as_ref();
        let own = own.map(|record| (self.own.id, record.signed.version()));
        let others = self.servers.iter().filter_map(|(id, server)| {
            let record = server.record.as_ref()?;
            let trusted = server.standing == Standing::Trusted;
            trusted.then(|| (id, record.signed.version()))
        });
        let all = own.into_iter().chain(others);
        all.filter(|(id, _)| bucket(*id) == number).collect()
    }
}
