//! From one server to another, through others.
//!
//! The sender writes down the whole way, so that a message cannot go in circles, a retry can take
//! another way, and the sender knows which zones it crosses. Nothing in the way is signed: who changes it
//! only loses the message. What is sent is signed by its sender, and its arrival by its receiver.

use serde::{Deserialize, Serialize};
use station::Zone;

use super::codec::DecodeError;
use super::within;
use crate::bytes::{Blob, BootNonce, Nonce, ServerId, Signature};

/// Most servers on a way, both ends included.
pub const MAX_WAY: usize = 17;
/// Most bytes of a parcel's contents.
pub const MAX_PARCEL: usize = 48 * 1024;

/// Something on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// Every server on the way, from the sender to the receiver.
    #[serde(rename = "w")]
    pub way: Vec<ServerId>,
    /// The place in it of the server that gets this frame.
    #[serde(rename = "i")]
    pub at: u8,
    /// What is on its way.
    #[serde(rename = "m")]
    pub payload: Payload,
}

/// What goes from one server to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// Are you there, now?
    #[serde(rename = "ask")]
    Ask(Nonce),
    /// Yes.
    #[serde(rename = "alive")]
    Alive(Alive),
    /// A message.
    #[serde(rename = "parcel")]
    Parcel(Parcel),
    /// It arrived.
    #[serde(rename = "receipt")]
    Receipt(Receipt),
}

/// The answer to [`Payload::Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// The nonce asked with.
    #[serde(rename = "n")]
    pub nonce: Nonce,
    /// The boot the server is in.
    #[serde(rename = "b")]
    pub boot_nonce: BootNonce,
    /// By the server's key, of the `alive` statement.
    #[serde(rename = "g")]
    pub signature: Signature,
}

/// A message from the first server of the way to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The boot that the sender is in.
    #[serde(rename = "f")]
    pub from_boot: BootNonce,
    /// The boot that the receiver was in, by its last record.
    #[serde(rename = "t")]
    pub to_boot: BootNonce,
    /// The number of the parcel in that boot, the same in every retry.
    #[serde(rename = "n")]
    pub number: u64,
    /// The strictest zone it may cross.
    #[serde(rename = "z")]
    pub within: Zone,
    /// What it says.
    #[serde(rename = "d")]
    pub body: Blob,
    /// By the sender's key, of the `parcel` statement.
    #[serde(rename = "g")]
    pub signature: Signature,
}

/// The parcel arrived at the server that this comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The sender's boot in the parcel.
    #[serde(rename = "f")]
    pub from_boot: BootNonce,
    /// The number in the parcel.
    #[serde(rename = "n")]
    pub number: u64,
    /// By the receiver's key, of the `receipt` statement.
    #[serde(rename = "g")]
    pub signature: Signature,
}

impl Routed {
    /// Who sent it.
    #[must_use]
    pub fn from(&self) -> ServerId {
        self.way[0]
    }

    /// Whom it is for.
    #[must_use]
    pub fn to(&self) -> ServerId {
        self.way[self.way.len() - 1]
    }

    /// The way back from the server that has it now.
    #[must_use]
    pub fn way_back(&self) -> Vec<ServerId> {
        let mut way = self.way[..=usize::from(self.at)].to_vec();
        way.reverse();
        way
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if let Payload::Parcel(parcel) = &self.payload {
            within(
                parcel.body.len() <= MAX_PARCEL,
                "a parcel has at most 48 KiB",
            )?;
        }
        within(
            (2..=MAX_WAY).contains(&self.way.len()),
            "a way has 2 to 17 servers",
        )?;
        within(
            (1..self.way.len()).contains(&usize::from(self.at)),
            "a message is somewhere on its way",
        )?;
        let mut servers = self.way.clone();
        servers.sort_unstable();
        servers.dedup();
        within(
            servers.len() == self.way.len(),
            "a way has every server once",
        )
    }
}
