//! How a certificate gets in.

use std::collections::BTreeSet;

use station::{Identity, KeyId};

use super::TrustGraph;
use super::blacklist::Affected;
use super::limits::{Full, Source};
use super::restore::Stored;
use super::trust::Shift;
use super::web::{Charge, EdgeId, NodeId};
use crate::budget::Budget;
use crate::certificate::{Admitted, Certificate};
use crate::public_key::PublicKey;

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// What became of the certificate itself.
    pub state: State,
    /// Certificates that are new in the graph, to be stored: this one, and those that waited for it,
    /// each with who brought it.
    pub admitted: Vec<Stored>,
    /// Certificates that gave up their places, to be deleted. None of them was trusted.
    pub evicted: Vec<Identity>,
    /// Certificates that are trusted now and were not before, or not here.
    pub gained: Vec<Affected>,
    /// Certificates that were trusted before: their holder's key was certified by a key whose
    /// descendants are blacklisted.
    pub lost: Vec<Affected>,
}

/// What became of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is in the graph now.
    Admitted(Identity),
    /// It was in the graph before, perhaps with its signature written otherwise.
    Held(Identity),
    /// No key that is held signed it; it waits for its issuer.
    Waiting,
}

/// Why a certificate was not taken. Nothing is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The budget does not cover the signature checks. Try again later.
    #[error("there is no budget left for signature checks")]
    Budget,
    /// There is no place for it.
    #[error("the certificate is not kept")]
    Full(#[from] Full),
    /// Too many untrusted keys have this subject name.
    #[error("too many keys that nobody trusted vouches for have this name")]
    NameCrowded,
    /// As many certificates stand below this key as the owner allows.
    #[error("as many certificates stand below the key {0} as the owner allows")]
    IssuerFull(KeyId),
}

impl TrustGraph {
    /// Takes a certificate in: one signature check with the key of its issuer, which its issuer's
    /// name and its hint at the key find. Without a hint each key of the name costs a check, at most
    /// [`Limits::checks_per_certificate`](super::Limits::checks_per_certificate). With one, no other
    /// key than the hinted is its issuer's, though the signature may hold under a second.
    ///
    /// # Errors
    /// [`Refused`]; what was paid from the budget stays paid.
    pub fn admit(
        &mut self,
        certificate: &Certificate,
        source: Source,
        budget: &mut Budget,
    ) -> Result<Admission, Refused> {
        let fingerprint = certificate.fingerprint();
        let known = self.web.by_fingerprint(&fingerprint);
        if let Some(edge) = known {
            let identity = self.web.edges[edge].certificate.identity();
            return Ok(Admission::of(State::Held(identity)));
        }
        if self.waiting.holds(&fingerprint) {
            return Ok(Admission::of(State::Waiting));
        }
        let Some((admitted, issuer)) = self.find_issuer(certificate, budget)? else {
            self.waiting.hold(certificate, source)?;
            return Ok(Admission::of(State::Waiting));
        };
        let mut admission = Admission::of(State::Waiting);
        admission.state = self.enter(admitted, &issuer, source, &mut admission)?;
        self.settle_into(budget, &mut admission);
        Ok(admission)
    }

    /// Takes in a certificate that was sent with its chain, its issuer's first: the furthest first.
    /// Gives what became of each, in the order of the chain, and of the certificate at the end.
    pub fn admit_chain(
        &mut self,
        certificate: &Certificate,
        chain: &[Certificate],
        source: Source,
        budget: &mut Budget,
    ) -> Vec<Result<Admission, Refused>> {
        let furthest_first = chain.iter().rev().chain([certificate]);
        furthest_first
            .map(|certificate| self.admit(certificate, source, budget))
            .collect()
    }

    /// Makes the checks that waiting certificates are still owed, as far as the budget goes.
    pub fn settle(&mut self, budget: &mut Budget) -> Admission {
        let mut admission = Admission::of(State::Waiting);
        self.settle_into(budget, &mut admission);
        admission
    }

