//! One connection: how far its login is, what it has spent, and when it was last heard.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::standing::Whom;
use super::{Challenge, Identity, Limits, Proof};
use crate::limit::Meter;
use crate::message::{ClientId, Net, SessionToken};
use crate::origin::Origin;

/// A connection's name between the hub and whoever owns the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// What is drawn at random for the session that a connection may begin.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Its name.
    pub client: ClientId,
    /// What resumes it.
    pub token: SessionToken,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) phase: Phase,
    /// None once its session began.
    pub(super) ticket: Option<Ticket>,
    pub(super) origin: Origin,
    /// The number of the last frame sent before the connection was a session's.
    pub(super) seq: u64,
    pub(super) failed_logins: u32,
    /// The number of the session's last frame before a ping that is not answered yet.
    pub(super) sent_before_ping: Option<u64>,
    /// Under which time its timer is set.
    pub(super) timer: Option<Instant>,
    connected: Instant,
    last_heard: Instant,
    pinged: Option<Instant>,
    messages: Meter,
    bytes: Meter,
    strikes: u32,
    pub(super) controls: Meter,
    pub(super) offers: Meter,
    pub(super) moves: Meter,
}

/// How far the login is. Guests go straight from `Arrived` to `In`. What only a login needs lies apart: most
/// connections are done with it.
#[derive(Debug)]
pub(super) enum Phase {
    Arrived,
    /// A challenge is being made.
    Identifying(Box<Application>),
    /// The challenge is with the client.
    Challenged(Box<Application>, Box<Challenge>),
    /// The proof is being verified.
    Proving(Box<Application>, Box<Proven>),
    /// It carries this session.
    In(ClientId),
}

/// What an operator asked for while the login is under way.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) purpose: Purpose,
    /// The `id` of the frame that waits for an answer.
    pub(super) reply_to: Option<String>,
    /// Keys that were judged since somebody began to look who this is, and the verdicts.
    pub(super) judged: BTreeMap<Whom, bool>,
}

#[derive(Debug)]
pub(super) enum Purpose {
    /// To begin a session.
    Register {
        /// The callsign as registered.
        callsign: String,
        net: Net,
    },
    /// To go on with one.
    Resume { client: ClientId, last_seq: u64 },
}

/// Who somebody is if their proof is genuine.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) identity: Identity,
    /// Their key, a DER SubjectPublicKeyInfo.
    pub(super) spki: Vec<u8>,
    pub(super) proof: Option<Proof>,
}

/// What silence calls for.
pub(super) enum Silence {
    Fine,
    Ping,
    Over(&'static str),
}

/// A frame over its sender's budget.
pub(super) struct OverBudget {
    pub(super) retry_after: Duration,
    /// The sender was told often enough.
    pub(super) out: bool,
}

impl Application {
    pub(super) fn new(purpose: Purpose, reply_to: Option<&str>) -> Box<Self> {
        Box::new(Self {
            purpose,
            reply_to: reply_to.map(str::to_owned),
            judged: BTreeMap::new(),
        })
    }
}

impl ConnectionId {
    /// Any number that no other connection of the same hub has.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl Connection {
    pub(super) fn new(ticket: Ticket, origin: Origin, now: Instant) -> Self {
        Self {
            phase: Phase::Arrived,
            ticket: Some(ticket),
            origin,
            seq: 0,
            failed_logins: 0,
            sent_before_ping: None,
            timer: None,
            connected: now,
            last_heard: now,
            pinged: None,
            messages: Meter::new(now),
            bytes: Meter::new(now),
            strikes: 0,
            controls: Meter::new(now),
            offers: Meter::new(now),
            moves: Meter::new(now),
        }
    }

    /// The session it carries, if it does.
    pub(super) fn client(&self) -> Option<ClientId> {
        match self.phase {
            Phase::In(client) => Some(client),
            _ => None,
        }
    }

    fn is_in(&self) -> bool {
        self.client().is_some()
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.pinged = None;
    }

    /// Charges a frame of `len` bytes.
    pub(super) fn charge(
        &mut self,
        len: usize,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), OverBudget> {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        if let Err(retry_after) = self.bytes.spend(len, limits.bytes, now) {
            return Err(OverBudget {
                retry_after,
                out: true,
            });
        }
        match self.messages.spend(1, limits.messages, now) {
            Ok(()) => {
                self.strikes = 0;
                Ok(())
            }
            Err(retry_after) => {
                self.strikes += 1;
                Err(OverBudget {
                    retry_after,
                    out: self.strikes > limits.strikes,
                })
            }
        }
    }

    /// When [`Session::silence`] next calls for something.
    pub(super) fn due(&self, limits: &Limits) -> Instant {
        let over = self.last_heard + limits.idle_after;
        let ping = self.pinged.unwrap_or(self.last_heard) + limits.ping_after;
        let due = over.min(ping);
        if self.is_in() {
            due
        } else {
            due.min(self.connected + limits.register_within)
        }
    }

    /// Whether its timer goes off before something is due, or then.
    pub(super) fn wakes_in_time(&self, limits: &Limits) -> bool {
        self.timer.is_some_and(|set| set <= self.due(limits))
    }

    pub(super) fn silence(&mut self, limits: &Limits, now: Instant) -> Silence {
        if now >= self.last_heard + limits.idle_after {
            return Silence::Over("nothing was heard from you for too long");
        }
        if !self.is_in() && now >= self.connected + limits.register_within {
            return Silence::Over("you did not register in time");
        }
        if now >= self.pinged.unwrap_or(self.last_heard) + limits.ping_after {
            self.pinged = Some(now);
            return Silence::Ping;
        }
        Silence::Fine
    }
}
