//! Signaling: how browsers at one server find each other and set up calls.
//!
//! [`message`] is the wire: what clients and the server say to each other. [`Hub`] is the state
//! machine: it is told what arrived and what time it is, and answers with [`Command`]s for whoever
//! owns the sockets. It has no clock, socket, randomness, cryptography or await of its own, so a
//! whole afternoon of a busy net can be replayed in a test.
//!
//! Invariants the tests hold it to:
//! - whatever one client sends, every other client's session goes on;
//! - `seq` of every session rises by one from 1, whatever happens, and over its connections;
//! - who comes back in time to a session gets exactly what was missed, and nobody else can;
//! - a client's view of its net, kept from `REGISTERED`, the pages of `LIST_PEERS` and what it is told of
//!   changes, is the truth once they have been told;
//! - who loses the server's trust is a guest at once, for everybody;
//! - what many are told is encoded once, and in a large net told at most once in a while;
//! - nothing is due before [`Hub::deadline`];
//! - signals reach exactly their target, and nobody who may not be called by the sender.
//!
//! Reading order: [`message`], [`policy`], [`hub`], [`limit`], [`origin`]. The public description is
//! `docs/protocol/signaling.md`.

pub mod hub;
pub mod limit;
pub mod message;
pub mod origin;
pub mod policy;

pub use hub::{
    Challenge, Claimant, CloseCode, Command, ConnectionId, Counters, Credentials, Hub, Identity,
    Judgement, Limits, Owner, Proof, Refusal, Remote, Scope, Shown, Ticket,
};
pub use message::{
    ClientId, ClientMessage, ErrorCode, Net, Role, ServerMessage, SessionToken, decode,
};
pub use origin::{AddressGroup, Origin, Sharing, SocketEnds, Zone};
pub use policy::Policy;
