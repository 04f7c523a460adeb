//! Certificates of other worlds: RSA, P-384, Ed25519, and P-256 that names no station.
//!
//! They never enter the trust graph and vouch for nobody in the mesh. The owner may add some as
//! *licence roots*: below those, a Logbook of the World certificate proves that its holder was
//! licensed ([`prove`]). No root is built in.
//!
//! Reading order: this file, `parse`, [`key`], then `proof` for what they are good for.

pub mod key;
mod parse;
mod proof;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use station::{Callsign, Fingerprint};

use crate::pem::{self, PemError};

use self::key::{Algorithm, ForeignKey};

pub use self::proof::{Licence, LotwProof, MAX_CHAIN, MAX_CHECKS, ProofError, prove};

/// Most bytes a foreign certificate's DER may have.
pub const MAX_LEN: usize = 16 * 1024;

/// Most characters of a subject as it is shown.
pub const MAX_SUBJECT: usize = 256;

/// A well-formed certificate of another world, with its DER. Clones share it.
#[derive(Clone)]
pub struct ForeignCertificate(Arc<Fields>);

/// Why bytes are not a foreign certificate that this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// The PEM around it is wrong.
    #[error("the certificate's PEM is wrong")]
    Pem(#[from] PemError),
    /// More than [`MAX_LEN`] bytes.
    #[error("the certificate is larger than 16 KiB")]
    TooLarge,
    /// Not X.509 in strict DER, or bytes follow it.
    #[error("the certificate is not well-formed X.509")]
    Malformed,
    /// X.509 version 1 or 2, or the unique identifiers of version 2.
    #[error("the certificate is not of X.509 version 3")]
    Version,
    /// Zero, negative, or longer than 20 bytes (RFC 5280, 4.1.2.2).
    #[error("the certificate's serial number is not a positive number of at most 20 bytes")]
    Serial,
    /// Another kind of key, or an RSA key of an unusual size.
    #[error("the certificate's key is none of RSA with 1024 to 8192 bits, P-256, P-384, Ed25519")]
    Key,
    /// Another algorithm, SHA-1, or one named differently inside and outside.
    #[error("the certificate is not signed by RSA (PKCS #1 v1.5) or ECDSA with SHA-2, or Ed25519")]
    SignatureAlgorithm,
    /// The same extension twice (RFC 5280, 4.2).
    #[error("the certificate has the extension {0} twice")]
    DuplicateExtension(String),
    /// A critical extension this program does not know (RFC 5280, 4.2), or name constraints, which
    /// mean nothing to a callsign.
    #[error("the certificate has the extension {0}, which is not known here and must be")]
    CriticalExtension(String),
    /// An extension this program knows does not hold what it should.
    #[error("the certificate's {0} extension is not well-formed")]
    Extension(&'static str),
}

impl ForeignCertificate {
    /// Reads one certificate from DER, with nothing after it.
    ///
    /// # Errors
    /// [`ForeignError`] with the first thing that is wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, ForeignError> {
        parse::fields(der).map(|fields| Self(Arc::new(fields)))
    }

    /// Reads one certificate from PEM, with no other object beside it.
    ///
    /// # Errors
    /// [`ForeignError`] with the first thing that is wrong.
    pub fn from_pem(text: &str) -> Result<Self, ForeignError> {
        Self::from_der(&pem::decode(text, PEM_LABEL)?)
    }

    /// The certificate as `CERTIFICATE` in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, self.der())
    }

    /// The whole DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// The subject as a person reads it (RFC 4514), at most [`MAX_SUBJECT`] characters, without
    /// control characters.
    #[must_use]
    pub fn subject_text(&self) -> &str {
        &self.0.subject_text
    }

    /// The callsign of a Logbook of the World certificate: the subject's attribute
    /// 1.3.6.1.4.1.12348.1.1, where there is exactly one and it reads as a callsign.
    #[must_use]
    pub fn callsign(&self) -> Option<&Callsign> {
        self.0.callsign.as_ref()
    }

    /// Whether the basic constraints say CA:TRUE (RFC 5280, 4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.ca
    }

    /// Whether its holder may sign certificates: CA:TRUE, and no key usage that leaves keyCertSign
    /// out. Only such a certificate can be a licence root.
    #[must_use]
    pub fn may_issue(&self) -> bool {
        self.0.ca && self.0.signs_certificates
    }

    /// How many certificates may stand between it and the last one, where it says so (RFC 5280,
    /// 4.2.1.9).
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.0.path_length
    }

    /// From when its maker wanted it to count.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// Until when its maker wanted it to count.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.0.not_after
    }

    /// The holder's public key.
    #[must_use]
    pub fn key(&self) -> &ForeignKey {
        &self.0.key
    }

    /// The DER of the holder's SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.0.der[self.0.spki.clone()]
    }

    /// Whether issuer and subject have one name. No verification.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Whether this key made the signature. Exactly one verification.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &ForeignKey) -> bool {
        let fields = &self.0;
        let (tbs, signature) = (fields.tbs.clone(), fields.signature.clone());
        issuer.signed(fields.algorithm, &fields.der[tbs], &fields.der[signature])
    }

    fn subject(&self) -> &[u8] {
        &self.0.der[self.0.subject.clone()]
    }

    fn issuer(&self) -> &[u8] {
        &self.0.der[self.0.issuer.clone()]
    }
}

impl PartialEq for ForeignCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for ForeignCertificate {}

impl fmt::Debug for ForeignCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, fingerprint) = (self.subject_text(), self.fingerprint());
        write!(f, "ForeignCertificate({subject}, {fingerprint})")
    }
}

/// What parsing found. The ranges lie in `der`.
struct Fields {
    der: Box<[u8]>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    signature: Range<usize>,
    algorithm: Algorithm,
    fingerprint: Fingerprint,
    key: ForeignKey,
    subject_text: Box<str>,
    callsign: Option<Callsign>,
    ca: bool,
    path_length: Option<u8>,
    signs_certificates: bool,
    not_before: SystemTime,
    not_after: SystemTime,
}

const PEM_LABEL: &str = "CERTIFICATE";

#[cfg(test)]
mod tests;
