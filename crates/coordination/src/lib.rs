//! Coordination: many servers, one net.
//!
//! [`message`] is the wire: what servers say to each other. [`Node`] is the state machine: it is told
//! what happened and what time it is, and answers with [`Command`]s for whoever owns the sockets, the keys
//! and the store. It has no clock, socket, randomness, cryptography but SHA-256, or await of its own, so a
//! week of five hundred servers can be replayed in a test, byte for byte.
//!
//! What it holds to, whatever others do (the simulation in `tests/` says each by name):
//! - after quiet, all honest servers that are joined by links agree on who is there, at which server, and
//!   on the sets;
//! - nothing counts that its server did not sign, and no server counts as there that has not answered since
//!   we started;
//! - a record goes over each link at most once in each direction, and a parcel is delivered at most once;
//! - what one server can cause, in bytes, memory and signature checks, is bounded;
//! - names of unverified people never cross amateur frequencies, nor does a parcel that may not.
//!
//! Reading order: [`message`], [`node`]. The public description is `docs/protocol/coordination.md`.

mod budget;
mod bytes;
mod entropy;
mod hash;
pub mod message;
pub mod node;
mod time;

pub use budget::Rate;
pub use bytes::{Blob, BootNonce, Head, ItemId, Nonce, PersonId, ServerId, Signature};
pub use node::{
    Admission, Checkpoint, Command, Event, Examined, Fate, Frame, HeldItem, Input, Limits, LinkId,
    LinkLimits, Memory, Myself, Node, Offence, Protocol, Source, Standing, Token, WINDOW_FRAMES,
};
