//! Reachability from the anchors, kept up to date.
//!
//! A node *may issue* when some certificate that lets its holder issue names it, is not dead
//! ([`Cause`](super::Cause)), and is an anchor or signed by a node that may issue. One such
//! certificate is remembered as the node's support; supports form trees below the anchors. A
//! certificate is trusted when it is not dead, and is an anchor or signed by a node that may issue.
//!
//! Gaining goes forward from the new certificate only. Losing takes the support from the trees below
//! what died, then looks for other certificates that still vouch for each of those nodes. Neither
//! checks a signature nor recurses.

use std::collections::{BTreeMap, BTreeSet};

use station::KeyId;

use super::TrustGraph;
use super::marks::Marks;
use super::web::{Charge, EdgeId, NodeId};

/// Nodes whose support falls away, each with the one that takes its place.
pub(super) type Weighed = BTreeMap<NodeId, Option<EdgeId>>;

/// What a change did to verdicts.
#[derive(Debug, Default)]
pub(super) struct Shift {
    pub(super) lost: BTreeSet<EdgeId>,
    pub(super) gained: BTreeSet<EdgeId>,
}

impl TrustGraph {
    /// Whether a certificate is trusted now.
    pub(super) fn trusts(&self, edge: EdgeId) -> bool {
        self.would_trust(&self.marks, &BTreeMap::new(), edge)
    }

    /// Whether a node may issue now.
    pub(super) fn issues(&self, node: NodeId) -> bool {
        self.web.nodes[node].support.is_some()
    }

    /// Whether a certificate is trusted under these marks, once the weighed nodes have changed.
    pub(super) fn would_trust(&self, marks: &Marks, weighed: &Weighed, edge: EdgeId) -> bool {
        let edge = &self.web.edges[edge];
        if !edge.anchor {
            let issues = match weighed.get(&edge.issuer) {
                Some(support) => support.is_some(),
                None => self.issues(edge.issuer),
            };
            if !issues {
                return false;
            }
        }
        marks.cause(edge).is_none()
    }

    fn supports(&self, marks: &Marks, weighed: &Weighed, edge: EdgeId) -> bool {
        self.web.edges[edge].certificate.may_issue() && self.would_trust(marks, weighed, edge)
    }

    /// What the nodes lose when the certificates of `touched` die under `marks`. `uprooted` was an
    /// anchor until now: what leans on it falls first, lest it hold itself up from below.
    pub(super) fn weigh(
        &self,
        marks: &Marks,
        touched: &[EdgeId],
        uprooted: Option<EdgeId>,
    ) -> Weighed {
        let mut weighed = Weighed::new();
        let mut work = touched.to_vec();
        while let Some(edge) = work.pop() {
            let subject = self.web.edges[edge].subject;
            let node = &self.web.nodes[subject];
            let leans = node.support == Some(edge) && !weighed.contains_key(&subject);
            if leans && (uprooted == Some(edge) || !self.supports(marks, &weighed, edge)) {
                weighed.insert(subject, None);
                work.extend(&node.out);
            }
        }
        let fallen: Vec<NodeId> = weighed.keys().copied().collect();
        let mut work: Vec<EdgeId> = fallen
            .iter()
            .flat_map(|node| self.web.nodes[*node].into.iter().copied())
            .collect();
        while let Some(edge) = work.pop() {
            let subject = self.web.edges[edge].subject;
            let without = weighed.get(&subject) == Some(&None);
            if without && self.supports(marks, &weighed, edge) {
                weighed.insert(subject, Some(edge));
                work.extend(&self.web.nodes[subject].out);
            }
        }
        weighed
    }

    /// The certificates that are trusted now and would not be.
    pub(super) fn losing(
        &self,
        marks: &Marks,
        weighed: &Weighed,
        touched: &[EdgeId],
    ) -> BTreeSet<EdgeId> {
        let below = weighed
            .iter()
            .filter(|(_, support)| support.is_none())
            .flat_map(|(node, _)| &self.web.nodes[*node].out);
        touched
            .iter()
            .chain(below)
            .copied()
            .filter(|edge| self.trusts(*edge) && !self.would_trust(marks, weighed, *edge))
            .collect()
    }

    /// Puts new marks in force. `touched` holds every certificate that they kill or revive.
    pub(super) fn shift(&mut self, marks: Marks, touched: &[EdgeId]) -> Shift {
        self.shift_from(marks, touched, None)
    }

    /// The same, with a certificate that is no anchor any more.
    pub(super) fn shift_from(
        &mut self,
        marks: Marks,
        touched: &[EdgeId],
        uprooted: Option<EdgeId>,
    ) -> Shift {
        let touched: BTreeSet<EdgeId> = touched.iter().copied().collect();
        let listed: Vec<EdgeId> = touched.iter().copied().collect();
        let weighed = self.weigh(&marks, &listed, uprooted);
        let lost = self.losing(&marks, &weighed, &listed);
        let before: BTreeSet<EdgeId> = listed
            .iter()
            .copied()
            .filter(|edge| self.trusts(*edge))
            .collect();
        for (node, support) in weighed {
            self.web.nodes[node].support = support;
        }
        self.marks = marks;
        let mut gained = self.grow(listed);
        // Untouched anchors were trusted before, whoever else vouches for them now.
        gained.retain(|edge| {
            !before.contains(edge) && (touched.contains(edge) || !self.web.edges[*edge].anchor)
        });
        Shift { lost, gained }
    }

    /// Carries trust forward from certificates that may have gained it. Gives the certificates it
    /// came by that are trusted now.
    pub(super) fn grow(&mut self, mut work: Vec<EdgeId>) -> BTreeSet<EdgeId> {
        let mut trusted = BTreeSet::new();
        while let Some(id) = work.pop() {
            if !self.trusts(id) {
                continue;
            }
            trusted.insert(id);
            let account = self.account_for(id);
            self.charge_account(id, account);
            let edge = &self.web.edges[id];
            let (may_issue, anchor) = (edge.certificate.may_issue(), edge.anchor);
            let node = &mut self.web.nodes[edge.subject];
            if may_issue && node.support.is_none() {
                node.support = Some(id);
                let own = anchor || account.is_none_or(|account| self.anchored(account));
                let node = &mut self.web.nodes[self.web.edges[id].subject];
                node.account = if own { Some(node.key_id) } else { account };
                work.extend(&node.out);
            }
        }
        trusted
    }

    /// Whose cap a trusted certificate counts against: its issuer's, which is the key next to the
    /// anchor by whose word it came. Anchors are the owner's own doing and count for nobody.
    pub(super) fn account_for(&self, edge: EdgeId) -> Option<KeyId> {
        let edge = &self.web.edges[edge];
        if edge.anchor {
            return None;
        }
        self.web.nodes[edge.issuer].account
    }

    fn anchored(&self, key: KeyId) -> bool {
        self.anchor_keys.contains_key(&key)
    }

    fn charge_account(&mut self, edge: EdgeId, account: Option<KeyId>) {
        match self.web.edges[edge].charge {
            Charge::Account(_) => return,
            Charge::Untrusted(place) => self.untrusted.release(place),
            Charge::Nothing => {}
        }
        self.web.edges[edge].charge = account.map_or(Charge::Nothing, Charge::Account);
        if let Some(account) = account {
            *self.accounts.entry(account).or_default() += 1;
        }
    }
}
