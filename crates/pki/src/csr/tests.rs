use ring::rand::SystemRandom;

use super::*;
use crate::testing::{nested, tlv};

fn call() -> Callsign {
    Callsign::parse("K1ABC").unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(&SystemRandom::new()).unwrap()
}

fn der_of(pem: &str) -> Vec<u8> {
    pem::decode(pem, PEM_LABEL).unwrap()
}

/// A request of these members, signed by the key.
fn signed(key: &SigningKey, members: &[&[u8]]) -> Vec<u8> {
    let info = tlv(0x30, &members.concat());
    let signature = key.sign_tbs(&info, &SystemRandom::new()).unwrap();
    assembled(
        &info,
        b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
        &signature,
    )
}

fn assembled(info: &[u8], algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    let bits = tlv(0x03, &[&[0], signature].concat());
    tlv(0x30, &[info, algorithm, &bits].concat())
}

const NO_NAME: &[u8] = b"\x30\x00";
const V1: &[u8] = b"\x02\x01\x00";
const NO_ATTRIBUTES: &[u8] = b"\xa0\x00";

#[test]
fn gives_the_key_that_made_it() {
    let key = key();
    let made = make(&key, &call(), &SystemRandom::new()).unwrap();
    let csr = Csr::from_pem(&made).unwrap();
    assert_eq!(*csr.public_key(), key.public_key());
    assert_eq!(csr.callsign(), Some(&call()));
    assert_eq!(Csr::from_der(&der_of(&made)), Ok(csr.clone()));
    assert_eq!(Csr::from_file(&der_of(&made)), Ok(csr.clone()));
    assert_eq!(Csr::from_file(made.as_bytes()), Ok(csr.clone()));
    let old = made.replace("CERTIFICATE", "NEW CERTIFICATE");
    assert_eq!(Csr::from_pem(&old), Ok(csr));
    let label = PemError::Label {
        expected: "CERTIFICATE REQUEST",
    };
    assert_eq!(
        Csr::from_pem(&key.public_key().to_pem()),
        Err(CsrError::Pem(label))
    );
}

#[test]
fn a_subject_is_only_a_hint() {
    let key = key();
    let spki = *key.public_key().spki();
    let common_name = |tag: u8, text: &[u8]| {
        let attribute = tlv(0x30, &[b"\x06\x03\x55\x04\x03", &*tlv(tag, text)].concat());
        tlv(0x30, &tlv(0x31, &attribute))
    };
    for (name, hint) in [
        (NO_NAME.to_vec(), None),
        (common_name(0x0c, b"k1abc"), Some(call())),
        (common_name(0x13, b"Joe"), None),
        (common_name(0x04, b"K1ABC"), None),
    ] {
        let made = signed(&key, &[V1, &name, &spki, NO_ATTRIBUTES]);
        assert_eq!(Csr::from_der(&made).unwrap().callsign(), hint.as_ref());
    }
}

#[test]
fn what_it_asks_for_is_not_read() {
    let key = key();
    let spki = *key.public_key().spki();
    for attributes in [tlv(0xa0, b"\x04\x01x"), tlv(0xa0, &nested(3000))] {
        let made = signed(&key, &[V1, NO_NAME, &spki, &attributes]);
        assert!(Csr::from_der(&made).is_ok());
    }
}

#[test]
fn refuses_each_deviation_by_its_name() {
    let (key, other) = (key(), key());
    let spki = *key.public_key().spki();
    let good = signed(&key, &[V1, NO_NAME, &spki, NO_ATTRIBUTES]);
    assert!(Csr::from_der(&good).is_ok());

    let anothers = signed(&other, &[V1, NO_NAME, &spki, NO_ATTRIBUTES]);
    assert_eq!(Csr::from_der(&anothers), Err(CsrError::NotItsKey));
    let mut bent = good.clone();
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(Csr::from_der(&bent), Err(CsrError::NotItsKey));

    let v2 = signed(&key, &[b"\x02\x01\x01", NO_NAME, &spki, NO_ATTRIBUTES]);
    assert_eq!(Csr::from_der(&v2), Err(CsrError::Version));
    let mut compressed = spki;
    compressed[26] = 2;
    let compressed = signed(&key, &[V1, NO_NAME, &compressed, NO_ATTRIBUTES]);
    assert_eq!(Csr::from_der(&compressed), Err(CsrError::Key));
    let rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    let info = tlv(0x30, &[V1, NO_NAME, &spki, NO_ATTRIBUTES].concat());
    let by_rsa = assembled(&info, rsa, &[7; 70]);
    assert_eq!(Csr::from_der(&by_rsa), Err(CsrError::SignatureAlgorithm));

    let malformed = [
        Vec::new(),
        b"\x30\x80\x00\x00".to_vec(),
        [&good[..], &[0]].concat(),
        signed(&key, &[V1, NO_NAME, &spki]),
        signed(&key, &[V1, NO_NAME, &spki, NO_ATTRIBUTES, NO_ATTRIBUTES]),
        signed(&key, &[V1, NO_NAME, &spki, b"\x31\x00"]),
        signed(&key, &[V1, b"\x31\x00", &spki, NO_ATTRIBUTES]),
        signed(&key, &[b"\x02\x02\x00\x00", NO_NAME, &spki, NO_ATTRIBUTES]),
    ];
    for (at, made) in malformed.iter().enumerate() {
        assert_eq!(Csr::from_der(made), Err(CsrError::Malformed), "{at}");
    }
    for length in 0..good.len() {
        assert_eq!(Csr::from_der(&good[..length]), Err(CsrError::Malformed));
    }
    assert_eq!(
        Csr::from_der(&vec![0x30; MAX_LEN + 1]),
        Err(CsrError::TooLarge)
    );
}
