//! What there is to show: every other server this one knows of, and every link among them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coordination::node::{PlaceView, ServerView};
use coordination::{Node, ServerId, Standing};
use pki::Certificate;
use station::{Callsign, Fingerprint, Zone};

use super::peers::{place_id, word};
use super::{Coordinator, Core, lock};

/// Another server, or a place where one may be.
#[derive(Debug, Clone)]
pub struct PeerRow {
    /// What it is known by here: its certificate's fingerprint, or 32 digits where nobody is known yet.
    pub id: String,
    /// Where it is; empty while it does not say.
    pub endpoint: String,
    /// The callsign in its certificate, once it proved that; of one that cannot, as it says.
    pub callsign: Option<Callsign>,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// How long ago something came from it over a link of ours.
    pub heard: Option<Duration>,
    /// How it was found.
    pub found: &'static str,
    /// How things are.
    pub state: PeerState,
    /// What the link to it crosses, if there is one.
    pub link: Option<Zone>,
    /// Whether it knows only the plain messages. Then all of this is its own word.
    pub plain: bool,
    /// Whether somebody this server trusts vouches for it.
    pub verified: bool,
    /// How long the link to it has stood.
    pub since: Option<Duration>,
    /// Its certificate.
    pub fingerprint: Option<Fingerprint>,
    /// The certificate at the end of its chain, for the owner to compare.
    pub root: Option<Root>,
    /// Why there is no link, as a sentence.
    pub reason: Option<String>,
    /// The servers it has links with, as it and they say.
    pub neighbours: Vec<Fingerprint>,
    /// Through which servers messages go there, itself last.
    pub way: Vec<Fingerprint>,
}

/// The certificate at the end of a chain.
#[derive(Debug, Clone)]
pub struct Root {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Its holder.
    pub callsign: Callsign,
}

/// How things are with another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    /// There is a link to it.
    Linked,
    /// It is there, by a way through others.
    Reachable,
    /// Its root is unknown here: the owner may decide.
    Unknown,
    /// The owner blacklisted it.
    Blacklisted,
    /// It was there.
    Gone,
    /// It is looked for.
    Searching,
}

impl Coordinator {
    /// Every other server, by callsign, then places where one may be. Empty while there is no node.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerRow> {
        let core = lock(&self.core);
        let Some(node) = core.node.as_ref() else {
            return Vec::new();
        };
        let now = Instant::now();
        let servers = node.servers().map(|server| (server.id, server)).collect();
        let mut neighbours = BTreeMap::<ServerId, Vec<ServerId>>::new();
        for (one, other, _) in node.topology() {
            neighbours.entry(one).or_default().push(other);
            neighbours.entry(other).or_default().push(one);
        }
        let known = Known {
            own: (node.id(), core.own),
            servers,
            neighbours,
            places: node
                .places()
                .filter_map(|place| Some((place.server?, place)))
                .collect(),
        };
        let mut rows: Vec<PeerRow> = known
            .servers
            .values()
            .map(|server| core.row(node, &known, server, now))
            .collect();
        rows.sort_by(|a, b| (&a.callsign, &a.id).cmp(&(&b.callsign, &b.id)));
        let plain = core.plain_rows(node, now);
        let places = node.places().filter(|place| {
            let of_plain = plain.iter().any(|row| row.id == place_id(place.endpoint));
            !of_plain
                && place.server.is_none_or(|server| {
                    !known.servers.contains_key(&server) && server != node.id()
                })
        });
        rows.extend(places.map(|place| {
            let trouble = core.troubles.get(place.endpoint);
            PeerRow {
                id: place_id(place.endpoint),
                endpoint: place.endpoint.to_owned(),
                callsign: None,
                capabilities: Vec::new(),
                heard: None,
                found: place.sources.first().copied().map_or("peer", word),
                state: PeerState::Searching,
                link: None,
                plain: false,
                verified: false,
                since: None,
                fingerprint: None,
                root: None,
                reason: trouble.map(|refusal| refusal.sentence().to_owned()),
                neighbours: Vec::new(),
                way: Vec::new(),
            }
        }));
        rows.splice(known.servers.len()..known.servers.len(), plain);
        rows
    }

    /// The certificates another server showed, its own first, by its certificate's fingerprint.
    #[must_use]
    pub fn chain_of(&self, fingerprint: &Fingerprint) -> Option<Vec<Certificate>> {
        let core = lock(&self.core);
        let mut servers = core.node.as_ref()?.servers();
        let server = servers.find(|server| server.fingerprint == *fingerprint)?;
        let chain = server.chain.iter();
        chain
            .map(|der| Certificate::from_der(der.as_bytes()).ok())
            .collect()
    }

    /// Whether there is a link to another server.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        let core = lock(&self.core);
        core.node
            .as_ref()
            .is_some_and(|node| node.links().any(|link| link.server.is_some()))
    }
}