    fn settle_into(&mut self, budget: &mut Budget, admission: &mut Admission) {
        while let Some(owed) = self.waiting.next() {
            let Some(orphan) = self.waiting.get(&owed.orphan) else {
                continue;
            };
            let (certificate, source) = (orphan.certificate.clone(), orphan.source);
            let Some(node) = self.web.node(certificate.issuer(), &owed.key) else {
                continue;
            };
            if !budget.take() {
                self.waiting.put_back(owed);
                return;
            }
            self.checks += 1;
            let key = self.web.nodes[node].key;
            if let Some(admitted) = certificate.admit(&key) {
                self.waiting.take(&owed.orphan);
                // Refused for want of a place: then it is gone, like any other that comes too late.
                let _: Result<State, Refused> = self.enter(admitted, &key, source, admission);
            }
        }
    }

    /// The key that signed the certificate, among those that are held and the one inside.
    fn find_issuer(
        &mut self,
        certificate: &Certificate,
        budget: &mut Budget,
    ) -> Result<Option<(Admitted, PublicKey)>, Refused> {
        let likely = self.likely_issuers(certificate);
        let mut tries = self.limits.checks_per_certificate;
        if let Some(found) = self.try_keys(certificate, &likely, &mut tries, budget)? {
            return Ok(Some(found));
        }
        let others = self.other_issuers(certificate, &likely, tries);
        self.try_keys(certificate, &others, &mut tries, budget)
    }

    fn try_keys(
        &mut self,
        certificate: &Certificate,
        keys: &[PublicKey],
        tries: &mut usize,
        budget: &mut Budget,
    ) -> Result<Option<(Admitted, PublicKey)>, Refused> {
        for key in keys.iter().take(*tries) {
            if !budget.take() {
                return Err(Refused::Budget);
            }
            self.checks += 1;
            *tries -= 1;
            if let Some(admitted) = certificate.admit(key) {
                return Ok(Some((admitted, *key)));
            }
        }
        Ok(None)
    }

    /// Held keys at which the certificate hints, then its own when it names itself as issuer.
    fn likely_issuers(&self, certificate: &Certificate) -> Vec<PublicKey> {
        let mut keys = Vec::new();
        let named = self.web.named(certificate.issuer());
        if let (Some(named), Some(hint)) = (named, certificate.issuer_hint()) {
            let from = first_with(hint);
            let hinted = named.range(from..);
            let hinted = hinted.take_while(|(id, _)| id.as_bytes().starts_with(hint));
            keys.extend(hinted.map(|(_, node)| self.web.nodes[*node].key));
        }
        let own = certificate.public_key();
        if certificate.is_self_issued() && !keys.contains(own) {
            keys.push(*own);
        }
        keys
    }

    /// The other held keys of the issuer's name that can be meant: those that may issue here first.
    fn other_issuers(
        &self,
        certificate: &Certificate,
        likely: &[PublicKey],
        most: usize,
    ) -> Vec<PublicKey> {
        let Some(named) = self.web.named(certificate.issuer()) else {
            return Vec::new();
        };
        let of_rank = |issuing: bool| {
            named
                .values()
                .map(|node| &self.web.nodes[*node])
                .filter(move |node| node.support.is_some() == issuing)
                .take(MOST_COMPARED)
                .map(|node| node.key)
                .filter(|key| !likely.contains(key) && certificate.allows_issuer(key))
        };
        of_rank(true).chain(of_rank(false)).take(most).collect()
    }

