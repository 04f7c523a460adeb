//! What keys sign about certificates, keys and logs, as JSON: for browsers over HTTP, and for other servers
//! as items of the sets.

use pki::graph::{SignedRekey, Tombstone};
use pki::log::{Checkpoint, Tip};
use serde::{Deserialize, Serialize};
use station::statement::Rekey;
use station::{Callsign, Digest, Identity, KeyId};

/// A key's word that a certificate is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Tombstone"))]
pub struct TombstoneMessage {
    /// The certificate.
    target: Identity,
    /// The key that signed.
    signer: KeyId,
    /// Over `tombstone`: r‖s, base64url.
    signature: String,
}

/// A change of keys, signed by both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Rekey"))]
pub struct RekeyMessage {
    /// The key that is given up.
    old: KeyId,
    /// The key that takes its place.
    new: KeyId,
    /// Whose they are.
    callsign: Callsign,
    /// The new key's place in the line: one more than the old key's; a first key has 0.
    generation: u32,
    /// By the old key over `rekey`: r‖s, base64url.
    by_old: String,
    /// By the new key over the same.
    by_new: String,
}

/// How far a log goes, signed by its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "LogCheckpoint"))]
pub struct CheckpointMessage {
    /// The server's key.
    server: KeyId,
    /// The number of entries.
    size: u64,
    /// The head of the last; zeros for none.
    head: Digest,
    /// Of the `checkpoint` statement: r‖s, base64url.
    signature: String,
}

impl From<TombstoneMessage> for Tombstone {
    fn from(message: TombstoneMessage) -> Self {
        let TombstoneMessage {
            target,
            signer,
            signature,
        } = message;
        Self {
            target,
            signer,
            signature,
        }
    }
}

impl From<Tombstone> for TombstoneMessage {
    fn from(tombstone: Tombstone) -> Self {
        let Tombstone {
            target,
            signer,
            signature,
        } = tombstone;
        Self {
            target,
            signer,
            signature,
        }
    }
}

impl From<RekeyMessage> for SignedRekey {
    fn from(message: RekeyMessage) -> Self {
        Self {
            rekey: Rekey {
                old: message.old,
                new: message.new,
                callsign: message.callsign,
                generation: message.generation,
            },
            by_old: message.by_old,
            by_new: message.by_new,
        }
    }
}

impl From<SignedRekey> for RekeyMessage {
    fn from(signed: SignedRekey) -> Self {
        let SignedRekey {
            rekey,
            by_old,
            by_new,
        } = signed;
        Self {
            old: rekey.old,
            new: rekey.new,
            callsign: rekey.callsign,
            generation: rekey.generation,
            by_old,
            by_new,
        }
    }
}

impl From<Checkpoint> for CheckpointMessage {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            server: checkpoint.server,
            size: checkpoint.tip.size,
            head: checkpoint.tip.head,
            signature: checkpoint.signature,
        }
    }
}

impl From<CheckpointMessage> for Checkpoint {
    fn from(message: CheckpointMessage) -> Self {
        Self {
            server: message.server,
            tip: Tip {
                size: message.size,
                head: message.head,
            },
            signature: message.signature,
        }
    }
}
