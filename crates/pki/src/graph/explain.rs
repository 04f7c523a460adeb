//! Why a certificate is trusted, or the exact reason why not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use station::licence::VouchMethod;
use station::{Callsign, Fingerprint, Identity, KeyId};

use super::TrustGraph;
use super::marks::Cause;
use super::web::{EdgeId, NodeId};
use crate::certificate::Admitted;

/// Most paths that an explanation gives.
pub const MAX_PATHS: usize = 8;

/// Most roots, and most obstacles, that an explanation gives.
pub const MAX_LISTED: usize = 16;

/// Most certificates that a path of an explanation shows.
pub const MAX_STEPS: usize = 64;

/// What is to be said about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// It is trusted, by these paths: the shortest for each certificate that vouches for its issuer,
    /// shortest first.
    Trusted(Vec<Path>),
    /// It counts for nothing, whoever signed it.
    Dead(Cause),
    /// No path leads to an anchor.
    NoPath {
        /// Self-signed certificates above it, none of them an anchor; at most [`MAX_LISTED`].
        roots: Vec<Step>,
        /// Certificates above it that would go on, were they not in the way; at most
        /// [`MAX_LISTED`].
        blocked: Vec<Blocked>,
        /// Other certificates of the same key that are trusted.
        trusted_by: Vec<Fingerprint>,
    },
    /// Its issuer is not known here.
    Waiting,
}

/// From the certificate, which is first, up to an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The certificates, at least one; each is signed by the next one's key. At most [`MAX_STEPS`].
    pub steps: Vec<Step>,
    /// How many are left out before the last [`MAX_STEPS`] / 2, because the path is so long.
    pub left_out: usize,
}

/// A certificate of an explanation: who it names, and who vouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its label.
    pub fingerprint: Fingerprint,
    /// Its identity.
    pub identity: Identity,
    /// Its holder.
    pub callsign: Callsign,
    /// Its holder's key.
    pub key: KeyId,
    /// Whether it is a server's.
    pub server: bool,
    /// The issuer, as the certificate names it, and how the licence was checked. None when it says
    /// nothing of a licence.
    pub vouched: Option<(Callsign, VouchMethod)>,
    /// Whether the owner made it an anchor.
    pub anchor: bool,
}

/// A certificate that lets no path through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The certificate.
    pub step: Step,
    /// Why it counts for nothing; none when it is good, but does not let its holder issue here: it
    /// is no CA's, or has a path length or name constraints.
    pub cause: Option<Cause>,
}

impl TrustGraph {
    /// Explains a certificate's verdict. None when it is not known.
    #[must_use]
    pub fn explain(&self, fingerprint: &Fingerprint) -> Option<Explanation> {
        let Some(edge) = self.web.by_fingerprint(fingerprint) else {
            let waits = self.waiting.holds(fingerprint);
            return waits.then_some(Explanation::Waiting);
        };
        if let Some(cause) = self.marks.cause(&self.web.edges[edge]) {
            return Some(Explanation::Dead(cause));
        }
        if self.trusts(edge) {
            return Some(Explanation::Trusted(self.paths(edge)));
        }
        Some(self.no_path(edge))
    }

    /// The shortest path through each certificate that vouches for the issuer.
    fn paths(&self, edge: EdgeId) -> Vec<Path> {
        let first = &self.web.edges[edge];
        let mut paths = Vec::new();
        if first.anchor {
            paths.push(vec![edge]);
        }
        if !first.anchor || first.issuer != first.subject {
            let next = self.nearer(first.issuer);
            for above in &self.web.nodes[first.issuer].into {
                paths.extend(self.path(edge, *above, &next));
            }
        }
        let identity = |edge: &EdgeId| self.web.edges[*edge].certificate.identity();
        paths.sort_by_cached_key(|path| {
            let identities: Vec<Identity> = path.iter().map(identity).collect();
            (path.len(), identities)
        });
        paths.truncate(MAX_PATHS);
        paths.iter().map(|path| self.shown(path)).collect()
    }

    fn shown(&self, path: &[EdgeId]) -> Path {
        let left_out = path.len().saturating_sub(MAX_STEPS);
        let middle = MAX_STEPS / 2..MAX_STEPS / 2 + left_out;
        let shown = path.iter().enumerate();
        let shown = shown.filter(|(at, _)| !middle.contains(at));
        Path {
            steps: shown.map(|(_, edge)| self.step(*edge)).collect(),
            left_out,
        }
    }

    /// The certificates above this one, its issuer's first, at most so many: those by which it is
    /// trusted, or else some that are known. Not the shortest path, but found at once.
    #[must_use]
    pub fn chain(&self, identity: &Identity, most: usize) -> Vec<&Admitted> {
        let mut chain = Vec::new();
        let mut seen = BTreeSet::new();
        let first = self.web.by_identity(identity);
        let mut last = first;
        while let Some(edge) = last.map(|edge| &self.web.edges[edge]) {
            let ends = edge.anchor || edge.issuer == edge.subject && !self.issues(edge.issuer);
            if ends || chain.len() >= most || !seen.insert(edge.issuer) {
                break;
            }
            last = self
                .above(edge.issuer)
                .filter(|above| Some(*above) != first);
            chain.extend(last.map(|above| &self.web.edges[above].certificate));
        }
        chain
    }

