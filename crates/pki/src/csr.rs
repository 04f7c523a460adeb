//! Requests for a certificate: PKCS#10 (RFC 2986).
//!
//! A [`Csr`] gives one thing: a public key whose private half made the request. Its subject is a
//! hint for a form to be filled in; the extensions and other attributes that it asks for are not
//! even read. What the certificate says is the issuer's to decide.

use der::asn1::{Any, BitString};
use der::{Decode as _, Encode as _, Reader as _, Sequence, SliceReader, Tag, TagNumber};
use ring::rand::SecureRandom;
use station::Callsign;
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::certificate::{COMMON_NAME, ECDSA_WITH_SHA256, attribute};
use crate::envelope::{Envelope, member};
use crate::issue::{self, IssueError};
use crate::key::SigningKey;
use crate::pem::{self, PemError};
use crate::public_key::PublicKey;

/// Most bytes a request's DER may have.
pub const MAX_LEN: usize = 16 * 1024;

/// A well-formed request by whoever holds its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    public_key: PublicKey,
    callsign: Option<Callsign>,
}

/// Why bytes are not a request that this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// The PEM around it is wrong.
    #[error("the request's PEM is wrong")]
    Pem(#[from] PemError),
    /// More than [`MAX_LEN`] bytes.
    #[error("the request is larger than 16 KiB")]
    TooLarge,
    /// Not PKCS#10 in strict DER, or bytes follow it.
    #[error("the request is not well-formed PKCS#10")]
    Malformed,
    /// Not version 1, which is the only one (RFC 2986, 4.1).
    #[error("the request is not of PKCS#10 version 1")]
    Version,
    /// The key in it is not P-256 (RFC 5480).
    #[error("the request's key is not a P-256 key")]
    Key,
    /// Not ecdsa-with-SHA256.
    #[error("the request is not signed by ECDSA with SHA-256")]
    SignatureAlgorithm,
    /// The key in it did not sign it, so whoever made it may not have that key.
    #[error("the request is not signed by the key in it")]
    NotItsKey,
}

impl Csr {
    /// Reads one request from DER, with nothing after it, and checks that its key signed it: one
    /// ECDSA verification.
    ///
    /// # Errors
    /// [`CsrError`] with the first thing that is wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_LEN {
            return Err(CsrError::TooLarge);
        }
        let request = Envelope::read(der, Members::read).map_err(|_| CsrError::Malformed)?;
        let members = request.parts;
        if members.version != VERSION {
            return Err(CsrError::Version);
        }
        let subject = Name::from_der(&der[members.subject]).map_err(|_| CsrError::Malformed)?;
        let key = PublicKey::from_spki(&der[members.spki]).map_err(|_| CsrError::Key)?;
        // RFC 5758, 3.2: without parameters.
        let algorithm = &request.algorithm;
        if algorithm.oid != ECDSA_WITH_SHA256 || algorithm.parameters.is_some() {
            return Err(CsrError::SignatureAlgorithm);
        }
        if !key.signed(&der[request.body], &der[request.signature]) {
            return Err(CsrError::NotItsKey);
        }
        let name = attribute(&subject, COMMON_NAME).ok().flatten();
        Ok(Self {
            public_key: key,
            callsign: name.and_then(|name| Callsign::parse(name).ok()),
        })
    }

    /// Reads one request from PEM, with no other object beside it.
    ///
    /// # Errors
    /// [`CsrError`] with the first thing that is wrong.
    pub fn from_pem(text: &str) -> Result<Self, CsrError> {
        match pem::decode(text, PEM_LABEL) {
            // RFC 7468, 7: what older programs write.
            Err(PemError::Label { .. }) => {
                let old = pem::decode(text, OLD_PEM_LABEL);
                let expected = PEM_LABEL;
                Self::from_der(&old.map_err(|_| PemError::Label { expected })?)
            }
            der => Self::from_der(&der?),
        }
    }

    /// Reads a request as a file holds it, PEM or DER.
    ///
    /// # Errors
    /// [`CsrError`] with the first thing that is wrong.
    pub fn from_file(file: &[u8]) -> Result<Self, CsrError> {
        match str::from_utf8(file) {
            Ok(text) if text.contains("-----BEGIN ") => Self::from_pem(text),
            _ => Self::from_der(file),
        }
    }

    /// The key that wants a certificate. Whoever made the request has its private half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The callsign in the subject, where it reads as one: a hint, proven by nothing.
    #[must_use]
    pub fn callsign(&self) -> Option<&Callsign> {
        self.callsign.as_ref()
    }
}

/// Makes a request for this key, with the callsign as a hint, in PEM.
///
/// # Errors
/// [`IssueError`] when the random number generator fails.
pub fn make(
    key: &SigningKey,
    callsign: &Callsign,
    random: &dyn SecureRandom,
) -> Result<String, IssueError> {
    let info = Info {
        version: VERSION,
        subject: issue::name(callsign, None)?,
        public_key: Any::from_der(key.public_key().spki())?,
        attributes: Any::new(ATTRIBUTES, [])?,
    };
    let signature = BitString::from_bytes(&key.sign_tbs(&info.to_der()?, random)?)?;
    let request = Request {
        info,
        algorithm: issue::algorithm(),
        signature,
    };
    Ok(pem::encode(PEM_LABEL, &request.to_der()?))
}

/// The members of a `CertificationRequestInfo` (RFC 2986, 4.1). The attributes are passed over.
struct Members {
    version: u8,
    subject: std::ops::Range<usize>,
    spki: std::ops::Range<usize>,
}

impl Members {
    fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        let members = Self {
            version: u8::decode(reader)?,
            subject: member(reader)?,
            spki: member(reader)?,
        };
        Tag::peek(reader)?.assert_eq(ATTRIBUTES)?;
        reader.tlv_bytes()?;
        Ok(members)
    }
}

/// `CertificationRequestInfo` of RFC 2986, 4.1.
#[derive(Sequence)]
struct Info {
    version: u8,
    subject: Any,
    public_key: Any,
    attributes: Any,
}

/// `CertificationRequest` of RFC 2986, 4.2.
#[derive(Sequence)]
struct Request {
    info: Info,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// `v1` (RFC 2986, 4.1).
const VERSION: u8 = 0;
const ATTRIBUTES: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
const PEM_LABEL: &str = "CERTIFICATE REQUEST";
const OLD_PEM_LABEL: &str = "NEW CERTIFICATE REQUEST";

#[cfg(test)]
mod tests;
