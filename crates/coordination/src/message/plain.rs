//! The plain contract messages: JSON in text frames, understood by servers that are not ours.
//!
//! A link without the subprotocol speaks only these; beside the subprotocol the last two are used. None
//! of them is signed: what they say is advice, and certificates are judged like anybody's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codec::DecodeError;
use super::{MAX_FRAME, within};

/// A message that every server of the specification family knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlainMessage {
    /// Who is at the other end.
    PeerAnnounce {
        /// The server.
        server: Announcement,
    },
    /// Certificates the sender has.
    CertSync {
        /// Some of them.
        certificates: Vec<PlainCertificate>,
    },
    /// What the sender can hand out: the catalog of `GET /api/content-catalog`, or a page of it.
    ContentSync {
        /// As it came.
        catalog: Value,
    },
    /// Whom the sender's owner blacklisted, or a page of it. Advice for another owner, never more.
    BlacklistUpdate {
        /// As it came.
        blacklist: Value,
    },
}

/// A server, as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its callsign, unproven.
    pub callsign: String,
    /// Where it can be reached.
    pub endpoint: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// A certificate in text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainCertificate {
    /// SHA-256 of its DER, hex.
    #[serde(default)]
    pub fingerprint: String,
    /// PEM.
    pub certificate: String,
    /// Those above it, PEM.
    #[serde(default)]
    pub chain: Vec<String>,
}

impl PlainMessage {
    /// The message as a frame.
    #[must_use]
    pub fn encode(&self) -> String {
        // Strings, lists and JSON values always can be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a frame. Members it does not know are passed over.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no message, or not within the bounds of this protocol.
    pub fn decode(frame: &str) -> Result<Self, DecodeError> {
        let (len, most) = (frame.len(), MAX_FRAME);
        if len > most {
            return Err(DecodeError::TooLong { len, most });
        }
        let message: Self = serde_json::from_str(frame)
            .map_err(|error| DecodeError::Malformed(error.to_string()))?;
        if let Self::PeerAnnounce { server } = &message {
            within(
                server.callsign.len() <= 32
                    && server.endpoint.len() <= super::record::MAX_ENDPOINT
                    && server.capabilities.len() <= super::record::MAX_CAPABILITIES
                    && server.capabilities.iter().all(|one| one.len() <= 32),
                "a server is announced by a callsign, an endpoint and at most 16 capabilities",
            )?;
        }
        Ok(message)
    }

    /// `CERT_SYNC` frames of these certificates. A chain that would not fit into a frame is left out: its
    /// certificates come by themselves.
    #[must_use]
    pub fn certificates(certificates: Vec<PlainCertificate>) -> Vec<String> {
        let fitting = certificates.into_iter().map(|mut certificate| {
            if json_len(&certificate) > ROOM {
                certificate.chain.clear();
            }
            certificate
        });
        let pages = pages(fitting.collect());
        let message = |certificates| Self::CertSync { certificates }.encode();
        pages.into_iter().map(message).collect()
    }

    /// `CONTENT_SYNC` frames of a catalog: where it is too long, each has some of its `entries`.
    #[must_use]
    pub fn catalog(catalog: Value) -> Vec<String> {
        let Value::Object(mut catalog) = catalog else {
            return Vec::new();
        };
        let Some(Value::Array(entries)) = catalog.remove("entries") else {
            return Vec::new();
        };
        let page = |entries| {
            let mut catalog = catalog.clone();
            catalog.insert("entries".to_owned(), Value::Array(entries));
            let catalog = Value::Object(catalog);
            Self::ContentSync { catalog }.encode()
        };
        pages(entries).into_iter().map(page).collect()
    }

    /// `BLACKLIST_UPDATE` frames of a list.
    #[must_use]
    pub fn blacklist(entries: Vec<Value>) -> Vec<String> {
        let message = |entries| {
            let blacklist = Value::Array(entries);
            Self::BlacklistUpdate { blacklist }.encode()
        };
        pages(entries).into_iter().map(message).collect()
    }
}

/// What a page may hold, so that the message around it fits into the frame too.
const ROOM: usize = MAX_FRAME - 2 * 1024;

/// The items in as few lists as fit into a frame each, one at least; an item that fits into none is left
/// out.
fn pages<T: Serialize>(items: Vec<T>) -> Vec<Vec<T>> {
    let mut pages = vec![Vec::new()];
    let mut room = ROOM;
    for item in items {
        let len = json_len(&item) + 1;
        if len > ROOM {
            continue;
        }
        if len > room {
            pages.push(Vec::new());
            room = ROOM;
        }
        room -= len;
        if let Some(page) = pages.last_mut() {
            page.push(item);
        }
    }
    pages
}

fn json_len<T: Serialize>(value: &T) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}
