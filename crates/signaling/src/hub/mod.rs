//! The hub: every session at this server, and what passes between them.
//!
//! Tell it what happens ([`Hub::connect`], [`Hub::receive`], [`Hub::heard`], [`Hub::disconnected`],
//! [`Hub::tick`]), then carry out every [`Command`] that [`Hub::poll`] gives. Whoever owns the
//! sockets owns the randomness (client ids) and the cryptography too: a login makes the hub ask for
//! a [`Challenge`] ([`Command::Challenge`], answered by [`Hub::challenge`]) and later for a verdict
//! on the proof ([`Command::Verify`], answered by [`Hub::verified`]).
//!
//! Reading order: this page, `session` (one client's state), `login`, `relay`, `nets` (who is where),
//! `presence` (telling them), `time` (what happens when nothing does).

mod command;
mod limits;
mod login;
mod nets;
mod presence;
mod relay;
mod session;
mod time;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use station::{Callsign, KeyId};

use crate::message::{
    ClientId, ClientMessage, ErrorCode, MAX_FRAME, ServerFrame, ServerMessage, decode,
};
use nets::Nets;
use session::{Phase, Session};
use time::Timers;

pub use command::{Challenge, Claimant, CloseCode, Command, Identity, Refusal};
pub use limits::Limits;

