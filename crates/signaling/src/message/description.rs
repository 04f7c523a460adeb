//! Offers and answers on their way, written by hand: nearly all that a busy server says.
//!
//! Their members are known and mostly need no escapes, so that they are written in a few pieces, where a general
//! writer looks at every letter of every name. It writes what that one would write.

use super::ClientId;
use super::client::{CallStatement, SessionDescription};

/// An offer or an answer, as its receiver gets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    /// What it is.
    pub(super) kind: Kind,
    /// The sender's session.
    pub(super) from: ClientId,
    /// The sender's callsign.
    pub(super) callsign: &'a str,
    /// Whether that is proven.
    pub(super) verified: bool,
    /// The offer or answer.
    pub(super) description: &'a SessionDescription<'a>,
    /// The sender's signature over it.
    pub(super) statement: Option<&'a CallStatement<'a>>,
    /// The sender's certificate and those above it.
    pub(super) chain: Option<&'a [String]>,
}

/// Which of the two.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// An offer, and whether the receiver is the polite end.
    Offer { polite: bool },
    /// An answer.
    Answer,
}

impl Received<'_> {
    /// Writes the message behind what is in `json`.
    pub(super) fn write_to(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        json.extend_from_slice(match self.kind {
            Kind::Offer { .. } => br#"{"type":"OFFER_RECEIVED","from":""#,
            Kind::Answer => br#"{"type":"ANSWER_RECEIVED","from":""#,
        });
        json.extend_from_slice(&self.from.digits());
        json.extend_from_slice(br#"","fromCallsign":"#);
        serde_json::to_writer(&mut *json, self.callsign)?;
        json.extend_from_slice(match self.verified {
            true => br#","verified":true"#,
            false => br#","verified":false"#,
        });
        json.extend_from_slice(match self.kind {
            Kind::Offer { polite: true } => br#","polite":true,"offer":{"type":"#,
            Kind::Offer { polite: false } => br#","polite":false,"offer":{"type":"#,
            Kind::Answer => br#","answer":{"type":"#,
        });
        serde_json::to_writer(&mut *json, &self.description.kind)?;
        json.extend_from_slice(br#","sdp":"#);
        json.extend_from_slice(self.description.sdp.as_str().as_bytes());
        json.push(b'}');
        if let Some(statement) = self.statement {
            json.extend_from_slice(br#","statement":"#);
            serde_json::to_writer(&mut *json, statement)?;
        }
        if let Some(chain) = self.chain {
            json.extend_from_slice(br#","chain":"#);
            serde_json::to_writer(&mut *json, chain)?;
        }
        json.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::message::client::{CallStatement, SessionDescription};
    use crate::message::{ClientId, ServerMessage};

    proptest! {
        /// Written by hand or by the general writer, it is the same.
        #[test]
        fn it_is_what_the_general_writer_writes(
            bits: u64,
            callsign: String,
            [verified, polite, signed, answer]: [bool; 4],
            kind: String,
            sdp: String,
            chain: Option<Vec<String>>,
        ) {
            let description = serde_json::json!({ "type": kind, "sdp": sdp }).to_string();
            let description: SessionDescription<'_> = serde_json::from_str(&description).unwrap();
            let statement = CallStatement {
                call_id: kind.as_str().into(),
                counter: bits,
                to: callsign.as_str().into(),
                signature: sdp.as_str().into(),
                keyid: kind.as_str().into(),
            };
            let statement = signed.then_some(&statement);
            let (from, from_callsign) = (ClientId::new(bits), callsign.as_str().into());
            let chain = chain.as_deref();
            let message = if answer {
                ServerMessage::AnswerReceived {
                    from, from_callsign, verified, answer: &description, statement, chain,
                }
            } else {
                ServerMessage::OfferReceived {
                    from, from_callsign, verified, polite, offer: &description, statement, chain,
                }
            };
            let general = serde_json::to_vec(&message).unwrap();
            let mut written = Vec::new();
            message.write_to(&mut written).unwrap();
            prop_assert_eq!(
                String::from_utf8(written).unwrap(),
                String::from_utf8(general).unwrap()
            );
        }
    }
}
