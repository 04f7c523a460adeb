//! Telling the members of a net of each other: who came, who left, who is here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::budgets::Strain;
use super::connection::Phase;
use super::kept::Kept;
use super::nets::{Audience, News};
use super::session::{Presence, Session};
use super::under_way::UnderWay;
use super::{ConnectionId, Hub, Ticket};
use crate::message::{Body, ClientId, ErrorCode, Join, ListPeers, Net, Peer, ServerMessage};

impl Hub {
    /// A connection has registered: its session begins.
    pub(super) fn begin(
        &mut self,
        connection: ConnectionId,
        presence: Presence,
        spki: Vec<u8>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        let Some(there) = self.connections.get_mut(connection) else {
            return;
        };
        let Some(Ticket { client, token }) = there.ticket.take() else {
            return;
        };
        there.phase = Phase::In(client);
        let origin = there.origin;
        match &presence.identity {
            Some(identity) => {
                self.counters.operators += 1;
                self.keys.enter(identity.key, now);
            }
            None => self.counters.guests += 1,
        }
        let kept = Kept::after(there.seq);
        self.tokens.insert(token.selector(), client);
        let session = Session {
            presence,
            token,
            spki,
            kept,
            under_way: UnderWay::default(),
            origin,
            connection: Some(connection),
            dropped_until: None,
        };
        self.sessions.insert(client, session);
        self.set_timer(connection);
        self.enter(client, reply_to, now);
        // The token came with this frame, so nobody resumes from before it.
        if let Some(sent) = self.sessions.get(client).map(|session| session.kept.sent()) {
            self.release(client, sent);
        }
    }

    /// A session enters its net: it learns who is here, and they learn of it.
    fn enter(&mut self, client: ClientId, reply_to: Option<&str>, now: Instant) {
        let Some(session) = self.sessions.get(client) else {
            return;
        };
        let presence = &session.presence;
        let audience = self.nets.enter(client, presence, &self.limits, now);
        let net = presence.net.clone();
        let (peers, next) = self.page(client, &net, None);
        let registered = ServerMessage::Registered {
            client_id: client,
            server_owner: self.owner.as_ref().map(|owner| &owner.callsign),
            role: presence.role(),
            guest_calls: self.policy.guest_calls_in(session.origin.zone),
            net: net.clone(),
            peers,
            next,
            session: &session.token,
        }
        .body();
        let peer = presence.as_peer(client, None);
        let joined = ServerMessage::PeerJoined { peer }.body().shared();
        self.send_body(client, registered, reply_to);
        self.tell(audience, client, &net, &joined);
        self.show(client);
    }

    /// A session is gone from its net.
    pub(super) fn leave(&mut self, client: ClientId, now: Instant) {
        let Some(session) = self.sessions.get(client) else {
            return;
        };
        let net = session.presence.net.clone();
        let audience = self
            .nets
            .leave(client, &session.presence, &self.limits, now);
        let left = ServerMessage::PeerLeft { peer_id: client }.body().shared();
        self.tell(audience, client, &net, &left);
    }

    pub(super) fn join(
        &mut self,
        client: ClientId,
        join: &Join<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        let net = match Net::parse(&join.net) {
            Ok(net) => net,
            Err(error) => {
                return self.refuse(client, ErrorCode::BadNet, &error.to_string(), reply_to);
            }
        };
        if !self.admit_to_net(client, &net, Strain::Arrival, reply_to, now) {
            return;
        }
        self.leave(client, now);
        // The calls go along: a net is where people find each other, not where they talk.
        if let Some(session) = self.sessions.get_mut(client) {
            session.presence.net = net;
            self.enter(client, reply_to, now);
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
        let Some(session) = self.sessions.get(client) else {
            return;
        };
        let (peers, next) = self.page(client, &session.presence.net, after);
        self.send(client, &ServerMessage::PeerList { peers, next }, reply_to);
    }

    /// Makes sure that the receiver of a signal has heard of its sender, who may have come just now.
    pub(super) fn introduce(&mut self, from: ClientId, to: ClientId) {
        let (newcomer, strangers) = if self.nets.all_is_told() {
            (false, false)
        } else {
            let Some(net) = self.presence(from).map(|there| there.net.clone()) else {
                return;
            };
            let newcomer = self.nets.introduce(from, to, &net);
            (newcomer, self.nets.may_be_strangers(from, to, &net))
        };
        let Some(leg) = self.leg_mut(from, to) else {
            return;
        };
        let introduced = std::mem::replace(&mut leg.introduced, strangers);
        if (newcomer || (strangers && !introduced))
            && let Some(peer) = self.peer(from)
        {
            self.send(to, &ServerMessage::PeerJoined { peer }, None);
        }
    }

    /// Tells the members of a net what changed while news was gathered.
    pub(super) fn tell_news(&mut self, net: &Net, news: &News) {
        let peer = |&id: &ClientId| self.peer(id);
        let joined = news.newcomers().filter_map(peer);
        let change = Change::new(joined, news.leavers(), self.limits.named);
        let members: Vec<_> = self.nets.members(net).collect();
        for member in members {
            if let Some(body) = change.without(member) {
                self.send_body(member, body, None);
            }
        }
    }

    /// Somebody here or elsewhere, as others are told.
    pub(super) fn peer(&self, client: ClientId) -> Option<Peer> {
        let server = self.elsewhere.server_of(client).cloned();
        Some(self.presence(client)?.as_peer(client, server))
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
            .known_after(net, after)
            .filter(|&member| member != reader);
        let page: Vec<_> = members.by_ref().take(self.limits.page).collect();
        let more = members.next().is_some();
        let next = if more {
            page.last().map(ToString::to_string)
        } else {
            None
        };
        let peer = |&id: &ClientId| self.peer(id);
        (page.iter().filter_map(peer).collect(), next)
    }

    pub(super) fn tell(&mut self, audience: Audience, about: ClientId, net: &Net, body: &Body) {
        let listeners: Vec<_> = match audience {
            Audience::Net => self.nets.members(net).filter(|&m| m != about).collect(),
            Audience::Only(listeners) => listeners.into_iter().collect(),
        };
        for listener in listeners {
            self.send_body(listener, body.clone(), None);
        }
    }
}

/// A `PEERS_CHANGED` that is encoded once, and where in it each of those who joined stands.
struct Change {
    body: Arc<[u8]>,
    /// Start and end of each `joined` entry, without the comma between them.
    entries: BTreeMap<ClientId, (usize, usize)>,
    /// Whether it says anything beside who joined.
    says_more: bool,
}

impl Change {
    /// Names at most `named` of those who joined and of those who left. Each entry is encoded once, and
    /// stands in the message as JSON already: this is `ServerMessage::PeersChanged` in pieces.
    fn new(
        joined: impl Iterator<Item = Peer>,
        left: impl Iterator<Item = ClientId>,
        named: usize,
    ) -> Self {
        let (mut joined, mut left) = (joined.fuse(), left.fuse());
        let mut body = HEAD.to_owned();
        let mut entries = BTreeMap::new();
        for peer in joined.by_ref().take(named) {
            if !entries.is_empty() {
                body.push(',');
            }
            let start = body.len();
            // Strings and booleans under fixed names: writing them cannot fail.
            body.push_str(&serde_json::to_string(&peer).unwrap_or_default());
            entries.insert(peer.id, (start, body.len()));
        }
        body.push_str(MIDDLE);
        let leavers: Vec<_> = left.by_ref().take(named).map(quoted).collect();
        body.push_str(&leavers.join(","));
        let more = joined.next().is_some() || left.next().is_some();
        body.push_str(if more { TAIL_OF_MORE } else { TAIL });
        Self {
            body: body.into_bytes().into(),
            entries,
            says_more: more || !leavers.is_empty(),
        }
    }

