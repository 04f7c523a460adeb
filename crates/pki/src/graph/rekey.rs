//! Changes of keys: the old key signs the new one, and the new one agrees.
//!
//! Keys that follow each other form a line. The first key of a line has generation 0, and a change
//! counts only when its generation is exactly one more than the old key's. Two successors of one key
//! suspend both until the owner decides; the one that is not chosen stays suspended. Lines are
//! computed from the whole set of changes, so the order of arrival does not matter.
//!
//! A change moves no trust: the new key is trusted when a certificate says so.

use std::collections::{BTreeMap, BTreeSet};

use station::statement::{FieldError, Rekey};
use station::{KeyId, Statement};

use super::TrustGraph;
use super::blacklist::Effect;
use super::web::EdgeId;
use crate::budget::Budget;
use crate::public_key::PublicKey;

/// A change of keys with both signatures: r‖s, base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRekey {
    /// The change.
    pub rekey: Rekey,
    /// The old key's signature of the `rekey` statement.
    pub by_old: String,
    /// The new key's signature of the same.
    pub by_new: String,
}

/// Why a change of keys is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RekeyError {
    /// One of the keys has no certificate here for that callsign.
    #[error("one of the keys has no certificate here for this callsign")]
    NotHeld,
    /// A key cannot follow itself, and nothing follows into generation 0.
    #[error("a new key differs from the old one and has a generation of at least 1")]
    Generation,
    /// There are [`MAX_SUCCESSORS`] others.
    #[error("too many keys claim to follow this key")]
    TooMany,
    /// Nobody trusted vouches for the old key, and there are [`MAX_OF_STRANGERS`] changes.
    #[error("there is no place left for changes of keys that nobody trusted vouches for")]
    Full,
    /// There are [`MAX_CHANGES_BELOW`] others of keys below the same key.
    #[error("as many keys below the key {0} were changed as are kept")]
    IssuerFull(KeyId),
    /// The budget does not cover the two signature checks.
    #[error("there is no budget left for signature checks")]
    Budget,
    /// Not both keys signed it.
    #[error("the change of keys is not signed by both keys")]
    Signature,
    /// A part of it cannot be a field of a statement.
    #[error("the change of keys cannot be written as a statement")]
    Field(#[from] FieldError),
}

/// Most changes kept for one old key. Two are enough to suspend them.
pub const MAX_SUCCESSORS: usize = 8;

/// So many changes, of whatever keys, leave no place for one of a key that is not trusted: each makes
/// the lines be computed anew.
pub const MAX_OF_STRANGERS: usize = 1024;

/// Most changes of keys that stand below one key which a trust anchor vouches for.
pub const MAX_CHANGES_BELOW: usize = 4096;

/// Every change, and the lines they form.
#[derive(Debug, Default)]
pub(super) struct Rekeys {
    held: BTreeMap<Rekey, (String, String)>,
    chosen: BTreeMap<KeyId, KeyId>,
    successors: BTreeMap<KeyId, BTreeSet<KeyId>>,
    generations: BTreeMap<KeyId, u32>,
}

impl TrustGraph {
    /// Adds a change of keys, by at most two signature checks.
    ///
    /// # Errors
    /// [`RekeyError`] when it is not kept.
    pub fn rekey(
        &mut self,
        signed: &SignedRekey,
        budget: &mut Budget,
    ) -> Result<Effect, RekeyError> {
        let rekey = &signed.rekey;
        if rekey.old == rekey.new || rekey.generation == 0 {
            return Err(RekeyError::Generation);
        }
        if self.rekeys.held.contains_key(rekey) {
            return Ok(Effect::default());
        }
        let held = |key| self.key_for(key, rekey.callsign.base());
        let (Some(old), Some(new)) = (held(&rekey.old), held(&rekey.new)) else {
            return Err(RekeyError::NotHeld);
        };
        let others = self.rekeys.held.keys().filter(|held| held.old == rekey.old);
        if others.count() >= MAX_SUCCESSORS {
            return Err(RekeyError::TooMany);
        }
        self.check_place(&rekey.old)?;
        let statement = Statement::rekey(rekey)?;
        for (key, signature) in [(old, &signed.by_old), (new, &signed.by_new)] {
            if !budget.take() {
                return Err(RekeyError::Budget);
            }
            self.checks += 1;
            key.verify(&statement, signature)
                .map_err(|_| RekeyError::Signature)?;
        }
        Ok(self.restore_rekeys(vec![signed.clone()]))
    }

    /// Whether there is a place for another change of this key.
    fn check_place(&self, old: &KeyId) -> Result<(), RekeyError> {
        if self.trusted_certificates(old).is_empty() {
            let full = self.rekeys.held.len() >= MAX_OF_STRANGERS;
            return if full { Err(RekeyError::Full) } else { Ok(()) };
        }
        let Some(account) = self.account_of(old) else {
            return Ok(());
        };
        let below = |rekey: &&Rekey| self.account_of(&rekey.old) == Some(account);
        if self.rekeys.held.keys().filter(below).count() >= MAX_CHANGES_BELOW {
            return Err(RekeyError::IssuerFull(account));
        }
        Ok(())
    }

    /// Below whose key this one stands; none for keys that are not trusted, and for anchors'.
    fn account_of(&self, key: &KeyId) -> Option<KeyId> {
        let mut certificates = self.web.certificates_of(key);
        certificates.find_map(|edge| self.account_for(edge))
    }