    /// The certificate that supports a node, or else the likeliest that names it.
    fn above(&self, node: NodeId) -> Option<EdgeId> {
        let node = &self.web.nodes[node];
        let known = node.into.iter().copied().min_by_key(|above| {
            let above = &self.web.edges[*above];
            let own = above.issuer == above.subject;
            (
                !above.certificate.may_issue(),
                own,
                above.certificate.identity(),
            )
        });
        node.support.or(known)
    }

    /// From `edge` by `above`, which names its issuer, to an anchor.
    fn path(
        &self,
        edge: EdgeId,
        above: EdgeId,
        next: &BTreeMap<NodeId, EdgeId>,
    ) -> Option<Vec<EdgeId>> {
        if !self.lets_issue(above) {
            return None;
        }
        let mut path = vec![edge, above];
        let mut last = above;
        while !self.web.edges[last].anchor {
            last = *next.get(&self.web.edges[last].issuer)?;
            path.push(last);
        }
        Some(path)
    }

    /// Whether a certificate carries trust on to what its holder signs.
    pub(super) fn lets_issue(&self, edge: EdgeId) -> bool {
        self.web.edges[edge].certificate.may_issue() && self.trusts(edge)
    }

    /// For every node above `from`, the certificate that brings it nearest to an anchor without
    /// passing by `from` again; among equals, the one of the lowest identity.
    fn nearer(&self, from: NodeId) -> BTreeMap<NodeId, EdgeId> {
        let above = self.ancestors(from);
        let mut next: BTreeMap<NodeId, EdgeId> = BTreeMap::new();
        let mut layer: Vec<EdgeId> = above
            .iter()
            .filter(|node| **node != from)
            .flat_map(|node| &self.web.nodes[*node].into)
            .copied()
            .filter(|edge| self.web.edges[*edge].anchor && self.lets_issue(*edge))
            .collect();
        while !layer.is_empty() {
            layer.sort_unstable_by_key(|edge| self.web.edges[*edge].certificate.identity());
            let mut fresh = Vec::new();
            for edge in layer {
                let node = self.web.edges[edge].subject;
                if let std::collections::btree_map::Entry::Vacant(entry) = next.entry(node) {
                    entry.insert(edge);
                    fresh.push(node);
                }
            }
            let onward = fresh.iter().flat_map(|node| &self.web.nodes[*node].out);
            layer = onward
                .copied()
                .filter(|edge| {
                    let subject = self.web.edges[*edge].subject;
                    subject != from
                        && above.contains(&subject)
                        && !next.contains_key(&subject)
                        && self.lets_issue(*edge)
                })
                .collect();
        }
        next
    }

    /// The node, and every node above it by certificates that carry trust.
    fn ancestors(&self, from: NodeId) -> BTreeSet<NodeId> {
        let mut above = BTreeSet::from([from]);
        let mut work = vec![from];
        while let Some(node) = work.pop() {
            for edge in &self.web.nodes[node].into {
                let issuer = self.web.edges[*edge].issuer;
                if self.lets_issue(*edge) && above.insert(issuer) {
                    work.push(issuer);
                }
            }
        }
        above
    }

    /// Where the ways up from an untrusted certificate end, nearest first.
    fn no_path(&self, edge: EdgeId) -> Explanation {
        let start = &self.web.edges[edge];
        let (mut roots, mut blocked) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::from([start.issuer]);
        let mut work = VecDeque::from([start.issuer]);
        if start.issuer == start.subject {
            roots.push(self.step(edge));
        }
        while let Some(node) = work.pop_front() {
            let mut above = self.web.nodes[node].into.clone();
            above.sort_unstable_by_key(|edge| self.web.edges[*edge].certificate.identity());
            for id in above.into_iter().filter(|id| *id != edge) {
                let edge = &self.web.edges[id];
                let cause = self.marks.cause(edge);
                if cause.is_some() || !edge.certificate.may_issue() {
                    let step = self.step(id);
                    blocked.push(Blocked { step, cause });
                } else if edge.issuer == edge.subject {
                    roots.push(self.step(id));
                } else if seen.insert(edge.issuer) {
                    work.push_back(edge.issuer);
                }
            }
            if roots.len() >= MAX_LISTED && blocked.len() >= MAX_LISTED {
                break;
            }
        }
        roots.truncate(MAX_LISTED);
        blocked.truncate(MAX_LISTED);
        let holder = self.trusted_certificates(&start.certificate.key_id());
        Explanation::NoPath {
            roots,
            blocked,
            trusted_by: holder.iter().map(|other| other.fingerprint()).collect(),
        }
    }

    fn step(&self, edge: EdgeId) -> Step {
        let edge = &self.web.edges[edge];
        let certificate = &edge.certificate;
        Step {
            fingerprint: certificate.fingerprint(),
            identity: certificate.identity(),
            callsign: certificate.callsign().clone(),
            key: certificate.key_id(),
            server: certificate.is_server(),
            vouched: certificate
                .licence()
                .map(|licence| (licence.vouched_by.clone(), licence.method)),
            anchor: edge.anchor,
        }
    }
}
