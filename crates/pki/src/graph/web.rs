//! Nodes and edges: who holds which key, and who signed that.
//!
//! A node is a subject name with a key; an edge is a certificate, from the node whose key signed it
//! to the node it names. Every node has at least one certificate that names it, so its key is at
//! hand. Numbers of nodes and edges are reused and say nothing of order: what is shown is sorted by
//! identity.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use slab::Slab;
use station::{Fingerprint, Identity, KeyId};

use super::ledger::Place;
use crate::certificate::Admitted;
use crate::public_key::PublicKey;

pub(super) type NodeId = usize;
pub(super) type EdgeId = usize;

/// A subject name with a key.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Arc<[u8]>,
    pub(super) key: PublicKey,
    pub(super) key_id: KeyId,
    /// Certificates that name this node.
    pub(super) into: Vec<EdgeId>,
    /// Certificates that its key signed.
    pub(super) out: Vec<EdgeId>,
    /// The certificate by which it may issue here; none: what it signs is not trusted.
    pub(super) support: Option<EdgeId>,
    /// Whose share its certificates are charged to while untrusted.
    pub(super) root: KeyId,
    /// Whose cap its certificates are charged to while trusted.
    pub(super) account: Option<KeyId>,
}

/// A certificate in the graph.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) certificate: Admitted,
    pub(super) issuer: NodeId,
    pub(super) subject: NodeId,
    /// The owner trusts its holder without anybody else's word.
    pub(super) anchor: bool,
    pub(super) charge: Charge,
}

/// What a certificate is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    Nothing,
    Untrusted(Place),
    Account(KeyId),
}

/// The graph without any verdict.
#[derive(Debug, Default)]
pub(super) struct Web {
    pub(super) nodes: Slab<Node>,
    pub(super) edges: Slab<Edge>,
    names: HashMap<Arc<[u8]>, BTreeMap<KeyId, NodeId>>,
    keys: HashMap<KeyId, BTreeSet<NodeId>>,
    identities: HashMap<Identity, EdgeId>,
    fingerprints: HashMap<Fingerprint, EdgeId>,
    callsigns: BTreeMap<Box<str>, BTreeMap<Identity, EdgeId>>,
}

impl Web {
    pub(super) fn by_identity(&self, identity: &Identity) -> Option<EdgeId> {
        self.identities.get(identity).copied()
    }

    pub(super) fn by_fingerprint(&self, fingerprint: &Fingerprint) -> Option<EdgeId> {
        self.fingerprints.get(fingerprint).copied()
    }

