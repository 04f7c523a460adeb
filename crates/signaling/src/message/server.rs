//! What the server says, and how frames are written.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use station::{Callsign, Fingerprint, KeyId, LicenceClass};

use super::client::{CallStatement, Candidate, SessionDescription};
use super::description::{Kind, Received};
use super::{ClientId, Net, SessionToken};

/// The server's message, without the `seq` and `replyTo` that its frame adds.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "type",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ServerMessage<'a> {
    /// You are in.
    Registered {
        /// Your session's name.
        client_id: ClientId,
        /// Whose server this is.
        server_owner: Option<&'a Callsign>,
        /// What you may do.
        role: Role,
        /// Whether the owner lets guests call each other, as far as you are concerned.
        guest_calls: bool,
        /// The net you are in.
        net: Net,
        /// The first of the others in it.
        peers: Vec<Peer>,
        /// Where `LIST_PEERS` goes on.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        /// What resumes this session; to be told to nobody.
        session: &'a SessionToken,
    },
    /// You are back in your session: what you missed follows, numbered on from `lastSeq`.
    Resumed {
        /// Your session's name.
        client_id: ClientId,
    },
    /// Prove that the certificate is yours; here is the proof that mine is mine.
    Challenge {
        /// 32 random bytes, base64url.
        nonce: Cow<'a, str>,
        /// The server's own proof.
        server_proof: ServerProof<'a>,
    },
    /// What you may do has changed.
    Role {
        /// What you may do now.
        role: Role,
        /// Whether the owner lets guests call each other, as far as you are concerned.
        guest_calls: bool,
        /// A sentence for a person: why.
        reason: Cow<'a, str>,
    },
    /// Somebody came into your net, or is in it and is now as this says.
    PeerJoined {
        /// Who.
        peer: Peer,
    },
    /// Somebody left it.
    PeerLeft {
        /// Who.
        peer_id: ClientId,
    },
    /// Who came or changed and who left since the last change that you were told of, in a large net.
    PeersChanged {
        /// Who came or changed, by id.
        joined: Vec<Peer>,
        /// Who left, by id.
        left: Vec<ClientId>,
        /// Others came or left who are not named: read the list anew to know them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
    /// A page of the people in your net.
    PeerList {
        /// The people, by id.
        peers: Vec<Peer>,
        /// Where the next page begins.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// Somebody calls you, or renegotiates.
    OfferReceived {
        /// Their session.
        from: ClientId,
        /// Their callsign, or `GUEST`.
        from_callsign: Cow<'a, str>,
        /// Whether that callsign is proven to this server.
        verified: bool,
        /// Whether you are the polite end (perfect negotiation).
        polite: bool,
        /// The offer.
        offer: &'a SessionDescription<'a>,
        /// Their signature over it.
        #[serde(skip_serializing_if = "Option::is_none")]
        statement: Option<&'a CallStatement<'a>>,
        /// With a statement: their certificate and those above it, PEM.
        #[serde(skip_serializing_if = "Option::is_none")]
        chain: Option<&'a [String]>,
    },
    /// Somebody answers your offer.
    AnswerReceived {
        /// Their session.
        from: ClientId,
        /// Their callsign, or `GUEST`.
        from_callsign: Cow<'a, str>,
        /// Whether that callsign is proven to this server.
        verified: bool,
        /// The answer.
        answer: &'a SessionDescription<'a>,
        /// Their signature over it.
        #[serde(skip_serializing_if = "Option::is_none")]
        statement: Option<&'a CallStatement<'a>>,
        /// With a statement: their certificate and those above it, PEM.
        #[serde(skip_serializing_if = "Option::is_none")]
        chain: Option<&'a [String]>,
    },
    /// A way to reach the other end.
    IceCandidateReceived {
        /// Their session.
        from: ClientId,
        /// The candidate.
        candidate: &'a Candidate<'a>,
    },
    /// The answer to `PING`.
    Pong,
    /// Your last message was not done, and why.
    Error {
        /// A sentence for a person.
        error: Cow<'a, str>,
        /// A stable word for programs.
        code: ErrorCode,
        /// More, by code.
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<serde_json::Value>,
    },
    /// The server stops.
    Goodbye {
        /// A sentence for a person.
        reason: Cow<'a, str>,
        /// Seconds after which to try again.
        retry_after: u32,
    },
}

/// Somebody in a net.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peer {
    /// Their session.
    pub id: ClientId,
    /// Their callsign as proven or, where `verified` is false, as typed; or `GUEST`.
    pub callsign: String,
    /// Licensed, as this server judges.
    pub has_license: bool,
    /// They have proven that they hold the key of a certificate trusted here.
    pub verified: bool,
    /// That key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// The class on their certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_class: Option<LicenceClass>,
    /// The net they are in.
    pub net: Net,
    /// The server where they are, if that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<PeerServer>,
}

