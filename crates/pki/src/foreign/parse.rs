//! From DER to [`Fields`], as strictly as for a station's certificate.

use der::Decode;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;
use station::{Callsign, Fingerprint};
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, NameConstraints};
use x509_cert::name::Name;

use super::key::{Algorithm, ForeignKey};
use super::{Fields, ForeignError, MAX_LEN, MAX_SUBJECT};
use crate::certificate::{Members, attribute, is_serial};
use crate::envelope::Envelope;
use crate::sha256;

pub(super) fn fields(der: &[u8]) -> Result<Fields, ForeignError> {
    if der.len() > MAX_LEN {
        return Err(ForeignError::TooLarge);
    }
    let outer = Envelope::read(der, Members::read).map_err(|_| ForeignError::Malformed)?;
    let members = outer.parts;
    if !is_serial(&der[members.serial]) {
        return Err(ForeignError::Serial);
    }
    let tbs =
        TbsCertificate::from_der(&der[outer.body.clone()]).map_err(|_| ForeignError::Malformed)?;
    let unique_ids = tbs.issuer_unique_id().is_some() || tbs.subject_unique_id().is_some();
    if tbs.version() != Version::V3 || unique_ids {
        return Err(ForeignError::Version);
    }
    let algorithm = Algorithm::read(&outer.algorithm).ok_or(ForeignError::SignatureAlgorithm)?;
    if *tbs.signature() != outer.algorithm {
        return Err(ForeignError::SignatureAlgorithm);
    }
    let key = ForeignKey::from_spki(&der[members.spki.clone()]).ok_or(ForeignError::Key)?;
    let extensions = Extensions::read(tbs.extensions().map_or(&[], Vec::as_slice))?;
    let validity = tbs.validity();
    Ok(Fields {
        fingerprint: Fingerprint::new(sha256(&[der])),
        algorithm,
        key,
        subject_text: shown(tbs.subject()),
        callsign: callsign(tbs.subject()),
        ca: extensions.ca,
        path_length: extensions.path_length,
        signs_certificates: extensions.signs_certificates,
        not_before: validity.not_before.to_system_time(),
        not_after: validity.not_after.to_system_time(),
        tbs: outer.body,
        issuer: members.issuer,
        subject: members.subject,
        spki: members.spki,
        signature: outer.signature,
        der: der.into(),
    })
}

/// The name, without what would disturb a screen: control characters, and those that turn the
/// direction of writing.
fn shown(name: &Name) -> Box<str> {
    let disturbs = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    let text = name.to_string();
    let shown: String = text
        .chars()
        .filter(|c| !disturbs(c))
        .take(MAX_SUBJECT)
        .collect();
    shown.into()
}

fn callsign(subject: &Name) -> Option<Callsign> {
    let text = attribute(subject, LOTW_CALLSIGN).ok().flatten()?;
    Callsign::parse(text).ok()
}

/// What the known extensions say. Absent basic constraints mean no CA, an absent key usage no
/// restriction (RFC 5280, 4.2.1.3 and 4.2.1.9).
struct Extensions {
    ca: bool,
    path_length: Option<u8>,
    signs_certificates: bool,
}

impl Extensions {
    fn read(list: &[Extension]) -> Result<Self, ForeignError> {
        let mut found = Self {
            ca: false,
            path_length: None,
            signs_certificates: true,
        };
        for (index, extension) in list.iter().enumerate() {
            let oid = extension.extn_id;
            if list[..index].iter().any(|earlier| earlier.extn_id == oid) {
                return Err(ForeignError::DuplicateExtension(oid.to_string()));
            }
            found.take(extension)?;
        }
        Ok(found)
    }

    fn take(&mut self, extension: &Extension) -> Result<(), ForeignError> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            BasicConstraints::OID => {
                let constraints: BasicConstraints = known(value, "basic constraints")?;
                self.ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            KeyUsage::OID => {
                self.signs_certificates = known::<KeyUsage>(value, "key usage")?.key_cert_sign();
            }
            other if extension.critical || other == NameConstraints::OID => {
                return Err(ForeignError::CriticalExtension(other.to_string()));
            }
            // Others hold what their makers like, in Logbook of the World's case not even DER.
            _ => {}
        }
        Ok(())
    }
}

fn known<'a, T: Decode<'a>>(value: &'a [u8], name: &'static str) -> Result<T, ForeignError> {
    T::from_der(value).map_err(|_| ForeignError::Extension(name))
}

/// The callsign of a Logbook of the World certificate, an attribute of its subject.
const LOTW_CALLSIGN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.12348.1.1");
