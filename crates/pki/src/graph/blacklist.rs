//! The owner's own blacklist: three scopes, a preview, and a way back.
//!
//! It is a local decision. Nobody else's list is ever applied, and nothing here checks a signature.
//!
//! A subtree is the key and every key that one of its certificates names, step by step, even where
//! others vouch for them too. It stops at the keys of trust anchors: otherwise a hostile key could
//! certify the owner's own and have everybody fall with it.

use std::collections::{BTreeMap, BTreeSet};

use station::{Callsign, Fingerprint, Identity, KeyId};

use super::TrustGraph;
use super::marks::{Cause, Marks};
use super::trust::Shift;
use super::web::EdgeId;
use crate::certificate::Admitted;

/// What is blacklisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One certificate, however its signature is written.
    Certificate(Identity),
    /// Every certificate of a key.
    Key(KeyId),
    /// A key and its descendants, even where others vouch for them.
    Subtree(KeyId),
}

/// One decision, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is blacklisted.
    pub target: Target,
    /// Why, in the owner's words.
    pub reason: String,
    /// The callsigns of the key, by their base, each with the keys that were trusted for it when it
    /// was decided. Any other key for it waits for the owner.
    pub callsigns: BTreeMap<Box<str>, BTreeSet<KeyId>>,
}

/// What a decision changes, or changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Certificates that lose trust, by identity.
    pub lose: Vec<Affected>,
    /// Certificates that gain trust, by identity.
    pub gain: Vec<Affected>,
    /// Keys that have no trusted certificate left.
    pub keys_lost: usize,
    /// Keys that had no trusted certificate before.
    pub keys_gained: usize,
}

/// A certificate whose verdict changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affected {
    /// Its identity.
    pub identity: Identity,
    /// Its label.
    pub fingerprint: Fingerprint,
    /// Its holder.
    pub callsign: Callsign,
    /// Its holder's key.
    pub key: KeyId,
}

impl TrustGraph {
    /// What blacklisting this would change. Nothing is changed, no signature is checked.
    #[must_use]
    pub fn preview(&self, target: Target) -> Effect {
        let (marks, touched) = self.with_entry(self.entry(target, ""));
        let weighed = self.weigh(&marks, &touched, None);
        let lost = self.losing(&marks, &weighed, &touched);
        let still = |edge: EdgeId| self.would_trust(&marks, &weighed, edge);
        Effect {
            keys_lost: self.keys_without(&lost, still),
            lose: self.affected(&lost),
            ..Effect::default()
        }
    }

    /// Blacklists. Gives the decision for the store and what it changed; no signature is checked.
    pub fn blacklist(&mut self, target: Target, reason: &str) -> (Entry, Effect) {
        let entry = self.entry(target, reason);
        let effect = self.restore_blacklist(entry.clone());
        (entry, effect)
    }

    /// Puts a stored decision in force again, as it was made.
    pub fn restore_blacklist(&mut self, entry: Entry) -> Effect {
        let (marks, touched) = self.with_entry(entry);
        let shift = self.shift(marks, &touched);
        self.effect(&shift)
    }

    /// Takes a decision back. None when there is none for this target.
    pub fn unblacklist(&mut self, target: Target) -> Option<Effect> {
        let mut marks = self.marks.clone();
        let entry = marks.blacklist.remove(&target)?;
        marks.bar();
        marks.condemned = self.condemned_by(&marks);
        let revived = self.marks.condemned.difference(&marks.condemned);
        let mut touched = self.touched_by(&entry);
        touched.extend(revived.flat_map(|key| self.web.certificates_of(key)));
        let shift = self.shift(marks, &touched);
        Some(self.effect(&shift))
    }

    /// Lets a key hold a callsign whose earlier key was blacklisted.
    pub fn accept_key(&mut self, callsign: &Callsign, key: KeyId) -> Effect {
        self.restore_accepted(vec![(callsign.base().into(), key)])
    }

    /// The keys that the owner let hold a callsign, with its base.
    pub fn accepted_keys(&self) -> impl Iterator<Item = (&str, KeyId)> {
        let accepted = self.marks.accepted.iter();
        accepted.map(|(base, key)| (base.as_ref(), *key))
    }

    /// Puts stored acceptances in force again: each a callsign's base with the key.
    pub fn restore_accepted(&mut self, stored: Vec<(Box<str>, KeyId)>) -> Effect {
        let keys = stored.iter().map(|(_, key)| key);
        let touched: Vec<EdgeId> = keys.flat_map(|key| self.web.certificates_of(key)).collect();
        let mut marks = self.marks.clone();
        marks.accepted.extend(stored);
        let shift = self.shift(marks, &touched);
        self.effect(&shift)
    }

    /// The certificates that would be trusted if the owner accepted their key for a callsign whose
    /// earlier key is blacklisted, by callsign and identity.
    pub fn awaiting_owner(&self) -> impl Iterator<Item = &Admitted> {
        let barred = self.marks.barred.keys();
        barred
            .flat_map(|base| self.web.certificates_for(base))
            .map(|edge| &self.web.edges[edge])
            .filter(|edge| self.marks.cause(edge) == Some(Cause::AwaitsOwner))
            .filter(|edge| self.issues(edge.issuer))
            .map(|edge| &edge.certificate)
    }

