//! Statements of a call between two clients: who offers, who answers, and that both saw the same.

use super::{FieldError, Statement};
use crate::{Callsign, Digest, Fingerprint, KeyId};

/// What an offer and its answer both speak of.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// 16 random bytes that the caller chose, base64url: the same in every offer and answer of one
    /// call.
    pub id: &'a str,
    /// Rises with every offer and every answer of the call.
    pub counter: u64,
    /// The signer's certificate.
    pub sender: Fingerprint,
    /// The signer's callsign.
    pub callsign: &'a Callsign,
    /// Whom it is meant for.
    pub receiver: Receiver<'a>,
    /// SHA-256 of the whole session description.
    pub sdp: Digest,
}

/// Whom an offer or answer is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver<'a> {
    /// An operator, by their key.
    Operator(KeyId),
    /// A guest, by the id that their server gave them.
    Guest(&'a str),
}

impl Statement {
    /// `offer`: the caller made this session description for that receiver.
    ///
    /// # Errors
    /// [`FieldError`] when the call's or the guest's id cannot be a field.
    pub fn offer(call: &Call<'_>) -> Result<Self, FieldError> {
        Self::call("offer", call, None)
    }

    /// `answer`: the callee made this session description, answering the offer with that one.
    ///
    /// # Errors
    /// [`FieldError`] when the call's or the guest's id cannot be a field.
    pub fn answer(call: &Call<'_>, offered: Digest) -> Result<Self, FieldError> {
        Self::call("answer", call, Some(offered))
    }

    /// `call-confirm`: this end saw these two statements, each by its SHA-256. It is the first
    /// message each way.
    ///
    /// # Errors
    /// None in practice: every field is a digest.
    pub fn call_confirm(offer: Digest, answer: Digest) -> Result<Self, FieldError> {
        Self::new("call-confirm", &[&offer.to_string(), &answer.to_string()])
    }

    fn call(context: &str, call: &Call<'_>, offered: Option<Digest>) -> Result<Self, FieldError> {
        let receiver = match call.receiver {
            Receiver::Operator(key) => key.to_string(),
            Receiver::Guest(id) => format!("guest:{id}"),
        };
        let (counter, sender) = (call.counter.to_string(), call.sender.to_string());
        let (sdp, offered) = (call.sdp.to_string(), offered.map(|sdp| sdp.to_string()));
        let mut fields = vec![
            call.id,
            &counter,
            &sender,
            call.callsign.as_str(),
            &receiver,
            &sdp,
        ];
        fields.extend(offered.as_deref());
        Self::new(context, &fields)
    }
}
