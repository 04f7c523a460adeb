//! CBOR (RFC 8949) to messages and back: one item a frame, and nothing after it.

use cbor4ii::core::dec::Read;
use cbor4ii::core::utils::SliceReader;
use serde::{Deserialize, Serialize};

/// A frame is not what this protocol says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than the protocol allows.
    #[error("a message has at most {most} bytes, and this one has {len}")]
    TooLong {
        /// How long it is.
        len: usize,
        /// How long it may be.
        most: usize,
    },
    /// Not CBOR, or not of this protocol.
    #[error("not a message of this protocol: {0}")]
    Malformed(String),
    /// Something follows the message.
    #[error("{0} bytes follow the message")]
    Trailing(usize),
    /// Well formed, but a part of it is out of its bounds.
    #[error("{0}")]
    OutOfBounds(&'static str),
}

/// What can be encoded here always can: the types hold nothing that CBOR lacks, and memory that is
/// refused ends a process anyway.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(Vec::new(), value).unwrap_or_default()
}

pub(super) fn decode<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    most: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > most {
        let len = bytes.len();
        return Err(DecodeError::TooLong { len, most });
    }
    let mut decoder = cbor4ii::serde::Deserializer::new(SliceReader::new(bytes));
    let value =
        T::deserialize(&mut decoder).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    let mut rest = decoder.into_inner();
    let left = rest.fill(bytes.len()).map_or(0, |rest| rest.as_ref().len());
    if left > 0 {
        return Err(DecodeError::Trailing(left));
    }
    Ok(value)
}
