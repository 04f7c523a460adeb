//! Tombstones: revocation without a clock.
//!
//! A tombstone is a statement by which a key declares a certificate dead. Tombstones are never taken
//! back, so sets of them merge by union: one for each signer and target, and only for certificates
//! that are held. The holder's key withdraws itself, whatever vouches for it. The issuer's key ends
//! that one certificate. What any other key says is advice to be read.

use std::collections::BTreeMap;

use station::statement::FieldError;
use station::{Identity, KeyId, Statement};

use super::TrustGraph;
use super::blacklist::Effect;
use super::web::EdgeId;
use crate::budget::Budget;

/// Most tombstones kept as advice about one certificate.
pub const MAX_ADVICE: usize = 16;

/// A signed statement that a certificate is dead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tombstone {
    /// The certificate.
    pub target: Identity,
    /// The key that signed.
    pub signer: KeyId,
    /// Its signature of the `tombstone` statement: r‖s, base64url.
    pub signature: String,
}

/// What a tombstone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// The holder's own: the key is withdrawn.
    Holder,
    /// The issuer's: the certificate is revoked.
    Issuer,
    /// Somebody else's: advice.
    Advice,
}

/// Why a tombstone is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TombstoneError {
    /// No such certificate.
    #[error("the tombstone is for a certificate that is not held here")]
    NoTarget,
    /// A stranger's advice.
    #[error("the tombstone is by a key that is not trusted here")]
    Stranger,
    /// There are [`MAX_ADVICE`] others.
    #[error("there is enough advice about this certificate")]
    EnoughAdvice,
    /// The budget does not cover the signature check.
    #[error("there is no budget left for signature checks")]
    Budget,
    /// Not that key's signature of that statement.
    #[error("the tombstone's signature is not by the key it names")]
    Signature,
    /// A part of it cannot be a field of a statement.
    #[error("the tombstone cannot be written as a statement")]
    Field(#[from] FieldError),
}

/// The set.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    held: BTreeMap<Identity, BTreeMap<KeyId, String>>,
}

impl TrustGraph {
    /// Adds a tombstone, by at most one signature check. The effect is none when it was known or is
    /// advice.
    ///
    /// # Errors
    /// [`TombstoneError`] when it is not kept.
    pub fn bury(
        &mut self,
        tombstone: &Tombstone,
        budget: &mut Budget,
    ) -> Result<(Force, Effect), TombstoneError> {
        let (target, signer) = (tombstone.target, tombstone.signer);
        let edge = self
            .web
            .by_identity(&target)
            .ok_or(TombstoneError::NoTarget)?;
        let force = self.force(edge, signer);
        if self.tombstones.holds(&target, &signer) {
            return Ok((force, Effect::default()));
        }
        let key = *self.web.key(&signer).ok_or(TombstoneError::Stranger)?;
        if force == Force::Advice {
            if self.trusted_certificates(&signer).is_empty() {
                return Err(TombstoneError::Stranger);
            }
            if self.advice(&target).count() >= MAX_ADVICE {
                return Err(TombstoneError::EnoughAdvice);
            }
        }
        if !budget.take() {
            return Err(TombstoneError::Budget);
        }
        self.checks += 1;
        let statement = Statement::tombstone(signer, target)?;
        key.verify(&statement, &tombstone.signature)
            .map_err(|_| TombstoneError::Signature)?;
        Ok((force, self.put_tombstones(vec![tombstone.clone()])))
    }

    /// Puts stored tombstones in force again, without signature checks. Those whose certificate is
    /// not held are left out.
    pub fn restore_tombstones(&mut self, stored: Vec<Tombstone>) {
        self.put_tombstones(stored);
    }

    /// Whether there is a tombstone by this key for this certificate.
    #[must_use]
    pub fn has_tombstone(&self, target: &Identity, signer: &KeyId) -> bool {
        self.tombstones.holds(target, signer)
    }

    /// Every tombstone, by target and signer.
    pub fn tombstones(&self) -> impl Iterator<Item = Tombstone> + '_ {
        self.tombstones.held.iter().flat_map(|(target, signers)| {
            signers.iter().map(|(signer, signature)| Tombstone {
                target: *target,
                signer: *signer,
                signature: signature.clone(),
            })
        })
    }

    /// The keys, neither the holder's nor the issuer's, that say that this certificate is dead.
    pub fn advice(&self, target: &Identity) -> impl Iterator<Item = KeyId> + '_ {
        let edge = self.web.by_identity(target);
        let signers = self.tombstones.held.get(target).into_iter().flatten();
        signers.map(|(signer, _)| *signer).filter(move |signer| {
            edge.is_some_and(|edge| self.force(edge, *signer) == Force::Advice)
        })
    }

    fn force(&self, edge: EdgeId, signer: KeyId) -> Force {
        let edge = &self.web.edges[edge];
        if edge.certificate.key_id() == signer {
            Force::Holder
        } else if self.web.nodes[edge.issuer].key_id == signer {
            Force::Issuer
        } else {
            Force::Advice
        }
    }

    fn put_tombstones(&mut self, tombstones: Vec<Tombstone>) -> Effect {
        let mut marks = self.marks.clone();
        let mut touched = Vec::new();
        for Tombstone {
            target,
            signer,
            signature,
        } in tombstones
        {
            let Some(edge) = self.web.by_identity(&target) else {
                continue;
            };
            match self.force(edge, signer) {
                Force::Holder => {
                    marks.withdrawn.insert(signer);
                    touched.extend(self.web.certificates_of(&signer));
                }
                Force::Issuer => {
                    marks.revoked.insert(target);
                    touched.push(edge);
                }
                Force::Advice => {}
            }
            let signers = self.tombstones.held.entry(target).or_default();
            signers.insert(signer, signature);
        }
        let shift = self.shift(marks, &touched);
        self.effect(&shift)
    }

    /// Drops what was kept about a certificate that is gone, and about its key if that is gone too.
    pub(super) fn forget_statements(&mut self, identity: Identity, holder: KeyId) {
        self.tombstones.held.remove(&identity);
        self.marks.revoked.remove(&identity);
        if self.web.key(&holder).is_none() {
            self.marks.withdrawn.remove(&holder);
            if !self.marks.subtrees().any(|key| key == holder) {
                self.marks.condemned.remove(&holder);
            }
            self.forget_rekeys(holder);
        }
    }
}

impl Tombstones {
    fn holds(&self, target: &Identity, signer: &KeyId) -> bool {
        let signers = self.held.get(target);
        signers.is_some_and(|signers| signers.contains_key(signer))
    }
}
