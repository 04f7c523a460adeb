//! The plain contract messages: JSON in text frames, understood by servers that are not ours.
//!
//! A link without the subprotocol speaks only these; beside the subprotocol the last two are used. None
//! of them is signed: what they say is advice ([`super::advice`]), and certificates are judged like anybody's.

use serde::{Deserialize, Serialize};

use super::advice::{self, Catalog, Distrust};
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
    /// What the sender can hand out, or a page of it.
    ContentSync {
        /// Its catalog.
        catalog: Catalog,
        /// Whether the next message goes on with the same catalog. Else it is whole, in place of any earlier one.
        #[serde(default, skip_serializing_if = "is_whole")]
        more: bool,
    },
    /// Whom the sender's owner blacklisted, or a page of it. Advice for another owner, never more.
    BlacklistUpdate {
        /// The entries.
        #[serde(deserialize_with = "advice::blacklist")]
        blacklist: Vec<Distrust>,
        /// Whether the next message goes on with the same list. Else it is whole, in place of any earlier one.
        #[serde(default, skip_serializing_if = "is_whole")]
        more: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks it so")]
fn is_whole(more: &bool) -> bool {
    !more
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
        // Strings, numbers and lists always can be JSON.
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

    /// `BLACKLIST_UPDATE` frames of a whole list: one at least, since an empty list says that an earlier one does not
    /// count any more.
    #[must_use]
    pub fn blacklist(entries: Vec<Distrust>) -> Vec<String> {
        let pages = pages(entries);
        let last = pages.len();
        let message = |(number, blacklist)| {
            let more = number + 1 < last;
            Self::BlacklistUpdate { blacklist, more }.encode()
        };
        pages.into_iter().enumerate().map(message).collect()
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
