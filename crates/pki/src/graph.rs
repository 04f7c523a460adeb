//! The trust graph: which certificates count here, and why.
//!
//! Certificates are admitted by one signature check against a key that is held, and the verdict of
//! that check is never asked for again. Trust is then reachability from the owner's anchors, minus
//! what the owner blacklisted and what keys withdrew. There is no depth limit, no clock and no
//! search through what a stranger sent.
//!
//! Invariants: every key that signed a certificate here is itself named by one (its own, when
//! self-signed); a verdict is a look-up; only [`TrustGraph::admit`], [`TrustGraph::settle`],
//! [`TrustGraph::bury`] and [`TrustGraph::rekey`] check signatures, and each check is paid from a
//! [`Budget`] and counted. As long as no limit is reached, verdicts do not depend on the order in
//! which things arrived.
//!
//! Reading order: `web` (nodes and edges), [`admit`](TrustGraph::admit), `trust`, `marks`,
//! `blacklist`, `tombstone`, `rekey`, `explain`, `listing`, `disjoint`; `limits`, `ledger` and
//! `places` for what it may cost; `restore` for the way back from a store.
//!
//! A store keeps what [`Admission`] names, and every decision: anchors, [`Entry`], [`Tombstone`],
//! [`SignedRekey`], chosen successors, accepted keys and caps. They come back in this order:
//! caps, certificates, anchors, blacklist, tombstones, re-keys, successors, accepted keys.

mod admit;
mod blacklist;
mod disjoint;
mod explain;
mod ledger;
mod limits;
mod listing;
mod marks;
mod places;
mod rekey;
mod restore;
mod tombstone;
mod trust;
mod waiting;
mod web;

use std::collections::BTreeMap;

use station::{Callsign, Fingerprint, Identity, KeyId};

use crate::certificate::Admitted;

use self::ledger::Ledger;
use self::marks::Marks;
use self::rekey::Rekeys;
use self::tombstone::Tombstones;
use self::trust::Shift;
use self::waiting::Waiting;
use self::web::{EdgeId, Web};

pub use crate::budget::Budget;

pub use self::admit::{Admission, Refused, State};
pub use self::blacklist::{Affected, Effect, Entry, Target};
pub use self::disjoint::MAX_VOUCHERS;
pub use self::explain::{Blocked, Explanation, MAX_LISTED, MAX_PATHS, MAX_STEPS, Path, Step};
pub use self::limits::{Full, Limits, Share, Source};
pub use self::listing::{Held, MAX_SEEN, Page, Position, PositionError};
pub use self::marks::Cause;
pub use self::rekey::{
    MAX_CHANGES_BELOW, MAX_OF_STRANGERS, MAX_SUCCESSORS, RekeyError, SignedRekey,
};
pub use self::restore::Stored;
pub use self::tombstone::{Force, MAX_ADVICE, Tombstone, TombstoneError};

/// The graph of certificates with the verdict on each.
#[derive(Debug)]
pub struct TrustGraph {
    limits: Limits,
    web: Web,
    marks: Marks,
    waiting: Waiting,
    tombstones: Tombstones,
    rekeys: Rekeys,
    untrusted: Ledger<EdgeId>,
    accounts: BTreeMap<KeyId, usize>,
    caps: BTreeMap<KeyId, usize>,
    anchor_keys: BTreeMap<KeyId, usize>,
    checks: u64,
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It leads to an anchor, or is one.
    Trusted,
    /// It is well signed, and nothing leads from it to an anchor.
    Untrusted,
    /// It counts for nothing, whoever signed it.
    Dead(Cause),
    /// Its issuer is not known.
    Waiting,
    /// It was never seen, or was evicted.
    Unknown,
}

/// A callsign that several keys claim, all of them trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contested {
    /// The callsign without prefixes and suffixes.
    pub base: String,
    /// The keys. Those of one line of accepted re-keys count once, as the newest.
    pub keys: Vec<KeyId>,
}

