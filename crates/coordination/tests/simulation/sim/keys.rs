//! Keys and certificates as far as the simulation needs them: a certificate says whose it is and under which
//! root, and a signature is a hash that only who holds the name makes. Nobody here signs with a name that is
//! not theirs.

use std::sync::Arc;

use coordination::message::{Body, SignedRecord};
use coordination::{Blob, Examined, ServerId, Signature, Standing};
use sha2::{Digest, Sha256};
use station::{Callsign, Fingerprint, Statement};

/// A server's key, by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) String);

impl Key {
    pub(crate) fn public(&self) -> Arc<[u8]> {
        Arc::from(self.0.as_bytes())
    }

    pub(crate) fn sign(&self, statement: &Statement) -> Signature {
        sign(self.0.as_bytes(), statement)
    }
}

pub(crate) fn verify(key: &[u8], statement: &Statement, signature: &Signature) -> bool {
    sign(key, statement) == *signature
}

fn sign(key: &[u8], statement: &Statement) -> Signature {
    let mut signature = [0; 64];
    for (half, label) in signature.chunks_exact_mut(32).zip([b"r", b"s"]) {
        let hash = Sha256::new()
            .chain_update(label)
            .chain_update(key)
            .chain_update(b"/")
            .chain_update(statement.as_bytes());
        half.copy_from_slice(&hash.finalize());
    }
    Signature::new(signature)
}

/// A certificate for a key, under a root.
pub(crate) fn certificate(key: &Key, root: &str) -> Blob {
    format!("certificate/{}/{root}", key.0).into_bytes().into()
}

pub(crate) fn server_id(certificate: &Blob) -> ServerId {
    let digest = Sha256::digest(certificate.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    ServerId::new(id)
}

pub(crate) fn fingerprint(certificate: &Blob) -> Fingerprint {
    Fingerprint::new(*item_id(certificate.as_bytes()).as_bytes())
}

/// A record as the server with that key and certificate signs it.
pub(crate) fn record(
    key: &Key,
    certificate: &Blob,
    (boot, sequence): (u64, u64),
    body: &Body,
) -> SignedRecord {
    let unsigned = SignedRecord {
        server: server_id(certificate),
        boot,
        sequence,
        body: body.encode(),
        signature: Signature::new([0; 64]),
    };
    let statement = unsigned.statement(fingerprint(certificate));
    SignedRecord {
        signature: key.sign(&statement),
        ..unsigned
    }
}

/// Reads a chain; nothing if it is none.
pub(crate) fn examine(chain: &[Blob], trusted: &str, blacklisted: &[String]) -> Option<Examined> {
    let text = std::str::from_utf8(chain.first()?.as_bytes()).ok()?;
    let mut parts = text.strip_prefix("certificate/")?.split('/');
    let (name, root) = (parts.next()?, parts.next()?);
    let standing = if blacklisted.iter().any(|one| one == name) {
        Standing::Blacklisted
    } else if root == trusted {
        Standing::Trusted
    } else {
        Standing::Stranger
    };
    Some(Examined {
        callsign: Callsign::parse("W1AW").unwrap(),
        key: Arc::from(name.as_bytes()),
        standing,
    })
}

/// What an item of a set is known by.
pub(crate) fn item_id(data: &[u8]) -> coordination::ItemId {
    coordination::ItemId::new(Sha256::digest(data).into())
}
