//! What everybody should have: certificates and what is signed about them.
//!
//! Two ends find out what differs by range-based set reconciliation (`negentropy`, protocol version 1),
//! and each asks for what it lacks. What arrives is judged like anything that comes from outside.

use serde::{Deserialize, Serialize};

use crate::bytes::{Blob, ItemId};

/// Most items that one message names.
pub const MAX_NAMED: usize = 512;

/// Most bytes of an item.
pub const MAX_ITEM: usize = 48 * 1024;

/// Sets of things that are only ever added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Set {
    /// Withdrawn certificates and keys. They come first, because they protect people.
    #[serde(rename = "t")]
    Tombstones,
    /// Changes of keys.
    #[serde(rename = "r")]
    Rekeys,
    /// Certificates.
    #[serde(rename = "c")]
    Certificates,
    /// Signed heads of issuance logs.
    #[serde(rename = "l")]
    Checkpoints,
}

impl Set {
    /// Every set, in the order in which they are reconciled.
    pub const ALL: [Self; 4] = [
        Self::Tombstones,
        Self::Rekeys,
        Self::Certificates,
        Self::Checkpoints,
    ];
}

/// A step of a session, from the end that dialled and back. The ids in it are salted: SHA-256 over the
/// dialling end's nonce, the other's, the number of the session as 4 bytes big-endian, and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    /// Of which set.
    #[serde(rename = "s")]
    pub set: Set,
    /// The number of the session on this link.
    #[serde(rename = "n")]
    pub session: u32,
    /// A message of negentropy.
    #[serde(rename = "m")]
    pub step: Blob,
}

/// Items that the sender has and the other may lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// Of which set.
    #[serde(rename = "s")]
    pub set: Set,
    /// Which.
    #[serde(rename = "i")]
    pub items: Vec<ItemId>,
}

/// Asks for items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    /// Of which set.
    #[serde(rename = "s")]
    pub set: Set,
    /// The session in which the asking end learned of them: the ids are salted as in it.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
    /// Which.
    #[serde(rename = "i")]
    pub items: Vec<ItemId>,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Of which set.
    #[serde(rename = "s")]
    pub set: Set,
    /// What it is known by.
    #[serde(rename = "i")]
    pub id: ItemId,
    /// The thing itself: a certificate's DER, or what `docs/protocol/coordination.md` says.
    #[serde(rename = "d")]
    pub data: Blob,
}

/// Items the sender knows of and does not give, each with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// Of which set.
    #[serde(rename = "s")]
    pub set: Set,
    /// Which, and their times in seconds since 1970.
    #[serde(rename = "i")]
    pub items: Vec<(ItemId, u64)>,
}
