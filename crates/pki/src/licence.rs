//! The ham licence extension: callsign, class, and how and by whom the licence was checked.
//!
//! `docs/protocol/certificates.md` has the ASN.1. Decoding is strict DER, and members after the
//! known ones make the extension unreadable: a change means a new version.

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _, Enumerated, Sequence};
use station::licence::VouchMethod;
use station::{Callsign, LicenceClass};

/// The extension's object identifier.
pub const OID: ObjectIdentifier = ObjectIdentifier::new_unwrap(
    "1.2.840.113556.1.8000.2554.37032.47686.17048.20168.44507.12235074.8805687",
);

/// What a certificate says of its holder's licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HamLicence {
    /// The holder.
    pub callsign: Callsign,
    /// How the issuer checked the licence.
    pub method: VouchMethod,
    /// The issuer.
    pub vouched_by: Callsign,
    /// The class on the licence, where somebody said it.
    pub class: Option<LicenceClass>,
}

/// Why an extension is not a licence that this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LicenceError {
    /// Not the ASN.1 of version 1 in strict DER.
    #[error("the licence extension is not well-formed")]
    Malformed,
    /// Made by a later version of this program.
    #[error("the licence extension has version {0}, only version 1 is known")]
    Version(u8),
    /// A callsign in it is none, or not in upper case.
    #[error("the licence extension has a text that is not a callsign")]
    Callsign,
    /// The class is empty, too long or has control characters.
    #[error("the licence extension has a text that is not a licence class")]
    Class,
}

impl HamLicence {
    /// Reads the extension's value.
    ///
    /// # Errors
    /// [`LicenceError`] with what is wrong.
    pub fn from_der(der: &[u8]) -> Result<Self, LicenceError> {
        let wire = Wire::from_der(der).map_err(|_| LicenceError::Malformed)?;
        if wire.version != VERSION {
            return Err(LicenceError::Version(wire.version));
        }
        let class = wire.class.as_deref().map(exact_class).transpose()?;
        Ok(Self {
            callsign: callsign(&wire.callsign)?,
            method: wire.method.into(),
            vouched_by: callsign(&wire.vouched_by)?,
            class,
        })
    }

    /// The extension's value.
    pub(crate) fn to_der(&self) -> der::Result<Vec<u8>> {
        Wire {
            version: VERSION,
            callsign: self.callsign.to_string(),
            method: self.method.into(),
            vouched_by: self.vouched_by.to_string(),
            class: self.class.as_ref().map(ToString::to_string),
        }
        .to_der()
    }
}

const VERSION: u8 = 1;

/// `HamLicence` of `docs/protocol/certificates.md`.
#[derive(Sequence)]
struct Wire {
    version: u8,
    callsign: String,
    method: WireMethod,
    vouched_by: String,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    class: Option<String>,
}

/// `VouchMethod` of `docs/protocol/certificates.md`.
#[derive(Clone, Copy, Enumerated)]
#[repr(u8)]
enum WireMethod {
    SelfAsserted = 0,
    InPerson = 1,
    Lotw = 2,
    Endorsements = 3,
    Document = 4,
}

impl From<WireMethod> for VouchMethod {
    fn from(method: WireMethod) -> Self {
        match method {
            WireMethod::SelfAsserted => Self::SelfAsserted,
            WireMethod::InPerson => Self::InPerson,
            WireMethod::Lotw => Self::Lotw,
            WireMethod::Endorsements => Self::Endorsements,
            WireMethod::Document => Self::Document,
        }
    }
}

impl From<VouchMethod> for WireMethod {
    fn from(method: VouchMethod) -> Self {
        match method {
            VouchMethod::SelfAsserted => Self::SelfAsserted,
            VouchMethod::InPerson => Self::InPerson,
            VouchMethod::Lotw => Self::Lotw,
            VouchMethod::Endorsements => Self::Endorsements,
            VouchMethod::Document => Self::Document,
        }
    }
}

/// A callsign written as it is kept: what a person may type is not forgiven in a certificate.
pub(crate) fn exact_callsign(text: &str) -> Option<Callsign> {
    Callsign::parse(text)
        .ok()
        .filter(|call| call.as_str() == text)
}

fn callsign(text: &str) -> Result<Callsign, LicenceError> {
    exact_callsign(text).ok_or(LicenceError::Callsign)
}

pub(crate) fn exact_class(text: &str) -> Result<LicenceClass, LicenceError> {
    let class = LicenceClass::parse(text).map_err(|_| LicenceError::Class)?;
    if class.as_str() == text {
        Ok(class)
    } else {
        Err(LicenceError::Class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licence() -> HamLicence {
        HamLicence {
            callsign: Callsign::parse("K1ABC").unwrap(),
            method: VouchMethod::InPerson,
            vouched_by: Callsign::parse("W1AW").unwrap(),
            class: Some(LicenceClass::parse("Extra").unwrap()),
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let der = b"\x30\x1a\x02\x01\x01\x0c\x05K1ABC\x0a\x01\x01\x0c\x04W1AW\x80\x05Extra";
        assert_eq!(licence().to_der().unwrap(), der);
        assert_eq!(HamLicence::from_der(der), Ok(licence()));
        for method in VouchMethod::ALL {
            for class in [None, licence().class] {
                let licence = HamLicence {
                    method,
                    class,
                    ..licence()
                };
                assert_eq!(
                    HamLicence::from_der(&licence.to_der().unwrap()),
                    Ok(licence)
                );
            }
        }
    }

    #[test]
    fn refuses_other_versions_methods_members_and_texts() {
        let der = licence().to_der().unwrap();
        let changed = |at: usize, to: u8| {
            let mut der = der.clone();
            der[at] = to;
            HamLicence::from_der(&der)
        };
        assert_eq!(changed(4, 2), Err(LicenceError::Version(2)));
        assert_eq!(changed(14, 5), Err(LicenceError::Malformed));
        assert_eq!(changed(7, b'k'), Err(LicenceError::Callsign));
        assert_eq!(changed(23, b'\n'), Err(LicenceError::Class));
        assert_eq!(changed(23, b' '), Err(LicenceError::Class));
        assert_eq!(changed(21, 0x81), Err(LicenceError::Malformed));
        let mut longer = der.clone();
        longer[1] += 2;
        longer.extend([0x05, 0x00]);
        assert_eq!(HamLicence::from_der(&longer), Err(LicenceError::Malformed));
        assert_eq!(
            HamLicence::from_der(&[&der[..], &[0]].concat()),
            Err(LicenceError::Malformed)
        );
    }
}
