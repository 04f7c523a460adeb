//! Tombstones and changes of keys that came before the certificates they are about.
//!
//! The graph keeps nothing about what it does not hold, and what was declined is not offered again. So they
//! wait here, in memory: whoever knows the certificate later must know that it is withdrawn, or that
//! somebody else claims its key's place, whatever came first.

use pki::TrustGraph;
use pki::graph::{SignedRekey, Tombstone};
use signaling::AddressGroup;
use station::KeyId;

use super::Coordinator;
use crate::runtime::authority::{BuryError, FollowError};
use crate::runtime::lock;
use crate::runtime::shares::Shares;

/// Statements that wait. Then whoever brought the most loses the oldest.
const MOST: usize = 4_096;

/// Statements that wait for certificates.
#[derive(Debug)]
pub(super) struct Early(Shares<AddressGroup, EarlyStatement>);

/// A statement that waits for certificates.
#[derive(Debug)]
pub(super) enum EarlyStatement {
    Tombstone(Tombstone),
    Rekey(SignedRekey),
}

impl Default for Early {
    fn default() -> Self {
        Self(Shares::new(MOST))
    }
}

impl Early {
    pub(super) fn keep(&mut self, from: AddressGroup, statement: EarlyStatement) {
        self.0.push(from, statement);
    }

    /// Takes out those that need not wait any more.
    fn due(&mut self, graph: &TrustGraph) -> Vec<(AddressGroup, EarlyStatement)> {
        let all = self.0.take().into_iter();
        let (due, waiting): (Vec<_>, Vec<_>) = all.partition(|(_, one)| one.is_due(graph));
        for (from, statement) in waiting {
            self.keep(from, statement);
        }
        due
    }
}

impl EarlyStatement {
    /// Whether the graph holds what it is about.
    fn is_due(&self, graph: &TrustGraph) -> bool {
        match self {
            Self::Tombstone(tombstone) => graph.held(&tombstone.target).is_some(),
            Self::Rekey(SignedRekey { rekey, .. }) => {
                let holds = |key: &KeyId| {
                    let mut held = graph.held_by(key).into_iter();
                    held.any(|held| held.certificate.callsign().base() == rekey.callsign.base())
                };
                holds(&rekey.old) && holds(&rekey.new)
            }
        }
    }
}

impl Coordinator {
    /// Certificates may have come that statements waited for. Blocks on the disk.
    pub(super) fn retry_early(&self) {
        let authority = &self.around.authority;
        let due = authority.look(|graph| lock(&self.told).early.due(graph));
        for (from, statement) in due {
            if !self.try_early(&statement) {
                lock(&self.told).early.keep(from, statement);
            }
        }
    }

    /// False where the disk failed, so that it is worth another try.
    fn try_early(&self, statement: &EarlyStatement) -> bool {
        let authority = &self.around.authority;
        match statement {
            EarlyStatement::Tombstone(tombstone) => match authority.bury(tombstone) {
                Err(BuryError::Store(_)) => return false,
                Err(error) => {
                    tracing::debug!(%error, target = %tombstone.target, "a tombstone is not kept");
                }
                Ok(_) => {}
            },
            EarlyStatement::Rekey(signed) => match authority.follow(signed) {
                Err(FollowError::Store(_)) => return false,
                Err(error) => {
                    tracing::debug!(%error, new = %signed.rekey.new, "a change of keys is not kept");
                }
                Ok(_) => {}
            },
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::SystemTime;

    use pki::graph::{Budget, Limits, Source};
    use pki::{Certificate, SigningKey, issue};
    use ring::rand::SystemRandom;
    use station::statement::Rekey;
    use station::{Callsign, Identity};

    use super::*;

    fn group(address: &str) -> AddressGroup {
        AddressGroup::of(address.parse::<IpAddr>().unwrap())
    }

    fn person(callsign: &str) -> Certificate {
        let random = SystemRandom::new();
        let key = SigningKey::generate(&random).unwrap();
        let callsign = Callsign::parse(callsign).unwrap();
        let now = SystemTime::UNIX_EPOCH;
        issue::self_signed_operator(&key, &callsign, None, now, &random).unwrap()
    }

    fn change(old: &Certificate, new: &Certificate) -> EarlyStatement {
        EarlyStatement::Rekey(SignedRekey {
            rekey: Rekey {
                old: old.key_id(),
                new: new.key_id(),
                callsign: old.callsign().clone(),
                generation: 1,
            },
            by_old: String::new(),
            by_new: String::new(),
        })
    }

    fn admit(graph: &mut TrustGraph, certificate: &Certificate) -> Identity {
        let mut budget = Budget::new(9);
        let admission = graph.admit(certificate, Source::Owner, &mut budget);
        admission.unwrap().admitted[0].certificate.identity()
    }

    fn tombstone(target: Identity, signer: &Certificate) -> EarlyStatement {
        EarlyStatement::Tombstone(Tombstone {
            target,
            signer: signer.key_id(),
            signature: String::new(),
        })
    }

    #[test]
    fn a_statement_waits_until_all_that_it_is_about_is_held() {
        let mut graph = TrustGraph::new(Limits::default());
        let [old, new, another] = ["K1ABC", "K1ABC", "K2ABC"].map(person);
        let mut early = Early::default();
        early.keep(group("10.0.0.1"), change(&old, &new));
        early.keep(group("10.0.0.1"), change(&old, &another));
        admit(&mut graph, &old);
        assert!(early.due(&graph).is_empty());
        // A key with a certificate for another callsign follows nobody.
        admit(&mut graph, &another);
        assert!(early.due(&graph).is_empty());
        let target = admit(&mut graph, &new);
        early.keep(group("10.0.0.2"), tombstone(target, &new));
        early.keep(group("10.0.0.2"), tombstone(Identity::new([7; 32]), &new));
        let due = early.due(&graph);
        let is_change = |one: &EarlyStatement| matches!(one, EarlyStatement::Rekey(_));
        let changes = due.iter().filter(|(_, one)| is_change(one)).count();
        assert_eq!((due.len(), changes), (2, 1));
        assert!(early.due(&graph).is_empty(), "taken out once");
    }

    #[test]
    fn a_flood_of_one_takes_no_place_of_another() {
        let mut graph = TrustGraph::new(Limits::default());
        let withdrawn = person("K1ABC");
        let target = {
            let mut elsewhere = TrustGraph::new(Limits::default());
            admit(&mut elsewhere, &withdrawn)
        };
        let mut early = Early::default();
        early.keep(group("10.0.0.1"), tombstone(target, &withdrawn));
        for number in 0..2 * MOST {
            let mut made_up = [0; 32];
            made_up[..8].copy_from_slice(&number.to_be_bytes());
            let flood = tombstone(Identity::new(made_up), &withdrawn);
            early.keep(group("10.0.0.2"), flood);
        }
        admit(&mut graph, &withdrawn);
        assert_eq!(early.due(&graph).len(), 1);
    }
}
