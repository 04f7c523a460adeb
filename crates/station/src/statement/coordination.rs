//! Statements between servers: who is at the other end of a link, what a server says of itself, and
//! what one server sends to another through others.
//!
//! Nonces, digests and numbers are given by their types here, so none of these can fail to be a field.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Statement;
use crate::{Digest, Fingerprint, Zone};

/// What both ends of a link sign to prove who they are. The end that dialled comes first.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The 32 bytes that each end chose.
    pub nonces: [&'a [u8; 32]; 2],
    /// The certificates of both ends.
    pub servers: [Fingerprint; 2],
    /// What both ends say the link is.
    pub zone: Zone,
    /// The version of the protocol that will be spoken.
    pub version: u64,
}

/// A message from one server to another, as its sender signs it.
#[derive(Debug, Clone, Copy)]
pub struct Parcel {
    /// Who sends it.
    pub from: Fingerprint,
    /// Whom it is for.
    pub to: Fingerprint,
    /// The boot that the sender is in.
    pub from_boot: [u8; 8],
    /// The boot that the receiver was in, by its last record: it is worthless to any later one.
    pub to_boot: [u8; 8],
    /// Rises with every parcel of the sender's boot.
    pub number: u64,
    /// The strictest zone it may cross.
    pub within: Zone,
    /// SHA-256 of what it says.
    pub body: Digest,
}

impl Statement {
    /// `link`: this server is one end of that link, now.
    #[must_use]
    pub fn link(link: &Link<'_>) -> Self {
        Self::of_words(
            "link",
            &[
                &base64url(link.nonces[0]),
                &base64url(link.nonces[1]),
                &link.servers[0].to_string(),
                &link.servers[1].to_string(),
                link.zone.as_str(),
                &link.version.to_string(),
            ],
        )
    }

    /// `record`: this server says that of itself, in this boot and at this place in the order of what
    /// it says.
    #[must_use]
    pub fn record(server: Fingerprint, boot: u64, sequence: u64, body: Digest) -> Self {
        Self::of_words(
            "record",
            &[
                &server.to_string(),
                &boot.to_string(),
                &sequence.to_string(),
                &body.to_string(),
            ],
        )
    }

    /// `alive`: this server was asked with that nonce and is running, in this boot.
    #[must_use]
    pub fn alive(server: Fingerprint, nonce: &[u8; 32], boot: [u8; 8]) -> Self {
        let fields = [server.to_string(), base64url(nonce), base64url(&boot)];
        Self::of_words("alive", &fields.each_ref().map(String::as_str))
    }

    /// `parcel`: this server sends that to the other.
    #[must_use]
    pub fn parcel(parcel: &Parcel) -> Self {
        Self::of_words(
            "parcel",
            &[
                &parcel.from.to_string(),
                &parcel.to.to_string(),
                &base64url(&parcel.from_boot),
                &base64url(&parcel.to_boot),
                &parcel.number.to_string(),
                parcel.within.as_str(),
                &parcel.body.to_string(),
            ],
        )
    }

    /// `receipt`: the receiver has that parcel. It names sender, receiver, the sender's boot and the
    /// number.
    #[must_use]
    pub fn receipt(from: Fingerprint, to: Fingerprint, from_boot: [u8; 8], number: u64) -> Self {
        Self::of_words(
            "receipt",
            &[
                &from.to_string(),
                &to.to_string(),
                &base64url(&from_boot),
                &number.to_string(),
            ],
        )
    }

    /// A statement of fields that are digests, numbers and words by their types.
    fn of_words(context: &str, fields: &[&str]) -> Self {
        Self(format!("ham-server/1 {context}\n{}", fields.join("\n")))
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
