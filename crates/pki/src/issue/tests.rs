//! What is issued has the fields of `docs/protocol/certificates.md`. Also the people and the odd
//! certificates of the other modules' tests.

use std::time::{Duration, SystemTime};

use der::asn1::{ObjectIdentifier, OctetString};
use ring::rand::SystemRandom;

use super::*;

/// Somebody with a key and a certificate.
pub(crate) struct Person {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
}

impl Person {
    pub(crate) fn new(call: &str) -> Self {
        let key = new_key();
        let certificate =
            self_signed_operator(&key, &callsign(call), None, time(), &SystemRandom::new());
        Self {
            key,
            certificate: certificate.unwrap(),
        }
    }

    pub(crate) fn issuer(&self) -> Issuer<'_> {
        Issuer {
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    /// Somebody this one vouches for.
    pub(crate) fn vouch(&self, call: &str) -> Self {
        let key = new_key();
        let certificate = self.issue(call, &key.public_key());
        Self { key, certificate }
    }

    /// A certificate by this one for a key.
    pub(crate) fn issue(&self, call: &str, holder: &PublicKey) -> Certificate {
        let licence = Vouched {
            callsign: &callsign(call),
            class: None,
            method: VouchMethod::InPerson,
        };
        operator_certificate(
            self.issuer(),
            holder,
            &licence,
            time(),
            &SystemRandom::new(),
        )
        .unwrap()
    }

    /// This one's server, without its key.
    pub(crate) fn server(&self, key: &PublicKey) -> Certificate {
        server_certificate(self.issuer(), key, time(), &SystemRandom::new()).unwrap()
    }

    /// A certificate by this one that no function here would make.
    pub(crate) fn forge(
        &self,
        call: &str,
        holder: &PublicKey,
        odd: impl FnOnce(&mut Odd),
    ) -> Vec<u8> {
        let template = Template {
            issuer: self.issuer().name().unwrap(),
            subject: name(&callsign(call), None).unwrap(),
            public_key: holder,
            licence: None,
            not_before: time(),
        };
        let random = SystemRandom::new();
        let mut tbs = Odd(template.tbs(&self.key.public_key(), &random).unwrap());
        odd(&mut tbs);
        tbs.0.sign(&self.key, &random).unwrap()
    }
}

/// The parts of a certificate to be, open to change.
pub(crate) struct Odd(Tbs);

impl Odd {
    pub(crate) fn version(&mut self, version: Version) {
        self.0.version = version;
    }

    pub(crate) fn serial(&mut self, content: &[u8]) {
        self.0.serial = Any::new(der::Tag::Integer, content).unwrap();
    }

    pub(crate) fn algorithm(&mut self, oid: &str) {
        self.0.signature.oid = ObjectIdentifier::new(oid).unwrap();
    }

    pub(crate) fn public_key(&mut self, der: &[u8]) {
        self.0.public_key = Any::from_der(der).unwrap();
    }

    /// Attributes by object identifier, each an RDN of its own.
    pub(crate) fn subject(&mut self, attributes: &[(&str, &str)]) {
        let rdns: Vec<_> = attributes
            .iter()
            .map(|(oid, text)| {
                let value = Any::encode_from(&Utf8StringRef::new(text).unwrap()).unwrap();
                let oid = ObjectIdentifier::new(oid).unwrap();
                SetOfVec::from_iter([AttributeTypeAndValue { oid, value }]).unwrap()
            })
            .collect();
        self.0.subject = Any::encode_from(&rdns).unwrap();
    }

    /// Adds the extension, or puts it in the place of the one that has its identifier.
    pub(crate) fn extension(&mut self, oid: &str, critical: bool, value: &[u8]) {
        let extn_id = ObjectIdentifier::new(oid).unwrap();
        self.0
            .extensions
            .retain(|extension| extension.extn_id != extn_id);
        self.add_extension(oid, critical, value);
    }

    pub(crate) fn add_extension(&mut self, oid: &str, critical: bool, value: &[u8]) {
        let extn_id = ObjectIdentifier::new(oid).unwrap();
        let extn_value = OctetString::new(value).unwrap();
        self.0.extensions.push(Extension {
            extn_id,
            critical,
            extn_value,
        });
    }
}

pub(crate) fn new_key() -> SigningKey {
    SigningKey::generate(&SystemRandom::new()).unwrap()
}

pub(crate) fn callsign(text: &str) -> Callsign {
    Callsign::parse(text).unwrap()
}

/// 2025-06-28 12:34:56 UTC, by the maker's clock.
fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_751_114_096)
}

fn contains(certificate: &Certificate, bytes: &[u8]) -> bool {
    certificate
        .der()
        .windows(bytes.len())
        .any(|window| window == bytes)
}