/// Another server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PeerServer {
    /// Its certificate's fingerprint.
    pub id: Fingerprint,
    /// The callsign in it.
    pub callsign: Callsign,
}

/// The server's half of a login.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerProof<'a> {
    /// PEMs, the server's certificate first.
    pub chain: &'a [String],
    /// ECDSA P-256 over the `server-proof` statement, 64 bytes r‖s, base64url.
    pub signature: Cow<'a, str>,
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Role {
    /// Everything an operator may.
    Licensed,
    /// Read, answer who calls, and call other guests where the owner lets them.
    Unlicensed,
}

/// Why a message was not done, as a stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "docs/protocol/signaling.md explains the words")]
pub enum ErrorCode {
    BadMessage,
    UnknownType,
    TooLarge,
    BinaryFrame,
    NotRegistered,
    AlreadyRegistered,
    BadCallsign,
    BadNet,
    BadCertificate,
    BadProof,
    WrongUrl,
    NotChallenged,
    SessionExpired,
    LicenseRequired,
    UnknownTarget,
    CallsignAmbiguous,
    NoCall,
    Part97,
    TooManyCandidates,
    TargetBusy,
    RateLimited,
    Idle,
    Full,
}

impl ErrorCode {
    /// The word for programs, as it is sent.
    #[must_use]
    pub fn word(self) -> String {
        // A unit variant is written as a string.
        let word = serde_json::to_value(self).ok();
        word.and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A message without a number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// For one session.
    Own(Vec<u8>),
    /// For many, which share it.
    Shared(Arc<[u8]>),
}

/// A message on its way to one session, with its number. It is small, and its text lies once in memory however
/// many hold it: thousands may wait, or be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFrame(Text);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    Written(Arc<[u8]>),
    /// Its number is written when it is sent.
    Shared {
        body: Arc<[u8]>,
        seq: u64,
    },
}

impl Body {
    /// The message as the frame number `seq` of a session; `reply_to` for an answer.
    #[must_use]
    pub fn number(self, seq: u64, reply_to: Option<&str>) -> ServerFrame {
        let mut text = match (self, reply_to) {
            (Self::Shared(body), None) => return ServerFrame(Text::Shared { body, seq }),
            (Self::Shared(body), Some(_)) => body.to_vec(),
            (Self::Own(text), _) => text,
        };
        write_number(&mut text, seq, reply_to);
        ServerFrame(Text::Written(text.into()))
    }

    /// Bytes of the message.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Own(text) => text.len(),
            Self::Shared(text) => text.len(),
        }
    }

    /// The message to be sent to many.
    #[must_use]
    pub fn shared(self) -> Self {
        match self {
            Self::Own(text) => Self::Shared(text.into()),
            shared @ Self::Shared(_) => shared,
        }
    }
}

impl ServerFrame {
    /// Bytes of its text.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.0 {
            Text::Written(text) => text.len(),
            Text::Shared { body, seq } => body.len() + SEQ.len() + digits(*seq),
        }
    }

    /// Whether many are sent the same message.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.0, Text::Shared { .. })
    }

    /// Writes the frame as it is sent behind what is in `out`: JSON, so always UTF-8.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Text::Written(text) => out.extend_from_slice(text),
            Text::Shared { body, seq } => {
                out.reserve(body.len() + FRAME_OVERHEAD);
                out.extend_from_slice(body);
                write_number(out, *seq, None);
            }
        }
    }

    /// The frame as it is sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write_to(&mut text);
        text
    }
}

/// Makes the message at the end of `text` a frame. A message is an object with at least its type, so its last byte is the
/// closing brace.
fn write_number(text: &mut Vec<u8>, seq: u64, reply_to: Option<&str>) {
    text.pop();
    text.extend_from_slice(SEQ);
    // Writing a number or a string into memory does not fail.
    let _ = serde_json::to_writer(&mut *text, &seq);
    if let Some(reply_to) = reply_to {
        text.extend_from_slice(b",\"replyTo\":");
        let _ = serde_json::to_writer(&mut *text, reply_to);
    }
    text.push(b'}');
}

