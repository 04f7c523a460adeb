//! Certificates whose issuer is not known yet.
//!
//! They wait in a bounded pool. When a key of their issuer's name arrives, each that can mean it is
//! owed one check with that key; what a budget does not cover stays owed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use station::{Fingerprint, KeyId};

use super::ledger::{Ledger, Place};
use super::limits::{Full, Share, Source};
use crate::certificate::Certificate;
use crate::public_key::PublicKey;

/// The pool.
#[derive(Debug)]
pub(super) struct Waiting {
    ledger: Ledger<Fingerprint>,
    held: BTreeMap<Fingerprint, Orphan>,
    issuers: HashMap<Box<[u8]>, BTreeSet<Fingerprint>>,
    owed: BTreeSet<Owed>,
}

/// One that waits.
#[derive(Debug)]
pub(super) struct Orphan {
    pub(super) certificate: Certificate,
    pub(super) source: Source,
    place: Option<Place>,
}

/// A check to make: first those of certificates that say whose key signed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owed {
    unhinted: bool,
    pub(super) orphan: Fingerprint,
    pub(super) key: KeyId,
}

impl Waiting {
    pub(super) fn new(share: Share) -> Self {
        Self {
            ledger: Ledger::new(share),
            held: BTreeMap::new(),
            issuers: HashMap::new(),
            owed: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn holds(&self, fingerprint: &Fingerprint) -> bool {
        self.held.contains_key(fingerprint)
    }

    /// Every one that waits, by fingerprint.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.held.values().map(|orphan| &orphan.certificate)
    }

    pub(super) fn get(&self, fingerprint: &Fingerprint) -> Option<&Orphan> {
        self.held.get(fingerprint)
    }

    /// Takes a certificate in, which may cost another its place.
    pub(super) fn hold(&mut self, certificate: &Certificate, source: Source) -> Result<(), Full> {
        if let Some(evicted) = self.ledger.room(source, None)? {
            self.take(&evicted);
        }
        let fingerprint = certificate.fingerprint();
        let place = self.ledger.charge(source, None, fingerprint);
        self.issuers
            .entry(certificate.issuer().into())
            .or_default()
            .insert(fingerprint);
        let orphan = Orphan {
            certificate: certificate.clone(),
            source,
            place,
        };
        self.held.insert(fingerprint, orphan);
        Ok(())
    }

    /// Takes a certificate out.
    pub(super) fn take(&mut self, fingerprint: &Fingerprint) -> Option<Orphan> {
        let orphan = self.held.remove(fingerprint)?;
        if let Some(place) = orphan.place {
            self.ledger.release(place);
        }
        let issuer = orphan.certificate.issuer();
        if let Some(waiting) = self.issuers.get_mut(issuer) {
            waiting.remove(fingerprint);
            if waiting.is_empty() {
                self.issuers.remove(issuer);
            }
        }
        if !self.owed.is_empty() {
            self.owed.retain(|owed| owed.orphan != *fingerprint);
        }
        Some(orphan)
    }

    /// A key of this name arrived: who waits for the name, and does not mean another key, is owed a
    /// check.
    pub(super) fn arrived(&mut self, name: &[u8], key: &PublicKey) {
        let waiting = self.issuers.get(name).into_iter().flatten();
        let certificates = waiting.map(|fingerprint| &self.held[fingerprint].certificate);
        for certificate in certificates.filter(|certificate| certificate.allows_issuer(key)) {
            self.owed.insert(Owed {
                unhinted: certificate.issuer_hint().is_none(),
                orphan: certificate.fingerprint(),
                key: key.key_id(),
            });
        }
    }

    /// The next check to make.
    pub(super) fn next(&mut self) -> Option<Owed> {
        self.owed.pop_first()
    }

    /// There was no budget for it.
    pub(super) fn put_back(&mut self, owed: Owed) {
        self.owed.insert(owed);
    }
}
