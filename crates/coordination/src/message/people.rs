//! Who is at a server.
//!
//! The people of one [`Topic`] are a roster. Its [`Head`] stands in the server's signed record; what leads
//! from one roster to another, a [`Change`], needs no signature, because whoever applies it compares the
//! result with the head. The head is the first 16 bytes of SHA-256 over, for each person in the order of
//! their ids, the id and SHA-256 of their details.

use serde::{Deserialize, Serialize};
use station::Callsign;

use super::codec::{self, DecodeError};
use super::within;
use crate::bytes::{Blob, Head, Nonce, PersonId, ServerId, Signature};

/// Most bytes of one person's details.
pub const MAX_PERSON: usize = 4 * 1024;

/// Which people: the two are kept apart because guests never cross amateur frequencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Who proved a certificate.
    #[serde(rename = "o")]
    Operators,
    /// Who did not.
    #[serde(rename = "g")]
    Guests,
}

impl Topic {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Operators, Self::Guests];
}

/// From one roster to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of which people.
    #[serde(rename = "t")]
    pub topic: Topic,
    /// The head before.
    #[serde(rename = "f")]
    pub from: Head,
    /// Who came, with a [`Person`] in CBOR each. Somebody who is there already is replaced.
    #[serde(rename = "j", default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<(PersonId, Blob)>,
    /// Who left.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<PersonId>,
}

/// Asks how to get from a roster to the newest one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleWanted {
    /// At which server.
    #[serde(rename = "s")]
    pub server: ServerId,
    /// Which people.
    #[serde(rename = "t")]
    pub topic: Topic,
    /// The head of what the asking end has.
    #[serde(rename = "f")]
    pub from: Head,
}

/// A page of the answer. Every page starts from the same roster, the one asked about or nobody at all, and
/// the pages together lead to the newest; an answer without any change means that the sender cannot help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// At which server.
    #[serde(rename = "s")]
    pub server: ServerId,
    /// Which people.
    #[serde(rename = "t")]
    pub topic: Topic,
    /// This page's part of the change.
    #[serde(rename = "c")]
    pub change: Option<Change>,
    /// Whether another page follows.
    #[serde(rename = "m")]
    pub more: bool,
}

/// Somebody who is at a server, with what others need to judge who that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they call themselves: a callsign, or `GUEST`.
    #[serde(rename = "s")]
    pub callsign: String,
    /// The net they are in.
    #[serde(rename = "n")]
    pub net: String,
    /// How they proved who they are: operators have it, guests have not.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
}

/// A login as its server saw it, which anybody can verify again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The person's certificate, DER.
    #[serde(rename = "c")]
    pub certificate: Blob,
    /// The nonce that the person's client chose.
    #[serde(rename = "n")]
    pub client_nonce: Nonce,
    /// The nonce that the server chose.
    #[serde(rename = "m")]
    pub server_nonce: Nonce,
    /// The URL that the client dialled.
    #[serde(rename = "u")]
    pub url: String,
    /// By the person's key, of the `client-proof` statement.
    #[serde(rename = "g")]
    pub signature: Signature,
}

impl Person {
    /// The person as a roster holds them.
    #[must_use]
    pub fn encode(&self) -> Blob {
        codec::encode(self).into()
    }

    /// Reads a person. Members it does not know are passed over.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no person, or not within the bounds of this protocol.
    pub fn decode(details: &Blob) -> Result<Self, DecodeError> {
        let person: Self = codec::decode(details.as_bytes(), MAX_PERSON)?;
        let named = person.callsign == station::callsign::GUEST
            || Callsign::parse(&person.callsign).is_ok();
        within(named, "a person is named by a callsign or as a guest")?;
        within(
            (1..=32).contains(&person.net.len()),
            "the name of a net has 1 to 32 bytes",
        )?;
        Ok(person)
    }
}