impl ServerMessage<'_> {
    /// The message as JSON, without `seq`.
    #[must_use]
    pub fn body(&self) -> Body {
        let mut json = Vec::with_capacity(self.usual_length());
        // Every part is a string, number, list or struct with string keys, so this cannot fail;
        // an empty object would still be a frame.
        if self.write_to(&mut json).is_err() {
            json = b"{}".to_vec();
        }
        Body::Own(json)
    }

    /// Writes the message.
    pub(super) fn write_to(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        match *self {
            Self::OfferReceived {
                from,
                ref from_callsign,
                verified,
                polite,
                offer,
                statement,
                chain,
            } => Received {
                kind: Kind::Offer { polite },
                from,
                callsign: from_callsign,
                verified,
                description: offer,
                statement,
                chain,
            }
            .write_to(json),
            Self::AnswerReceived {
                from,
                ref from_callsign,
                verified,
                answer,
                statement,
                chain,
            } => Received {
                kind: Kind::Answer,
                from,
                callsign: from_callsign,
                verified,
                description: answer,
                statement,
                chain,
            }
            .write_to(json),
            _ => serde_json::to_writer(json, self),
        }
    }

    /// Room for the message and its number, so that writing a signal does not move it again and again; and not
    /// much more, for it may be kept for a while.
    fn usual_length(&self) -> usize {
        let (sdp, chain) = match self {
            Self::OfferReceived { offer, chain, .. } => (offer.sdp.len(), chain),
            Self::AnswerReceived { answer, chain, .. } => (answer.sdp.len(), chain),
            Self::IceCandidateReceived { .. } => return 320,
            _ => return 128,
        };
        let chain = chain.unwrap_or_default().iter().map(String::len);
        let statement = chain.sum::<usize>() + 320;
        sdp + 160 + if statement > 320 { statement } else { 0 }
    }
}

/// Bytes that `seq` adds to a message at most: its name and twenty digits.
pub const FRAME_OVERHEAD: usize = SEQ.len() + 20;

const SEQ: &[u8] = b",\"seq\":";

fn digits(number: u64) -> usize {
    let after_the_first = number.checked_ilog10().unwrap_or_default();
    usize::try_from(after_the_first).map_or(1, |others| 1 + others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: Body, seq: u64, reply_to: Option<&str>) -> String {
        let frame = body.number(seq, reply_to);
        assert_eq!(frame.size(), frame.to_bytes().len());
        String::from_utf8(frame.to_bytes()).unwrap()
    }

    #[test]
    fn a_frame_is_the_message_with_its_number() {
        let own = ServerMessage::Pong.body();
        let length = text(own.clone(), 7, None).len() - r#","seq":7"#.len();
        for pong in [own.clone(), own.shared()] {
            let plain = text(pong.clone(), 7, None);
            assert_eq!(plain, r#"{"type":"PONG","seq":7}"#);
            let quoted = text(pong.clone(), 8, Some("a\"b"));
            assert_eq!(quoted, r#"{"type":"PONG","seq":8,"replyTo":"a\"b"}"#);
            let longest = text(pong, u64::MAX, None);
            assert_eq!(longest.len(), length + FRAME_OVERHEAD);
        }
    }

    #[test]
    fn members_are_camel_case_and_absent_when_unknown() {
        let goodbye = ServerMessage::Goodbye {
            reason: "bye".into(),
            retry_after: 3,
        };
        assert_eq!(
            text(goodbye.body(), 1, None),
            r#"{"type":"GOODBYE","reason":"bye","retryAfter":3,"seq":1}"#
        );
        let peer = Peer {
            id: ClientId::new(255),
            callsign: "GUEST".into(),
            has_license: false,
            verified: false,
            key_id: None,
            license_class: None,
            net: Net::default(),
            server: None,
        };
        assert_eq!(
            text(ServerMessage::PeerJoined { peer }.body(), 1, None),
            r#"{"type":"PEER_JOINED","peer":{"id":"00000000000000ff","callsign":"GUEST","hasLicense":false,"verified":false,"net":"main"},"seq":1}"#
        );
    }
}
