//! What takes trust away: the owner's blacklist, tombstones, and changes of keys in dispute.
//!
//! Marks are plain sets. Whether a certificate is dead is looked up in them each time, so that there
//! is one truth, and so that a preview is a copy of the marks with one more entry.

use std::collections::{BTreeMap, BTreeSet};

use station::{Identity, KeyId};

use super::blacklist::{Entry, Target};
use super::web::Edge;

/// Why a certificate counts for nothing, whoever signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Cause {
    /// The owner blacklisted this certificate.
    #[error("the owner of this server blacklisted this certificate")]
    Blacklisted,
    /// The owner blacklisted its holder's key.
    #[error("the owner of this server blacklisted its holder's key")]
    BlacklistedKey,
    /// The owner blacklisted a key and everything below it, and this key is below it.
    #[error("the owner of this server blacklisted a key above it and everything below")]
    BlacklistedSubtree,
    /// The holder's key withdrew itself by a tombstone.
    #[error("its holder withdrew the key")]
    Withdrawn,
    /// Its issuer revoked it by a tombstone.
    #[error("its issuer revoked it")]
    Revoked,
    /// Two keys claim to succeed the same key; the owner has not decided.
    #[error("two keys claim to be the same key's successor, and the owner has not decided")]
    Successors,
    /// The callsign's key was blacklisted, and the owner has not accepted another.
    #[error(
        "another key of this callsign was blacklisted, and the owner has not accepted this one"
    )]
    AwaitsOwner,
}

/// The sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    pub(super) blacklist: BTreeMap<Target, Entry>,
    /// Keys below a blacklisted subtree's key, that key included.
    pub(super) condemned: BTreeSet<KeyId>,
    pub(super) withdrawn: BTreeSet<KeyId>,
    pub(super) revoked: BTreeSet<Identity>,
    pub(super) suspended: BTreeSet<KeyId>,
    /// Callsigns of blacklisted keys, with the keys that were trusted for them at that time.
    pub(super) barred: BTreeMap<Box<str>, BTreeSet<KeyId>>,
    /// Keys that the owner accepted for a barred callsign since.
    pub(super) accepted: BTreeSet<(Box<str>, KeyId)>,
}

impl Marks {
    /// Why this certificate is dead, if it is.
    pub(super) fn cause(&self, edge: &Edge) -> Option<Cause> {
        let key = edge.certificate.key_id();
        let identity = edge.certificate.identity();
        let listed = Target::Certificate(identity);
        if !self.blacklist.is_empty() && self.blacklist.contains_key(&listed) {
            return Some(Cause::Blacklisted);
        }
        if self.revoked.contains(&identity) {
            return Some(Cause::Revoked);
        }
        let cause = self.obstacle(edge.certificate.callsign().base(), key);
        cause.filter(|cause| *cause != Cause::AwaitsOwner || !edge.anchor)
    }

    /// Why every certificate of this key for this callsign, by its base, is dead but for an anchor.
    pub(super) fn obstacle(&self, base: &str, key: KeyId) -> Option<Cause> {
        if !self.blacklist.is_empty() && self.blacklist.contains_key(&Target::Key(key)) {
            return Some(Cause::BlacklistedKey);
        }
        if self.condemned.contains(&key) {
            return Some(Cause::BlacklistedSubtree);
        }
        if self.withdrawn.contains(&key) {
            return Some(Cause::Withdrawn);
        }
        if self.suspended.contains(&key) {
            return Some(Cause::Successors);
        }
        self.awaits_owner(base, key).then_some(Cause::AwaitsOwner)
    }

    pub(super) fn awaits_owner(&self, base: &str, key: KeyId) -> bool {
        self.barred
            .get(base)
            .is_some_and(|known| !known.contains(&key))
            && !self.accepted.contains(&(base.into(), key))
    }

    /// The keys whose descendants are blacklisted with them.
    pub(super) fn subtrees(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.blacklist.keys().filter_map(|target| match target {
            Target::Subtree(key) => Some(*key),
            Target::Certificate(_) | Target::Key(_) => None,
        })
    }

    /// Brings `barred` up to date with the blacklist. A key known to one entry is known to all.
    pub(super) fn bar(&mut self) {
        self.barred.clear();
        for entry in self.blacklist.values() {
            for (base, known) in &entry.callsigns {
                let barred = self.barred.entry(base.clone()).or_default();
                barred.extend(known);
            }
        }
    }
}