/// Every session, and the state machine over them.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    owner: Option<Owner>,
    sessions: BTreeMap<ClientId, Session>,
    nets: Nets,
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
            sessions: BTreeMap::new(),
            nets: Nets::default(),
            commands: VecDeque::new(),
            timers: Timers::default(),
        }
    }

    /// Says whose server this is from now on.
    pub fn set_owner(&mut self, owner: Option<Owner>) {
        self.owner = owner;
    }

    /// A connection was accepted and given a fresh random id.
    pub fn connect(&mut self, client: ClientId, now: Instant) {
        let full = self.sessions.len() >= self.limits.sessions;
        self.sessions.insert(client, Session::new(now));
        self.set_timer(client);
        if full {
            let error = "this server is full; try again in a minute";
            self.refuse(client, ErrorCode::Full, error, None);
            self.close(client, CloseCode::TryAgainLater, now);
        }
    }

    /// A text frame arrived.
    pub fn receive(&mut self, client: ClientId, text: &str, now: Instant) {
        if !self.admit_frame(client, text.len(), now) {
            return;
        }
        if text.len() > MAX_FRAME {
            let error = format!("a message has at most {MAX_FRAME} bytes");
            self.refuse(client, ErrorCode::TooLarge, &error, None);
            return;
        }
        let frame = decode(text);
        let reply_to = frame.id.as_deref();
        match frame.message {
            Ok(message) => self.handle(client, message, reply_to, now),
            Err(error) => {
                let code = match error {
                    crate::message::DecodeError::UnknownType(_) => ErrorCode::UnknownType,
                    _ => ErrorCode::BadMessage,
                };
                self.refuse(client, code, &error.to_string(), reply_to);
            }
        }
    }

    /// A binary frame arrived; there is no use for one.
    pub fn receive_binary(&mut self, client: ClientId, len: usize, now: Instant) {
        if self.admit_frame(client, len, now) {
            let error = "messages here are text frames";
            self.refuse(client, ErrorCode::BinaryFrame, error, None);
        }
    }

    /// A frame arrived that is too large even to be read; the connection cannot go on.
    pub fn receive_oversized(&mut self, client: ClientId, now: Instant) {
        let error = format!("a message has at most {MAX_FRAME} bytes");
        self.refuse(client, ErrorCode::TooLarge, &error, None);
        self.close(client, CloseCode::TooLarge, now);
    }

    /// A ping or pong arrived: the client is alive.
    pub fn heard(&mut self, client: ClientId, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&client) {
            session.heard(now);
            self.set_timer(client);
        }
    }

    /// The client does not read what it is sent.
    pub fn slow(&mut self, client: ClientId, now: Instant) {
        self.close(client, CloseCode::TryAgainLater, now);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self, client: ClientId, now: Instant) {
        self.forget(client, now);
    }

    /// The server stops: everybody is told, and every session ends.
    pub fn stop(&mut self, reason: &str, retry_after: Duration) {
        let clients: Vec<_> = self.sessions.keys().copied().collect();
        self.goodbye(&clients, reason, retry_after);
        // Nobody is left to be told of the others' leaving.
        for client in clients {
            self.commands.push_back(Command::Close {
                client,
                code: CloseCode::GoingAway,
            });
        }
        self.sessions.clear();
        self.nets = Nets::default();
        self.timers = Timers::default();
    }

    /// These clients may not stay: they are told, and their sessions end. The others go on.
    pub fn send_away(&mut self, clients: &[ClientId], reason: &str, now: Instant) {
        self.goodbye(clients, reason, STAY_AWAY);
        for &client in clients {
            self.close(client, CloseCode::Policy, now);
        }
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Sessions that are registered: licensed and unlicensed.
    #[must_use]
    pub fn population(&self) -> (usize, usize) {
        self.nets.population()
    }

    fn handle(
        &mut self,
        client: ClientId,
        message: ClientMessage<'_>,
        reply_to: Option<&str>,
        now: Instant,
    ) {
        match message {
            ClientMessage::Register(register) => self.register(client, register, reply_to, now),
            ClientMessage::Authenticate(proof) => self.authenticate(client, &proof, reply_to),
            ClientMessage::Ping => self.send(client, &ServerMessage::Pong, reply_to),
            other => {
                if !matches!(self.phase(client), Some(Phase::Present(_))) {
                    let error = "send REGISTER first";
                    return self.refuse(client, ErrorCode::NotRegistered, error, reply_to);
                }
                match other {
                    ClientMessage::Offer(offer) => self.offer(client, &offer, reply_to, now),
                    ClientMessage::Answer(answer) => self.answer(client, &answer, reply_to),
                    ClientMessage::IceCandidate(ice) => self.candidate(client, &ice, reply_to),
                    ClientMessage::ListPeers(list) => self.list_peers(client, &list, reply_to),
                    ClientMessage::Join(join) => self.join(client, &join, reply_to, now),
                    ClientMessage::Register(_)
                    | ClientMessage::Authenticate(_)
                    | ClientMessage::Ping => {}
                }
            }
        }
    }

    /// Charges a frame to its sender. False when it is over budget or the sender is unknown.
    fn admit_frame(&mut self, client: ClientId, len: usize, now: Instant) -> bool {
        let limits = self.limits;
        let Some(session) = self.sessions.get_mut(&client) else {
            return false;
        };
        session.heard(now);
        let charged = session.charge(len, &limits, now);
        self.set_timer(client);
        match charged {
            Ok(()) => true,
            Err(over) => {
                let seconds = over.retry_after.as_secs_f64().ceil();
                let error = format!("too many messages; wait {seconds} seconds");
                let details = serde_json::json!({ "retryAfter": seconds });
                self.refuse_with(client, ErrorCode::RateLimited, &error, Some(details), None);
                if over.out {
                    self.close(client, CloseCode::Policy, now);
                }
                false
            }
        }
    }

    fn phase(&self, client: ClientId) -> Option<&Phase> {
        self.sessions.get(&client).map(|session| &session.phase)
    }

    fn send(&mut self, client: ClientId, message: &ServerMessage<'_>, reply_to: Option<&str>) {
        self.send_body(client, message.body(), reply_to);
    }

    fn send_body(&mut self, client: ClientId, body: Arc<str>, reply_to: Option<&str>) {
        if let Some(session) = self.sessions.get_mut(&client) {
            session.seq += 1;
            let frame = ServerFrame::new(body, session.seq, reply_to);
            self.commands.push_back(Command::Send { client, frame });
        }
    }

    fn refuse(&mut self, client: ClientId, code: ErrorCode, error: &str, reply_to: Option<&str>) {
        self.refuse_with(client, code, error, None, reply_to);
    }

    fn refuse_with(
        &mut self,
        client: ClientId,
        code: ErrorCode,
        error: &str,
        details: Option<serde_json::Value>,
        reply_to: Option<&str>,
    ) {
        let message = ServerMessage::Error {
            error: error.into(),
            code,
            details,
        };
        self.send(client, &message, reply_to);
    }

    fn goodbye(&mut self, clients: &[ClientId], reason: &str, retry_after: Duration) {
        let retry_after = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
        let reason = reason.into();
        let body = ServerMessage::Goodbye {
            reason,
            retry_after,
        }
        .body();
        for &client in clients {
            self.send_body(client, Arc::clone(&body), None);
        }
    }

    fn close(&mut self, client: ClientId, code: CloseCode, now: Instant) {
        if self.forget(client, now) {
            self.commands.push_back(Command::Close { client, code });
        }
    }

    fn forget(&mut self, client: ClientId, now: Instant) -> bool {
        self.leave(client, now);
        self.end_calls(client);
        let session = self.sessions.remove(&client);
        self.timers
            .clear(client, session.as_ref().and_then(|session| session.timer));
        session.is_some()
    }
}

/// When somebody who was sent away may ask whether they are welcome again.
const STAY_AWAY: Duration = Duration::from_secs(60);
