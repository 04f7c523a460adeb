//! Beginning a link: both ends say who they are, prove it, or refuse.

use serde::{Deserialize, Serialize};
use station::Zone;

use super::codec::DecodeError;
use super::within;
use crate::bytes::{Blob, Nonce, Signature};

/// Most bytes of a server's certificate and those above it together.
pub const MAX_CHAIN: usize = 16 * 1024;

/// Who is at this end. Sent by both ends at once, before anything is known of the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version this end speaks.
    #[serde(rename = "v")]
    pub version: u64,
    /// What the other end's proof must be about.
    #[serde(rename = "n")]
    pub nonce: Nonce,
    /// What this end says the link is.
    #[serde(rename = "z")]
    pub zone: Zone,
    /// The server's certificate and those above it, each its issuer's subject: DER.
    #[serde(rename = "c")]
    pub chain: Vec<Blob>,
}

/// The signature of the `link` statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// By the key of the certificate in this end's `Hello`.
    #[serde(rename = "g")]
    pub signature: Signature,
}

/// There will be no link, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refuse {
    /// The word of a [`Refusal`].
    #[serde(rename = "c")]
    pub code: String,
    /// After how many seconds to ask again.
    #[serde(rename = "w")]
    pub wait: u64,
    /// Where else to ask: endpoints of other servers.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

/// Why there is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The ends speak different versions.
    WrongVersion,
    /// One end says the link crosses amateur frequencies, and the other does not.
    ZoneMismatch,
    /// The certificates are not those of a server.
    BadCertificate,
    /// The signature does not fit them, the nonces and the zone.
    BadProof,
    /// The owner of the refusing server has blacklisted the other.
    Blacklisted,
    /// Both ends have the same certificate.
    SameServer,
    /// There are links enough to servers that nobody here vouches for.
    TooManyStrangers,
    /// There are links enough.
    Full,
    /// The other end misbehaved and has to wait.
    Paused,
    /// What came was not of this protocol.
    BadMessage,
    /// Another link to the same server goes on.
    Duplicate,
    /// A reason that this version does not know.
    Other,
}

impl Refusal {
    /// Every reason that has a word of its own.
    pub const ALL: [Self; 11] = [
        Self::WrongVersion,
        Self::ZoneMismatch,
        Self::BadCertificate,
        Self::BadProof,
        Self::Blacklisted,
        Self::SameServer,
        Self::TooManyStrangers,
        Self::Full,
        Self::Paused,
        Self::BadMessage,
        Self::Duplicate,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongVersion => "wrong-version",
            Self::ZoneMismatch => "zone-mismatch",
            Self::BadCertificate => "bad-certificate",
            Self::BadProof => "bad-proof",
            Self::Blacklisted => "blacklisted",
            Self::SameServer => "same-server",
            Self::TooManyStrangers => "too-many-strangers",
            Self::Full => "full",
            Self::Paused => "paused",
            Self::BadMessage => "bad-message",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == word);
        known.unwrap_or(Self::Other)
    }

    /// The sentence for whoever looks why two servers have no link.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::WrongVersion => "the two servers speak different versions; update the older one",
            Self::ZoneMismatch => {
                "one server says the link crosses amateur frequencies and the other does not; \
                 both owners must set the same"
            }
            Self::BadCertificate => "the server's certificates could not be read or verified",
            Self::BadProof => "the server did not prove that its certificate is its own",
            Self::Blacklisted => "the owner of that server has blacklisted the other",
            Self::SameServer => "both have the same certificate: a copy of this server is running",
            Self::TooManyStrangers => {
                "the server has links enough to servers that nobody it trusts vouches for"
            }
            Self::Full => "the server has links enough",
            Self::Paused => "the server misbehaved and has to wait",
            Self::BadMessage => "what came over the link was not of this protocol",
            Self::Duplicate => "another link to the same server goes on",
            Self::Other => "the server gave a reason that this version does not know",
        }
    }
}

impl Hello {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        check_chain(&self.chain)
    }
}

impl Refuse {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        let few = self.endpoints.len() <= 8 && self.endpoints.iter().all(|one| one.len() <= 256);
        within(few, "a refusal names at most 8 endpoints of 256 bytes")
    }
}

pub(super) fn check_chain(chain: &[Blob]) -> Result<(), DecodeError> {
    let length: usize = chain.iter().map(Blob::len).sum();
    within(
        !chain.is_empty() && length <= MAX_CHAIN,
        "a chain has one certificate at least and 16 KiB at most",
    )
}
