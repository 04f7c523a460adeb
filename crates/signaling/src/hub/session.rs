//! One client's session: how far its login is, what it has spent, and whom it is in a call with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Challenge, Identity, Limits};
use crate::limit::Meter;
use crate::message::{ClientId, Net, Peer, Role};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) phase: Phase,
    /// The number of the last frame sent.
    pub(super) seq: u64,
    pub(super) failed_logins: u32,
    connected: Instant,
    last_heard: Instant,
    pinged: Option<Instant>,
    /// Under which time the session's timer is set.
    pub(super) timer: Option<Instant>,
    messages: Meter,
    bytes: Meter,
    strikes: u32,
}

/// How far the login is. Guests go straight from `Arrived` to `Present`.
#[derive(Debug)]
pub(super) enum Phase {
    Arrived,
    /// A challenge is being made.
    Identifying(Application),
    /// The challenge is with the client.
    Challenged(Application, Box<Challenge>),
    /// The proof is being verified.
    Proving(Application, Box<Identity>),
    Present(Box<Presence>),
}

/// What an operator asked for while the login is under way.
#[derive(Debug)]
pub(super) struct Application {
    /// The callsign as registered.
    pub(super) callsign: String,
    pub(super) net: Net,
    /// The `id` of the frame that waits for an answer.
    pub(super) reply_to: Option<String>,
}

/// A registered session, as others see it.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) identity: Option<Identity>,
    /// The callsign shown: proven, or as typed by somebody unproven, or `GUEST`.
    pub(super) callsign: String,
    pub(super) net: Net,
    pub(super) calls: BTreeMap<ClientId, Leg>,
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

impl Session {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Arrived,
            seq: 0,
            failed_logins: 0,
            connected: now,
            last_heard: now,
            pinged: None,
            timer: None,
            messages: Meter::new(now),
            bytes: Meter::new(now),
            strikes: 0,
        }
    }

    pub(super) fn presence(&self) -> Option<&Presence> {
        match &self.phase {
            Phase::Present(presence) => Some(presence),
            _ => None,
        }
    }

    pub(super) fn presence_mut(&mut self) -> Option<&mut Presence> {
        match &mut self.phase {
            Phase::Present(presence) => Some(presence),
            _ => None,
        }
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
        if self.presence().is_some() {
            due
        } else {
            due.min(self.connected + limits.register_within)
        }
    }

    pub(super) fn silence(&mut self, limits: &Limits, now: Instant) -> Silence {
        if now >= self.last_heard + limits.idle_after {
            return Silence::Over("nothing was heard from you for too long");
        }
        if self.presence().is_none() && now >= self.connected + limits.register_within {
            return Silence::Over("you did not register in time");
        }
        if now >= self.pinged.unwrap_or(self.last_heard) + limits.ping_after {
            self.pinged = Some(now);
            return Silence::Ping;
        }
        Silence::Fine
    }
}

impl Presence {
    pub(super) fn new(callsign: String, identity: Option<Identity>, net: Net) -> Self {
        Self {
            identity,
            callsign,
            net,
            calls: BTreeMap::new(),
        }
    }

    pub(super) fn licensed(&self) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|identity| identity.trusted)
    }

    pub(super) fn role(&self) -> Role {
        if self.licensed() {
            Role::Licensed
        } else {
            Role::Unlicensed
        }
    }

    pub(super) fn as_peer(&self, id: ClientId) -> Peer {
        let identity = self.identity.as_ref();
        Peer {
            id,
            callsign: self.callsign.clone(),
            has_license: self.licensed(),
            verified: self.licensed(),
            key_id: identity.map(|identity| identity.key),
            license_class: identity.and_then(|identity| identity.licence_class.clone()),
            net: self.net.clone(),
        }
    }
}
