//! The one shape of everything signed in X.509: what is signed, the algorithm, the signature
//! (`SIGNED` of RFC 5280, 4.1 and RFC 2986, 4.2).
//!
//! Only where the parts lie is found out here: a signature is checked over the bytes as they came,
//! and keys and names are compared as bytes.

use std::ops::Range;

use der::asn1::BitStringRef;
use der::{Decode as _, Reader as _, SliceReader, Tag};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Where the parts lie in the DER.
#[derive(Debug)]
pub(crate) struct Envelope<T> {
    /// What is signed, with its header.
    pub(crate) body: Range<usize>,
    /// What the reader of the body made of it.
    pub(crate) parts: T,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    /// The bytes of the signature.
    pub(crate) signature: Range<usize>,
}

impl<T> Envelope<T> {
    /// Reads the outer structure, with nothing after it. `parts` reads the members of what is
    /// signed, all of them.
    pub(crate) fn read(
        der: &[u8],
        parts: impl FnOnce(&mut SliceReader<'_>) -> der::Result<T>,
    ) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let envelope = reader.sequence(|reader| -> der::Result<Self> {
            let start = position(reader)?;
            let parts = reader.sequence(parts)?;
            let body = start..position(reader)?;
            let algorithm = AlgorithmIdentifierOwned::decode(reader)?;
            let signature = BitStringRef::decode(reader)?.as_bytes();
            let length = signature.ok_or(Tag::BitString.value_error())?.len();
            let end = position(reader)?;
            Ok(Self {
                body,
                parts,
                algorithm,
                signature: end - length..end,
            })
        })?;
        reader.finish()?;
        Ok(envelope)
    }
}

/// The next member of a sequence, whatever it is, with its header.
pub(crate) fn member(reader: &mut SliceReader<'_>) -> der::Result<Range<usize>> {
    let start = position(reader)?;
    reader.tlv_bytes()?;
    Ok(start..position(reader)?)
}

pub(crate) fn position(reader: &SliceReader<'_>) -> der::Result<usize> {
    usize::try_from(reader.position())
}
