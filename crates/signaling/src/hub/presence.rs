//! Who is where: nets, their members, and telling them of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use station::{Callsign, KeyId};

use super::Hub;
use super::session::{Phase, Presence};
use crate::message::{ClientId, ErrorCode, Join, ListPeers, Net, Peer, ServerMessage};

/// Every net that has members.
#[derive(Debug, Default)]
pub(super) struct Nets {
    rooms: BTreeMap<Net, Room>,
    licensed: usize,
}

#[derive(Debug, Default)]
struct Room {
    members: BTreeSet<ClientId>,
    /// Sessions of verified operators by callsign, in the order they came.
    operators: BTreeMap<Callsign, Vec<(KeyId, ClientId)>>,
}

impl Nets {
    /// The sessions of the verified operators with a callsign, the most recent last.
    pub(super) fn operators(&self, net: &Net, callsign: &Callsign) -> Vec<(KeyId, ClientId)> {
        let room = self.rooms.get(net);
        room.and_then(|room| room.operators.get(callsign))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn population(&self) -> (usize, usize) {
        let all: usize = self.rooms.values().map(|room| room.members.len()).sum();
        (self.licensed, all - self.licensed)
    }

    fn members(&self, net: &Net) -> impl Iterator<Item = ClientId> + '_ {
        self.rooms
            .get(net)
            .into_iter()
            .flat_map(|room| room.members.iter().copied())
    }

    fn members_after(&self, net: &Net, after: Option<ClientId>) -> impl Iterator<Item = ClientId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let room = self.rooms.get(net);
        room.into_iter()
            .flat_map(move |room| room.members.range((from, Bound::Unbounded)).copied())
    }

    fn enter(&mut self, client: ClientId, presence: &Presence) {
        let room = self.rooms.entry(presence.net.clone()).or_default();
        room.members.insert(client);
        if let Some(identity) = presence
            .identity
            .as_ref()
            .filter(|identity| identity.trusted)
        {
            let sessions = room.operators.entry(identity.callsign.clone()).or_default();
            sessions.push((identity.key, client));
            self.licensed += 1;
        }
    }

    fn leave(&mut self, client: ClientId, presence: &Presence) {
        let Some(room) = self.rooms.get_mut(&presence.net) else {
            return;
        };
        room.members.remove(&client);
        if let Some(identity) = presence
            .identity
            .as_ref()
            .filter(|identity| identity.trusted)
        {
            self.licensed -= 1;
            if let Some(sessions) = room.operators.get_mut(&identity.callsign) {
                sessions.retain(|&(_, session)| session != client);
                if sessions.is_empty() {
                    room.operators.remove(&identity.callsign);
                }
            }
        }
        if room.members.is_empty() {
            self.rooms.remove(&presence.net);
        }
    }
}

impl Hub {
    /// A session is let in: it learns who is here, and they learn of it.
    pub(super) fn enter(&mut self, client: ClientId, presence: Presence, reply_to: Option<&str>) {
        let net = presence.net.clone();
        let role = presence.role();
        let joined = ServerMessage::PeerJoined {
            peer: presence.as_peer(client),
        }
        .body();
        let Some(session) = self.sessions.get_mut(&client) else {
            return;
        };
        let (peers, next) = {
            self.nets.enter(client, &presence);
            session.phase = Phase::Present(Box::new(presence));
            self.page(client, &net, None)
        };
        let registered = ServerMessage::Registered {
            client_id: client,
            server_owner: self.owner.as_ref().map(|owner| &owner.callsign),
            role,
            net: net.clone(),
            peers,
            next,
        }
        .body();
        self.send_body(client, &registered, reply_to);
        self.tell_others(client, &net, &joined);
    }

    /// A session is gone from its net, if it was in one.
    pub(super) fn leave(&mut self, client: ClientId) {
        let Some(presence) = self.sessions.get(&client).and_then(|s| s.presence()) else {
            return;
        };
        let net = presence.net.clone();
        self.nets.leave(client, presence);
        let left = ServerMessage::PeerLeft { peer_id: client }.body();
        self.tell_others(client, &net, &left);
    }

    pub(super) fn join(&mut self, client: ClientId, join: &Join<'_>, reply_to: Option<&str>) {
        let net = match Net::parse(&join.net) {
            Ok(net) => net,
            Err(error) => {
                return self.refuse(client, ErrorCode::BadNet, &error.to_string(), reply_to);
            }
        };
        self.leave(client);
        let Some(session) = self.sessions.get_mut(&client) else {
            return;
        };
        // The calls go along: a net is where people find each other, not where they talk.
        if let Phase::Present(mut presence) = std::mem::replace(&mut session.phase, Phase::Arrived)
        {
            presence.net = net;
            self.enter(client, *presence, reply_to);
        }
    }

    pub(super) fn list_peers(
        &mut self,
        client: ClientId,
        list: &ListPeers<'_>,
        reply_to: Option<&str>,
    ) {
        let Ok(after) = list
            .cursor
            .as_deref()
            .map(str::parse::<ClientId>)
            .transpose()
        else {
            let error = "this cursor is not from a list of this server; start without one";
            return self.refuse(client, ErrorCode::BadMessage, error, reply_to);
        };
        let Some(presence) = self.sessions.get(&client).and_then(|s| s.presence()) else {
            return;
        };
        let (peers, next) = self.page(client, &presence.net.clone(), after);
        self.send(client, &ServerMessage::PeerList { peers, next }, reply_to);
    }

    /// The members of a net but for one, in the order of their ids, and where the next page begins.
    fn page(
        &self,
        reader: ClientId,
        net: &Net,
        after: Option<ClientId>,
    ) -> (Vec<Peer>, Option<String>) {
        let mut members = self
            .nets
            .members_after(net, after)
            .filter(|&member| member != reader);
        let page: Vec<_> = members.by_ref().take(self.limits.page).collect();
        let more = members.next().is_some();
        let next = if more {
            page.last().map(ToString::to_string)
        } else {
            None
        };
        let peer = |&id: &ClientId| Some(self.sessions.get(&id)?.presence()?.as_peer(id));
        (page.iter().filter_map(peer).collect(), next)
    }

    fn tell_others(&mut self, client: ClientId, net: &Net, body: &str) {
        let members: Vec<_> = self
            .nets
            .members(net)
            .filter(|&member| member != client)
            .collect();
        for member in members {
            self.send_body(member, body, None);
        }
    }
}
