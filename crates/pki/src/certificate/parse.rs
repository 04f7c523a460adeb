//! From DER to [`Fields`]: one pass over the outer structure, typed decoding of what it holds.
//!
//! The `der` crate reads distinguished encoding only: indefinite, non-minimal and trailing bytes
//! are errors, and no structure here nests without a bound.

use std::ops::Range;

use der::asn1::{Any, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::oid::AssociatedOid;
use der::{Decode, Header, Reader as _, SliceReader, Tag, Tagged as _};
use station::{Callsign, Fingerprint};
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, NameConstraints, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{CertificateError, Fields, MAX_LEN};
use crate::envelope::{Envelope, member, position};
use crate::licence::{self, HamLicence, exact_callsign};
use crate::public_key::PublicKey;
use crate::sha256;

pub(super) fn fields(der: &[u8]) -> Result<Fields, CertificateError> {
    fields_of(der, |subject| Ok((callsign(subject)?, unit(subject)?)))
}

/// The fields, when the subject names a holder by this rule.
pub(super) fn fields_of(
    der: &[u8],
    holder: impl FnOnce(&Name) -> Result<(Callsign, Option<Box<str>>), CertificateError>,
) -> Result<Fields, CertificateError> {
    if der.len() > MAX_LEN {
        return Err(CertificateError::TooLarge);
    }
    let outer = Envelope::read(der, Members::read).map_err(|_| CertificateError::Malformed)?;
    let members = outer.parts;
    if !is_serial(&der[members.serial]) {
        return Err(CertificateError::Serial);
    }
    let tbs = TbsCertificate::from_der(&der[outer.body.clone()])
        .map_err(|_| CertificateError::Malformed)?;
    check_fixed_fields(&tbs, &outer.algorithm)?;
    let public_key = PublicKey::from_spki(&der[members.spki]).map_err(|_| CertificateError::Key)?;
    let (callsign, unit) = holder(tbs.subject())?;
    let extensions = Extensions::read(tbs.extensions().map_or(&[], Vec::as_slice))?;
    if let Some(licence) = &extensions.licence {
        check_licence(licence, &callsign, tbs.issuer())?;
    }
    Ok(Fields {
        fingerprint: Fingerprint::new(sha256(&[der])),
        key_id: public_key.key_id(),
        public_key,
        callsign,
        unit,
        ca: extensions.ca,
        constrained: extensions.constrained,
        issuer_hint: extensions.issuer_hint,
        signs_certificates: extensions.signs_certificates,
        licence: extensions.licence,
        not_before: tbs.validity().not_before.to_system_time(),
        tbs: outer.body,
        issuer: members.issuer,
        subject: members.subject,
        signature: outer.signature,
        der: der.into(),
    })
}

/// The licence is the holder's, and who vouches for it is who signs: people read that name as the
/// voucher's, so nobody may write another's.
fn check_licence(
    licence: &HamLicence,
    holder: &Callsign,
    issuer: &Name,
) -> Result<(), CertificateError> {
    if licence.callsign != *holder {
        return Err(CertificateError::LicenceOfAnother);
    }
    match attribute(issuer, COMMON_NAME) {
        Ok(Some(name)) if name == licence.vouched_by.as_str() => Ok(()),
        _ => Err(CertificateError::VouchedByAnother),
    }
}

/// Where the members of a TBSCertificate lie (RFC 5280, 4.1).
pub(crate) struct Members {
    /// The content of the serial number.
    pub(crate) serial: Range<usize>,
    pub(crate) issuer: Range<usize>,
    pub(crate) subject: Range<usize>,
    pub(crate) spki: Range<usize>,
}

impl Members {
    pub(crate) fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        if Tag::peek(reader)? == VERSION_TAG {
            reader.tlv_bytes()?;
        }
        let header = Header::decode(reader)?;
        header.tag().assert_eq(Tag::Integer)?;
        let length = usize::try_from(header.length())?;
        reader.read_slice(header.length())?;
        let end = position(reader)?;
        reader.tlv_bytes()?;
        let issuer = member(reader)?;
        reader.tlv_bytes()?;
        let members = Self {
            serial: end - length..end,
            issuer,
            subject: member(reader)?,
            spki: member(reader)?,
        };
        while !reader.is_finished() {
            reader.tlv_bytes()?;
        }
        Ok(members)
    }
}

/// RFC 5280, 4.1.2.2: positive, at most 20 bytes.
pub(crate) fn is_serial(content: &[u8]) -> bool {
    let positive = content.first().is_some_and(|first| *first < 0x80) && content != [0];
    positive && content.len() <= 20
}

