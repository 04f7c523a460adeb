//! Whether several operators speak independently of each other.
//!
//! Three endorsements are worth nothing if one person made up the endorsers. So from every endorser
//! a path of trust must lead to an anchor, and no two of these paths may pass by the same key, the
//! anchors' own excepted (Menger: as many paths as a flow carries through keys of capacity one). A
//! server that an anchor's holder certified for themselves stands for that anchor: it issues on their
//! behalf.
//!
//! Keys are not merged by callsign on the way: whoever may issue can give a key any callsign, and
//! would make themselves a way round by somebody else's name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use station::KeyId;

use super::TrustGraph;
use super::web::EdgeId;

/// Most keys that one question may name.
pub const MAX_VOUCHERS: usize = 8;

impl TrustGraph {
    /// Whether these keys, all trusted to vouch, are those of different callsigns and lead to
    /// anchors by paths that share no key but the anchors'. No for none of them and for more than
    /// [`MAX_VOUCHERS`]. Checks no signature; the work is bounded by the certificates above them.
    #[must_use]
    pub fn disjoint_vouchers(&self, vouchers: &[KeyId]) -> bool {
        if vouchers.is_empty() || vouchers.len() > MAX_VOUCHERS {
            return false;
        }
        let mut callsigns = BTreeSet::new();
        let mut flow = Flow::default();
        vouchers.iter().all(|voucher| {
            let vouching: Vec<EdgeId> = self.vouching(voucher).collect();
            let bases = vouching
                .iter()
                .map(|edge| self.web.edges[*edge].certificate.callsign().base());
            let bases: BTreeSet<&str> = bases.collect();
            !bases.is_empty()
                && bases.into_iter().all(|base| callsigns.insert(base))
                && (self.is_root(voucher) || flow.add(*voucher, self))
        })
    }

    /// The certificates by which this key may vouch.
    fn vouching(&self, key: &KeyId) -> impl Iterator<Item = EdgeId> + '_ {
        self.web
            .certificates_of(key)
            .filter(|edge| self.lets_issue(*edge))
    }

    /// The keys that let this key vouch.
    fn vouched_by(&self, key: &KeyId) -> BTreeSet<KeyId> {
        self.vouching(key)
            .map(|edge| self.web.nodes[self.web.edges[edge].issuer].key_id)
            .collect()
    }

    /// Whether the key is an anchor's, or that of a server which an anchor's holder certified under
    /// their own callsign.
    fn is_root(&self, key: &KeyId) -> bool {
        self.vouching(key).any(|edge| {
            let edge = &self.web.edges[edge];
            if edge.anchor {
                return true;
            }
            let base = edge.certificate.callsign().base();
            edge.certificate.is_server()
                && self.web.nodes[edge.issuer].into.iter().any(|above| {
                    let anchor = &self.web.edges[*above];
                    anchor.anchor
                        && anchor.certificate.callsign().base() == base
                        && self.lets_issue(*above)
                })
        })
    }
}

/// Paths found so far: each key on one has one key above it.
#[derive(Debug, Default)]
struct Flow {
    /// Key to the next one up, for keys on a path that are not roots.
    up: BTreeMap<KeyId, KeyId>,
    /// The same the other way round, for keys that are not vouchers.
    down: BTreeMap<KeyId, KeyId>,
}

/// A key with two ends: who may vouch for it stands at `Out`, whom it vouches for comes in at `In`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    In(KeyId),
    Out(KeyId),
}

impl Flow {
    /// Finds one more path, perhaps by leading others differently. False when there is none.
    fn add(&mut self, voucher: KeyId, graph: &TrustGraph) -> bool {
        let start = End::In(voucher);
        let mut came: BTreeMap<End, End> = BTreeMap::from([(start, start)]);
        let mut work = VecDeque::from([start]);
        while let Some(end) = work.pop_front() {
            for next in self.onward(end, graph) {
                if came.contains_key(&next) {
                    continue;
                }
                came.insert(next, end);
                if let End::In(root) = next
                    && graph.is_root(&root)
                {
                    self.lead(&came, next);
                    return true;
                }
                work.push_back(next);
            }
        }
        false
    }

    /// Where the search may go: up where no path goes yet, or back down along one, to lead it
    /// differently.
    fn onward(&self, end: End, graph: &TrustGraph) -> Vec<End> {
        match end {
            End::In(key) if self.up.contains_key(&key) => self
                .down
                .get(&key)
                .map(|below| End::Out(*below))
                .into_iter()
                .collect(),
            End::In(key) => vec![End::Out(key)],
            End::Out(key) => {
                let taken = self.up.get(&key);
                let up = graph.vouched_by(&key).into_iter();
                let up = up.filter(|above| Some(above) != taken && *above != key);
                up.map(End::In).chain(taken.map(|_| End::In(key))).collect()
            }
        }
    }

    /// Writes down the path that ends here. Steps down take away what was there.
    fn lead(&mut self, came: &BTreeMap<End, End>, last: End) {
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        let mut to = last;
        while let Some(from) = came.get(&to).copied().filter(|from| *from != to) {
            match (from, to) {
                (End::Out(below), End::In(above)) if below != above => added.push((below, above)),
                (End::In(above), End::Out(below)) if below != above => removed.push((below, above)),
                _ => {}
            }
            to = from;
        }
        for (below, above) in removed {
            self.up.remove(&below);
            self.down.remove(&above);
        }
        for (below, above) in added {
            self.up.insert(below, above);
            self.down.insert(above, below);
        }
    }
}
