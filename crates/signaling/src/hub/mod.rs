//! The hub: every session at this server, and what passes between them.
//!
//! Tell it what happens ([`Hub::connect`], [`Hub::receive`], [`Hub::heard`], [`Hub::disconnected`],
//! [`Hub::tick`]), then carry out every [`Command`] that [`Hub::poll`] gives. Whoever owns the
//! sockets owns the randomness (client ids) and the cryptography too: a login makes the hub ask for
//! a [`Challenge`] ([`Command::Challenge`], answered by [`Hub::challenge`]) and later for a verdict
//! on the proof ([`Command::Verify`], answered by [`Hub::verified`]).
//!
//! Reading order: this page, `session` (one client's state), `login`, `relay`, `presence`.

mod login;
mod presence;
mod relay;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use station::{Callsign, Fingerprint, KeyId, LicenceClass, Statement};

use crate::limit::Rate;
use crate::message::{ClientId, ClientMessage, ErrorCode, MAX_FRAME, ServerMessage, decode, frame};
use presence::Nets;
use session::{Phase, Session};

/// Every session, and the state machine over them.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    owner: Option<Owner>,
    sessions: BTreeMap<ClientId, Session>,
    nets: Nets,
    commands: VecDeque<Command>,
    next_sweep: Option<Instant>,
}

/// Bounds on what clients may cost, with the defaults of the protocol description.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sessions at once; more are turned away.
    pub sessions: usize,
    /// Messages of one client.
    pub messages: Rate,
    /// Bytes of one client.
    pub bytes: Rate,
    /// Messages over the rate, in a row, until the connection is closed.
    pub strikes: u32,
    /// Failed logins until the connection is closed.
    pub failed_logins: u32,
    /// Time to register in.
    pub register_within: Duration,
    /// Silence after which the server pings.
    pub ping_after: Duration,
    /// Silence after which the connection is closed.
    pub idle_after: Duration,
    /// People on one page of a list.
    pub page: usize,
    /// Calls one session is in at once; the oldest gives way.
    pub calls: usize,
    /// Candidates from one end to the other for one offer.
    pub candidates: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 10_000,
            messages: Rate {
                units: 100,
                per: Duration::from_secs(60),
                burst: 100,
            },
            bytes: Rate {
                units: 1_000_000,
                per: Duration::from_secs(1),
                burst: 1_000_000,
            },
            strikes: 20,
            failed_logins: 3,
            register_within: Duration::from_secs(10),
            ping_after: Duration::from_secs(10),
            idle_after: Duration::from_secs(30),
            page: 50,
            calls: 64,
            candidates: 50,
        }
    }
}

/// The operator whose server this is: their callsign means this key only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Their callsign.
    pub callsign: Callsign,
    /// Their key.
    pub key: KeyId,
}

/// What the hub wants done. Commands of one session are carried out in the order they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put a text frame into the client's queue.
    Send {
        /// To whom.
        client: ClientId,
        /// The frame.
        text: String,
    },
    /// Send a WebSocket ping.
    Ping {
        /// To whom.
        client: ClientId,
    },
    /// Send what is queued, then close. The session is already forgotten.
    Close {
        /// Whom.
        client: ClientId,
        /// With which code.
        code: CloseCode,
    },
    /// Make a challenge for this client and hand it to [`Hub::challenge`].
    Challenge {
        /// For whom.
        client: ClientId,
        /// Who they say they are.
        claimant: Box<Claimant>,
    },
    /// Verify the signature over the statement and hand the verdict to [`Hub::verified`].
    Verify {
        /// Whose proof it is.
        client: ClientId,
        /// The text that must have been signed.
        statement: Statement,
        /// The key it must be signed by, a DER SubjectPublicKeyInfo.
        spki: Vec<u8>,
        /// 64 bytes r‖s in base64url, as it came.
        signature: String,
    },
}

/// WebSocket close codes (RFC 6455, 7.4.1, and the IANA registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// 1001: the server stops.
    GoingAway,
    /// 1008: the client went on after it was told to stop, or fell silent.
    Policy,
    /// 1009: a frame no server could be expected to hold.
    TooLarge,
    /// 1013: the client does not read what it is sent, or the server is full.
    TryAgainLater,
}

impl CloseCode {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::TryAgainLater => 1013,
        }
    }
}

/// Somebody who registers with a certificate, before anything of it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The certificate, PEM.
    pub certificate: String,
    /// The certificates above it, PEM.
    pub chain: Vec<String>,
    /// The nonce the client chose, base64url.
    pub nonce: String,
    /// The URL the client says it dialled.
    pub url: String,
}