    /// Why a new certificate of this key for this callsign would count for nothing, whoever signed
    /// it. None when nothing stands in its way.
    #[must_use]
    pub fn obstacle(&self, key: &KeyId, callsign: &Callsign) -> Option<Cause> {
        self.marks.obstacle(callsign.base(), *key)
    }

    /// Every decision in force, in the order of targets.
    pub fn blacklisted(&self) -> impl Iterator<Item = &Entry> {
        self.marks.blacklist.values()
    }

    /// The decision with what it means for the key's callsigns now.
    fn entry(&self, target: Target, reason: &str) -> Entry {
        let mut entry = Entry {
            target,
            reason: reason.to_owned(),
            callsigns: BTreeMap::new(),
        };
        let (Target::Key(key) | Target::Subtree(key)) = target else {
            return entry;
        };
        if let Some(earlier) = self.marks.blacklist.get(&target) {
            entry.callsigns.clone_from(&earlier.callsigns);
            return entry;
        }
        for edge in self.web.certificates_of(&key) {
            let base = self.web.edges[edge].certificate.callsign().base();
            if !entry.callsigns.contains_key(base) {
                entry.callsigns.insert(base.into(), self.known_for(base));
            }
        }
        entry
    }

    /// The keys that are trusted for a callsign and need not wait for the owner.
    fn known_for(&self, base: &str) -> BTreeSet<KeyId> {
        let trusted = self
            .web
            .certificates_for(base)
            .filter(|edge| self.trusts(*edge));
        trusted
            .map(|edge| self.web.edges[edge].certificate.key_id())
            .filter(|key| !self.marks.awaits_owner(base, *key))
            .collect()
    }

    /// The marks with one more entry, and the certificates it touches.
    fn with_entry(&self, entry: Entry) -> (Marks, Vec<EdgeId>) {
        let mut touched = self.touched_by(&entry);
        let mut marks = self.marks.clone();
        marks.blacklist.insert(entry.target, entry);
        marks.bar();
        marks.condemned = self.condemned_by(&marks);
        let fresh = marks.condemned.difference(&self.marks.condemned);
        touched.extend(fresh.flat_map(|key| self.web.certificates_of(key)));
        (marks, touched)
    }

    fn touched_by(&self, entry: &Entry) -> Vec<EdgeId> {
        let mut touched: Vec<EdgeId> = match &entry.target {
            Target::Certificate(identity) => self.web.by_identity(identity).into_iter().collect(),
            Target::Key(key) | Target::Subtree(key) => self.web.certificates_of(key).collect(),
        };
        for base in entry.callsigns.keys() {
            touched.extend(self.web.certificates_for(base));
        }
        touched
    }

    /// Every key below the blacklisted subtrees.
    pub(super) fn condemned_by(&self, marks: &Marks) -> BTreeSet<KeyId> {
        self.condemn_below(&BTreeSet::new(), marks.subtrees().collect())
    }

    /// Those keys and every key below them, but for the ones that are known and what is below.
    pub(super) fn condemn_below(
        &self,
        known: &BTreeSet<KeyId>,
        keys: BTreeSet<KeyId>,
    ) -> BTreeSet<KeyId> {
        let mut work: Vec<KeyId> = keys.iter().copied().collect();
        let mut fresh = keys;
        while let Some(key) = work.pop() {
            for node in self.web.nodes_of(&key) {
                for edge in &self.web.nodes[node].out {
                    let below = self.web.edges[*edge].certificate.key_id();
                    let stops = self.anchor_keys.contains_key(&below) || known.contains(&below);
                    if !stops && fresh.insert(below) {
                        work.push(below);
                    }
                }
            }
        }
        fresh
    }

    pub(super) fn effect(&self, shift: &Shift) -> Effect {
        let gained_before = |edge: EdgeId| self.trusts(edge) && !shift.gained.contains(&edge);
        Effect {
            keys_lost: self.keys_without(&shift.lost, |edge| self.trusts(edge)),
            keys_gained: self.keys_without(&shift.gained, gained_before),
            lose: self.affected(&shift.lost),
            gain: self.affected(&shift.gained),
        }
    }

    /// How many keys of these certificates have no certificate that `holds`.
    fn keys_without(&self, edges: &BTreeSet<EdgeId>, holds: impl Fn(EdgeId) -> bool) -> usize {
        let keys = edges
            .iter()
            .map(|edge| self.web.edges[*edge].certificate.key_id());
        let keys: BTreeSet<KeyId> = keys.collect();
        keys.iter()
            .filter(|key| !self.web.certificates_of(key).any(&holds))
            .count()
    }

    pub(super) fn affected(&self, edges: &BTreeSet<EdgeId>) -> Vec<Affected> {
        let mut affected: Vec<Affected> = edges
            .iter()
            .map(|edge| {
                let certificate = &self.web.edges[*edge].certificate;
                Affected {
                    identity: certificate.identity(),
                    fingerprint: certificate.fingerprint(),
                    callsign: certificate.callsign().clone(),
                    key: certificate.key_id(),
                }
            })
            .collect();
        affected.sort_unstable();
        affected
    }
}
