//! Signals between two servers: a client's message of `/signal`, with who it is from and, beside a statement,
//! the certificates that it is checked by; or that one was not passed on.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::client::{
    Answer, CallStatement, Candidate, ClientMessage, IceCandidate, Offer, SessionDescription,
    decode as decode_client,
};
use super::{ClientId, ErrorCode};

/// Most characters of another server's sentence.
const MAX_SENTENCE: usize = 200;

/// From whom and for whom a signal is: sessions at the two servers.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    /// Its sender, at the server that brings it; of a refusal the same as its receiver.
    pub from: ClientId,
    /// Its receiver, at the server that gets it.
    pub target: ClientId,
    /// With a statement: the sender's certificate and those above it, PEM.
    #[serde(default)]
    pub chain: Option<Vec<String>>,
}

/// What a signal says.
#[derive(Debug)]
pub enum Signal<'a> {
    /// What the sender's client said.
    Client(ClientMessage<'a>),
    /// What the receiver's client said was not passed on, and why.
    Refused {
        /// The word for programs.
        code: ErrorCode,
        /// The sentence for the person.
        error: String,
    },
}

/// A text is no signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no signal between servers")]
pub struct NotASignal;

/// Reads a signal.
///
/// # Errors
/// [`NotASignal`] for any other text.
pub fn decode(text: &str) -> Result<(Envelope, Signal<'_>), NotASignal> {
    #[derive(Deserialize)]
    struct Refusal<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        code: Option<ErrorCode>,
        #[serde(default, borrow)]
        error: Cow<'a, str>,
    }

    let envelope: Envelope = serde_json::from_str(text).map_err(|_| NotASignal)?;
    let refusal: Refusal<'_> = serde_json::from_str(text).map_err(|_| NotASignal)?;
    if refusal.kind == "ERROR" {
        let code = refusal.code.ok_or(NotASignal)?;
        let printable = refusal.error.chars().filter(|c| !c.is_control());
        let error = printable.take(MAX_SENTENCE).collect();
        return Ok((envelope, Signal::Refused { code, error }));
    }
    match decode_client(text).message {
        Ok(
            message @ (ClientMessage::Offer(_)
            | ClientMessage::Answer(_)
            | ClientMessage::IceCandidate(_)),
        ) => Ok((envelope, Signal::Client(message))),
        _ => Err(NotASignal),
    }
}

/// An offer on its way to another server.
#[must_use]
pub fn offer(from: ClientId, to: ClientId, offer: &Offer<'_>, chain: Option<&[String]>) -> String {
    Onward {
        offer: Some(&offer.offer),
        statement: offer.statement.as_ref(),
        chain,
        ..Onward::new("OFFER", from, to)
    }
    .text()
}

/// An answer on its way to another server.
#[must_use]
pub fn answer(
    from: ClientId,
    to: ClientId,
    answer: &Answer<'_>,
    chain: Option<&[String]>,
) -> String {
    Onward {
        answer: Some(&answer.answer),
        statement: answer.statement.as_ref(),
        chain,
        ..Onward::new("ANSWER", from, to)
    }
    .text()
}

/// A candidate on its way to another server.
#[must_use]
pub fn candidate(from: ClientId, to: ClientId, ice: &IceCandidate<'_>) -> String {
    Onward {
        candidate: Some(&ice.candidate),
        ..Onward::new("ICE_CANDIDATE", from, to)
    }
    .text()
}

/// That a signal of `to` was not passed on.
#[must_use]
pub fn refusal(to: ClientId, code: ErrorCode, error: &str) -> String {
    Onward {
        code: Some(code),
        error: Some(error),
        ..Onward::new("ERROR", to, to)
    }
    .text()
}

#[derive(Serialize)]
struct Onward<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    from: ClientId,
    target: ClientId,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<&'a SessionDescription<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a SessionDescription<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<&'a Candidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a CallStatement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Onward<'_> {
    fn new(kind: &'static str, from: ClientId, target: ClientId) -> Self {
        Self {
            kind,
            from,
            target,
            offer: None,
            answer: None,
            candidate: None,
            statement: None,
            chain: None,
            code: None,
            error: None,
        }
    }

    fn text(&self) -> String {
        // Strings, numbers and JSON that was read as such: writing them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}