    /// Puts stored changes in force again, without signature checks. Those of keys that are not
    /// held are left out.
    pub fn restore_rekeys(&mut self, stored: Vec<SignedRekey>) -> Effect {
        for signed in stored {
            let keys = [signed.rekey.old, signed.rekey.new];
            if keys.iter().any(|key| self.web.key(key).is_none()) {
                continue;
            }
            let signatures = (signed.by_old, signed.by_new);
            self.rekeys.held.insert(signed.rekey, signatures);
        }
        self.follow_lines()
    }

    /// The owner's decision between successors of a key. None when this is not one of them.
    pub fn choose_successor(&mut self, old: KeyId, new: KeyId) -> Option<Effect> {
        if !self.rekeys.successors.get(&old)?.contains(&new) {
            return None;
        }
        self.rekeys.chosen.insert(old, new);
        Some(self.follow_lines())
    }

    /// The owner's decisions between successors: the old key with the chosen one.
    pub fn chosen_successors(&self) -> impl Iterator<Item = (KeyId, KeyId)> {
        self.rekeys.chosen.iter().map(|(old, new)| (*old, *new))
    }

    /// Puts stored decisions between successors in force again.
    pub fn restore_successors(&mut self, stored: Vec<(KeyId, KeyId)>) -> Effect {
        self.rekeys.chosen.extend(stored);
        self.follow_lines()
    }

    /// Whether this change is among them.
    #[must_use]
    pub fn has_rekey(&self, rekey: &Rekey) -> bool {
        self.rekeys.held.contains_key(rekey)
    }

    /// Every change of keys.
    pub fn rekeys(&self) -> impl Iterator<Item = SignedRekey> + '_ {
        let held = self.rekeys.held.iter();
        held.map(|(rekey, (by_old, by_new))| SignedRekey {
            rekey: rekey.clone(),
            by_old: by_old.clone(),
            by_new: by_new.clone(),
        })
    }

    /// Keys that several others claim to follow, undecided, with those others.
    pub fn disputes(&self) -> impl Iterator<Item = (KeyId, &BTreeSet<KeyId>)> {
        self.rekeys
            .successors
            .iter()
            .filter(|(old, new)| new.len() > 1 && self.rekeys.next(old).is_none())
            .map(|(old, new)| (*old, new))
    }

    /// The key that took this key's place, if one did and is not in dispute.
    #[must_use]
    pub fn successor(&self, key: &KeyId) -> Option<KeyId> {
        self.rekeys.next(key)
    }

    /// Every key whose place another took, with that one.
    pub fn successions(&self) -> impl Iterator<Item = (KeyId, KeyId)> + '_ {
        let followed = self.rekeys.successors.keys();
        followed.filter_map(|old| Some((*old, self.rekeys.next(old)?)))
    }

    /// The key's place in its line: 0 for a first key.
    #[must_use]
    pub fn generation(&self, key: &KeyId) -> u32 {
        self.rekeys.generations.get(key).copied().unwrap_or(0)
    }

    pub(super) fn forget_rekeys(&mut self, key: KeyId) {
        let held = self.rekeys.held.len();
        self.rekeys
            .held
            .retain(|rekey, _| rekey.old != key && rekey.new != key);
        if self.rekeys.held.len() != held {
            self.follow_lines();
        }
    }

    fn key_for(&self, key: &KeyId, base: &str) -> Option<PublicKey> {
        let fits = |edge: EdgeId| self.web.edges[edge].certificate.callsign().base() == base;
        let held = self.web.certificates_of(key).any(fits);
        held.then(|| self.web.key(key).copied()).flatten()
    }

    /// Computes the lines anew and suspends and releases keys accordingly.
    fn follow_lines(&mut self) -> Effect {
        self.rekeys.follow();
        let mut marks = self.marks.clone();
        marks.suspended = self.rekeys.suspended();
        let changed = marks.suspended.symmetric_difference(&self.marks.suspended);
        let touched: Vec<EdgeId> = changed
            .flat_map(|key| self.web.certificates_of(key))
            .collect();
        let shift = self.shift(marks, &touched);
        self.effect(&shift)
    }
}

impl Rekeys {
    /// The keys that follow this one, nearest first.
    pub(super) fn later(&self, key: &KeyId) -> impl Iterator<Item = KeyId> + '_ {
        std::iter::successors(self.next(key), |key| self.next(key))
    }

    fn next(&self, key: &KeyId) -> Option<KeyId> {
        let successors = self.successors.get(key)?;
        match self.chosen.get(key) {
            Some(chosen) if successors.contains(chosen) => Some(*chosen),
            _ if successors.len() == 1 => successors.first().copied(),
            _ => None,
        }
    }

    /// Generation by generation: the old key must have the one before, and the new key none yet.
    /// So no line bends back into itself.
    fn follow(&mut self) {
        self.successors.clear();
        self.generations.clear();
        let mut changes: Vec<&Rekey> = self.held.keys().collect();
        changes.sort_by_key(|rekey| (rekey.generation, rekey.old, rekey.new));
        for rekey in changes {
            let generation = self.generations.get(&rekey.old).copied().unwrap_or(0);
            let follows = generation.checked_add(1) == Some(rekey.generation);
            if !follows || self.generations.contains_key(&rekey.new) {
                continue;
            }
            self.generations.insert(rekey.old, generation);
            self.generations.insert(rekey.new, rekey.generation);
            self.successors
                .entry(rekey.old)
                .or_default()
                .insert(rekey.new);
        }
    }

    /// Successors in dispute, and those not chosen.
    fn suspended(&self) -> BTreeSet<KeyId> {
        let mut suspended = BTreeSet::new();
        for (old, new) in &self.successors {
            if new.len() > 1 {
                let chosen = self.chosen.get(old);
                suspended.extend(new.iter().filter(|key| Some(*key) != chosen));
            }
        }
        suspended
    }
}
