//! People at other servers: they are in the nets like those here, and signals between them and those here
//! pass this hub's rules at both ends.
//!
//! Whoever owns the links says who is where ([`Hub::appear`], [`Hub::vanish`]) and brings their signals
//! ([`Hub::receive_from`]); the hub wants others told who is here ([`Command::Show`], [`Command::Hide`]) and
//! signals passed on ([`Command::Forward`]). Ids are those of the server where somebody is. An id
//! that is taken stays whose it was: nobody is replaced by who comes later.

use std::collections::BTreeMap;
use std::time::Instant;

use station::Fingerprint;

use super::session::{Presence, Proof};
use super::{Command, Hub, Identity};
use crate::limit::{Meter, Rate};
use crate::message::between::{self, Signal};
use crate::message::{ClientId, ClientMessage, ErrorCode, Net, PeerServer, ServerMessage};

/// People at other servers who are shown at most.
const MOST: usize = 20_000;

/// Signals that one server may bring.
const SIGNALS: Rate = Rate::per_second(100, 1_000);

/// Somebody at another server, as this one judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Their session's name there.
    pub client: ClientId,
    /// Where they are.
    pub server: PeerServer,
    /// The callsign shown: proven, or as typed by somebody unproven, or `GUEST`.
    pub callsign: String,
    /// The net they are in.
    pub net: Net,
    /// Who they are, if they proved that to their server and this one could follow it.
    pub identity: Option<Identity>,
}

/// Somebody here, as other servers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The callsign shown.
    pub callsign: String,
    /// The net they are in.
    pub net: Net,
    /// Whether they are licensed, as this server judges.
    pub licensed: bool,
    /// How they proved who they are.
    pub proof: Option<Proof>,
}

/// Everybody elsewhere.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    people: BTreeMap<ClientId, There>,
    servers: BTreeMap<Fingerprint, Meter>,
    licensed: usize,
    /// Whether other servers are told who is here.
    told: bool,
}

#[derive(Debug)]
struct There {
    presence: Presence,
    server: PeerServer,
}

impl Hub {
    /// Whether other servers are told who is here, from now on: then of everybody at once. Without them
    /// nobody is elsewhere.
    pub fn coordinate(&mut self, on: bool, now: Instant) {
        let told = std::mem::replace(&mut self.elsewhere.told, on);
        if on {
            if told {
                return;
            }
            for client in self.sessions.names() {
                self.show(client);
            }
        } else {
            let there: Vec<_> = self.elsewhere.people.keys().copied().collect();
            for client in there {
                self.remove_remote(client, now);
            }
        }
    }

    /// Somebody is at another server, or is now as this says.
    pub fn appear(&mut self, remote: Remote, now: Instant) {
        let Remote {
            client,
            server,
            callsign,
            net,
            identity,
        } = remote;
        let taken = match self.elsewhere.people.get(&client) {
            Some(there) => there.server.id != server.id,
            None => self.sessions.contains(client) || self.elsewhere.people.len() >= MOST,
        };
        if taken {
            return;
        }
        let presence = Presence::new(callsign, identity, net);
        if self
            .elsewhere
            .people
            .get(&client)
            .is_some_and(|there| there.presence.looks_like(&presence))
        {
            return;
        }
        // Calls go on: a net is where people find each other, not where they talk.
        let calls = self.forget_remote(client, now);
        let presence = Presence { calls, ..presence };
        let net = presence.net.clone();
        let audience = self.nets.enter(client, &presence, &self.limits, now);
        self.elsewhere.licensed += usize::from(presence.licensed());
        self.elsewhere
            .people
            .insert(client, There { presence, server });
        let Some(peer) = self.peer(client) else {
            return;
        };
        let joined = ServerMessage::PeerJoined { peer }.body().shared();
        self.tell(audience, client, &net, &joined);
    }

    /// Somebody is at that server no more.
    pub fn vanish(&mut self, server: Fingerprint, client: ClientId, now: Instant) {
        let there = self.elsewhere.people.get(&client);
        if there.is_some_and(|there| there.server.id == server) {
            self.remove_remote(client, now);
        }
    }

