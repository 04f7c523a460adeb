//! The hub: every session at this server, and what passes between them.
//!
//! Tell it what happens ([`Hub::connect`], [`Hub::receive`], [`Hub::heard`], [`Hub::disconnected`],
//! [`Hub::judge`], [`Hub::set_policy`], [`Hub::tick`]), then carry out every [`Command`] that [`Hub::poll`] gives. Whoever owns the
//! sockets owns the randomness ([`Ticket`]) and the cryptography too: a login makes the hub ask for
//! a [`Challenge`] ([`Command::Challenge`], answered by [`Hub::challenge`]) and later for a verdict
//! on the proof ([`Command::Verify`], answered by [`Hub::verified`]).
//!
//! A connection is one transport; a session is what others see of a client, and survives its
//! connection for a while. A connection is nobody's until it registers, which begins a session, or
//! resumes one. Every session without a connection has an end in time.
//!
//! Reading order: this page, `limits` and `budgets` (what it may cost), `connection` and `session` (one
//! client's state), `login`, `resume`, `standing` (what a session may do changes), `relay`, `observed` (what
//! is added to candidates), `under_way` (who does not read them), `table` (how sessions are found), `nets` (who is
//! where), `presence` (telling them), `elsewhere` (people at other servers), `sending`, `time` (what happens when nothing does).

mod accounts;
mod addresses;
mod budgets;
mod command;
mod connection;
mod counters;
mod elsewhere;
mod kept;
mod limits;
mod login;
mod nets;
mod observed;
mod presence;
mod relay;
mod resume;
mod sending;
mod session;
mod standing;
mod table;
mod time;
mod under_way;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use station::{Callsign, KeyId};

use crate::message::{
    Answer, ClientId, ClientMessage, ErrorCode, IceCandidate, Join, ListPeers, MAX_FRAME, Offer,
    Selector, ServerMessage, decode,
};
use crate::origin::Origin;
use crate::policy::Policy;
use accounts::Accounts;
use addresses::Addresses;
use connection::{Connection, Phase};
use elsewhere::Elsewhere;
use nets::Nets;
use session::Session;
use table::Table;
use time::Timers;

pub use command::{Challenge, Claimant, CloseCode, Command, Credentials, Identity, Refusal};
pub use connection::{ConnectionId, Ticket};
pub use counters::{Counters, Scope};
pub use elsewhere::{Remote, Shown};
pub use limits::Limits;
pub use session::Proof;
pub use standing::Judgement;

/// Every session, and the state machine over them.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    owner: Option<Owner>,
    /// Keys whose place another took, with that one.
    successors: BTreeMap<KeyId, KeyId>,
    policy: Policy,
    /// Whether hidden addresses in candidates are followed by those the server sees.
    observed_candidates: bool,
    connections: Table<ConnectionId, Connection>,
    sessions: Table<ClientId, Session>,
    /// Sessions by the part of their token that they are looked up by.
    tokens: BTreeMap<Selector, ClientId>,
    nets: Nets,
    elsewhere: Elsewhere,
    addresses: Addresses,
    keys: Accounts<KeyId>,
    /// Bytes of the frames that all sessions keep.
    kept: usize,
    counters: Counters,
    commands: VecDeque<Command>,
    timers: Timers,
}