    /// Puts an admitted certificate into the graph, if there is a place for it.
    fn enter(
        &mut self,
        certificate: Admitted,
        issuer: &PublicKey,
        source: Source,
        admission: &mut Admission,
    ) -> Result<State, Refused> {
        let identity = certificate.identity();
        if self.web.by_identity(&identity).is_some() {
            return Ok(State::Held(identity));
        }
        let issuer_node = self.web.node(certificate.issuer(), &issuer.key_id());
        let account = issuer_node
            .filter(|node| self.issues(*node))
            .and_then(|node| self.web.nodes[node].account);
        let root = issuer_node.map_or_else(|| issuer.key_id(), |node| self.web.nodes[node].root);
        if let Some(account) = account {
            self.check_cap(account)?;
        } else {
            self.check_name(&certificate, source)?;
            if let Some(victim) = self.untrusted.room(source, Some(root))? {
                self.evict(victim, issuer_node, admission)?;
            }
        }
        admission.admitted.push(Stored {
            certificate: certificate.clone(),
            source,
        });
        let (edge, new_node) = self.web.insert(certificate, issuer);
        self.web.edges[edge].charge = if let Some(account) = account {
            *self.accounts.entry(account).or_default() += 1;
            Charge::Account(account)
        } else {
            let place = self.untrusted.charge(source, Some(root), edge);
            place.map_or(Charge::Nothing, Charge::Untrusted)
        };
        if source == Source::Owner {
            self.keep(edge);
        }
        let shift = self.entered(edge, new_node);
        admission.tell(self.affected(&shift.gained), self.affected(&shift.lost));
        Ok(State::Admitted(identity))
    }

    /// Carries verdicts over a new certificate.
    fn entered(&mut self, edge: EdgeId, new_node: Option<NodeId>) -> Shift {
        let mut shift = self.condemn_newcomer(edge);
        let reached = self.grow(vec![edge]).into_iter();
        // Anchors were trusted before, whoever else vouches for them now.
        shift
            .gained
            .extend(reached.filter(|edge| !self.web.edges[*edge].anchor));
        if let Some(node) = new_node {
            let node = &self.web.nodes[node];
            self.waiting.arrived(&node.name, &node.key);
        }
        shift
    }

    /// A certificate by a key below a blacklisted subtree puts its holder below it too.
    fn condemn_newcomer(&mut self, edge: EdgeId) -> Shift {
        let edge = &self.web.edges[edge];
        let issuer = self.web.nodes[edge.issuer].key_id;
        let holder = edge.certificate.key_id();
        let condemned = &self.marks.condemned;
        let spreads = condemned.contains(&issuer) && !condemned.contains(&holder);
        if !spreads || self.anchor_keys.contains_key(&holder) {
            return Shift::default();
        }
        let fresh = self.condemn_below(condemned, BTreeSet::from([holder]));
        let touched = fresh.iter().flat_map(|key| self.web.certificates_of(key));
        let touched: Vec<EdgeId> = touched.collect();
        // Strangers cause this case as often as they like, so it must not cost more than they pay.
        if !touched.iter().any(|edge| self.trusts(*edge)) {
            self.marks.condemned.extend(fresh);
            return Shift::default();
        }
        let mut marks = self.marks.clone();
        marks.condemned.extend(fresh);
        self.shift(marks, &touched)
    }
}

impl Admission {
    fn of(state: State) -> Self {
        Self {
            state,
            admitted: Vec::new(),
            evicted: Vec::new(),
            gained: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Adds what one certificate changed to what the ones before it did. Whoever gained trust by one
    /// and lost it by the next, or the other way round, is left out: nothing changed for them.
    fn tell(&mut self, gained: Vec<Affected>, lost: Vec<Affected>) {
        if self.lost.is_empty() && lost.is_empty() {
            self.gained.extend(gained);
            return;
        }
        let mut all_gained: BTreeSet<Affected> = self.gained.drain(..).collect();
        let mut all_lost: BTreeSet<Affected> = self.lost.drain(..).collect();
        for one in lost {
            if !all_gained.remove(&one) {
                all_lost.insert(one);
            }
        }
        for one in gained {
            if !all_lost.remove(&one) {
                all_gained.insert(one);
            }
        }
        self.gained = all_gained.into_iter().collect();
        self.lost = all_lost.into_iter().collect();
    }
}

/// Keys of one name, of each rank, whose hashes are compared with a hint that is not the beginning of a
/// key id. Nobody has so many, but whoever is trusted can make them up.
const MOST_COMPARED: usize = 256;

/// The lowest key id that begins with this hint.
pub(super) fn first_with(hint: &[u8]) -> KeyId {
    let mut id = [0; 32];
    let length = hint.len().min(id.len());
    id[..length].copy_from_slice(&hint[..length]);
    KeyId::new(id)
}