/// What the rows are made of.
struct Known<'a> {
    /// Ourselves.
    own: (ServerId, Option<Fingerprint>),
    servers: BTreeMap<ServerId, ServerView<'a>>,
    neighbours: BTreeMap<ServerId, Vec<ServerId>>,
    places: BTreeMap<ServerId, PlaceView<'a>>,
}

impl Known<'_> {
    fn fingerprint(&self, id: ServerId) -> Option<Fingerprint> {
        if id == self.own.0 {
            return self.own.1;
        }
        self.servers.get(&id).map(|server| server.fingerprint)
    }
}

impl Core {
    pub(super) fn fingerprint_of(&self, id: ServerId) -> Option<Fingerprint> {
        let mut servers = self.node.as_ref()?.servers();
        servers
            .find(|server| server.id == id)
            .map(|server| server.fingerprint)
    }

    fn row(
        &self,
        node: &Node,
        known: &Known<'_>,
        server: &ServerView<'_>,
        now: Instant,
    ) -> PeerRow {
        let id = server.id;
        let open = server.link.and_then(|link| self.lines.get(&link));
        let place = known.places.get(&id);
        let state = match server.standing {
            Standing::Blacklisted => PeerState::Blacklisted,
            Standing::Stranger => PeerState::Unknown,
            Standing::Trusted if server.link.is_some() => PeerState::Linked,
            Standing::Trusted if server.there => PeerState::Reachable,
            Standing::Trusted => PeerState::Gone,
        };
        let dialed = place.map(|place| place.endpoint.to_owned());
        let endpoint = dialed.or_else(|| server.endpoints.first().cloned());
        let endpoint = endpoint.unwrap_or_default();
        let root = server.chain.last();
        let root = root.and_then(|der| Certificate::from_der(der.as_bytes()).ok());
        let named = |id: &ServerId| known.fingerprint(*id);
        let neighbours = known.neighbours.get(&id).into_iter().flatten();
        let way = node
            .way(id, Zone::Open)
            .or_else(|| node.way(id, Zone::Part97));
        let trouble = self.troubles.get(&endpoint).filter(|_| open.is_none());
        PeerRow {
            id: server.fingerprint.to_string(),
            callsign: Some(server.callsign.clone()),
            capabilities: server.capabilities.to_vec(),
            heard: open.map(|open| now.saturating_duration_since(open.heard)),
            found: place
                .and_then(|place| place.sources.first().copied())
                .map_or("peer", word),
            state,
            link: open.map(|open| open.zone),
            plain: false,
            verified: server.standing == Standing::Trusted,
            since: open.map(|open| now.saturating_duration_since(open.since)),
            fingerprint: Some(server.fingerprint),
            root: root.map(|root| Root {
                fingerprint: root.fingerprint(),
                callsign: root.callsign().clone(),
            }),
            reason: trouble.map(|refusal| refusal.sentence().to_owned()),
            neighbours: neighbours.filter_map(named).collect(),
            way: way.iter().flatten().skip(1).filter_map(named).collect(),
            endpoint,
        }
    }
}