/// The operator whose server this is: their callsign means this key only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Their callsign.
    pub callsign: Callsign,
    /// Their key.
    pub key: KeyId,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            owner: None,
            successors: BTreeMap::new(),
            policy: Policy::default(),
            observed_candidates: true,
            connections: Table::default(),
            sessions: Table::default(),
            tokens: BTreeMap::new(),
            nets: Nets::default(),
            elsewhere: Elsewhere::default(),
            addresses: Addresses::default(),
            keys: Accounts::default(),
            kept: 0,
            counters: Counters::default(),
            commands: VecDeque::new(),
            timers: Timers::default(),
        }
    }

    /// Says whose server this is from now on.
    pub fn set_owner(&mut self, owner: Option<Owner>) {
        self.owner = owner;
    }

    /// Whether candidates that hide an address are followed by a copy with the address that the server
    /// sees; they are unless this says otherwise.
    pub fn set_observed_candidates(&mut self, wanted: bool) {
        self.observed_candidates = wanted;
    }

    /// Says which key took which other's place, in the eyes of this server: a callsign means all of them. No
    /// key follows itself, over however many others.
    pub fn set_successors(&mut self, successors: BTreeMap<KeyId, KeyId>) {
        self.successors = successors;
    }

    /// A connection was accepted. The ticket is for the session it may begin.
    pub fn connect(
        &mut self,
        connection: ConnectionId,
        ticket: Ticket,
        origin: Origin,
        now: Instant,
    ) {
        let full = self.connections.len() + self.timers.dropped() >= self.limits.sessions;
        // Who may come back gives way to who is here.
        let full = full && !self.end_longest_dropped(now);
        let most = self.limits.address_connections;
        let crowded = self.addresses.crowded(origin.sharing, most);
        self.addresses.enter(origin.sharing, now);
        self.connections
            .insert(connection, Connection::new(ticket, origin, now));
        self.set_timer(connection);
        let welcome = if full {
            let error = "this server is full; try again in a minute";
            self.refuse(connection, ErrorCode::Full, error, None);
            false
        } else if crowded {
            let error = "too many connections come from your address; close some of them";
            self.refuse(connection, ErrorCode::Full, error, None);
            false
        } else {
            self.may_try(connection, None, now)
        };
        if !welcome {
            self.close(connection, CloseCode::TryAgainLater, now);
        }
    }

    /// A text frame arrived.
    // Within the server, which is built for size, it would be as slow as that.
    #[inline(never)]
    pub fn receive(&mut self, connection: ConnectionId, text: &str, now: Instant) {
        if !self.admit_frame(connection, text.len(), now) {
            return;
        }
        if text.len() > MAX_FRAME {
            let error = format!("a message has at most {MAX_FRAME} bytes");
            self.refuse(connection, ErrorCode::TooLarge, &error, None);
            return;
        }
        let frame = decode(text);
        let reply_to = frame.id.as_deref();
        match frame.message {
            Ok(message) => self.handle(connection, message, reply_to, now),
            Err(error) => {
                let code = match error {
                    crate::message::DecodeError::UnknownType(_) => ErrorCode::UnknownType,
                    _ => ErrorCode::BadMessage,
                };
                self.refuse(connection, code, &error.to_string(), reply_to);
            }
        }
    }

    /// A binary frame arrived; there is no use for one.
    pub fn receive_binary(&mut self, connection: ConnectionId, len: usize, now: Instant) {
        if self.admit_frame(connection, len, now) {
            let error = "messages here are text frames";
            self.refuse(connection, ErrorCode::BinaryFrame, error, None);
        }
    }

    /// A frame arrived that is too large even to be read; the connection cannot go on.
    pub fn receive_oversized(&mut self, connection: ConnectionId, now: Instant) {
        let error = format!("a message has at most {MAX_FRAME} bytes");
        self.refuse(connection, ErrorCode::TooLarge, &error, None);
        self.close_for_offence(connection, CloseCode::TooLarge, now);
    }

    /// A ping arrived: the client is alive.
    pub fn heard(&mut self, connection: ConnectionId, now: Instant) {
        let rate = self.limits.controls;
        let Some(there) = self.connections.get_mut(connection) else {
            return;
        };
        there.heard(now);
        let charged = there.controls.spend(1, rate, now);
        self.set_timer(connection);
        if let Err(retry_after) = charged {
            self.refuse_over(connection, Scope::Connection, retry_after, None);
            self.close_for_offence(connection, CloseCode::Policy, now);
        }
    }

    /// A pong arrived: what was sent before the ping has arrived, and need not be kept. Pongs that nobody asked
    /// for are charged like pings.
    pub fn answered_ping(&mut self, connection: ConnectionId, now: Instant) {
        let there = self.connections.get_mut(connection);
        let asked = there.and_then(|there| {
            let seq = there.sent_before_ping.take()?;
            there.heard(now);
            Some((seq, there.client()?))
        });
        match asked {
            Some((seq, client)) => {
                self.release(client, seq);
                self.ask_whether_much_arrived(client);
                self.set_timer(connection);
            }
            None => self.heard(connection, now),
        }
    }

    /// The client does not read what it is sent; its session ends.
    pub fn slow(&mut self, connection: ConnectionId, now: Instant) {
        self.counters.slow += 1;
        self.close(connection, CloseCode::TryAgainLater, now);
    }

    /// The connection broke. Its session waits for the client to come back.
    pub fn disconnected(&mut self, connection: ConnectionId, now: Instant) {
        if let Some(there) = self.forget(connection, now)
            && let Phase::In(client) = there.phase
        {
            self.drop_session(client, now);
        }
    }

    /// The client closed the connection because it leaves; its session ends.
    pub fn left(&mut self, connection: ConnectionId, now: Instant) {
        if let Some(there) = self.forget(connection, now)
            && let Phase::In(client) = there.phase
        {
            self.end_session(client, now);
        }
    }

    /// The server stops: everybody is told, and every session ends.
    pub fn stop(&mut self, reason: &str, retry_after: Duration) {
        let connections = self.connections.names();
        self.goodbye(&connections, reason, retry_after);
        // Nobody is left to be told of the others' leaving.
        for connection in connections {
            let code = CloseCode::GoingAway;
            self.commands.push_back(Command::Close { connection, code });
        }
        self.connections = Table::default();
        self.sessions = Table::default();
        self.tokens.clear();
        self.nets = Nets::default();
        self.elsewhere = Elsewhere::default();
        self.addresses = Addresses::default();
        self.keys = Accounts::default();
        self.kept = 0;
        self.timers = Timers::default();
    }

    /// These clients may not stay: they are told, and their sessions end, and so do the sessions of all
    /// who dropped out, for nobody knows any more where they were. The others go on.
    pub fn send_away(&mut self, connections: &[ConnectionId], reason: &str, now: Instant) {
        self.goodbye(connections, reason, STAY_AWAY);
        for &connection in connections {
            self.close(connection, CloseCode::Policy, now);
        }
        while self.end_longest_dropped(now) {}
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Sessions here that are registered: licensed and unlicensed.
    #[must_use]
    pub fn population(&self) -> (usize, usize) {
        let (licensed, others) = self.nets.population();
        let (licensed_there, others_there) = self.elsewhere.population();
        (licensed - licensed_there, others - others_there)
    }

    /// Connections, whether or not they are a session's.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Sessions that wait for their client to come back.
    #[must_use]
    pub fn away(&self) -> usize {
        self.timers.dropped()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Bytes of the frames that are kept for clients that may come back.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    fn handle(
        &mut self,
        connection: ConnectionId,
        message: ClientMessage<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        let signal = match message {
            ClientMessage::Register(register) => {
                return self.register(connection, register, reply_to, now);
            }
            ClientMessage::Authenticate(proof) => {
                return self.authenticate(connection, &proof, reply_to);
            }
            ClientMessage::Resume(resume) => {
                return self.resume(connection, resume, reply_to, now);
            }
            ClientMessage::Ping => {
                return self.send(connection, &ServerMessage::Pong, reply_to);
            }
            ClientMessage::Offer(offer) => Signal::Offer(offer),
            ClientMessage::Answer(answer) => Signal::Answer(answer),
            ClientMessage::IceCandidate(ice) => Signal::IceCandidate(ice),
            ClientMessage::ListPeers(list) => Signal::ListPeers(list),
            ClientMessage::Join(join) => Signal::Join(join),
        };
        let Some(&Phase::In(client)) = self.phase(connection) else {
            let error = "send REGISTER first";
            return self.refuse(connection, ErrorCode::NotRegistered, error, reply_to);
        };
        if !self.admit_signal(connection, client, &signal, reply_to, now) {
            return;
        }
        match signal {
            Signal::Offer(offer) => self.offer(client, &offer, None, reply_to, now),
            Signal::Answer(answer) => self.answer(client, &answer, None, reply_to),
            Signal::IceCandidate(ice) => self.candidate(client, &ice, reply_to),
            Signal::ListPeers(list) => self.list_peers(client, &list, reply_to),
            Signal::Join(join) => self.join(client, &join, reply_to, now),
        }
    }

    fn phase(&self, connection: ConnectionId) -> Option<&Phase> {
        self.connections.get(connection).map(|there| &there.phase)
    }

    /// Ends a connection and, for good, its session.
    fn close(&mut self, connection: ConnectionId, code: CloseCode, now: Instant) {
        if let Some(there) = self.forget(connection, now) {
            if let Phase::In(client) = there.phase {
                self.end_session(client, now);
            }
            self.hang_up_connection(connection, code);
        }
    }

    /// Has a connection closed that is forgotten already.
    fn hang_up_connection(&mut self, connection: ConnectionId, code: CloseCode) {
        *self.counters.closed.entry(code).or_default() += 1;
        self.commands.push_back(Command::Close { connection, code });
    }

    fn forget(&mut self, connection: ConnectionId, now: Instant) -> Option<Connection> {
        let there = self.connections.remove(connection)?;
        self.timers.clear(connection, there.timer);
        self.addresses.leave(there.origin.sharing, now);
        Some(there)
    }

    /// A session is over: the others learn of it, and nobody can resume it.
    fn end_session(&mut self, client: ClientId, now: Instant) {
        self.leave(client, now);
        self.hide(client);
        self.end_calls(client);
        if let Some(session) = self.sessions.remove(client) {
            self.kept -= session.kept.bytes();
            if let Some(identity) = &session.presence.identity {
                self.keys.leave(identity.key, now);
            }
            self.tokens.remove(&session.token.selector());
            let from = session.origin.sharing;
            self.timers
                .keep_no_longer(client, from, session.dropped_until);
        }
    }
}

/// What only a session may say.
enum Signal<'a> {
    Offer(Offer<'a>),
    Answer(Answer<'a>),
    IceCandidate(IceCandidate<'a>),
    ListPeers(ListPeers<'a>),
    Join(Join<'a>),
}

/// When somebody who was sent away may ask whether they are welcome again.
const STAY_AWAY: Duration = Duration::from_secs(60);
