//! The other servers that are there now, and have proved who they are.

use std::time::{Duration, Instant};

use coordination::Standing;
use station::{Callsign, Fingerprint};

use super::{Coordinator, lock};

/// A server that is there now, and whose root is trusted here.
#[derive(Debug, Clone)]
pub struct PresentServer {
    /// The callsign in its certificate.
    pub callsign: Callsign,
    /// Its certificate.
    pub fingerprint: Fingerprint,
    /// Where it is: the address it was dialled at, and those it says, signed by its key.
    pub endpoints: Vec<String>,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// How long ago something came from it over a link of ours; none where it is reached through others.
    pub heard: Option<Duration>,
}

impl Coordinator {
    /// Those servers, by callsign. Empty while there is no node.
    #[must_use]
    pub fn present(&self) -> Vec<PresentServer> {
        let core = lock(&self.core);
        let Some(node) = core.node.as_ref() else {
            return Vec::new();
        };
        let now = Instant::now();
        let there = node.servers().filter(|server| {
            server.standing == Standing::Trusted && (server.link.is_some() || server.there)
        });
        let mut present: Vec<_> = there
            .map(|server| {
                let open = server.link.and_then(|link| core.lines.get(&link));
                let mut places = node.places();
                let dialed = places.find(|place| place.server == Some(server.id));
                let dialed = dialed.map(|place| place.endpoint.to_owned());
                PresentServer {
                    callsign: server.callsign.clone(),
                    fingerprint: server.fingerprint,
                    endpoints: dialed
                        .into_iter()
                        .chain(server.endpoints.iter().cloned())
                        .collect(),
                    capabilities: server.capabilities.to_vec(),
                    heard: open.map(|open| now.saturating_duration_since(open.heard)),
                }
            })
            .collect();
        present.sort_by(|a, b| (&a.callsign, a.fingerprint).cmp(&(&b.callsign, b.fingerprint)));
        present
    }
}
