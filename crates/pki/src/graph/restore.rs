//! From the store back into the graph, without signature checks.

use std::collections::{BTreeMap, HashMap};

use station::{Identity, KeyId};

use super::TrustGraph;
use super::admit::first_with;
use super::limits::Source;
use super::web::Charge;
use crate::certificate::Admitted;
use crate::public_key::PublicKey;

/// A certificate as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The certificate, admitted before.
    pub certificate: Admitted,
    /// Where it came from.
    pub source: Source,
}

impl TrustGraph {
    /// Takes back what was admitted before, in any order and without a signature check. Each
    /// identity must be that of the certificate with a key held here under its issuer's name. Gives
    /// the identities for which there is none: the store is damaged.
    pub fn restore(&mut self, stored: Vec<Stored>) -> Vec<Identity> {
        let issuers = self.issuers_of(&stored);
        let owners: Vec<Identity> = stored
            .iter()
            .filter(|stored| stored.source == Source::Owner)
            .map(|stored| stored.certificate.identity())
            .collect();
        let mut unresolved = Vec::new();
        for (
            Stored {
                certificate,
                source,
            },
            issuer,
        ) in stored.into_iter().zip(issuers)
        {
            let identity = certificate.identity();
            match issuer {
                None => unresolved.push(identity),
                Some(_) if self.web.by_identity(&identity).is_some() => {}
                Some(issuer) => self.put_back(certificate, source, &issuer),
            }
        }
        for identity in owners {
            if let Some(edge) = self.web.by_identity(&identity) {
                self.keep(edge);
            }
        }
        self.marks.condemned = self.condemned_by(&self.marks);
        unresolved
    }

    fn put_back(&mut self, certificate: Admitted, source: Source, issuer: &PublicKey) {
        let (edge, new_node) = self.web.insert(certificate, issuer);
        let root = self.web.nodes[self.web.edges[edge].issuer].root;
        let place = self.untrusted.charge(source, Some(root), edge);
        self.web.edges[edge].charge = place.map_or(Charge::Nothing, Charge::Untrusted);
        self.grow(vec![edge]);
        if let Some(node) = new_node {
            let node = &self.web.nodes[node];
            self.waiting.arrived(&node.name, &node.key);
        }
    }

    /// The issuer's key of each, found by the identity.
    fn issuers_of(&self, stored: &[Stored]) -> Vec<Option<PublicKey>> {
        let mut keys: HashMap<&[u8], BTreeMap<KeyId, PublicKey>> = HashMap::new();
        for Stored { certificate, .. } in stored {
            keys.entry(certificate.subject())
                .or_default()
                .insert(certificate.key_id(), *certificate.public_key());
        }
        let find = |certificate: &Admitted| {
            let signed =
                |key: &PublicKey| certificate.identity_under(key) == certificate.identity();
            let named = keys.get(certificate.issuer());
            let hint = certificate.issuer_hint().unwrap_or_default();
            let hinted = named
                .into_iter()
                .filter_map(|keys| keys.range(first_with(hint)..).next());
            hinted
                .chain(named.into_iter().flatten())
                .map(|(_, key)| *key)
                .chain(self.held_keys(certificate.issuer()))
                .find(signed)
        };
        stored
            .iter()
            .map(|stored| find(&stored.certificate))
            .collect()
    }

    fn held_keys(&self, name: &[u8]) -> impl Iterator<Item = PublicKey> + '_ {
        let named = self.web.named(name).into_iter().flatten();
        named.map(|(_, node)| self.web.nodes[*node].key)
    }
}