    /// The nodes of a key, one for each name it is known by.
    pub(super) fn nodes_of(&self, key: &KeyId) -> impl Iterator<Item = NodeId> + '_ {
        self.keys.get(key).into_iter().flatten().copied()
    }

    /// The key, when some certificate here holds it.
    pub(super) fn key(&self, key: &KeyId) -> Option<&PublicKey> {
        self.nodes_of(key).next().map(|node| &self.nodes[node].key)
    }

    /// Every certificate of a key.
    pub(super) fn certificates_of(&self, key: &KeyId) -> impl Iterator<Item = EdgeId> + '_ {
        self.nodes_of(key)
            .flat_map(|node| self.nodes[node].into.iter().copied())
    }

    /// Every certificate for a callsign, compared by its base, in the order of identities.
    pub(super) fn certificates_for(&self, base: &str) -> impl Iterator<Item = EdgeId> + '_ {
        self.callsigns
            .get(base)
            .into_iter()
            .flat_map(|edges| edges.values().copied())
    }

    /// Every callsign, by its base.
    pub(super) fn callsigns(&self) -> impl Iterator<Item = &str> {
        self.callsigns.keys().map(AsRef::as_ref)
    }

    /// Every certificate after the given one, of one base only or of all, with the base of its callsign:
    /// by base and then by identity.
    pub(super) fn listed<'a>(
        &'a self,
        after: Option<(&'a str, Identity)>,
        only: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, EdgeId)> {
        let first = after.map_or("", |(base, _)| base);
        let to = only.map_or(Bound::Unbounded, Bound::Included);
        let from = Bound::Included(only.unwrap_or(first));
        self.callsigns
            .range::<str, _>((from, to))
            .filter(move |(base, _)| base.as_ref() >= first)
            .flat_map(move |(base, edges)| {
                let from = match after {
                    Some((first, identity)) if base.as_ref() == first => Bound::Excluded(identity),
                    _ => Bound::Unbounded,
                };
                let edges = edges.range((from, Bound::Unbounded));
                edges.map(move |(_, edge)| (base.as_ref(), *edge))
            })
    }

    /// The keys known under a subject name.
    pub(super) fn named(&self, name: &[u8]) -> Option<&BTreeMap<KeyId, NodeId>> {
        self.names.get(name)
    }

    pub(super) fn node(&self, name: &[u8], key: &KeyId) -> Option<NodeId> {
        self.names.get(name)?.get(key).copied()
    }

    /// Adds a certificate that `issuer` signed, which is under `certificate.issuer()` its own key or
    /// that of another certificate. The new node, if it made one, comes second.
    pub(super) fn insert(
        &mut self,
        certificate: Admitted,
        issuer: &PublicKey,
    ) -> (EdgeId, Option<NodeId>) {
        let issuer_id = issuer.key_id();
        let self_signed = certificate.is_self_issued() && certificate.key_id() == issuer_id;
        let root = if self_signed {
            issuer_id
        } else {
            self.node(certificate.issuer(), &issuer_id)
                .map_or(issuer_id, |node| self.nodes[node].root)
        };
        let (name, key, key_id) = (
            certificate.subject(),
            certificate.public_key(),
            certificate.key_id(),
        );
        let known = self.node(name, &key_id);
        let subject = known.unwrap_or_else(|| self.add_node(name, key, key_id, root));
        let issuer = if self_signed {
            subject
        } else {
            let name = certificate.issuer();
            self.node(name, &issuer_id)
                .unwrap_or_else(|| self.add_node(name, issuer, issuer_id, root))
        };
        let edge = self.add_edge(certificate, issuer, subject);
        (edge, known.is_none().then_some(subject))
    }

    fn add_node(&mut self, name: &[u8], key: &PublicKey, key_id: KeyId, root: KeyId) -> NodeId {
        let name: Arc<[u8]> = self
            .names
            .get_key_value(name)
            .map_or_else(|| name.into(), |(name, _)| Arc::clone(name));
        let node = self.nodes.insert(Node {
            name: Arc::clone(&name),
            key: *key,
            key_id,
            into: Vec::new(),
            out: Vec::new(),
            support: None,
            root,
            account: None,
        });
        self.names.entry(name).or_default().insert(key_id, node);
        self.keys.entry(key_id).or_default().insert(node);
        node
    }

    fn add_edge(&mut self, certificate: Admitted, issuer: NodeId, subject: NodeId) -> EdgeId {
        let identity = certificate.identity();
        let fingerprint = certificate.fingerprint();
        let base: Box<str> = certificate.callsign().base().into();
        let edge = self.edges.insert(Edge {
            certificate,
            issuer,
            subject,
            anchor: false,
            charge: Charge::Nothing,
        });
        self.nodes[issuer].out.push(edge);
        self.nodes[subject].into.push(edge);
        self.identities.insert(identity, edge);
        self.fingerprints.insert(fingerprint, edge);
        self.callsigns
            .entry(base)
            .or_default()
            .insert(identity, edge);
        edge
    }

    /// Takes a certificate out. Its subject's node stays while other certificates name it.
    pub(super) fn remove(&mut self, id: EdgeId) -> Edge {
        let edge = self.edges.remove(id);
        self.nodes[edge.issuer].out.retain(|other| *other != id);
        self.nodes[edge.subject].into.retain(|other| *other != id);
        self.identities.remove(&edge.certificate.identity());
        self.fingerprints.remove(&edge.certificate.fingerprint());
        let base = edge.certificate.callsign().base();
        if let Some(edges) = self.callsigns.get_mut(base) {
            edges.remove(&edge.certificate.identity());
            if edges.is_empty() {
                self.callsigns.remove(base);
            }
        }
        self.remove_if_bare(edge.subject);
        self.remove_if_bare(edge.issuer);
        edge
    }

    fn remove_if_bare(&mut self, id: NodeId) {
        let bare = self
            .nodes
            .get(id)
            .is_some_and(|node| node.into.is_empty() && node.out.is_empty());
        if !bare {
            return;
        }
        let node = self.nodes.remove(id);
        if let Some(keys) = self.names.get_mut(&node.name) {
            keys.remove(&node.key_id);
            if keys.is_empty() {
                self.names.remove(&node.name);
            }
        }
        if let Some(nodes) = self.keys.get_mut(&node.key_id) {
            nodes.remove(&id);
            if nodes.is_empty() {
                self.keys.remove(&node.key_id);
            }
        }
    }
}
