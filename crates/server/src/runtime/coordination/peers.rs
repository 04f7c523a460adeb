//! Whom to dial: servers heard nearby, and those the owner names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use coordination::{Input, Source};
use ring::digest;
use station::Zone;
use store::StoreError;

use super::{Coordinator, LOOK_AROUND};
use crate::runtime::{Neighbour, Source as Found, lock};

/// A neighbour as the node is told of it.
type Told = ((String, Source), (Option<[u8; 8]>, Instant));

impl Coordinator {
    /// Adds a server that the owner names; it is dialled until it is taken off the list. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be stored; nothing is changed then.
    pub fn add_peer(&self, endpoint: &str) -> Result<(), StoreError> {
        lock(&self.around.ownership.store()).add_peer(endpoint)?;
        self.name_peers(vec![endpoint.to_owned()]);
        Ok(())
    }

    /// Takes every endpoint that the owner named or imported of a row of [`Coordinator::peers`] off the list. True if
    /// there was one. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be stored.
    pub fn remove_named(&self, id: &str) -> Result<bool, StoreError> {
        let of_row: Vec<(String, bool)> = {
            let core = lock(&self.core);
            let places = core
                .node
                .iter()
                .flat_map(|node| node.places().collect::<Vec<_>>());
            let named = places.filter(|place| {
                let server = place.server.and_then(|id| core.fingerprint_of(id));
                let theirs = server.is_some_and(|server| server.to_string() == id);
                let by_owner = [Source::Owner, Source::Listed];
                by_owner.iter().any(|source| place.sources.contains(source))
                    && (theirs || place_id(place.endpoint) == id)
            });
            let named = named.map(|place| {
                let listed = place.sources.contains(&Source::Listed);
                (place.endpoint.to_owned(), listed)
            });
            named.collect()
        };
        for (endpoint, listed) in &of_row {
            lock(&self.around.ownership.store()).remove_peer(endpoint)?;
            self.tell(Input::PeerLost {
                endpoint: endpoint.clone(),
                source: Source::Owner,
            });
            if *listed {
                // The node is told by who follows the neighbours.
                let there = |known: &Neighbour| self.place(known).0.0 == *endpoint;
                lock(&self.around.neighbourhood).take_off(there);
            }
            lock(&self.core).troubles.remove(endpoint);
        }
        Ok(!of_row.is_empty())
    }

    /// Where the owner says other servers are. Blocks on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn named_peers(&self) -> Result<Vec<String>, StoreError> {
        lock(&self.around.ownership.store()).peers()
    }

    pub(super) fn name_peers(&self, endpoints: Vec<String>) {
        for endpoint in endpoints {
            self.tell(Input::PeerFound {
                endpoint,
                source: Source::Owner,
                hint: None,
            });
        }
    }

    /// Tells the node of servers that are heard nearby, and of those that are not heard any more.
    pub(super) async fn follow_neighbours(self: &Arc<Self>) {
        let mut changes = lock(&self.around.neighbourhood).watch();
        let mut told = BTreeMap::<(String, Source), (Option<[u8; 8]>, Instant)>::new();
        let mut begun = self.begun.subscribe();
        let mut addresses = self.endpoints();
        loop {
            let list = lock(&self.around.neighbourhood).list(Instant::now());
            let heard: BTreeMap<_, _> = list.iter().map(|known| self.place(known)).collect();
            for (from @ (endpoint, source), place @ (hint, _)) in &heard {
                // Who is heard again may have started anew.
                if told.get(from) != Some(place) {
                    self.tell(Input::PeerFound {
                        endpoint: endpoint.clone(),
                        source: *source,
                        hint: *hint,
                    });
                }
            }
            for (endpoint, source) in told.keys().filter(|from| !heard.contains_key(*from)) {
                self.tell(Input::PeerLost {
                    endpoint: endpoint.clone(),
                    source: *source,
                });
            }
            told = heard;
            tokio::select! {
                _ = changes.changed() => {}
                // A new node has heard nothing yet.
                _ = begun.changed() => told.clear(),
                () = tokio::time::sleep(LOOK_AROUND) => {
                    let now = self.endpoints();
                    if now != addresses {
                        addresses = now;
                        self.describe_myself();
                    }
                }
            }
        }
    }

    /// Where to dial a neighbour: over TLS, which all of our own servers speak, but not across amateur
    /// frequencies.
    fn place(&self, known: &Neighbour) -> Told {
        let sighting = &known.sighting;
        let hint = sighting
            .fp
            .as_deref()
            .and_then(|fp| u64::from_str_radix(fp, 16).ok());
        let endpoint = match sighting.endpoint.strip_prefix("http://") {
            Some(authority) if hint.is_some() && self.may_encrypt_towards(authority) => {
                format!("https://{authority}")
            }
            _ => sighting.endpoint.clone(),
        };
        let source = match known.source {
            Found::Mdns => Source::Mdns,
            Found::Manual => Source::Listed,
        };
        (
            (endpoint, source),
            (hint.map(u64::to_be_bytes), known.heard),
        )
    }

    fn may_encrypt_towards(&self, authority: &str) -> bool {
        let Ok(remote) = authority.parse::<std::net::SocketAddr>() else {
            return false;
        };
        let local = crate::network::links::source_towards(remote.ip());
        local.is_some_and(|local| self.around.zoning.between(local, remote.ip()).zone == Zone::Open)
    }
}

/// The name of a place where nobody is known yet: 32 digits, as a URL takes them.
pub(super) fn place_id(endpoint: &str) -> String {
    let hash = digest::digest(&digest::SHA256, endpoint.as_bytes());
    let first = hash.as_ref().iter().take(16);
    first.map(|byte| format!("{byte:02x}")).collect()
}

/// How a server was found, as the node counts it.
pub(super) fn word(source: Source) -> &'static str {
    match source {
        Source::Owner | Source::Listed => "manual",
        Source::Mdns => "mdns",
        Source::Cq => "cq",
        Source::Peer => "peer",
    }
}