/// A login under way: what was asked, and what the client must sign.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The server's nonce, base64url.
    pub nonce: String,
    /// The server's certificate and those above it, PEM.
    pub server_chain: Vec<String>,
    /// The server's signature over its `server-proof`, base64url.
    pub server_signature: String,
    /// The `client-proof` to be signed.
    pub statement: Statement,
    /// The key of the client's certificate, a DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Who the client is, once it has signed.
    pub identity: Identity,
}

/// Who a certificate says somebody is, and what this server makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The callsign in the certificate.
    pub callsign: Callsign,
    /// The certificate's key.
    pub key: KeyId,
    /// The certificate.
    pub fingerprint: Fingerprint,
    /// The class in the certificate.
    pub licence_class: Option<LicenceClass>,
    /// Whether the certificate is trusted here, and its holder so licensed.
    pub trusted: bool,
}

/// Why a login goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The word for programs.
    pub code: ErrorCode,
    /// The sentence for the person.
    pub error: String,
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
            next_sweep: None,
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
        self.next_sweep.get_or_insert(now + SWEEP);
        if full {
            let error = "this server is full; try again in a minute";
            self.refuse(client, ErrorCode::Full, error, None);
            self.close(client, CloseCode::TryAgainLater);
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
    pub fn receive_oversized(&mut self, client: ClientId) {
        let error = format!("a message has at most {MAX_FRAME} bytes");
        self.refuse(client, ErrorCode::TooLarge, &error, None);
        self.close(client, CloseCode::TooLarge);
    }

    /// A ping or pong arrived: the client is alive.
    pub fn heard(&mut self, client: ClientId, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&client) {
            session.heard(now);
        }
    }

    /// The client does not read what it is sent.
    pub fn slow(&mut self, client: ClientId) {
        self.close(client, CloseCode::TryAgainLater);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self, client: ClientId) {
        self.forget(client);
    }

    /// Time has passed: pings, closes the silent. Call at [`Hub::deadline`] or later.
    pub fn tick(&mut self, now: Instant) {
        let mut silent = Vec::new();
        for (&client, session) in &mut self.sessions {
            match session.silence(&self.limits, now) {
                session::Silence::Fine => {}
                session::Silence::Ping => self.commands.push_back(Command::Ping { client }),
                session::Silence::Over(error) => silent.push((client, error)),
            }
        }
        for (client, error) in silent {
            self.refuse(client, ErrorCode::Idle, error, None);
            self.close(client, CloseCode::Policy);
        }
        self.next_sweep = (!self.sessions.is_empty()).then_some(now + SWEEP);
    }

    /// When [`Hub::tick`] is next due; never while nobody is here.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.next_sweep
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
        self.next_sweep = None;
    }

    /// These clients may not stay: they are told, and their sessions end. The others go on.
    pub fn send_away(&mut self, clients: &[ClientId], reason: &str) {
        self.goodbye(clients, reason, STAY_AWAY);
        for &client in clients {
            self.close(client, CloseCode::Policy);
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
            ClientMessage::Register(register) => self.register(client, register, reply_to),
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
                    ClientMessage::Join(join) => self.join(client, &join, reply_to),
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
        match session.charge(len, &limits, now) {
            Ok(()) => true,
            Err(over) => {
                let seconds = over.retry_after.as_secs_f64().ceil();
                let error = format!("too many messages; wait {seconds} seconds");
                let details = serde_json::json!({ "retryAfter": seconds });
                self.refuse_with(client, ErrorCode::RateLimited, &error, Some(details), None);
                if over.out {
                    self.close(client, CloseCode::Policy);
                }
                false
            }
        }
    }

    fn phase(&self, client: ClientId) -> Option<&Phase> {
        self.sessions.get(&client).map(|session| &session.phase)
    }

    fn send(&mut self, client: ClientId, message: &ServerMessage<'_>, reply_to: Option<&str>) {
        self.send_body(client, &message.body(), reply_to);
    }

    fn send_body(&mut self, client: ClientId, body: &str, reply_to: Option<&str>) {
        if let Some(session) = self.sessions.get_mut(&client) {
            session.seq += 1;
            let text = frame(body, session.seq, reply_to);
            self.commands.push_back(Command::Send { client, text });
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
            self.send_body(client, &body, None);
        }
    }

    fn close(&mut self, client: ClientId, code: CloseCode) {
        if self.forget(client) {
            self.commands.push_back(Command::Close { client, code });
        }
    }

    fn forget(&mut self, client: ClientId) -> bool {
        self.leave(client);
        self.end_calls(client);
        self.sessions.remove(&client).is_some()
    }
}

/// How often silence is looked for; the hub sleeps while nobody is here.
const SWEEP: Duration = Duration::from_secs(1);

/// When somebody who was sent away may ask whether they are welcome again.
const STAY_AWAY: Duration = Duration::from_secs(60);
