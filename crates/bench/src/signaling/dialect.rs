//! What each server speaks: how one comes in, what one is called then, and how a signal is sent.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The protocol of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialect {
    /// `bare-relay`: a plain relay on axum.
    Bare,
    /// `bare-relay --batch`: the limit.
    Batching,
    /// Ours (`docs/protocol/signaling.md`).
    HamServer,
    /// `matchbox_server`.
    Matchbox,
    /// PeerServer, npm `peer`.
    PeerServer,
}

impl Dialect {
    pub(crate) const ALL: [Self; 5] = [
        Self::Bare,
        Self::Batching,
        Self::HamServer,
        Self::Matchbox,
        Self::PeerServer,
    ];

    /// Where the client of that number connects to, to meet the others of its room. PeerServer and the bare
    /// relay have no rooms.
    pub(crate) fn path(self, number: usize, room: &str) -> String {
        match self {
            Self::Bare | Self::Batching => format!("/ws?name=c{number}"),
            Self::HamServer => "/signal".to_owned(),
            Self::Matchbox => format!("/{room}"),
            Self::PeerServer => format!("/peerjs?key=peerjs&id=c{number}&token=t{number}"),
        }
    }

    /// What the client says first.
    pub(crate) fn greeting(self, room: &str) -> Option<String> {
        let register = json!({ "type": "REGISTER", "callsign": "GUEST", "net": room });
        (self == Self::HamServer).then(|| register.to_string())
    }

    /// The client's name, if this text says that it is in.
    pub(crate) fn name(self, number: usize, text: &[u8]) -> Option<String> {
        match self {
            Self::Bare | Self::Batching => (text == b"open").then(|| format!("c{number}")),
            Self::PeerServer => text
                .starts_with(br#"{"type":"OPEN""#)
                .then(|| format!("c{number}")),
            Self::HamServer => {
                let told: Value = serde_json::from_slice(text).ok()?;
                (told["type"] == "REGISTERED")
                    .then(|| told["clientId"].as_str().map(str::to_owned))?
            }
            Self::Matchbox => {
                let told: Value = serde_json::from_slice(text).ok()?;
                told["IdAssigned"].as_str().map(str::to_owned)
            }
        }
    }

    /// An offer to somebody, with this session description, as a browser writes it.
    pub(crate) fn signal(self, to: &str, sdp: &str) -> String {
        let sdp = Value::from(sdp);
        let offer = format!(r#"{{"type":"offer","sdp":{sdp}}}"#);
        match self {
            Self::Bare | Self::Batching => format!("{to} {offer}"),
            Self::HamServer => format!(r#"{{"type":"OFFER","target":"{to}","offer":{offer}}}"#),
            Self::Matchbox => format!(r#"{{"Signal":{{"receiver":"{to}","data":{offer}}}}}"#),
            Self::PeerServer => format!(r#"{{"type":"OFFER","dst":"{to}","payload":{offer}}}"#),
        }
    }

    /// Whether a text is such an offer, as it arrives.
    pub(crate) fn is_signal(self, text: &[u8]) -> bool {
        let beginning: &[u8] = match self {
            Self::Bare | Self::Batching => b"c",
            Self::HamServer => br#"{"type":"OFFER_RECEIVED""#,
            Self::Matchbox => br#"{"Signal""#,
            Self::PeerServer => br#"{"type":"OFFER""#,
        };
        text.starts_with(beginning)
    }

    /// Whether who comes is told to who is here.
    pub(crate) fn has_presence(self) -> bool {
        matches!(self, Self::HamServer | Self::Matchbox)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare axum relay",
            Self::Batching => "bare axum relay that batches",
            Self::HamServer => "ham-server",
            Self::Matchbox => "matchbox_server",
            Self::PeerServer => "PeerServer",
        })
    }
}
