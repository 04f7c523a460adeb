//! A certificate: parsed once, strictly, and immutable ever after.
//!
//! A [`Certificate`] is well formed X.509 v3 (RFC 5280) as `docs/protocol/certificates.md` narrows
//! it. That says nothing of who signed it: [`Certificate::is_signed_by`] does. Names are compared
//! byte for byte, key identifiers are hints, and no date is judged.

mod parse;

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::time::SystemTime;

use station::{Callsign, Fingerprint, Identity, KeyId};

use crate::licence::{HamLicence, LicenceError};
use crate::pem::{self, PemError};
use crate::public_key::PublicKey;
use crate::sha256;

pub(crate) use parse::{
    COMMON_NAME, ECDSA_WITH_SHA256, Members, ORGANIZATIONAL_UNIT, attribute, is_serial,
};

/// Most bytes a certificate's DER may have.
pub const MAX_LEN: usize = 16 * 1024;

/// The organizational unit that makes a certificate a server's.
pub const SERVER_UNIT: &str = "Server";

/// A well-formed certificate with its DER. Clones share it.
#[derive(Clone)]
pub struct Certificate(Arc<Fields>);

/// A certificate whose signature was checked against its issuer's key. Only verification in this
/// crate makes one, and only such certificates are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    certificate: Certificate,
    identity: Identity,
}

/// Why bytes are not a certificate that this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
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
    /// Not ecdsa-with-SHA256, or named differently inside and outside.
    #[error("the certificate is not signed by ECDSA with SHA-256")]
    SignatureAlgorithm,
    /// The key in it is not P-256 (RFC 5480).
    #[error("the certificate's key is not a P-256 key")]
    Key,
    /// There is not exactly one CN, or it is not a callsign in upper case.
    #[error("the certificate's subject has not exactly one callsign as its common name")]
    Callsign,
    /// More than one OU, or one that is not a text.
    #[error(
        "the certificate's subject has more than one organizational unit, or an unreadable one"
    )]
    Unit,
    /// The same extension twice (RFC 5280, 4.2).
    #[error("the certificate has the extension {0} twice")]
    DuplicateExtension(String),
    /// A critical extension this program does not know (RFC 5280, 4.2).
    #[error("the certificate has the critical extension {0}, which is not known here")]
    CriticalExtension(String),
    /// An extension this program knows does not hold what it should.
    #[error("the certificate's {0} extension is not well-formed")]
    Extension(&'static str),
    /// The licence in it cannot be read.
    #[error("the certificate's licence cannot be read")]
    Licence(#[from] LicenceError),
    /// The licence in it is somebody else's.
    #[error("the certificate's licence is for another callsign than its subject")]
    LicenceOfAnother,
    /// The licence in it names somebody as who vouches that is not the issuer.
    #[error("the certificate says that somebody else than its issuer vouches for the licence")]
    VouchedByAnother,
}

impl Certificate {
    /// Reads one certificate from DER, with nothing after it.
    ///
    /// # Errors
    /// [`CertificateError`] with the first thing that is wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        parse::fields(der).map(|fields| Self(Arc::new(fields)))
    }

    /// Reads one certificate from PEM, with no other object beside it.
    ///
    /// # Errors
    /// [`CertificateError`] with the first thing that is wrong.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
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

    /// SHA-256 of the DER: a label.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// What this certificate is known by, when `issuer` signed it.
    pub(crate) fn identity_under(&self, issuer: &PublicKey) -> Identity {
        Identity::new(sha256(&[issuer.spki(), self.tbs()]))
    }

    /// The holder's public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The name of the holder's public key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// The holder, from the subject's CN.
    #[must_use]
    pub fn callsign(&self) -> &Callsign {
        &self.0.callsign
    }

    /// The subject's OU.
    #[must_use]
    pub fn organizational_unit(&self) -> Option<&str> {
        self.0.unit.as_deref()
    }

    /// Whether this is a server's certificate: its OU is [`SERVER_UNIT`].
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.organizational_unit() == Some(SERVER_UNIT)
    }

    /// Whether the basic constraints say CA:TRUE (RFC 5280, 4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.ca
    }

    /// Whether the holder may issue here: a CA whose key usage allows it, without a path length or
    /// name constraints. Certificates under a limited one are other programs' business.
    #[must_use]
    pub fn may_issue(&self) -> bool {
        self.0.ca && self.0.signs_certificates && !self.0.constrained
    }

    /// The authority key identifier (RFC 5280, 4.2.1.1), whatever its length.
    pub(crate) fn key_identifier_of_issuer(&self) -> Option<&[u8]> {
        self.0.issuer_hint.as_deref()
    }

    /// What it says of the holder's licence.
    #[must_use]
    pub fn licence(&self) -> Option<&HamLicence> {
        self.0.licence.as_ref()
    }

    /// The time its maker's clock showed. Informative: no date is judged here.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// The subject's name, DER.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.0.der[self.0.subject.clone()]
    }

    /// The issuer's name, DER.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.0.der[self.0.issuer.clone()]
    }

    /// Whether this key made the signature. Exactly one ECDSA verification.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        issuer.signed(self.tbs(), &self.0.der[self.0.signature.clone()])
    }

    /// Whether issuer and subject are one, and the signature is by the key inside. At most one
    /// ECDSA verification.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.is_signed_by(self.public_key())
    }

    /// Whether issuer and subject have one name (RFC 5280, 3.2). No verification.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// The proof that this key made the signature, if it did. Exactly one ECDSA verification.
    pub(crate) fn admit(&self, issuer: &PublicKey) -> Option<Admitted> {
        self.is_signed_by(issuer).then(|| Admitted {
            certificate: self.clone(),
            identity: self.identity_under(issuer),
        })
    }

    pub(crate) fn tbs(&self) -> &[u8] {
        &self.0.der[self.0.tbs.clone()]
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({}, {})",
            self.callsign(),
            self.fingerprint()
        )
    }
}

impl Admitted {
    /// A certificate that this crate admitted before and a store kept. The store is believed that
    /// the signature was checked; [`TrustGraph::restore`](crate::TrustGraph::restore) still
    /// compares the identity with the issuer's key. For stores only.
    #[must_use]
    pub fn restored(certificate: Certificate, identity: Identity) -> Self {
        Self {
            certificate,
            identity,
        }
    }

    /// What the certificate is known by.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }
}

impl Deref for Admitted {
    type Target = Certificate;

    fn deref(&self) -> &Certificate {
        &self.certificate
    }
}

/// What parsing found. The ranges lie in `der`.
struct Fields {
    der: Box<[u8]>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    signature: Range<usize>,
    fingerprint: Fingerprint,
    public_key: PublicKey,
    key_id: KeyId,
    callsign: Callsign,
    unit: Option<Box<str>>,
    ca: bool,
    constrained: bool,
    issuer_hint: Option<Box<[u8]>>,
    signs_certificates: bool,
    licence: Option<HamLicence>,
    not_before: SystemTime,
}

const PEM_LABEL: &str = "CERTIFICATE";

#[cfg(test)]
pub(crate) mod tests;