#[test]
fn an_operator_certificate_is_as_described() {
    let class = LicenceClass::parse("Extra").unwrap();
    let key = new_key();
    let random = SystemRandom::new();
    let made = self_signed_operator(&key, &callsign("W1AW"), Some(&class), time(), &random);
    let certificate = made.unwrap();
    assert!(certificate.is_self_signed() && certificate.may_issue());
    assert!(!certificate.is_server());
    assert_eq!(certificate.callsign(), &callsign("W1AW"));
    assert_eq!(certificate.public_key(), &key.public_key());
    assert_eq!(
        certificate.licence().unwrap().method,
        VouchMethod::SelfAsserted
    );
    assert_eq!(certificate.licence().unwrap().vouched_by, callsign("W1AW"));
    assert_eq!(certificate.licence().unwrap().class, Some(class));
    assert_eq!(
        certificate.subject(),
        b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04W1AW"
    );
    for bytes in [
        // notBefore and notAfter.
        &b"\x17\x0d250628123456Z\x18\x0f99991231235959Z"[..],
        // basicConstraints: critical, CA:TRUE, no pathLen.
        b"\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff",
        // keyUsage: critical, digitalSignature, keyCertSign, cRLSign.
        b"\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x01\x86",
        &[
            b"\x06\x03\x55\x1d\x0e\x04\x16\x04\x14",
            &key.key_id().as_bytes()[..20],
        ]
        .concat(),
        &[
            b"\x06\x03\x55\x1d\x23\x04\x18\x30\x16\x80\x14",
            &key.key_id().as_bytes()[..20],
        ]
        .concat(),
    ] {
        assert!(contains(&certificate, bytes), "{bytes:02x?}");
    }
}

#[test]
fn a_server_certificate_is_as_described() {
    let owner = Person::new("F/W1AW");
    let server = new_key().public_key();
    let certificate = owner.server(&server);
    assert!(certificate.is_signed_by(owner.certificate.public_key()) && certificate.may_issue());
    assert_eq!(certificate.issuer(), owner.certificate.subject());
    assert_eq!(certificate.callsign(), &callsign("F/W1AW"));
    assert_eq!(certificate.organizational_unit(), Some("Server"));
    assert_eq!(
        (certificate.public_key(), certificate.licence()),
        (&server, None)
    );
}

#[test]
fn who_vouches_is_named_and_signs() {
    let (elmer, holder) = (Person::new("W1AW"), new_key().public_key());
    let certificate = elmer.issue("K1ABC", &holder);
    assert!(certificate.is_signed_by(elmer.certificate.public_key()));
    assert!(!certificate.is_self_signed());
    assert_eq!(certificate.issuer(), elmer.certificate.subject());
    let licence = certificate.licence().unwrap();
    assert_eq!(
        (&licence.vouched_by, licence.method),
        (&callsign("W1AW"), VouchMethod::InPerson)
    );
}

#[test]
fn serial_numbers_are_positive_and_differ() {
    let random = SystemRandom::new();
    let serials: Vec<_> = (0..64).map(|_| serial(&random).unwrap()).collect();
    for (index, serial) in serials.iter().enumerate() {
        assert!(serial.value().len() <= 17 && serial.value()[0] < 0x80);
        assert!(!serials[..index].contains(serial));
    }
}

#[test]
fn refuses_to_issue_what_it_should_not() {
    let (owner, other, random) = (
        Person::new("W1AW"),
        Person::new("K1ABC"),
        SystemRandom::new(),
    );
    let key = new_key().public_key();
    let mixed = Issuer {
        certificate: &owner.certificate,
        key: &other.key,
    };
    let made = server_certificate(mixed, &key, time(), &random);
    assert_eq!(made, Err(IssueError::NotTheIssuersKey));

    let end = owner.forge("W1AW", &other.key.public_key(), |odd| {
        odd.extension("2.5.29.19", true, &[0x30, 0]);
    });
    let end = Certificate::from_der(&end).unwrap();
    let issuer = Issuer {
        certificate: &end,
        key: &other.key,
    };
    let made = server_certificate(issuer, &key, time(), &random);
    assert_eq!(made, Err(IssueError::MayNotIssue));

    let call = callsign("K1ABC");
    let licence = Vouched {
        callsign: &call,
        class: None,
        method: VouchMethod::SelfAsserted,
    };
    let made = operator_certificate(owner.issuer(), &key, &licence, time(), &random);
    assert_eq!(made, Err(IssueError::SelfAsserted));

    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let made = self_signed_operator(&owner.key, &call, None, before, &random);
    assert_eq!(made, Err(IssueError::Time));
}

#[test]
fn a_clock_that_was_never_set_is_no_hindrance() {
    let key = new_key();
    let random = SystemRandom::new();
    for seconds in [0, 3_000_000_000] {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let made = self_signed_operator(&key, &callsign("W1AW"), None, time, &random);
        assert!(made.unwrap().is_self_signed());
    }
}
