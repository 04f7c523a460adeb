//! Servers that know only the plain messages: who they say they are, and what they and others say they hand out.
//!
//! Where such a server says it is, nobody here goes: the link that it said so over is there already, and an endpoint of
//! somebody else's would make this server knock there in their name. It is shown, and a person may name it.

use std::time::Instant;

use coordination::Node;
use coordination::message::advice::{CatalogEntry, readable};
use coordination::node::LinkView;
use station::Callsign;

use super::node::Core;
use super::peers::{place_id, word};
use super::said::Speaker;
use super::view::{PeerRow, PeerState};
use super::{Coordinator, lock};
use crate::network::endpoint::Endpoint;

/// Most characters of a capability that is shown.
const MAX_CAPABILITY: usize = 32;

/// What another server says it hands out.
#[derive(Debug)]
pub struct Catalog {
    /// What the server is known by among the [peers](Coordinator::peers).
    pub id: String,
    /// Whose it is; as it says where nothing is proved.
    pub callsign: Option<Callsign>,
    /// Whether somebody this server trusts vouches for it.
    pub verified: bool,
    /// The files.
    pub files: Vec<CatalogEntry>,
    /// How many more it named.
    pub left_out: usize,
}

impl Coordinator {
    /// What other servers say they hand out, by their callsigns.
    #[must_use]
    pub fn catalogs(&self) -> Vec<Catalog> {
        let mut core = lock(&self.core);
        core.forget_the_gone();
        let core = &*core;
        let now = Instant::now();
        let said = core.said.iter();
        let mut catalogs: Vec<Catalog> = said
            .filter(|(_, words)| !words.catalog.items.is_empty())
            .filter_map(|(speaker, words)| {
                let who = core.who(speaker, words, now)?;
                Some(Catalog {
                    id: match speaker {
                        Speaker::Proved(server) => core.fingerprint_of(server)?.to_string(),
                        Speaker::Unproved(link) => {
                            let node = core.node.as_ref()?;
                            plain_id(&node.links().find(|view| view.id == link)?)
                        }
                    },
                    callsign: who.callsign,
                    verified: who.verified,
                    files: words.catalog.items.clone(),
                    left_out: words.catalog.left_out,
                })
            })
            .collect();
        catalogs.sort_by(|a, b| {
            (!a.verified, &a.callsign, &a.id).cmp(&(!b.verified, &b.callsign, &b.id))
        });
        catalogs
    }
}

impl Core {
    /// A row for each link to a server that knows only the plain messages.
    pub(super) fn plain_rows(&self, node: &Node, now: Instant) -> Vec<PeerRow> {
        let plain = node.links().filter(|link| link.plain);
        plain.map(|link| self.plain_row(node, &link, now)).collect()
    }

    fn plain_row(&self, node: &Node, link: &LinkView<'_>, now: Instant) -> PeerRow {
        let open = self.lines.get(&link.id);
        let words = self.said.of(Speaker::Unproved(link.id));
        let announced = words.and_then(|words| words.announced.as_ref());
        let said = announced
            .map(|server| server.endpoint.trim_end_matches('/'))
            .filter(|endpoint| endpoint.parse::<Endpoint>().is_ok());
        let place = node
            .places()
            .find(|place| Some(place.endpoint) == link.dialed);
        let source = place.and_then(|place| place.sources.first().copied());
        let capabilities = announced.iter().flat_map(|server| &server.capabilities);
        PeerRow {
            id: plain_id(link),
            endpoint: link.dialed.or(said).unwrap_or_default().to_owned(),
            callsign: announced.and_then(|server| Callsign::parse(&server.callsign).ok()),
            capabilities: capabilities
                .map(|one| readable(one, MAX_CAPABILITY))
                .collect(),
            heard: open.map(|open| now.saturating_duration_since(open.heard)),
            found: source.map_or("peer", word),
            state: PeerState::Unknown,
            link: Some(link.zone),
            plain: true,
            verified: false,
            since: open.map(|open| now.saturating_duration_since(open.since)),
            fingerprint: None,
            root: None,
            reason: None,
            neighbours: Vec::new(),
            way: Vec::new(),
        }
    }
}

/// What a server that proves nothing is known by: the place that was dialled, or its link.
fn plain_id(link: &LinkView<'_>) -> String {
    match link.dialed {
        Some(endpoint) => place_id(endpoint),
        None => place_id(&format!("link {}", link.id.0)),
    }
}
