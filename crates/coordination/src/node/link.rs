//! One link, from the transport's beginning to its end.

use std::sync::Arc;
use std::time::Instant;

use station::{Callsign, Fingerprint, Zone};

use super::exchange::Exchange;
use super::input::{Frame, Standing};
use super::limits::LinkLimits;
use super::outbox::Outbox;
use super::plain::PlainLink;
use super::repair::Agreement;
use crate::budget::Meter;
use crate::bytes::{Blob, Nonce, ServerId, Signature};
use crate::message::{Hello, LANES, MAX_FRAME, Part};

/// Frames, pings included, that a handshake may take: `Hello` and `Proof` in the parts that the slowest link makes
/// of them, and as many again.
const OPENING_FRAMES: usize = 128;
/// Bytes in them: certificates of [`MAX_CHAIN`](crate::message::handshake) and what goes around them.
const OPENING_BYTES: usize = 24 * 1024;
/// Bytes of what comes after a proof that are kept while it is checked: what a link begins with.
const EARLY_BYTES: usize = 2 * MAX_FRAME;
/// Frames, and bytes in them, that may come until it is checked, kept or not: more than a link begins with, and far less than
/// whoever is proved may say.
const UNCHECKED_FRAMES: usize = 4_096;
const UNCHECKED_BYTES: usize = 16 * MAX_FRAME;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) zone: Zone,
    /// The endpoint our end dialled, if it did.
    pub(super) dialed: Option<String>,
    pub(super) outbox: Outbox,
    pub(super) phase: Phase,
    /// When something last arrived.
    pub(super) heard: Instant,
    /// Costly work that what arrives causes: a signature check is one unit.
    pub(super) effort: Meter,
    /// The same of messages on ways.
    pub(super) effort_on_ways: Meter,
    /// Messages on ways, passed on from here.
    pub(super) relay_from: Meter,
    /// Messages on ways, passed on to here.
    pub(super) relay_to: Meter,
    messages: Meter,
    bytes: Meter,
    /// Frames, and their bytes, that came before the link stood.
    before: (usize, usize),
    parts: [Vec<u8>; LANES],
}

/// How far a link has come.
#[derive(Debug)]
pub(super) enum Phase {
    /// No subprotocol: plain messages, and nobody proved anything.
    Plain(PlainLink),
    /// Both ends say and prove who they are.
    Opening(Box<Opening>),
    /// Both did.
    Up(Box<Up>),
}

/// A handshake. Each end does two things: it proves itself, and it judges the other.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) nonce: Nonce,
    pub(super) hello: Option<Hello>,
    pub(super) peer: Option<Claimed>,
    /// Their signature, which may come before their certificates are read.
    pub(super) proof: Option<Signature>,
    pub(super) proof_sent: bool,
    pub(super) proof_checked: bool,
    /// What came after their proof: for them the link stands already.
    early: Vec<Frame>,
    early_bytes: usize,
}

/// Who the other end says it is, once its certificates are read.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub(super) id: ServerId,
    pub(super) fingerprint: Fingerprint,
    pub(super) chain: Vec<Blob>,
    pub(super) callsign: Callsign,
    pub(super) key: Arc<[u8]>,
    pub(super) standing: Standing,
}

/// A link that stands.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) peer: ServerId,
    pub(super) agreement: Agreement,
    pub(super) exchange: Exchange,
}

/// What arrived is more than any use of the protocol needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flooded;

impl Link {
    pub(super) fn new(zone: Zone, dialed: Option<String>, phase: Phase, now: Instant) -> Self {
        Self {
            zone,
            dialed,
            outbox: Outbox::new(now),
            phase,
            heard: now,
            effort: Meter::new(now),
            effort_on_ways: Meter::new(now),
            relay_from: Meter::new(now),
            relay_to: Meter::new(now),
            messages: Meter::new(now),
            bytes: Meter::new(now),
            before: (0, 0),
            parts: Default::default(),
        }
    }

    /// Charges what arrived. Who has proved nothing yet has far less to say than who has.
    pub(super) fn charge(
        &mut self,
        bytes: usize,
        limits: &LinkLimits,
        now: Instant,
    ) -> Result<(), Flooded> {
        if let Phase::Opening(opening) = &self.phase {
            let most = match opening.proof {
                None => (OPENING_FRAMES, OPENING_BYTES),
                Some(_) => (UNCHECKED_FRAMES, UNCHECKED_BYTES),
            };
            self.before.0 += 1;
            self.before.1 += bytes;
            if self.before.0 > most.0 || self.before.1 > most.1 {
                return Err(Flooded);
            }
        }
        let messages = self.messages.spend(1, limits.messages, now);
        let bytes = self.bytes.spend(bytes, limits.bytes, now);
        messages.and(bytes).map_err(|_| Flooded)
    }

    /// Adds a piece; gives the whole message after the last. Nothing fits beyond a frame's length.
    pub(super) fn assemble(&mut self, part: &Part) -> Result<Option<Vec<u8>>, Flooded> {
        let whole = self.parts.get_mut(usize::from(part.lane)).ok_or(Flooded)?;
        if whole.len() + part.data.len() > MAX_FRAME {
            whole.clear();
            return Err(Flooded);
        }
        whole.extend_from_slice(part.data.as_bytes());
        Ok(part.last.then(|| std::mem::take(whole)))
    }

    /// Who is at the other end, if that is proved.
    pub(super) fn peer(&self) -> Option<ServerId> {
        self.up().map(|up| up.peer)
    }

    pub(super) fn up(&self) -> Option<&Up> {
        match &self.phase {
            Phase::Up(up) => Some(up),
            Phase::Plain(_) | Phase::Opening(_) => None,
        }
    }

    pub(super) fn up_mut(&mut self) -> Option<&mut Up> {
        match &mut self.phase {
            Phase::Up(up) => Some(up),
            Phase::Plain(_) | Phase::Opening(_) => None,
        }
    }

    pub(super) fn opening_mut(&mut self) -> Option<&mut Opening> {
        match &mut self.phase {
            Phase::Opening(opening) => Some(opening),
            Phase::Plain(_) | Phase::Up(_) => None,
        }
    }
}

impl Opening {
    pub(super) fn new(nonce: Nonce) -> Self {
        Self {
            nonce,
            hello: None,
            peer: None,
            proof: None,
            proof_sent: false,
            proof_checked: false,
            early: Vec::new(),
            early_bytes: 0,
        }
    }

    /// Keeps a frame until it is known whose it is. What is too much is found again when the ends compare what they hold.
    pub(super) fn keep(&mut self, frame: Frame) {
        if self.early_bytes + frame.len() <= EARLY_BYTES {
            self.early_bytes += frame.len();
            self.early.push(frame);
        }
    }

    /// Takes out what was kept, in the order in which it came.
    pub(super) fn take_early(&mut self) -> Vec<Frame> {
        self.early_bytes = 0;
        std::mem::take(&mut self.early)
    }
}
