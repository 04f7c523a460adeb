//! Whether there is a place for a certificate, and which others go for it.

use station::KeyId;

use super::TrustGraph;
use super::admit::{Admission, Refused};
use super::limits::{Full, Source};
use super::web::{Charge, EdgeId, NodeId};
use crate::certificate::Certificate;

impl TrustGraph {
    /// Whether another certificate may stand below this key.
    pub(super) fn check_cap(&self, account: KeyId) -> Result<(), Refused> {
        let cap = self.caps.get(&account);
        let cap = *cap.unwrap_or(&self.limits.below_one_key);
        let held = self.accounts.get(&account).copied().unwrap_or(0);
        if held >= cap {
            return Err(Refused::IssuerFull(account));
        }
        Ok(())
    }

    /// A stranger's new key must not crowd a name.
    pub(super) fn check_name(
        &self,
        certificate: &Certificate,
        source: Source,
    ) -> Result<(), Refused> {
        let Some(named) = self.web.named(certificate.subject()) else {
            return Ok(());
        };
        if source == Source::Owner || named.contains_key(&certificate.key_id()) {
            return Ok(());
        }
        let most = self.limits.untrusted_keys_per_name;
        let untrusted = named.values().filter(|node| !self.issues(**node));
        if untrusted.take(most).count() == most {
            return Err(Refused::NameCrowded);
        }
        Ok(())
    }

    /// Takes an untrusted certificate out, and those that only its holder's key vouches for. Not
    /// when the newcomer's issuer would go with it.
    pub(super) fn evict(
        &mut self,
        victim: EdgeId,
        newcomer: Option<NodeId>,
        admission: &mut Admission,
    ) -> Result<(), Refused> {
        let falling = self.falls_with(victim);
        let takes_issuer = |edge: &EdgeId| Some(self.web.edges[*edge].subject) == newcomer;
        if falling.iter().any(takes_issuer) {
            return Err(Full::Total.into());
        }
        for edge in falling {
            let removed = self.web.remove(edge);
            match removed.charge {
                Charge::Untrusted(place) => self.untrusted.release(place),
                Charge::Account(account) => {
                    if let Some(held) = self.accounts.get_mut(&account) {
                        *held -= 1;
                    }
                }
                Charge::Nothing => {}
            }
            let identity = removed.certificate.identity();
            self.forget_statements(identity, removed.certificate.key_id());
            admission.evicted.push(identity);
        }
        Ok(())
    }

    /// The certificate, and those below it whose issuer no other certificate names.
    fn falls_with(&self, victim: EdgeId) -> Vec<EdgeId> {
        let mut falling = vec![victim];
        let mut at = 0;
        while let Some(edge) = falling.get(at) {
            at += 1;
            let node = &self.web.nodes[self.web.edges[*edge].subject];
            if node.into.iter().all(|edge| falling.contains(edge)) {
                let below: Vec<EdgeId> = node
                    .out
                    .iter()
                    .copied()
                    .filter(|edge| !falling.contains(edge))
                    .collect();
                falling.extend(below);
            }
        }
        falling
    }

    /// What the owner brought or made an anchor, and those that hold its issuer's key, stay.
    pub(super) fn keep(&mut self, edge: EdgeId) {
        self.release_place(edge);
        let mut work = vec![edge];
        while let Some(edge) = work.pop() {
            let issuer = self.web.edges[edge].issuer;
            for above in self.web.nodes[issuer].into.clone() {
                if self.release_place(above) {
                    work.push(above);
                }
            }
        }
    }

    /// Gives back a stranger's place. Says whether there was one.
    fn release_place(&mut self, edge: EdgeId) -> bool {
        let Charge::Untrusted(place) = self.web.edges[edge].charge else {
            return false;
        };
        self.untrusted.release(place);
        self.web.edges[edge].charge = Charge::Nothing;
        true
    }
}
