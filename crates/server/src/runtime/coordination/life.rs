//! When there is a node, and what it says of this server: it begins when the server opens to the network,
//! with what the disk remembers, and ends when the server closes.

use std::sync::Arc;
use std::time::Instant;

use coordination::{Blob, Input, Limits, LinkId, Memory, Myself, Node};
use pki::Certificate;
use ring::rand::SecureRandom as _;
use station::Zone;
use store::{Claim, StoreError};

use super::said::Said;
use super::{Coordinator, errands};
use crate::CAPABILITIES;
use crate::network::url_host;
use crate::runtime::{ClaimState, NoRandomness, lock};

impl Coordinator {
    /// Has a node while the server is open to the network.
    pub(super) async fn follow_state(self: &Arc<Self>) {
        let mut states = self.around.ownership.watch_state();
        loop {
            let open = *states.borrow_and_update() == ClaimState::Active;
            if open {
                let coordinator = Arc::clone(self);
                let begun = tokio::task::spawn_blocking(move || coordinator.begin()).await;
                if let Ok(Err(error)) = begun {
                    tracing::error!(%error, "this server does not coordinate with others");
                }
            } else {
                self.end();
            }
            if states.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Starts the node with what this server remembers. Blocks on the disk.
    fn begin(&self) -> Result<(), BeginError> {
        if lock(&self.core).node.is_some() {
            return Ok(());
        }
        let Some(claim) = self.around.ownership.claim() else {
            return Ok(());
        };
        let mut seed = [0; 32];
        self.random.fill(&mut seed).map_err(|_| NoRandomness)?;
        let (boot, records, named) = {
            let store = self.around.ownership.store();
            let mut store = lock(&store);
            (store.next_boot()?, store.server_records()?, store.peers()?)
        };
        let items = self.recall_items();
        let memory = Memory {
            boot,
            records: records.into_iter().map(errands::recalled).collect(),
            servers: Vec::new(),
            items,
        };
        let myself = self.myself(&claim);
        let callsign = myself.callsign.clone();
        {
            let mut core = lock(&self.core);
            let now = Instant::now();
            core.own = Some(myself.fingerprint());
            core.node = Some(Node::new(Limits::default(), myself, memory, seed, now));
        }
        tracing::info!(%callsign, boot, "coordinating with other servers");
        self.tell(Input::Tick);
        self.recall_advice()?;
        self.name_peers(named);
        self.begun.send_replace(());
        Ok(())
    }

    /// Ends every link and forgets the node: the server is closed, or stops.
    pub fn end(&self) {
        let lines = {
            let mut core = lock(&self.core);
            core.node = None;
            core.troubles.clear();
            core.said = Said::default();
            std::mem::take(&mut core.lines)
        };
        for open in lines.into_values() {
            open.end();
        }
        self.forget_people();
    }

    fn myself(&self, claim: &Claim) -> Myself {
        let chain = [&claim.server, &claim.owner]
            .into_iter()
            .chain(&claim.chain);
        Myself {
            callsign: claim.owner.callsign().clone(),
            chain: chain
                .map(|one: &Certificate| Blob::from(one.der()))
                .collect(),
            key: Arc::from(claim.server.public_key().spki().as_slice()),
            endpoints: self.endpoints(),
            capabilities: capabilities(),
        }
    }

    /// Where other servers reach this one: over TLS, but not across amateur frequencies.
    pub(super) fn endpoints(&self) -> Vec<String> {
        let addresses = self.around.reach.addresses().into_iter();
        addresses
            .map(|address| {
                let zone = self.around.zoning.between(address, address).zone;
                let scheme = if zone == Zone::Open { "https" } else { "http" };
                format!("{scheme}://{}:{}", url_host(address), self.around.port)
            })
            .collect()
    }

    /// Ends links whose network counts as something else now.
    pub(super) async fn follow_zones(&self) {
        let mut changes = self.around.zoning.watch();
        while changes.changed().await.is_ok() {
            let turned: Vec<LinkId> = {
                let core = lock(&self.core);
                let lines = core.lines.iter();
                let turned =
                    lines.filter(|(_, open)| self.around.zoning.of(open.ends).zone != open.zone);
                turned.map(|(&link, _)| link).collect()
            };
            for link in turned {
                self.hang_up(link);
            }
            self.describe_myself();
        }
        std::future::pending::<()>().await;
    }

    /// Ends a link from this side.
    fn hang_up(&self, link: LinkId) {
        let open = lock(&self.core).lines.remove(&link);
        if let Some(open) = open {
            open.end();
            self.tell(Input::LinkDown { link });
        }
    }

    pub(super) fn describe_myself(&self) {
        self.tell(Input::Myself {
            endpoints: self.endpoints(),
            capabilities: capabilities(),
        });
    }
}

/// Why a node did not begin.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

fn capabilities() -> Vec<String> {
    CAPABILITIES.iter().map(ToString::to_string).collect()
}
