//! What servers say to each other over one link.
//!
//! A binary frame holds one [`Message`] of the subprotocol `ham-coordinate.1`, in CBOR; a text frame one
//! [`plain`] message, in JSON. Names of members are one letter on the wire, because many of them go over
//! 9,600 bit/s; `docs/protocol/coordination.md` has them all.
//!
//! Decoding checks every length and count, so what comes out is within its bounds; it judges no more
//! than that.
//!
//! Reading order: this page, [`handshake`], [`record`], [`people`], [`routed`], [`sets`], [`plain`], [`advice`].

pub mod advice;
mod codec;
pub mod handshake;
pub mod people;
pub mod plain;
pub mod record;
pub mod routed;
pub mod sets;

use serde::{Deserialize, Serialize};

use crate::bytes::{Blob, ServerId};

pub use codec::DecodeError;
pub use handshake::{Hello, Proof, Refusal, Refuse};
pub use people::{Change, People, PeopleWanted, Person, Topic};
pub use record::{Body, Introduction, SignedRecord, Update, Version};
pub use routed::{Parcel, Payload, Receipt, Routed};
pub use sets::{Absent, Get, Have, Item, Reconcile, Set};

pub use crate::bytes::Head;

/// The WebSocket subprotocol whose messages these are.
pub const SUBPROTOCOL: &str = "ham-coordinate.1";

/// The protocol's version, in `Hello` and in the `link` statement.
pub const VERSION: u64 = 1;

/// Most bytes of a frame, binary or text.
pub const MAX_FRAME: usize = 64 * 1024;

/// Into how many parts servers are sorted when two ends look for what differs.
pub const BUCKETS: usize = 32;

/// Most servers in one [`Versions`].
pub const MAX_VERSIONS: usize = 1_024;

/// Most servers asked for in one [`Want`], known or not.
pub const MAX_WANTED: usize = 512;

/// A message of `ham-coordinate.1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Message {
    /// Who is there; the first message each way.
    Hello(Hello),
    /// Proof of who is there; the second.
    Proof(Proof),
    /// No link will be; the last.
    Refuse(Refuse),
    /// Nothing happened; and what the sender holds, in brief.
    Beat(Beat),
    /// What the sender holds of records, a little less briefly.
    Digest(Digest),
    /// What it holds of them in one part.
    Versions(Versions),
    /// Asks for records.
    Want(Want),
    /// The certificates of a server that the other end does not know.
    Intro(Introduction),
    /// A server's newest record.
    Update(Update),
    /// Asks who is at a server.
    Who(PeopleWanted),
    /// Says who is at a server.
    People(People),
    /// Something from one server to another.
    Routed(Routed),
    /// A step in finding out what differs between two sets.
    Reconcile(Reconcile),
    /// Names items that the sender has.
    Have(Have),
    /// Asks for items.
    Get(Get),
    /// An item.
    Item(Item),
    /// Names items that the sender was asked for and does not give.
    Absent(Absent),
    /// A piece of a message that is longer than this link's frames.
    Part(Part),
}

/// Sent when a while has passed; every frame shows that its sender lives, and this one says besides what
/// it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// A summary of every record held and relayed: the parts of [`Digest`], combined by exclusive or.
    #[serde(rename = "r")]
    pub records: u64,
    /// A summary of every set: exclusive or over the items known.
    #[serde(rename = "s")]
    pub sets: u64,
}

/// A summary of the records in each of the [`BUCKETS`] parts that the first byte of a server's id, modulo
/// their number, sorts it into.
///
/// A record's share in it is the first 8 bytes, big-endian, of SHA-256 over the server's id, boot and
/// sequence as 8 bytes big-endian each, and the record's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// One number for each part.
    #[serde(rename = "b")]
    pub buckets: Vec<u64>,
}

/// Every record held in one part. Whoever gets it sends what is newer, and asks for what is older at
/// home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Which part.
    #[serde(rename = "b")]
    pub bucket: u8,
    /// Server, boot, sequence.
    #[serde(rename = "v")]
    pub versions: Vec<(ServerId, u64, u64)>,
}

/// Asks for the newest records of these servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Servers whose certificate the asking end has.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<ServerId>,
    /// Servers that have to be introduced first.
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<ServerId>,
}

/// A piece of a message. The pieces of one lane follow each other; pieces of different lanes may come in
/// between, so that what is urgent does not wait for what is long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which lane, from 0.
    #[serde(rename = "l")]
    pub lane: u8,
    /// Whether it is the last piece.
    #[serde(rename = "e")]
    pub last: bool,
    /// The piece.
    #[serde(rename = "d")]
    pub data: Blob,
}

/// How many lanes a link has.
pub const LANES: usize = 3;

impl Message {
    /// The message as a frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no message, or not within the bounds of this protocol.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let message: Self = codec::decode(frame, MAX_FRAME)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Hello(hello) => hello.check(),
            Self::Refuse(refuse) => refuse.check(),
            Self::Digest(digest) => within(
                digest.buckets.len() == BUCKETS,
                "a digest has one number for each part",
            ),
            Self::Versions(versions) => within(
                usize::from(versions.bucket) < BUCKETS && versions.versions.len() <= MAX_VERSIONS,
                "versions are of one of the 32 parts, and of at most 1024 servers",
            ),
            Self::Want(want) => within(
                want.known.len() + want.unknown.len() <= MAX_WANTED,
                "at most 512 servers are asked for",
            ),
            Self::Have(Have { items, .. }) | Self::Get(Get { items, .. }) => named(items.len()),
            Self::Absent(absent) => named(absent.items.len()),
            Self::Item(item) => within(
                item.data.len() <= sets::MAX_ITEM,
                "an item has at most 48 KiB",
            ),
            Self::Intro(introduction) => introduction.check(),
            Self::Update(update) => update.check(),
            Self::Routed(routed) => routed.check(),
            Self::Part(part) => within(
                usize::from(part.lane) < LANES,
                "there is no such lane on a link",
            ),
            _ => Ok(()),
        }
    }
}

fn named(items: usize) -> Result<(), DecodeError> {
    within(
        items <= sets::MAX_NAMED,
        "a message names at most 512 items",
    )
}

fn within(bounds: bool, error: &'static str) -> Result<(), DecodeError> {
    bounds.then_some(()).ok_or(DecodeError::OutOfBounds(error))
}

#[cfg(test)]
mod tests;
