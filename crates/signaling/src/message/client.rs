//! What a client may say, and how its frames are read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{MAX_REPLY_ID, PresentedToken, compact};

/// A client's message. Unknown members are ignored.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")
)]
pub enum ClientMessage<'a> {
    /// Says who one is, as a guest or with a certificate.
    Register(Register<'a>),
    /// Answers a `CHALLENGE`.
    Authenticate(Authenticate<'a>),
    /// Goes on with a session whose connection broke.
    Resume(Resume<'a>),
    /// Starts or renegotiates a call.
    Offer(Offer<'a>),
    /// Answers an offer.
    Answer(Answer<'a>),
    /// One way to be reached, for the other end of a call.
    IceCandidate(IceCandidate<'a>),
    /// Asks for a page of the people in one's net.
    ListPeers(ListPeers<'a>),
    /// Moves to another net.
    Join(Join<'a>),
    /// Asks for a `PONG`.
    Ping,
}

/// Who one is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Register<'a> {
    /// A callsign, or `GUEST`.
    #[serde(borrow)]
    pub callsign: Cow<'a, str>,
    /// The operator's certificate, PEM.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The certificates above it, PEM, its issuer first.
    #[serde(default)]
    pub chain: Vec<String>,
    /// 32 random bytes, base64url; required with a certificate.
    #[serde(default)]
    pub nonce: Option<String>,
    /// The WebSocket URL as the client dialled it; required with a certificate.
    #[serde(default)]
    pub url: Option<String>,
    /// The net to enter.
    #[serde(default)]
    pub net: Option<String>,
}

/// The proof that one holds the certificate's key.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Authenticate<'a> {
    /// ECDSA P-256 over the `client-proof` statement, 64 bytes r‖s, base64url.
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
}

/// Goes on with a session.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resume<'a> {
    /// The `session` of `REGISTERED`.
    #[serde(borrow)]
    pub session: PresentedToken<'a>,
    /// The `seq` of the last frame that arrived.
    pub last_seq: u64,
    /// 32 random bytes, base64url; required of who registered with a certificate.
    #[serde(default)]
    pub nonce: Option<String>,
    /// The WebSocket URL as the client dialled it; required of who registered with a certificate.
    #[serde(default)]
    pub url: Option<String>,
}

/// A session description on its way to somebody.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Offer<'a> {
    /// A client id, or a verified operator's callsign.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// The offer.
    #[serde(borrow)]
    pub offer: SessionDescription<'a>,
    /// The sender's signature over it.
    #[serde(default, borrow)]
    pub statement: Option<CallStatement<'a>>,
}

/// The answer to an offer.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer<'a> {
    /// Who made the offer.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// The answer.
    #[serde(borrow)]
    pub answer: SessionDescription<'a>,
    /// The sender's signature over it.
    #[serde(default, borrow)]
    pub statement: Option<CallStatement<'a>>,
}

/// `RTCSessionDescription` as browsers write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionDescription<'a> {
    /// `offer`, `answer`, `pranswer` or `rollback`.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// The SDP text, never looked into.
    #[serde(borrow)]
    pub sdp: Verbatim<'a>,
}

/// A signature over an offer or an answer, passed on as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallStatement<'a> {
    /// 16 random bytes that name the call, base64url.
    #[serde(borrow)]
    pub call_id: Cow<'a, str>,
    /// Rises within a call.
    pub counter: u64,
    /// The receiver's key id, or `guest:` and its client id.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// ECDSA P-256, 64 bytes r‖s, base64url.
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
    /// The fingerprint of the signer's certificate.
    #[serde(borrow)]
    pub keyid: Cow<'a, str>,
}

/// An ICE candidate on its way to the other end of a call.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IceCandidate<'a> {
    /// A client id, or a verified operator's callsign.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// The candidate.
    #[serde(borrow)]
    pub candidate: Candidate<'a>,
}

/// `RTCIceCandidate` as browsers write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Candidate<'a> {
    /// The candidate attribute; empty at the end of candidates.
    #[serde(borrow)]
    pub candidate: Cow<'a, str>,
    /// The media section's identification tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section's index, from 0.
    #[serde(
        default,
        rename = "sdpMLineIndex",
        skip_serializing_if = "Option::is_none"
    )]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// Asks for people.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListPeers<'a> {
    /// The `next` of the page before.
    #[serde(default, borrow)]
    pub cursor: Option<Cow<'a, str>>,
}

/// Moves to a net.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Join<'a> {
    /// Its name.
    #[serde(borrow)]
    pub net: Cow<'a, str>,
}

/// A JSON string that is passed on as it was written, escapes and all.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Verbatim<'a>(&'a str);

impl<'a> Verbatim<'a> {
    /// A JSON string, quotes and all.
    pub(super) fn new(written: &'a str) -> Self {
        Self(written)
    }

    /// As it was written, quotes and all.
    pub(super) fn as_str(self) -> &'a str {
        self.0
    }

    /// Bytes of it as written.
    pub(super) fn len(self) -> usize {
        self.0.len()
    }
}

impl Serialize for Verbatim<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Verbatim<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            Ok(Self(raw))
        } else {
            Err(serde::de::Error::custom("expected a string"))
        }
    }
}

/// A message and the name its sender gave the frame.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// To be echoed as `replyTo`.
    pub id: Option<Cow<'a, str>>,
    /// What it says, or why it cannot be read.
    pub message: Result<ClientMessage<'a>, DecodeError>,
}

