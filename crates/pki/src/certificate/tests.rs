use proptest::prelude::*;
use x509_cert::certificate::Version;

use super::*;
use crate::issue::tests::{Odd, Person, new_key};

fn person() -> Person {
    Person::new("W1AW")
}

fn parse_odd(odd: impl FnOnce(&mut Odd)) -> Result<Certificate, CertificateError> {
    let person = person();
    Certificate::from_der(&person.forge("W1AW", &person.key.public_key(), odd))
}

#[test]
fn a_certificate_survives_der_and_pem() {
    let certificate = person().certificate;
    assert_eq!(
        Certificate::from_der(certificate.der()).as_ref(),
        Ok(&certificate)
    );
    assert_eq!(
        Certificate::from_pem(&certificate.to_pem()).as_ref(),
        Ok(&certificate)
    );
    assert_eq!(
        certificate.fingerprint(),
        Fingerprint::new(sha256(&[certificate.der()]))
    );
    assert_eq!(certificate.key_id(), certificate.public_key().key_id());
}

#[test]
fn the_outside_is_checked() {
    let der = person().certificate.der().to_vec();
    let parse = Certificate::from_der;
    assert_eq!(
        parse(&[&der[..], &[0]].concat()),
        Err(CertificateError::Malformed)
    );
    assert_eq!(
        parse(&vec![0x30; MAX_LEN + 1]),
        Err(CertificateError::TooLarge)
    );
    assert_eq!(parse(&[]), Err(CertificateError::Malformed));
    for length in 0..der.len() {
        assert!(parse(&der[..length]).is_err());
    }
    // The same length in more bytes than it needs: BER, not DER.
    assert_eq!(der[..2], [0x30, 0x82]);
    let long = [&[0x30, 0x83, 0], &der[2..]].concat();
    assert_eq!(parse(&long), Err(CertificateError::Malformed));
    let pem = person().key.public_key().to_pem();
    let wrong = Err(CertificateError::Pem(PemError::Label {
        expected: "CERTIFICATE",
    }));
    assert_eq!(Certificate::from_pem(&pem), wrong);
    let two = person().certificate.to_pem().repeat(2);
    assert_eq!(
        Certificate::from_pem(&two),
        Err(CertificateError::Pem(PemError::MoreThanOne))
    );
}

#[test]
fn the_fixed_fields_are_checked() {
    assert_eq!(
        parse_odd(|odd| odd.version(Version::V1)),
        Err(CertificateError::Version)
    );
    assert_eq!(
        parse_odd(|odd| odd.version(Version::V2)),
        Err(CertificateError::Version)
    );
    for serial in [&[0][..], &[0x80], &[0x01; 21], &[0x01; 40], &[]] {
        let made = parse_odd(|odd| odd.serial(serial));
        assert_eq!(made, Err(CertificateError::Serial), "{serial:?}");
    }
    assert!(parse_odd(|odd| odd.serial(&[0x7f; 20])).is_ok());
    let sha384 = parse_odd(|odd| odd.algorithm("1.2.840.10045.4.3.3"));
    assert_eq!(sha384, Err(CertificateError::SignatureAlgorithm));
    let mut compressed = *new_key().public_key().spki();
    compressed[26] = 2;
    let compressed = parse_odd(|odd| odd.public_key(&compressed));
    assert_eq!(compressed, Err(CertificateError::Key));
}

#[test]
fn the_subject_is_one_callsign_and_at_most_one_unit() {
    let (cn, ou) = ("2.5.4.3", "2.5.4.11");
    let subject = |attributes: &[(&str, &str)]| parse_odd(|odd| odd.subject(attributes));
    for wrong in [
        &[][..],
        &[(cn, "w1aw")],
        &[(cn, "radio")],
        &[(cn, "W1AW"), (cn, "K1ABC")],
    ] {
        assert_eq!(subject(wrong), Err(CertificateError::Callsign));
    }
    let two = subject(&[(cn, "W1AW"), (ou, "Server"), (ou, "Club")]);
    assert_eq!(two, Err(CertificateError::Unit));
    let club = subject(&[("2.5.4.10", "ARRL"), (ou, "Club"), (cn, "W1AW")]).unwrap();
    assert_eq!(
        (club.organizational_unit(), club.is_server()),
        (Some("Club"), false)
    );
}

#[test]
fn extensions_are_known_or_not_critical_and_come_once() {
    let oid = "1.3.6.1.4.1.32473.1";
    assert!(parse_odd(|odd| odd.extension(oid, false, &[1, 2])).is_ok());
    assert_eq!(
        parse_odd(|odd| odd.extension(oid, true, &[1, 2])),
        Err(CertificateError::CriticalExtension(oid.to_owned()))
    );
    assert_eq!(
        parse_odd(|odd| odd.add_extension("2.5.29.14", false, &[4, 1, 7])),
        Err(CertificateError::DuplicateExtension("2.5.29.14".to_owned()))
    );
    for known in ["2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"] {
        let made = parse_odd(|odd| odd.extension(known, false, &[0x30, 1, 2, 3]));
        assert!(
            matches!(made, Err(CertificateError::Extension(_))),
            "{known}: {made:?}"
        );
    }
    let licence = crate::licence::OID.to_string();
    assert_eq!(
        parse_odd(|odd| odd.extension(&licence, false, b"\x30\x00")),
        Err(CertificateError::Licence(LicenceError::Malformed))
    );
    let other = Person::new("K1ABC")
        .certificate
        .licence()
        .unwrap()
        .to_der()
        .unwrap();
    assert_eq!(
        parse_odd(|odd| odd.extension(&licence, false, &other)),
        Err(CertificateError::LicenceOfAnother)
    );
}

