//! What there is to show: the servers, the links among them, and who is where.

use std::time::Duration;

use station::{Callsign, Fingerprint, Zone};

use super::input::{LinkId, Standing};
use super::link::Phase;
use super::roster::Roster;
use super::servers::Server;
use super::{Node, PlaceView};
use crate::bytes::{Blob, BootNonce, Head, PersonId, ServerId};
use crate::message::{Set, Topic, Version};

/// Another server, as it is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerView<'a> {
    /// Its name in this protocol.
    pub id: ServerId,
    /// Its certificate's name.
    pub fingerprint: Fingerprint,
    /// Its certificate and those above it, as it showed them: DER.
    pub chain: &'a [Blob],
    /// The callsign in its certificate.
    pub callsign: &'a Callsign,
    /// What we make of it.
    pub standing: Standing,
    /// Whether it is there now.
    pub there: bool,
    /// Its newest record's version.
    pub version: Option<Version>,
    /// Its boot, by that record.
    pub boot: Option<BootNonce>,
    /// Where it can be reached, as it says.
    pub endpoints: &'a [String],
    /// What it can do, as it says.
    pub capabilities: &'a [String],
    /// The link to it, if there is one.
    pub link: Option<LinkId>,
}

/// A link, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView<'a> {
    /// Its name.
    pub id: LinkId,
    /// What it crosses.
    pub zone: Zone,
    /// The endpoint that our end dialled, if it did.
    pub dialed: Option<&'a str>,
    /// Who is at the other end, once that is proved.
    pub server: Option<ServerId>,
    /// Whether the other end knows only the plain messages.
    pub plain: bool,
}

impl Node {
    /// Our own name in this protocol.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.own.id
    }

    /// Our newest record's version.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let record = self.own.record.as_ref();
        record.map(|record| record.signed.version())
    }

    /// Every other server that is known, in the order of their ids.
    pub fn servers(&self) -> impl Iterator<Item = ServerView<'_>> {
        self.servers
            .iter()
            .map(|(id, server)| self.server_view(id, server))
    }

    /// One other server, if it is known.
    #[must_use]
    pub fn server(&self, id: ServerId) -> Option<ServerView<'_>> {
        let server = self.servers.get(id)?;
        Some(self.server_view(id, server))
    }

    fn server_view<'a>(&self, id: ServerId, server: &'a Server) -> ServerView<'a> {
        let record = server.record.as_ref();
        let body = record.map(|record| &record.body);
        ServerView {
            id,
            fingerprint: server.fingerprint,
            chain: &server.chain,
            callsign: &server.callsign,
            standing: server.standing,
            there: server.shown,
            version: record.map(|record| record.signed.version()),
            boot: body.map(|body| body.boot_nonce),
            endpoints: body.map_or(&[], |body| &body.endpoints),
            capabilities: body.map_or(&[], |body| &body.capabilities),
            link: self.neighbours.get(&id).copied(),
        }
    }

    /// Who is at a server that is there, or at this one as the others are told.
    pub fn people(
        &self,
        server: ServerId,
        topic: Topic,
    ) -> impl Iterator<Item = (PersonId, &Blob)> {
        let own = (server == self.own.id).then(|| self.own.roster(topic));
        let known = self.servers.get(server).filter(|known| known.shown);
        let others = known.map(|known| &known.people(topic).roster);
        own.or(others).into_iter().flat_map(Roster::people)
    }

    /// The people at a server that is there, in brief; for comparing.
    #[must_use]
    pub fn head(&self, server: ServerId, topic: Topic) -> Option<Head> {
        if server == self.own.id {
            return Some(self.own.roster(topic).head());
        }
        let known = self.servers.get(server).filter(|known| known.shown)?;
        Some(known.people(topic).roster.head())
    }

    /// The way to a server within a zone, both ends included.
    #[must_use]
    pub fn way(&self, to: ServerId, within: Zone) -> Option<Vec<ServerId>> {
        self.routes.way(to, within)
    }

    /// Every link, once: our own, and those that both ends announce.
    pub fn topology(&self) -> impl Iterator<Item = (ServerId, ServerId, Zone)> {
        self.routes.links()
    }

    /// Our own links.
    pub fn links(&self) -> impl Iterator<Item = LinkView<'_>> {
        self.links.iter().map(|(&id, link)| LinkView {
            id,
            zone: link.zone,
            dialed: link.dialed.as_deref(),
            server: link.peer(),
            plain: matches!(link.phase, Phase::Plain(_)),
        })
    }

    /// Every endpoint known.
    pub fn places(&self) -> impl Iterator<Item = PlaceView<'_>> {
        self.book.view()
    }

    /// Whether an item is held, as far as the node was told.
    #[must_use]
    pub fn holds(&self, set: Set, id: crate::bytes::ItemId) -> bool {
        self.catalog.holds(set, id)
    }

    /// How long a server is still refused for what it did.
    #[must_use]
    pub fn pause_of(&self, server: ServerId, now: std::time::Instant) -> Option<Duration> {
        self.conduct.get(&server)?.paused(now)
    }
}