    /// The message for one member: nobody is told of themselves. None when nothing is left to tell.
    fn without(&self, member: ClientId) -> Option<Body> {
        let Some(&(start, end)) = self.entries.get(&member) else {
            return Some(Body::Shared(self.body.clone()));
        };
        if self.entries.len() == 1 && !self.says_more {
            return None;
        }
        // With the entry goes one comma: the one behind it or, for the last, the one before.
        let (head, tail) = (&self.body[..start], &self.body[end..]);
        let (head, tail) = match tail.strip_prefix(b",") {
            Some(tail) => (head, tail),
            None => (head.strip_suffix(b",").unwrap_or(head), tail),
        };
        Some(Body::Own([head, tail].concat()))
    }
}

fn quoted(client: ClientId) -> String {
    format!("\"{client}\"")
}

const HEAD: &str = r#"{"type":"PEERS_CHANGED","joined":["#;
const MIDDLE: &str = r#"],"left":["#;
const TAIL: &str = "]}";
const TAIL_OF_MORE: &str = r#"],"more":true}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{FRAME_OVERHEAD, MAX_FRAME};

    fn guest(id: u64) -> Peer {
        Peer {
            id: ClientId::new(id),
            callsign: "GUEST".into(),
            has_license: false,
            verified: false,
            key_id: None,
            license_class: None,
            net: Net::default(),
            server: None,
        }
    }

    #[test]
    fn the_pieces_are_the_message() {
        let (joined, left) = (vec![guest(1), guest(2), guest(3)], vec![ClientId::new(4)]);
        let change = |named| Change::new(joined.clone().into_iter(), left.iter().copied(), named);
        let whole = |joined, left, more| {
            let message = ServerMessage::PeersChanged { joined, left, more };
            message.body().number(1, None).to_bytes()
        };
        let written = change(3);
        let told = |to| {
            let body = written.without(ClientId::new(to)).unwrap();
            body.number(1, None).to_bytes()
        };
        assert_eq!(told(9), whole(joined.clone(), left.clone(), false));
        for (own, others) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
            let others = others.map(guest).to_vec();
            assert_eq!(told(own), whole(others, left.clone(), false));
        }
        let few = change(1).without(ClientId::new(1)).unwrap();
        let few = few.number(1, None).to_bytes();
        assert_eq!(few, whole(Vec::new(), left.clone(), true));
    }

    #[test]
    fn who_came_alone_is_told_nothing() {
        let alone = Change::new([guest(1)].into_iter(), std::iter::empty(), 50);
        assert_eq!(alone.without(ClientId::new(1)), None);
        let first_of_two = Change::new([guest(1), guest(2)].into_iter(), std::iter::empty(), 1);
        assert!(first_of_two.without(ClientId::new(1)).is_some());
    }

    #[test]
    fn a_crowd_fits_into_a_frame() {
        let longest = |id| Peer {
            callsign: "VP8/W1AW/PORTABLE/MM".into(),
            key_id: Some(station::KeyId::new([255; 32])),
            license_class: station::LicenceClass::parse(&"x".repeat(32)).ok(),
            net: Net::parse(&"n".repeat(32)).unwrap(),
            ..guest(id)
        };
        let crowd = Change::new((0..2_000).map(longest), (0..9_000).map(ClientId::new), 50);
        assert!(
            crowd.body.len() <= MAX_FRAME - FRAME_OVERHEAD,
            "{}",
            crowd.body.len()
        );
        let message: serde_json::Value = serde_json::from_slice(&crowd.body).unwrap();
        assert_eq!(message["joined"].as_array().unwrap().len(), 50);
        assert_eq!(message["left"].as_array().unwrap().len(), 50);
        assert_eq!(message["more"], true);
    }
}