impl TrustGraph {
    /// An empty graph: nothing is trusted.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            web: Web::default(),
            marks: Marks::default(),
            waiting: Waiting::new(limits.waiting),
            tombstones: Tombstones::default(),
            rekeys: Rekeys::default(),
            untrusted: Ledger::new(limits.untrusted),
            accounts: BTreeMap::new(),
            caps: BTreeMap::new(),
            anchor_keys: BTreeMap::new(),
            checks: 0,
        }
    }

    /// Signature checks made since this graph was made.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// Certificates held, without those that wait for their issuer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.web.edges.len()
    }

    /// Whether no certificate is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.web.edges.is_empty()
    }

    /// Certificates that wait for their issuer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Certificates charged as brought by strangers and never trusted.
    #[must_use]
    pub fn untrusted(&self) -> usize {
        self.untrusted.taken()
    }

    /// The verdict on a certificate: a look-up.
    #[must_use]
    pub fn verdict(&self, fingerprint: &Fingerprint) -> Verdict {
        match self.web.by_fingerprint(fingerprint) {
            Some(edge) => self.verdict_of(edge),
            None if self.waiting.holds(fingerprint) => Verdict::Waiting,
            None => Verdict::Unknown,
        }
    }

    /// The verdict on a certificate, however its signature is written.
    #[must_use]
    pub fn verdict_by_identity(&self, identity: &Identity) -> Verdict {
        self.web
            .by_identity(identity)
            .map_or(Verdict::Unknown, |edge| self.verdict_of(edge))
    }

    /// A certificate that is held.
    #[must_use]
    pub fn certificate(&self, fingerprint: &Fingerprint) -> Option<&Admitted> {
        let edge = self.web.by_fingerprint(fingerprint)?;
        Some(&self.web.edges[edge].certificate)
    }

    /// The trusted certificates of a key, by identity: empty when the key is not trusted.
    #[must_use]
    pub fn trusted_certificates(&self, key: &KeyId) -> Vec<&Admitted> {
        let mut certificates: Vec<&Admitted> = self
            .web
            .certificates_of(key)
            .filter(|edge| self.trusts(*edge))
            .map(|edge| &self.web.edges[edge].certificate)
            .collect();
        certificates.sort_unstable_by_key(|certificate| certificate.identity());
        certificates
    }

    /// The trusted keys of a callsign, compared by its base, servers left out. More than one means
    /// that the callsign is contested, unless one took the other's place.
    #[must_use]
    pub fn trusted_keys(&self, callsign: &Callsign) -> Vec<KeyId> {
        self.keys_for(callsign.base())
    }

    /// Every callsign that several keys claim.
    #[must_use]
    pub fn contested(&self) -> Vec<Contested> {
        let claimed = self.web.callsigns().map(|base| Contested {
            base: base.to_owned(),
            keys: self.keys_for(base),
        });
        claimed.filter(|claimed| claimed.keys.len() > 1).collect()
    }

    /// Makes a held certificate a trust anchor. None when it is not held.
    pub fn add_anchor(&mut self, identity: &Identity) -> Option<Effect> {
        let edge = self.web.by_identity(identity)?;
        let was = self.trusts(edge);
        if !self.web.edges[edge].anchor {
            self.web.edges[edge].anchor = true;
            let key = self.web.edges[edge].certificate.key_id();
            *self.anchor_keys.entry(key).or_default() += 1;
            self.keep(edge);
        }
        let mut shift = self.reweigh_anchors(edge);
        if !was && self.trusts(edge) {
            shift.gained.insert(edge);
        }
        Some(self.effect(&shift))
    }

    /// Takes an anchor back. None when it is none.
    pub fn remove_anchor(&mut self, identity: &Identity) -> Option<Effect> {
        let edge = self.web.by_identity(identity)?;
        if !self.web.edges[edge].anchor {
            return None;
        }
        let was = self.trusts(edge);
        self.web.edges[edge].anchor = false;
        let key = self.web.edges[edge].certificate.key_id();
        if let Some(count) = self.anchor_keys.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.anchor_keys.remove(&key);
            }
        }
        let mut shift = self.reweigh_anchors(edge);
        if was && !self.trusts(edge) {
            shift.lost.insert(edge);
        }
        Some(self.effect(&shift))
    }

    /// Every anchor, by identity.
    #[must_use]
    pub fn anchors(&self) -> Vec<&Admitted> {
        let keys = self.anchor_keys.keys();
        let certificates = keys.flat_map(|key| self.web.certificates_of(key));
        let mut anchors: Vec<&Admitted> = certificates
            .map(|edge| &self.web.edges[edge])
            .filter(|edge| edge.anchor)
            .map(|edge| &edge.certificate)
            .collect();
        anchors.sort_unstable_by_key(|certificate| certificate.identity());
        anchors
    }

    /// Lets this many certificates stand below a key that an anchor vouches for.
    pub fn raise_cap(&mut self, key: KeyId, certificates: usize) {
        self.caps.insert(key, certificates);
    }

    /// The caps that the owner set, by key. Keys without one have
    /// [`Limits::below_one_key`](Limits::below_one_key).
    pub fn caps(&self) -> impl Iterator<Item = (KeyId, usize)> {
        self.caps.iter().map(|(key, cap)| (*key, *cap))
    }

    /// Certificates that stand below a key and count against its cap.
    #[must_use]
    pub fn below(&self, key: &KeyId) -> usize {
        self.accounts.get(key).copied().unwrap_or(0)
    }

    fn verdict_of(&self, edge: EdgeId) -> Verdict {
        match self.marks.cause(&self.web.edges[edge]) {
            Some(cause) => Verdict::Dead(cause),
            None if self.trusts(edge) => Verdict::Trusted,
            None => Verdict::Untrusted,
        }
    }

    fn keys_for(&self, base: &str) -> Vec<KeyId> {
        let person = |edge: &EdgeId| {
            let certificate = &self.web.edges[*edge].certificate;
            !certificate.is_server() && self.trusts(*edge)
        };
        let held = self.web.certificates_for(base).filter(person);
        let mut keys: Vec<KeyId> = held
            .map(|edge| self.web.edges[edge].certificate.key_id())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        // Sorted, so that a crowd under one callsign is searched and not compared one by one.
        let is_one = |key: &KeyId| keys.binary_search(key).is_ok();
        let is_last = |key: &&KeyId| !self.rekeys.later(key).any(|later| is_one(&later));
        keys.iter().filter(is_last).copied().collect()
    }

    /// What an anchor that came or went changes. A subtree's blacklisting stops at anchors.
    fn reweigh_anchors(&mut self, edge: EdgeId) -> Shift {
        let uprooted = (!self.web.edges[edge].anchor).then_some(edge);
        let mut marks = self.marks.clone();
        marks.condemned = self.condemned_by(&marks);
        let changed = marks.condemned.symmetric_difference(&self.marks.condemned);
        let mut touched: Vec<EdgeId> = changed
            .flat_map(|key| self.web.certificates_of(key))
            .collect();
        touched.push(edge);
        self.shift_from(marks, &touched, uprooted)
    }
}

#[cfg(test)]
mod tests;
