//! What is in memory: the graph and what belongs to it, as the store keeps it.

use pki::TrustGraph;
use pki::graph::Limits;
use store::{Store, StoreError};

use super::anchors::Anchors;
use super::issuing::books::Books;

/// Everything that readers ask for without waiting for the disk.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) graph: TrustGraph,
    pub(super) anchors: Anchors,
    pub(super) books: Books,
}

impl Known {
    /// Reads everything back, without checking a signature.
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut graph = TrustGraph::new(Limits::default());
        for (key, certificates) in store.caps()? {
            graph.raise_cap(key, certificates);
        }
        for identity in graph.restore(store.certificates()?) {
            tracing::warn!(%identity, "a stored certificate's issuer is missing: the database is damaged");
        }
        for anchor in store.anchors()? {
            graph.add_anchor(&anchor.identity);
        }
        for entry in store.blacklist()? {
            graph.restore_blacklist(entry);
        }
        graph.restore_tombstones(store.tombstones()?);
        graph.restore_rekeys(store.rekeys()?);
        graph.restore_successors(store.chosen_successors()?);
        let accepted = store.accepted_keys()?.into_iter();
        graph.restore_accepted(
            accepted
                .map(|(call, key)| (call.base().into(), key))
                .collect(),
        );
        let anchors = Anchors::load(store)?;
        let books = Books::load(store)?;
        Ok(Self {
            graph,
            anchors,
            books,
        })
    }
}
