//! Making certificates, as `docs/protocol/certificates.md` lays them out.
//!
//! What is signed is built here whole: of the subject only a callsign, a class and a public key are
//! taken. `not_before` is what the maker's clock says; nobody judges it.

use std::time::SystemTime;

use der::asn1::{Any, BitString, OctetString, SetOfVec, UintRef, Utf8StringRef};
use der::oid::AssociatedOid;
use der::{Decode as _, Encode, Sequence};
use ring::rand::SecureRandom;
use station::licence::VouchMethod;
use station::{Callsign, LicenceClass};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::{Time, Validity};

use crate::certificate::{
    COMMON_NAME, Certificate, CertificateError, ECDSA_WITH_SHA256, ORGANIZATIONAL_UNIT, SERVER_UNIT,
};
use crate::key::{KeyError, SigningKey};
use crate::licence::{self, HamLicence};
use crate::public_key::PublicKey;

/// Why no certificate was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The key that should sign is not the one in the issuer's certificate.
    #[error("the signing key is not the key of the issuer's certificate")]
    NotTheIssuersKey,
    /// The issuer's certificate does not let its holder issue.
    #[error("the issuer's certificate does not let its holder issue certificates")]
    MayNotIssue,
    /// A self-signed certificate is the only one whose method is `self-asserted`.
    #[error("nobody vouches for another by self-assertion")]
    SelfAsserted,
    /// What was made does not read back: a fault of this program.
    #[error("the certificate that was made is not well-formed")]
    NotReadable(#[from] CertificateError),
    /// A part cannot be written as DER.
    #[error("the certificate cannot be written")]
    Encoding(#[from] der::Error),
    /// The clock gives a time before 1970 or after 9999, which X.509 cannot write.
    #[error("the time is before 1970 or after 9999")]
    Time,
    /// The key could not sign.
    #[error("the signing key failed")]
    Key(#[from] KeyError),
}

/// Who vouches: a certificate and its private key.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The issuer's certificate.
    pub certificate: &'a Certificate,
    /// Its key.
    pub key: &'a SigningKey,
}

/// Makes an operator's own certificate: self-signed, method `self-asserted`.
///
/// # Errors
/// [`IssueError`] for an impossible time or a failing random number generator.
pub fn self_signed_operator(
    key: &SigningKey,
    callsign: &Callsign,
    class: Option<&LicenceClass>,
    not_before: SystemTime,
    random: &dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    let subject = name(callsign, None)?;
    let public_key = key.public_key();
    let licence = HamLicence {
        callsign: callsign.clone(),
        method: VouchMethod::SelfAsserted,
        vouched_by: callsign.clone(),
        class: class.cloned(),
    };
    let template = Template {
        issuer: subject.clone(),
        subject,
        public_key: &public_key,
        licence: Some(&licence),
        not_before,
    };
    template.sign(key, random)
}

/// Makes the certificate of an operator for whose licence the issuer vouches.
///
/// # Errors
/// [`IssueError`] when the issuer may not, or for the reasons of [`self_signed_operator`].
pub fn operator_certificate(
    issuer: Issuer<'_>,
    holder: &PublicKey,
    licence: &Vouched<'_>,
    not_before: SystemTime,
    random: &dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    if licence.method == VouchMethod::SelfAsserted {
        return Err(IssueError::SelfAsserted);
    }
    let template = Template {
        issuer: issuer.name()?,
        subject: name(licence.callsign, None)?,
        public_key: holder,
        licence: Some(&HamLicence {
            callsign: licence.callsign.clone(),
            method: licence.method,
            vouched_by: issuer.certificate.callsign().clone(),
            class: licence.class.cloned(),
        }),
        not_before,
    };
    template.sign(issuer.key, random)
}

/// What an issuer vouches for.
#[derive(Debug, Clone, Copy)]
pub struct Vouched<'a> {
    /// The holder's callsign.
    pub callsign: &'a Callsign,
    /// The class on the holder's licence, where it was seen.
    pub class: Option<&'a LicenceClass>,
    /// How the licence was checked.
    pub method: VouchMethod,
}

/// Makes the certificate by which an owner says that this key is their server's.
///
/// # Errors
/// [`IssueError`] when the owner may not, or for the reasons of [`self_signed_operator`].
pub fn server_certificate(
    owner: Issuer<'_>,
    server: &PublicKey,
    not_before: SystemTime,
    random: &dyn SecureRandom,
) -> Result<Certificate, IssueError> {
    let template = Template {
        issuer: owner.name()?,
        subject: name(owner.certificate.callsign(), Some(SERVER_UNIT))?,
        public_key: server,
        licence: None,
        not_before,
    };
    template.sign(owner.key, random)
}

