//! What servers say of themselves, so that everybody holds the same picture.
//!
//! A server has one record at a time. It says where the server can be reached, which servers it has
//! links to, and by a [`Head`] each who is there. It is signed once, by the `record` statement, and passed
//! on as it was signed. Who is there is not in it: a [`Change`] that leads to the head is, or is asked for.

use serde::{Deserialize, Serialize};
use station::{Fingerprint, Statement, Zone};

use super::codec::{self, DecodeError};
use super::handshake::check_chain;
use super::people::{Change, Topic};
use super::within;
use crate::bytes::{Blob, BootNonce, Head, ServerId, Signature};
use crate::hash;

/// Most bytes of a record's body.
pub const MAX_BODY: usize = 8 * 1024;
/// Most endpoints a server names.
pub const MAX_ENDPOINTS: usize = 4;
/// Most bytes of an endpoint.
pub const MAX_ENDPOINT: usize = 256;
/// Most capabilities a server names, each of at most 32 bytes.
pub const MAX_CAPABILITIES: usize = 16;
/// Most changes beside a record.
pub const MAX_CHANGES: usize = 4;
/// Most links a server names.
pub const MAX_NEIGHBOURS: usize = 128;

/// Which of a server's records is newer: first by its boot counter, then by its sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Rises with every start of the server.
    pub boot: u64,
    /// Rises with every record of that boot.
    pub sequence: u64,
}

/// A record as its server signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRecord {
    /// Whose it is.
    #[serde(rename = "s")]
    pub server: ServerId,
    /// The boot counter.
    #[serde(rename = "b")]
    pub boot: u64,
    /// The sequence.
    #[serde(rename = "q")]
    pub sequence: u64,
    /// A [`Body`] in CBOR, with whatever else later versions put there.
    #[serde(rename = "d")]
    pub body: Blob,
    /// By the server's key, of the `record` statement.
    #[serde(rename = "g")]
    pub signature: Signature,
}

/// A record on its way, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The record.
    #[serde(rename = "r")]
    pub record: SignedRecord,
    /// For how many seconds it is known, as far as the sender can say: a record ends an hour after it was
    /// made, wherever it is by then.
    #[serde(rename = "a")]
    pub age: u64,
    /// How to get from the heads before to those in the record.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Chosen at random at the start.
    #[serde(rename = "n")]
    pub boot_nonce: BootNonce,
    /// Where the server can be reached, the best first.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// What it can do: words of the contract.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Servers it has open links to, in order.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<ServerId>,
    /// Servers it has links to across amateur frequencies, in order.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub part97: Vec<ServerId>,
    /// Which licensed operators are there.
    #[serde(rename = "o")]
    pub operators: Head,
    /// Which guests are there.
    #[serde(rename = "u")]
    pub guests: Head,
}

/// The certificates of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// The server's own first: DER.
    #[serde(rename = "c")]
    pub chain: Vec<Blob>,
}

impl SignedRecord {
    /// Its place in the order of its server's records.
    #[must_use]
    pub fn version(&self) -> Version {
        Version {
            boot: self.boot,
            sequence: self.sequence,
        }
    }

    /// What was signed.
    #[must_use]
    pub fn statement(&self, server: Fingerprint) -> Statement {
        let body = hash::digest(self.body.as_bytes());
        Statement::record(server, self.boot, self.sequence, body)
    }

    /// Its share in a [`Digest`](super::Digest).
    #[must_use]
    pub fn summary(&self) -> u64 {
        hash::short(&[
            self.server.as_bytes(),
            &self.boot.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            self.body.as_bytes(),
        ])
    }
}

impl Body {
    /// The body as it is signed.
    #[must_use]
    pub fn encode(&self) -> Blob {
        codec::encode(self).into()
    }

    /// Reads a body. Members it does not know are passed over.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no body, or not within the bounds of this protocol.
    pub fn decode(body: &Blob) -> Result<Self, DecodeError> {
        let body: Self = codec::decode(body.as_bytes(), MAX_BODY)?;
        within(
            body.endpoints.len() <= MAX_ENDPOINTS
                && body.endpoints.iter().all(|one| one.len() <= MAX_ENDPOINT),
            "a server names at most 4 endpoints of 256 bytes",
        )?;
        within(
            body.capabilities.len() <= MAX_CAPABILITIES
                && body.capabilities.iter().all(|one| one.len() <= 32),
            "a server names at most 16 capabilities of 32 bytes",
        )?;
        within(
            body.open.len() + body.part97.len() <= MAX_NEIGHBOURS,
            "a server names at most 128 links",
        )?;
        let rising = |list: &[ServerId]| list.is_sorted_by(|a, b| a < b);
        within(
            rising(&body.open) && rising(&body.part97),
            "a server names its links in order, each once",
        )?;
        Ok(body)
    }

    /// The zone of the link it says it has to that server.
    #[must_use]
    pub fn link_to(&self, server: ServerId) -> Option<Zone> {
        if self.part97.binary_search(&server).is_ok() {
            return Some(Zone::Part97);
        }
        let open = self.open.binary_search(&server).is_ok();
        open.then_some(Zone::Open)
    }

    /// Every server it says it has a link to.
    pub fn neighbours(&self) -> impl Iterator<Item = ServerId> {
        self.open.iter().chain(&self.part97).copied()
    }

    /// Who is there, in brief.
    #[must_use]
    pub fn head(&self, topic: Topic) -> Head {
        match topic {
            Topic::Operators => self.operators,
            Topic::Guests => self.guests,
        }
    }
}

impl Update {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        within(
            self.changes.len() <= MAX_CHANGES,
            "a record comes with at most 4 changes",
        )
    }
}

impl Introduction {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        check_chain(&self.chain)
    }
}
