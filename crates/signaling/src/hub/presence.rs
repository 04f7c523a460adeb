//! Telling the members of a net of each other: who came, who left, who is here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::connection::Phase;
use super::kept::Kept;
use super::nets::{Audience, News};
use super::session::{Presence, Session};
use super::{ConnectionId, Hub, Ticket};
use crate::message::{
    ClientId, ErrorCode, FRAME_OVERHEAD, Join, ListPeers, MAX_FRAME, Net, Peer, ServerMessage,
};

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
        let Some(there) = self.connections.get_mut(&connection) else {
            return;
        };
        let Ticket { client, token } = there.ticket.clone();
        there.phase = Phase::In(client);
        let origin = there.origin;
        let kept = Kept::after(there.seq);
        self.tokens.insert(token.selector().to_owned(), client);
        let session = Session {
            presence,
            token,
            spki,
            kept,
            origin,
            connection: Some(connection),
            dropped_until: None,
        };
        self.sessions.insert(client, session);
        self.set_timer(connection);
        self.enter(client, reply_to, now);
        // The token came with this frame, so nobody resumes from before it.
        if let Some(session) = self.sessions.get_mut(&client) {
            session.kept.release(session.kept.sent());
        }
    }

    /// A session enters its net: it learns who is here, and they learn of it.
    fn enter(&mut self, client: ClientId, reply_to: Option<&str>, now: Instant) {
        let Some(session) = self.sessions.get(&client) else {
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
        let peer = presence.as_peer(client);
        let joined = ServerMessage::PeerJoined { peer }.body();
        self.send_body(client, registered, reply_to);
        self.tell(audience, client, &net, &joined);
    }

    /// A session is gone from its net.
    pub(super) fn leave(&mut self, client: ClientId, now: Instant) {
        let Some(session) = self.sessions.get(&client) else {
            return;
        };
        let net = session.presence.net.clone();
        let audience = self
            .nets
            .leave(client, &session.presence, &self.limits, now);
        let left = ServerMessage::PeerLeft { peer_id: client }.body();
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
        self.leave(client, now);
        // The calls go along: a net is where people find each other, not where they talk.
        if let Some(session) = self.sessions.get_mut(&client) {
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
        let Some(session) = self.sessions.get(&client) else {
            return;
        };
        let (peers, next) = self.page(client, &session.presence.net, after);
        self.send(client, &ServerMessage::PeerList { peers, next }, reply_to);
    }

    /// Makes sure that the receiver of a signal has heard of its sender, who may have come just now.
    pub(super) fn introduce(&mut self, from: ClientId, to: ClientId) {
        let Some(Session { presence, .. }) = self.sessions.get(&from) else {
            return;
        };
        if self.nets.introduce(from, to, &presence.net) {
            let peer = presence.as_peer(from);
            self.send(to, &ServerMessage::PeerJoined { peer }, None);
        }
    }

    /// Tells the members of a net what changed while news was gathered.
    pub(super) fn tell_news(&mut self, net: &Net, news: &News) {
        let peer = |&id: &ClientId| Some(self.sessions.get(&id)?.presence.as_peer(id));
        let joined = news.newcomers().filter_map(peer);
        let bodies = changes(joined, news.leavers());
        let members: Vec<_> = self.nets.members(net).collect();
        for member in members {
            for change in &bodies {
                if let Some(body) = change.without(member) {
                    self.send_body(member, body, None);
                }
            }
        }
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
        let peer = |&id: &ClientId| Some(self.sessions.get(&id)?.presence.as_peer(id));
        (page.iter().filter_map(peer).collect(), next)
    }

    pub(super) fn tell(&mut self, audience: Audience, about: ClientId, net: &Net, body: &Arc<str>) {
        let listeners: Vec<_> = match audience {
            Audience::Net => self.nets.members(net).filter(|&m| m != about).collect(),
            Audience::Only(listeners) => listeners.into_iter().collect(),
        };
        for listener in listeners {
            self.send_body(listener, Arc::clone(body), None);
        }
    }
}

/// A `PEERS_CHANGED` that is encoded once, and where in it each of those who joined stands.
struct Change {
    body: Arc<str>,
    /// Start and end of each `joined` entry, without the comma between them.
    entries: BTreeMap<ClientId, (usize, usize)>,
    others: usize,
}

impl Change {
    /// The message for one member: nobody is told of themselves. None when nothing is left to tell.
    fn without(&self, member: ClientId) -> Option<Arc<str>> {
        let Some(&(start, end)) = self.entries.get(&member) else {
            return Some(Arc::clone(&self.body));
        };
        if self.entries.len() + self.others == 1 {
            return None;
        }
        // With the entry goes one comma: the one behind it or, for the last, the one before.
        let (head, tail) = (&self.body[..start], &self.body[end..]);
        let (head, tail) = match tail.strip_prefix(',') {
            Some(tail) => (head, tail),
            None => (head.strip_suffix(',').unwrap_or(head), tail),
        };
        Some([head, tail].concat().into())
    }
}

/// Writes what changed as messages that each fit into a frame. Each entry is encoded once, and stands
/// in the message as JSON already: this is `ServerMessage::PeersChanged` in pieces.
fn changes(
    joined: impl Iterator<Item = Peer>,
    left: impl Iterator<Item = ClientId>,
) -> Vec<Change> {
    let mut pages = vec![Page::default()];
    for peer in joined {
        // Strings and booleans under fixed names: writing them cannot fail.
        let entry = serde_json::to_string(&peer).unwrap_or_default();
        page_with_room(&mut pages, entry.len()).join(peer.id, &entry);
    }
    for client in left {
        let entry = format!("\"{client}\"");
        page_with_room(&mut pages, entry.len()).leave(&entry);
    }
    pages.into_iter().map(Page::finish).collect()
}

fn page_with_room(pages: &mut Vec<Page>, len: usize) -> &mut Page {
    let full = pages
        .last()
        .is_none_or(|page| page.len() + len + 1 > MAX_BODY);
    if full {
        pages.push(Page::default());
    }
    let last = pages.len() - 1;
    &mut pages[last]
}

/// A [`Change`] being written: the two lists, without their brackets.
#[derive(Default)]
struct Page {
    joined: String,
    entries: BTreeMap<ClientId, (usize, usize)>,
    left: String,
    others: usize,
}

impl Page {
    fn len(&self) -> usize {
        HEAD.len() + self.joined.len() + MIDDLE.len() + self.left.len() + TAIL.len()
    }

    fn join(&mut self, client: ClientId, entry: &str) {
        if !self.joined.is_empty() {
            self.joined.push(',');
        }
        let start = HEAD.len() + self.joined.len();
        self.joined.push_str(entry);
        self.entries.insert(client, (start, start + entry.len()));
    }

    fn leave(&mut self, entry: &str) {
        if !self.left.is_empty() {
            self.left.push(',');
        }
        self.left.push_str(entry);
        self.others += 1;
    }

    fn finish(self) -> Change {
        Change {
            body: [HEAD, &self.joined, MIDDLE, &self.left, TAIL]
                .concat()
                .into(),
            entries: self.entries,
            others: self.others,
        }
    }
}

const HEAD: &str = r#"{"type":"PEERS_CHANGED","joined":["#;
const MIDDLE: &str = r#"],"left":["#;
const TAIL: &str = "]}";

/// Most bytes of a message that becomes a frame without a `replyTo`.
const MAX_BODY: usize = MAX_FRAME - FRAME_OVERHEAD;

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(id: u64) -> Peer {
        Peer {
            id: ClientId::new(id),
            callsign: "GUEST".into(),
            has_license: false,
            verified: false,
            key_id: None,
            license_class: None,
            net: Net::default(),
        }
    }

    #[test]
    fn the_pieces_are_the_message() {
        let (joined, left) = (vec![guest(1), guest(2), guest(3)], vec![ClientId::new(4)]);
        let written = changes(joined.clone().into_iter(), left.iter().copied());
        assert_eq!(written.len(), 1);
        let whole = |joined, left| ServerMessage::PeersChanged { joined, left }.body();
        let told = |to| written[0].without(ClientId::new(to)).unwrap();
        assert_eq!(told(9), whole(joined.clone(), left.clone()));
        for (own, others) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
            assert_eq!(told(own), whole(others.map(guest).to_vec(), left.clone()));
        }
        let alone = changes([guest(1)].into_iter(), std::iter::empty());
        assert_eq!(alone[0].without(ClientId::new(1)), None);
    }

    #[test]
    fn a_crowd_is_split_into_frames() {
        let written = changes((0..2_000).map(guest), (2_000..9_000).map(ClientId::new));
        assert!(written.len() > 3);
        let mut told = 0;
        for change in &written {
            assert!(change.body.len() <= MAX_BODY, "{}", change.body.len());
            let message: serde_json::Value = serde_json::from_str(&change.body).unwrap();
            told += message["joined"].as_array().unwrap().len();
            told += message["left"].as_array().unwrap().len();
        }
        assert_eq!(told, 9_000);
    }
}
