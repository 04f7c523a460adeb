use serde_json::Value;

use super::*;
use crate::issue::tests::{Person, new_key};
use crate::testing::{nested, tlv};

/// A foreign root of the shared vectors, in PEM.
fn root() -> String {
    let text = include_str!("../../../../docs/protocol/vectors/lotw.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let name = vectors["cases"][0]["roots"][0].as_str().unwrap();
    vectors["certificates"][name].as_str().unwrap().to_owned()
}

#[test]
fn a_text_may_hold_certificates_of_every_kind() {
    let owner = Person::new("W1AW");
    let friend = owner.vouch("K1ABC");
    let (own, vouched, root) = (
        owner.certificate.to_pem(),
        friend.certificate.to_pem(),
        root(),
    );
    let key = owner.key.to_pem();
    let broken = pem::encode("CERTIFICATE", b"\x30\x00");
    let file = format!(
        "Bag Attributes\n{own}{}\n{root}\n{vouched}{broken}{own}",
        *key
    );
    let bundle = read(file.as_bytes(), None).unwrap();
    assert_eq!(bundle.stations, [owner.certificate, friend.certificate]);
    assert_eq!(
        bundle.foreign,
        [ForeignCertificate::from_pem(&root).unwrap()]
    );
    let [unread] = &bundle.unread[..] else {
        panic!("one cannot be read")
    };
    assert_eq!(unread.place, 4);
    assert_eq!(unread.station, CertificateError::Malformed);
    assert_eq!(unread.foreign, ForeignError::Malformed);
}

#[test]
fn a_single_certificate_and_a_key_file_are_told_apart() {
    let owner = Person::new("W1AW");
    let friend = owner.vouch("K1ABC");
    let bundle = read(owner.certificate.der(), None).unwrap();
    assert_eq!(bundle.stations, std::slice::from_ref(&owner.certificate));
    let foreign = ForeignCertificate::from_pem(&root()).unwrap();
    assert_eq!(read(foreign.der(), Some("")).unwrap().foreign, [foreign]);

    let chain = [friend.certificate.clone(), owner.certificate.clone()];
    let file = p12::write(&friend.key, &chain, "73").unwrap();
    assert_eq!(read(&file, Some("73")).unwrap().stations, chain);
    assert_eq!(read(&file, None), Err(ImportError::PasswordNeeded));
    let wrong = ImportError::P12(P12Error::WrongPassword);
    assert_eq!(read(&file, Some("74")), Err(wrong));
    let open = p12::write(&friend.key, &chain, "").unwrap();
    assert_eq!(read(&open, None).unwrap().stations, chain);
}

#[test]
fn other_files_are_refused_by_what_is_wrong() {
    for unknown in [
        &b""[..],
        b"W1AW",
        b"\x30",
        b"\x30\x02\x04\x00",
        b"\x30\x84\x01",
        b"\x1f\x8b",
    ] {
        assert_eq!(read(unknown, None), Err(ImportError::Unknown));
    }
    let key = new_key().to_pem();
    assert_eq!(read(key.as_bytes(), None), Err(ImportError::Empty));
    let own = Person::new("W1AW").certificate.to_pem();
    let cut = &own[..own.len() - 10];
    let malformed = Err(ImportError::Pem(PemError::Malformed));
    assert_eq!(read(cut.as_bytes(), None), malformed);
    let many = own.repeat(MAX_CERTIFICATES + 1);
    assert_eq!(read(many.as_bytes(), None), Err(ImportError::TooMany));
    let large = vec![0x30; MAX_FILE_LEN + 1];
    assert_eq!(read(&large, None), Err(ImportError::TooLarge));
    let giant = pem::encode("CERTIFICATE", &vec![0x30; 64 * 1024]);
    let large = Err(ImportError::Pem(PemError::TooLarge));
    assert_eq!(read(giant.as_bytes(), None), large);
    let deep = tlv(0x30, &tlv(0x30, &nested(20_000)));
    let bundle = read(&deep, None).unwrap();
    assert_eq!(bundle.unread[0].station, CertificateError::TooLarge);
    let deep = tlv(0x30, &[&b"\x02\x01\x03"[..], &nested(20_000)].concat());
    let malformed = ImportError::P12(P12Error::Malformed);
    assert_eq!(read(&deep, None), Err(malformed));
}