/// Why a frame is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, not an object, or without a usable `type` or `id`.
    #[error("this is not a JSON object with a \"type\": {0}")]
    NotAMessage(String),
    /// A type this server does not know.
    #[error("there is no message type {0}")]
    UnknownType(String),
    /// A known type with members missing or of the wrong kind.
    #[error("this {kind} cannot be read: {problem}")]
    Members {
        /// The message's type.
        kind: String,
        /// What the reader stumbled over.
        problem: String,
    },
}

/// Reads a text frame. The `id` survives where it can be read, so that errors too find their question.
#[must_use]
pub fn decode(text: &str) -> Frame<'_> {
    compact::decode(text).unwrap_or_else(|| decode_any(text))
}

/// The general reader, for every form that JSON has: looks what a message is, and reads it as that.
pub(super) fn decode_any(text: &str) -> Frame<'_> {
    #[derive(Deserialize)]
    struct Header<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(default, borrow)]
        id: Option<Cow<'a, str>>,
    }

    let header: Header<'_> = match serde_json::from_str(text) {
        Ok(header) => header,
        Err(error) => {
            return Frame {
                id: None,
                message: Err(DecodeError::NotAMessage(error.to_string())),
            };
        }
    };
    if header.id.as_ref().is_some_and(|id| id.len() > MAX_REPLY_ID) {
        let problem = format!("an id has at most {MAX_REPLY_ID} bytes");
        return Frame {
            id: None,
            message: Err(DecodeError::NotAMessage(problem)),
        };
    }
    Frame {
        id: header.id,
        message: decode_kind(&header.kind, text),
    }
}

fn decode_kind<'a>(kind: &str, text: &'a str) -> Result<ClientMessage<'a>, DecodeError> {
    let read = match kind {
        "REGISTER" => serde_json::from_str(text).map(ClientMessage::Register),
        "AUTHENTICATE" => serde_json::from_str(text).map(ClientMessage::Authenticate),
        "RESUME" => serde_json::from_str(text).map(ClientMessage::Resume),
        "OFFER" => serde_json::from_str(text).map(ClientMessage::Offer),
        "ANSWER" => serde_json::from_str(text).map(ClientMessage::Answer),
        "ICE_CANDIDATE" => serde_json::from_str(text).map(ClientMessage::IceCandidate),
        "LIST_PEERS" => serde_json::from_str(text).map(ClientMessage::ListPeers),
        "JOIN" => serde_json::from_str(text).map(ClientMessage::Join),
        "PING" => Ok(ClientMessage::Ping),
        unknown => return Err(DecodeError::UnknownType(abbreviated(unknown))),
    };
    read.map_err(|error| DecodeError::Members {
        kind: kind.to_owned(),
        problem: abbreviated(&error.to_string()),
    })
}

/// A stranger's text as part of our sentence: short and printable.
fn abbreviated(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_type() {
        for (kind, members) in [
            ("REGISTER", r#","callsign":"GUEST""#),
            ("AUTHENTICATE", r#","signature":"x""#),
            ("RESUME", r#","session":"x","lastSeq":7"#),
            (
                "OFFER",
                r#","target":"a","offer":{"type":"offer","sdp":"v=0\r\n"}"#,
            ),
            (
                "ANSWER",
                r#","target":"a","answer":{"type":"answer","sdp":"v=0"}"#,
            ),
            (
                "ICE_CANDIDATE",
                r#","target":"a","candidate":{"candidate":"","sdpMid":null}"#,
            ),
            ("LIST_PEERS", ""),
            ("JOIN", r#","net":"main""#),
            ("PING", r#","someday":[1,{"new":true}]"#),
        ] {
            let text = format!(r#"{{"type":"{kind}","id":"q"{members}}}"#);
            let frame = decode(&text);
            assert!(frame.message.is_ok(), "{text}: {:?}", frame.message);
            assert_eq!(frame.id.as_deref(), Some("q"));
        }
    }

    #[test]
    fn the_sdp_passes_through_as_written() {
        let text =
            r#"{"type":"OFFER","target":"a","offer":{"type":"offer","sdp":"v=0\r\n\u00e9"}}"#;
        let Ok(ClientMessage::Offer(offer)) = decode(text).message else {
            panic!("{text}")
        };
        let written = serde_json::to_string(&offer.offer).unwrap();
        assert_eq!(written, r#"{"type":"offer","sdp":"v=0\r\n\u00e9"}"#);
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |text: &str| decode(text).message.unwrap_err();
        assert!(matches!(wrong("hello"), DecodeError::NotAMessage(_)));
        assert!(matches!(wrong("[]"), DecodeError::NotAMessage(_)));
        assert!(matches!(
            wrong(r#"{"type":7}"#),
            DecodeError::NotAMessage(_)
        ));
        let long_id = format!(r#"{{"type":"PING","id":"{}"}}"#, "x".repeat(65));
        assert!(matches!(wrong(&long_id), DecodeError::NotAMessage(_)));
        assert_eq!(
            wrong(r#"{"type":"HELLO"}"#),
            DecodeError::UnknownType("HELLO".into())
        );
        let number = r#"{"type":"OFFER","target":"a","offer":{"type":"offer","sdp":7}}"#;
        assert!(
            wrong(number).to_string().contains("expected a string"),
            "{}",
            wrong(number)
        );
        let twice = r#"{"type":"JOIN","net":"a","net":"b"}"#;
        assert!(matches!(wrong(twice), DecodeError::Members { .. }));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = format!(r#"{{"type":"PING","x":{}"#, "[".repeat(60_000));
        assert!(decode(&deep).message.is_err());
    }
}