    /// A signal of somebody at that server, for somebody here.
    pub fn receive_from(&mut self, server: Fingerprint, text: &str, now: Instant) {
        let Ok((envelope, message)) = between::decode(text) else {
            return;
        };
        let (from, to) = (envelope.from, envelope.target);
        let is_theirs = |client| {
            let there = self.elsewhere.server_of(client);
            there.is_some_and(|there| there.id == server)
        };
        // Whose message was not passed on is in a call with somebody there, at least by their offer.
        let refused = matches!(message, Signal::Refused { .. });
        let concerned = match self.presence(to) {
            Some(presence) if refused => presence.calls.keys().any(|&other| is_theirs(other)),
            _ => is_theirs(from),
        };
        if !concerned {
            return;
        }
        let meters = &mut self.elsewhere.servers;
        meters.retain(|other, meter| *other == server || meter.whole_at() > now);
        let meter = meters.entry(server).or_insert_with(|| Meter::new(now));
        if meter.spend(1, SIGNALS, now).is_err() {
            let error = "too many signals come from your server; wait a moment";
            return self.refuse(from, ErrorCode::RateLimited, error, None);
        }
        // Only those here: nobody's signals go on from here to a third server.
        if !self.sessions.contains(to) {
            let error = "nobody by that name is here now";
            return self.refuse(from, ErrorCode::UnknownTarget, error, None);
        }
        match message {
            Signal::Client(ClientMessage::Offer(offer)) => {
                self.offer(from, &offer, envelope.chain.as_deref(), None, now);
            }
            Signal::Client(ClientMessage::Answer(answer)) => {
                self.answer(from, &answer, envelope.chain.as_deref(), None);
            }
            Signal::Client(ClientMessage::IceCandidate(ice)) => self.candidate(from, &ice, None),
            Signal::Client(_) => {}
            Signal::Refused { code, error } => {
                self.refuse(to, code, &error, None);
            }
        }
    }

    /// A signal of somebody here did not get to the server where its target is.
    pub fn undelivered(
        &mut self,
        from: ClientId,
        code: ErrorCode,
        error: &str,
        reply_to: Option<&str>,
    ) {
        if self.sessions.contains(from) {
            self.refuse(from, code, error, reply_to);
        }
    }

    /// Tells the other servers that somebody is here, or is now as they are.
    pub(super) fn show(&mut self, client: ClientId) {
        if !self.elsewhere.told {
            return;
        }
        if let Some(session) = self.sessions.get(client) {
            let presence = &session.presence;
            let person = Shown {
                callsign: presence.callsign.clone(),
                net: presence.net.clone(),
                licensed: presence.licensed(),
                proof: presence.proof.clone(),
            };
            let person = Box::new(person);
            self.commands.push_back(Command::Show { client, person });
        }
    }

    pub(super) fn hide(&mut self, client: ClientId) {
        if self.elsewhere.told {
            self.commands.push_back(Command::Hide { client });
        }
    }

    /// Tells somebody at another server that their signal was not passed on.
    pub(super) fn bounce(&mut self, to: ClientId, code: ErrorCode, error: &str) {
        self.forward(to, to, between::refusal(to, code, error), None);
    }

    /// Passes a signal on to the server where its target is.
    pub(super) fn forward(
        &mut self,
        from: ClientId,
        to: ClientId,
        signal: String,
        reply_to: Option<&str>,
    ) {
        if let Some(there) = self.elsewhere.people.get(&to) {
            self.commands.push_back(Command::Forward {
                from,
                server: there.server.id,
                signal,
                reply_to: reply_to.map(str::to_owned),
            });
        }
    }

    fn remove_remote(&mut self, client: ClientId, now: Instant) {
        let calls = self.forget_remote(client, now);
        for other in calls.into_keys() {
            self.hang_up(other, client);
        }
    }

    /// Takes somebody out of their net, and gives what calls they were in.
    fn forget_remote(
        &mut self,
        client: ClientId,
        now: Instant,
    ) -> BTreeMap<ClientId, super::session::Leg> {
        let Some(there) = self.elsewhere.people.remove(&client) else {
            return BTreeMap::new();
        };
        let presence = there.presence;
        self.elsewhere.licensed -= usize::from(presence.licensed());
        let audience = self.nets.leave(client, &presence, &self.limits, now);
        let left = ServerMessage::PeerLeft { peer_id: client }.body().shared();
        self.tell(audience, client, &presence.net, &left);
        presence.calls
    }
}

impl Elsewhere {
    pub(super) fn presence(&self, client: ClientId) -> Option<&Presence> {
        self.people.get(&client).map(|there| &there.presence)
    }

    pub(super) fn presence_mut(&mut self, client: ClientId) -> Option<&mut Presence> {
        self.people
            .get_mut(&client)
            .map(|there| &mut there.presence)
    }

    pub(super) fn server_of(&self, client: ClientId) -> Option<&PeerServer> {
        self.people.get(&client).map(|there| &there.server)
    }

    pub(super) fn holds(&self, client: ClientId) -> bool {
        self.people.contains_key(&client)
    }

    /// Licensed, and others.
    pub(super) fn population(&self) -> (usize, usize) {
        (self.licensed, self.people.len() - self.licensed)
    }

    /// Changes what an identity is worth; gives those whose licence so came or went.
    pub(super) fn judge(&mut self, judged: impl Fn(&Identity) -> Option<bool>) -> Vec<ClientId> {
        let mut turned = Vec::new();
        for (&client, there) in &mut self.people {
            let Some(identity) = &mut there.presence.identity else {
                continue;
            };
            if let Some(trusted) = judged(identity)
                && identity.trusted != trusted
            {
                identity.trusted = trusted;
                if trusted {
                    self.licensed += 1;
                } else {
                    self.licensed -= 1;
                }
                turned.push(client);
            }
        }
        turned
    }
}