/// Version 3 and one signature algorithm, named alike inside and outside (RFC 5280, 4.1.1.2).
fn check_fixed_fields(
    tbs: &TbsCertificate,
    algorithm: &AlgorithmIdentifierOwned,
) -> Result<(), CertificateError> {
    let unique_ids = tbs.issuer_unique_id().is_some() || tbs.subject_unique_id().is_some();
    if tbs.version() != Version::V3 || unique_ids {
        return Err(CertificateError::Version);
    }
    // RFC 5758, 3.2: without parameters.
    let known = algorithm.oid == ECDSA_WITH_SHA256 && algorithm.parameters.is_none();
    if !known || tbs.signature() != algorithm {
        return Err(CertificateError::SignatureAlgorithm);
    }
    Ok(())
}

fn callsign(subject: &Name) -> Result<Callsign, CertificateError> {
    match attribute(subject, COMMON_NAME) {
        Ok(Some(name)) => exact_callsign(name).ok_or(CertificateError::Callsign),
        Ok(None) | Err(Unreadable) => Err(CertificateError::Callsign),
    }
}

fn unit(subject: &Name) -> Result<Option<Box<str>>, CertificateError> {
    match attribute(subject, ORGANIZATIONAL_UNIT) {
        Ok(unit) => Ok(unit.map(Into::into)),
        Err(Unreadable) => Err(CertificateError::Unit),
    }
}

/// There is more than one attribute of the type, or it is not a text.
pub(crate) struct Unreadable;

pub(crate) fn attribute(name: &Name, oid: ObjectIdentifier) -> Result<Option<&str>, Unreadable> {
    let mut found = name.iter().filter(|attribute| attribute.oid == oid);
    let Some(first) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(Unreadable);
    }
    text(&first.value).map(Some).ok_or(Unreadable)
}

fn text(value: &Any) -> Option<&str> {
    match value.tag() {
        Tag::Utf8String => value
            .decode_as::<Utf8StringRef<'_>>()
            .ok()
            .map(|text| text.as_str()),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .ok()
            .map(|text| text.as_str()),
        _ => None,
    }
}

/// What the known extensions say. Absent basic constraints mean no CA, an absent key usage no
/// restriction (RFC 5280, 4.2.1.3 and 4.2.1.9).
struct Extensions {
    ca: bool,
    constrained: bool,
    issuer_hint: Option<Box<[u8]>>,
    signs_certificates: bool,
    licence: Option<HamLicence>,
}

impl Extensions {
    fn read(list: &[Extension]) -> Result<Self, CertificateError> {
        let mut found = Self {
            ca: false,
            constrained: false,
            issuer_hint: None,
            signs_certificates: true,
            licence: None,
        };
        for (index, extension) in list.iter().enumerate() {
            let oid = extension.extn_id;
            if list[..index].iter().any(|earlier| earlier.extn_id == oid) {
                return Err(CertificateError::DuplicateExtension(oid.to_string()));
            }
            found.take(extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, extension: &Extension) -> Result<(), CertificateError> {
        let value = extension.extn_value.as_bytes();
        // RFC 5280, 4.2.1.1 and 4.2.1.2: a hint is never critical.
        if extension.critical && HINTS.contains(&extension.extn_id) {
            return Err(CertificateError::Extension("critical key identifier"));
        }
        match extension.extn_id {
            BasicConstraints::OID => {
                let constraints: BasicConstraints = known(value, "basic constraints")?;
                self.ca = constraints.ca;
                self.constrained |= constraints.path_len_constraint.is_some();
            }
            KeyUsage::OID => {
                self.signs_certificates = known::<KeyUsage>(value, "key usage")?.key_cert_sign();
            }
            SubjectKeyIdentifier::OID => {
                known::<SubjectKeyIdentifier>(value, "subject key identifier")?;
            }
            AuthorityKeyIdentifier::OID => {
                let hint: AuthorityKeyIdentifier = known(value, "authority key identifier")?;
                self.issuer_hint = hint.key_identifier.map(|id| id.as_bytes().into());
            }
            NameConstraints::OID => {
                known::<NameConstraints>(value, "name constraints")?;
                self.constrained = true;
            }
            licence::OID => self.licence = Some(HamLicence::from_der(value)?),
            other if extension.critical => {
                return Err(CertificateError::CriticalExtension(other.to_string()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn known<'a, T: Decode<'a>>(value: &'a [u8], name: &'static str) -> Result<T, CertificateError> {
    T::from_der(value).map_err(|_| CertificateError::Extension(name))
}

const HINTS: [ObjectIdentifier; 2] = [SubjectKeyIdentifier::OID, AuthorityKeyIdentifier::OID];

const VERSION_TAG: Tag = Tag::ContextSpecific {
    constructed: true,
    number: der::TagNumber(0),
};
pub(crate) const ECDSA_WITH_SHA256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
pub(crate) const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
