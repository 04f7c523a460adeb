//! The messages of `/signal`, as types.
//!
//! Client messages borrow from the frame they came in, so that relaying an offer copies its SDP
//! once. [`decode`] is the only way from text to [`ClientMessage`].

pub mod between;
mod client;
mod compact;
mod description;
mod server;
mod token;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

pub use client::{
    Answer, Authenticate, CallStatement, Candidate, ClientMessage, DecodeError, Frame,
    IceCandidate, Join, ListPeers, Offer, Register, Resume, SessionDescription, Verbatim, decode,
};
pub use server::{
    Body, ErrorCode, FRAME_OVERHEAD, Peer, PeerServer, Role, ServerFrame, ServerMessage,
    ServerProof,
};
pub use token::{PresentedToken, Selector, SessionToken};

/// Most bytes a text frame may have.
pub const MAX_FRAME: usize = 64 * 1024;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Most bytes of the `id` a client may give a frame.
pub const MAX_REPLY_ID: usize = 64;

/// A session's name, chosen at random by whoever accepted the connection; 16 hex digits on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct ClientId(u64);

/// A text is not 16 lowercase hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 16 lowercase hex digits")]
pub struct ClientIdError;

impl ClientId {
    /// Wraps 64 random bits.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// As it is shown.
    fn digits(self) -> [u8; 16] {
        let bytes = self.0.to_be_bytes();
        std::array::from_fn(|place| {
            let digit = bytes[place / 2] >> (4 * (1 - place % 2)) & 15;
            HEX[usize::from(digit)]
        })
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As it is shown, without a detour over the heap: it is in every signal.
impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.digits();
        let text = str::from_utf8(&text).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(text)
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 16 {
            return Err(ClientIdError);
        }
        let bits = text.bytes().try_fold(0, |bits: u64, byte| {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(ClientIdError),
            };
            Ok(bits << 4 | u64::from(digit))
        });
        bits.map(Self)
    }
}

impl TryFrom<String> for ClientId {
    type Error = ClientIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A room of sessions: 1 to 32 lowercase letters, digits or dashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Net(std::sync::Arc<str>);

/// A text is not the name of a net.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a net has 1 to 32 lowercase letters, digits or dashes")]
pub struct NetError;

impl Net {
    /// Reads a net's name.
    ///
    /// # Errors
    /// [`NetError`] for any other length or character.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        let named = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if named {
            Ok(Self(text.into()))
        } else {
            Err(NetError)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The net of everybody who named none.
impl Default for Net {
    fn default() -> Self {
        Self("main".into())
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Net {
    type Error = NetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Net> for String {
    fn from(net: Net) -> Self {
        net.0.as_ref().into()
    }
}