impl Issuer<'_> {
    /// The name for the issuer field: the subject of the issuer's certificate, byte for byte.
    fn name(&self) -> Result<Any, IssueError> {
        if self.key.public_key() != *self.certificate.public_key() {
            return Err(IssueError::NotTheIssuersKey);
        }
        if !self.certificate.may_issue() {
            return Err(IssueError::MayNotIssue);
        }
        Ok(Any::from_der(self.certificate.subject())?)
    }
}

/// What the caller decides; the rest is the same in every certificate.
struct Template<'a> {
    issuer: Any,
    subject: Any,
    public_key: &'a PublicKey,
    licence: Option<&'a HamLicence>,
    not_before: SystemTime,
}

impl Template<'_> {
    fn sign(self, key: &SigningKey, random: &dyn SecureRandom) -> Result<Certificate, IssueError> {
        let der = self.tbs(&key.public_key(), random)?.sign(key, random)?;
        Ok(Certificate::from_der(&der)?)
    }

    fn tbs(self, issuer: &PublicKey, random: &dyn SecureRandom) -> Result<Tbs, IssueError> {
        let not_before = Time::try_from(self.not_before).map_err(|_| IssueError::Time)?;
        Ok(Tbs {
            version: Version::V3,
            serial: serial(random)?,
            signature: algorithm(),
            issuer: self.issuer,
            validity: Validity::new(not_before, Time::INFINITY),
            subject: self.subject,
            public_key: Any::from_der(self.public_key.spki())?,
            extensions: extensions(self.public_key, issuer, self.licence)?,
        })
    }
}

/// `TBSCertificate` of RFC 5280, 4.1, with the members we use.
#[derive(Sequence)]
struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial: Any,
    signature: AlgorithmIdentifierOwned,
    issuer: Any,
    validity: Validity,
    subject: Any,
    public_key: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// `Certificate` of RFC 5280, 4.1.
#[derive(Sequence)]
struct Signed {
    tbs: Tbs,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl Tbs {
    fn sign(self, key: &SigningKey, random: &dyn SecureRandom) -> Result<Vec<u8>, IssueError> {
        let signature = BitString::from_bytes(&key.sign_tbs(&self.to_der()?, random)?)?;
        Ok(Signed {
            tbs: self,
            algorithm: algorithm(),
            signature,
        }
        .to_der()?)
    }
}

/// ecdsa-with-SHA256, without parameters (RFC 5758, 3.2).
pub(crate) fn algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: ECDSA_WITH_SHA256,
        parameters: None,
    }
}

/// 128 random bits as a positive number: 17 bytes of DER where the highest bit is set.
fn serial(random: &dyn SecureRandom) -> Result<Any, IssueError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(Any::encode_from(&UintRef::new(&bytes)?)?)
}

/// CN = callsign and, for a server, OU; both UTF8String.
pub(crate) fn name(callsign: &Callsign, unit: Option<&str>) -> Result<Any, IssueError> {
    let attribute = |oid, text| -> der::Result<SetOfVec<AttributeTypeAndValue>> {
        let value = Any::encode_from(&Utf8StringRef::new(text)?)?;
        SetOfVec::from_iter([AttributeTypeAndValue { oid, value }])
    };
    let mut rdns = vec![attribute(COMMON_NAME, callsign.as_str())?];
    if let Some(unit) = unit {
        rdns.push(attribute(ORGANIZATIONAL_UNIT, unit)?);
    }
    Ok(Any::encode_from(&rdns)?)
}

fn extensions(
    holder: &PublicKey,
    issuer: &PublicKey,
    licence: Option<&HamLicence>,
) -> der::Result<Vec<Extension>> {
    let usage = KeyUsages::KeyCertSign | KeyUsages::CRLSign | KeyUsages::DigitalSignature;
    let authority = AuthorityKeyIdentifier {
        key_identifier: Some(key_identifier(issuer)?),
        ..AuthorityKeyIdentifier::default()
    };
    let mut extensions = vec![
        extension(
            true,
            &BasicConstraints {
                ca: true,
                path_len_constraint: None,
            },
        )?,
        extension(true, &KeyUsage(usage))?,
        extension(false, &SubjectKeyIdentifier(key_identifier(holder)?))?,
        extension(false, &authority)?,
    ];
    if let Some(licence) = licence {
        extensions.push(Extension {
            extn_id: licence::OID,
            critical: false,
            extn_value: OctetString::new(licence.to_der()?)?,
        });
    }
    Ok(extensions)
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    let extn_value = OctetString::new(value.to_der()?)?;
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value,
    })
}

/// The first 20 bytes of the key id: a hint, as long as the SHA-1 of RFC 5280, 4.2.1.2.
fn key_identifier(key: &PublicKey) -> der::Result<OctetString> {
    OctetString::new(&key.key_id().as_bytes()[..20])
}

#[cfg(test)]
pub(crate) mod tests;
