//! What a session may do changes while it lasts: its key gains or loses the trust of this server, or the
//! owner decides anew what guests may do.
//!
//! Who loses trust is a guest from that moment on. Offers of theirs that nobody answered are withdrawn, for a
//! guest could not have made them. A call that was answered goes on, since both wanted it and their
//! browsers need no server for it; its other end, if it is an operator or answered, may still renegotiate.

use std::collections::BTreeMap;
use std::time::Instant;

use station::{Callsign, KeyId};

use super::connection::Phase;
use super::{Hub, Identity};
use crate::message::{ClientId, ServerMessage};
use crate::policy::Policy;

/// What this server thinks now of a key that speaks for a callsign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The key.
    pub key: KeyId,
    /// The callsign, compared by its base. A key may have certificates for several, and be trusted for
    /// one of them only.
    pub callsign: Callsign,
    /// Whether it is trusted, and its holder so licensed.
    pub trusted: bool,
    /// Why, as a sentence for its holder.
    pub reason: String,
}

/// A key and the base of the callsign it speaks for.
pub(super) type Whom = (KeyId, String);

impl Judgement {
    fn whom(&self) -> Whom {
        (self.key, self.callsign.base().to_owned())
    }
}

impl Identity {
    pub(super) fn whom(&self) -> Whom {
        (self.key, self.callsign.base().to_owned())
    }
}

impl Hub {
    /// Keys have gained or lost trust. Sessions that have proven them turn at once, those that are
    /// about to will begin so, and everybody who sees them is told.
    ///
    /// Judgements are given in the order in which they were made. A login whose identity was looked up
    /// before a judgement, and that is told to the hub after it, follows the judgement.
    pub fn judge(&mut self, judgements: &[Judgement], now: Instant) {
        let by_key: BTreeMap<_, _> = judgements
            .iter()
            .map(|about| (about.whom(), about))
            .collect();
        for connection in self.connections.names() {
            let Some(there) = self.connections.get_mut(connection) else {
                continue;
            };
            match &mut there.phase {
                Phase::Identifying(application) => {
                    let judged = judgements.iter().map(|about| (about.whom(), about.trusted));
                    application.judged.extend(judged);
                }
                Phase::Challenged(_, challenge) => follow(&by_key, &mut challenge.identity),
                Phase::Proving(_, proven) => follow(&by_key, &mut proven.identity),
                Phase::Arrived | Phase::In(_) => {}
            }
        }
        let mut turned = Vec::new();
        for client in self.sessions.names() {
            let session = self.sessions.get_mut(client);
            let Some(identity) = session.and_then(|session| session.presence.identity.as_mut())
            else {
                continue;
            };
            if let Some(about) = by_key.get(&identity.whom())
                && identity.trusted != about.trusted
            {
                identity.trusted = about.trusted;
                turned.push((client, about.reason.as_str()));
            }
        }
        for (client, reason) in turned {
            self.turn(client, reason, now);
        }
        let judged = |identity: &Identity| by_key.get(&identity.whom()).map(|about| about.trusted);
        for client in self.elsewhere.judge(judged) {
            self.turn(client, "", now);
        }
    }

    /// The owner decides what guests may do; everybody is told.
    pub fn set_policy(&mut self, policy: Policy, reason: &str) {
        if self.policy == policy {
            return;
        }
        self.policy = policy;
        for client in self.sessions.names() {
            self.tell_role(client, reason);
            self.withdraw_offers(client);
        }
    }

    /// A session's licence came or went: it is told, and so is everybody who sees it.
    fn turn(&mut self, client: ClientId, reason: &str, now: Instant) {
        let Some(presence) = self.presence(client) else {
            return;
        };
        let net = presence.net.clone();
        let Some(peer) = self.peer(client) else {
            return;
        };
        self.tell_role(client, reason);
        self.withdraw_offers(client);
        self.show(client);
        let session = self.sessions.get(client).map(|session| &session.presence);
        let Some(presence) = session.or_else(|| self.elsewhere.presence(client)) else {
            return;
        };
        let audience = self.nets.turn(client, presence, &self.limits, now);
        let corrected = ServerMessage::PeerJoined { peer }.body().shared();
        self.tell(audience, client, &net, &corrected);
    }

    fn tell_role(&mut self, client: ClientId, reason: &str) {
        let Some(session) = self.sessions.get(client) else {
            return;
        };
        let message = ServerMessage::Role {
            role: session.presence.role(),
            guest_calls: self.policy.guest_calls_in(session.origin.zone),
            reason: reason.into(),
        };
        self.send(client, &message, None);
    }
}

fn follow(judgements: &BTreeMap<Whom, &Judgement>, identity: &mut Identity) {
    if let Some(about) = judgements.get(&identity.whom()) {
        identity.trusted = about.trusted;
    }
}