#[test]
fn nobody_vouches_in_somebody_elses_name() {
    let (mallory, holder) = (Person::new("N1XYZ"), Person::new("K1ABC"));
    let made = |by: &Person| {
        let vouched = by.issue("K1ABC", holder.certificate.public_key());
        vouched.licence().unwrap().to_der().unwrap()
    };
    let licence = crate::licence::OID.to_string();
    let saying = |who: &Person| {
        let der = mallory.forge("K1ABC", holder.certificate.public_key(), |odd| {
            odd.extension(&licence, false, &made(who));
        });
        Certificate::from_der(&der).map(drop)
    };
    assert_eq!(saying(&mallory), Ok(()));
    let refused = saying(&Person::new("W1AW"));
    assert_eq!(refused, Err(CertificateError::VouchedByAnother));
}

#[test]
fn who_may_issue_is_said_by_constraints_and_usage() {
    let constraints = |value: &[u8]| parse_odd(|odd| odd.extension("2.5.29.19", true, value));
    let end = constraints(&[0x30, 0]).unwrap();
    assert!(!end.is_ca() && !end.may_issue());
    let limited = constraints(b"\x30\x06\x01\x01\xff\x02\x01\x03").unwrap();
    assert!(limited.is_ca() && !limited.may_issue());
    let usage = parse_odd(|odd| odd.extension("2.5.29.15", true, b"\x03\x02\x07\x80")).unwrap();
    assert!(usage.is_ca() && !usage.may_issue());
}

#[test]
fn another_key_or_name_did_not_sign() {
    let (one, two) = (person(), person());
    assert!(one.certificate.is_self_signed());
    assert!(!one.certificate.is_signed_by(two.certificate.public_key()));
    let other_key = one.issue("W1AW", two.certificate.public_key());
    assert!(other_key.is_self_issued() && !other_key.is_self_signed());
    let other_name = one.issue("K1ABC", one.certificate.public_key());
    assert!(!other_name.is_self_issued() && !other_name.is_self_signed());
}

/// P-256's order, the n of (r, n - s).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn a_rewritten_signature_is_another_fingerprint_and_the_same_identity() {
    let certificate = person().certificate;
    let rewritten = Certificate::from_der(&rewrite(&certificate)).unwrap();
    assert!(rewritten.is_self_signed());
    assert_ne!(rewritten.fingerprint(), certificate.fingerprint());
    let admit = |certificate: &Certificate| certificate.admit(certificate.public_key()).unwrap();
    assert_eq!(admit(&rewritten).identity(), admit(&certificate).identity());
    assert_ne!(
        admit(&certificate).identity(),
        admit(&person().certificate).identity()
    );
}

/// Reads a certificate by every rule but that its subject is a callsign: foreign suites name hosts.
pub(crate) fn of_anybody(pem: &str) -> Result<Certificate, CertificateError> {
    let der = pem::decode(pem, PEM_LABEL)?;
    let nobody = Callsign::parse("X0XXX").unwrap();
    parse::fields_of(&der, |_| Ok((nobody, None))).map(|fields| Certificate(Arc::new(fields)))
}

/// The certificate with (r, n - s) in the place of (r, s).
pub(crate) fn rewrite(certificate: &Certificate) -> Vec<u8> {
    use der::asn1::{BitString, Uint};
    use der::{Decode as _, Encode as _};
    let pair: Vec<Uint> =
        Vec::from_der(&certificate.0.der[certificate.0.signature.clone()]).unwrap();
    let [r, s] = &pair[..] else {
        panic!("not a pair")
    };
    let mut low = [0; 32];
    low[32 - s.as_bytes().len()..].copy_from_slice(s.as_bytes());
    let mut borrow = 0;
    let mut rest = [0; 32];
    for place in (0..32).rev() {
        let digit = i16::from(ORDER[place]) - i16::from(low[place]) - borrow;
        borrow = i16::from(digit < 0);
        rest[place] = u8::try_from(digit + 256 * borrow).unwrap();
    }
    let signature = vec![r.clone(), Uint::new(&rest).unwrap()].to_der().unwrap();
    let signature = BitString::from_bytes(&signature).unwrap().to_der().unwrap();
    let algorithm = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let body = [certificate.tbs(), algorithm, &signature].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], &body].concat()
}

#[test]
fn no_change_of_a_byte_keeps_the_signature_good() {
    let der = person().certificate.der().to_vec();
    for place in 0..der.len() {
        for bits in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = der.clone();
            changed[place] ^= bits;
            if let Ok(changed) = Certificate::from_der(&changed) {
                assert!(
                    !changed.is_signed_by(changed.public_key()),
                    "byte {place}, {bits:02x}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }

    #[test]
    fn random_text_is_no_certificate(text in "(-----BEGIN CERTIFICATE-----\n)?[A-Za-z0-9+/=\n -]{0,300}(\n-----END CERTIFICATE-----)?\n?") {
        prop_assert!(Certificate::from_pem(&text).is_err());
    }

    #[test]
    fn spliced_certificates_are_never_signed(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let der = SPLICED.with(Clone::clone);
        let mut changed = der.clone();
        for (from, to, byte) in cuts {
            let to = to.index(changed.len());
            changed[to] = if byte % 2 == 0 { byte } else { der[from.index(der.len())] };
        }
        if let Ok(parsed) = Certificate::from_der(&changed) {
            prop_assert!(changed == der || !parsed.is_self_signed());
        }
    }
}

thread_local! {
    static SPLICED: Vec<u8> = person().certificate.der().to_vec();
}
