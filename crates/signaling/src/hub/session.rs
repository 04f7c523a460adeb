//! One client's session: what others see of it, whom it is in a call with, and how it is resumed.

use std::collections::BTreeMap;
use std::time::Instant;

use station::Statement;

use super::kept::Kept;
use super::under_way::UnderWay;
use super::{ConnectionId, Identity};
use crate::message::{CallStatement, ClientId, Net, Peer, PeerServer, Role, SessionToken};
use crate::origin::Origin;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) presence: Presence,
    pub(super) token: SessionToken,
    /// The key that must prove itself again, a DER SubjectPublicKeyInfo; empty for guests.
    pub(super) spki: Vec<u8>,
    /// What was sent and may not have arrived.
    pub(super) kept: Kept,
    /// Signals among that.
    pub(super) under_way: UnderWay,
    /// Of its connection, or of the last it had.
    pub(super) origin: Origin,
    /// None while the client is away; then it has an end.
    pub(super) connection: Option<ConnectionId>,
    pub(super) dropped_until: Option<Instant>,
}

/// A registered session, as others see it.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) identity: Option<Identity>,
    /// The callsign shown: proven, or as typed by somebody unproven, or `GUEST`.
    pub(super) callsign: String,
    pub(super) net: Net,
    /// How they proved who they are, for other servers to judge.
    pub(super) proof: Option<Proof>,
    pub(super) calls: BTreeMap<ClientId, Leg>,
}

/// A login, which anybody can verify again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The client's certificate, PEM.
    pub certificate: String,
    /// The `client-proof` that was signed.
    pub statement: Statement,
    /// By the client's key: 64 bytes r‖s, base64url.
    pub signature: String,
}

/// One end's part in a call with another session.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) began: Instant,
    /// This end has answered an offer of the other: it may now make offers in this call itself.
    pub(super) answered: bool,
    /// An offer of the other end waits for this end's answer.
    pub(super) ringing: bool,
    /// Candidates sent since the last offer.
    pub(super) candidates: u32,
    /// The other end was told who this end is, because in their net it may not know.
    pub(super) introduced: bool,
}

impl Session {
    /// Bytes that were sent and may not have arrived.
    pub(super) fn unconfirmed(&self) -> usize {
        // What is kept gives way where there is too much of it.
        self.kept.bytes().max(self.under_way.bytes())
    }
}

impl Presence {
    pub(super) fn new(callsign: String, identity: Option<Identity>, net: Net) -> Self {
        Self {
            identity,
            callsign,
            net,
            proof: None,
            calls: BTreeMap::new(),
        }
    }

    /// Whether others see no difference.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        (&self.identity, &self.callsign, &self.net)
            == (&other.identity, &other.callsign, &other.net)
    }

    pub(super) fn licensed(&self) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|identity| identity.trusted)
    }

    /// What a receiver needs to check a statement of theirs.
    pub(super) fn chain(&self, statement: Option<&CallStatement<'_>>) -> Option<&[String]> {
        statement?;
        self.identity.as_ref().map(|identity| &*identity.chain)
    }

    pub(super) fn role(&self) -> Role {
        if self.licensed() {
            Role::Licensed
        } else {
            Role::Unlicensed
        }
    }

    pub(super) fn as_peer(&self, id: ClientId, server: Option<PeerServer>) -> Peer {
        let identity = self.identity.as_ref();
        Peer {
            id,
            callsign: self.callsign.clone(),
            has_license: self.licensed(),
            verified: self.licensed(),
            key_id: identity.map(|identity| identity.key),
            license_class: identity.and_then(|identity| identity.licence_class.clone()),
            net: self.net.clone(),
            server,
        }
    }
}
