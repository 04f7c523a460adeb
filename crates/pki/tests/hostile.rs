//! What strangers send as a certificate, a request, a foreign certificate or a file of an owner's
//! ends in a typed refusal: cut off, bent, huge, nested deeper than any stack, or under a wrong name.
//!
//! Everything runs on a small stack, so that nothing may recurse as deep as its input goes.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::error::Error;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::{Certificate, Csr, ForeignCertificate, SigningKey, csr, import, issue, p12};
use ring::rand::SystemRandom;
use station::Callsign;

/// A kind of input: a good one, and how it is read.
struct Kind {
    name: &'static str,
    good: Vec<u8>,
    read: fn(&[u8]) -> Outcome,
}

type Outcome = Result<(), Box<dyn Error>>;

const KINDS: usize = 5;

fn kinds() -> [Kind; KINDS] {
    let random = SystemRandom::new();
    let key = SigningKey::generate(&random).unwrap();
    let callsign = Callsign::parse("W1AW").unwrap();
    let now = SystemTime::UNIX_EPOCH;
    let own = issue::self_signed_operator(&key, &callsign, None, now, &random).unwrap();
    let file = p12::write(&key, std::slice::from_ref(&own), "").unwrap();
    let request = csr::make(&key, &callsign, &random).unwrap();
    [
        Kind {
            name: "certificate",
            good: own.der().to_vec(),
            read: |der| Ok(Certificate::from_der(der).map(drop)?),
        },
        Kind {
            name: "request",
            good: unpem(&request),
            read: |der| Ok(Csr::from_der(der).map(drop)?),
        },
        Kind {
            name: "foreign certificate",
            good: foreign(),
            read: |der| Ok(ForeignCertificate::from_der(der).map(drop)?),
        },
        Kind {
            name: "imported file",
            good: own.der().to_vec(),
            read: |file| {
                let bundle = import::read(file, None)?;
                match bundle.unread.into_iter().next() {
                    Some(unread) => Err(unread.station.into()),
                    None => Ok(()),
                }
            },
        },
        Kind {
            name: "key file",
            good: file,
            read: |file| Ok(p12::read(file, "", &SystemRandom::new()).map(drop)?),
        },
    ]
}

fn unpem(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// A foreign certificate of the shared vectors.
fn foreign() -> Vec<u8> {
    let text = include_str!("../../../docs/protocol/vectors/lotw.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let certificates = vectors["certificates"].as_object().unwrap();
    unpem(certificates["test-logbook-root-ca"].as_str().unwrap())
}

/// Runs on a stack of 256 KiB.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(test).unwrap().join().unwrap();
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

#[test]
fn the_good_ones_are_read() {
    for kind in kinds() {
        assert!((kind.read)(&kind.good).is_ok(), "{}", kind.name);
    }
}

#[test]
fn every_cut_is_refused() {
    on_a_small_stack(|| {
        for kind in kinds() {
            for length in 0..kind.good.len() {
                let read = (kind.read)(&kind.good[..length]);
                assert!(read.is_err(), "{} cut at {length}", kind.name);
            }
            let longer = [&kind.good[..], &[0]].concat();
            assert!((kind.read)(&longer).is_err(), "{}", kind.name);
        }
    });
}

#[test]
fn every_bent_byte_ends_in_an_answer() {
    on_a_small_stack(|| {
        for kind in kinds() {
            // Deriving the key of a file that is protected anew by every bend takes its time.
            let step = if kind.name == "key file" { 29 } else { 1 };
            for at in (0..kind.good.len()).step_by(step) {
                for bent in [0x00, 0x7f, 0x80, 0xff] {
                    let mut bytes = kind.good.clone();
                    bytes[at] = bent;
                    drop((kind.read)(&bytes));
                }
            }
        }
    });
}

#[test]
fn giants_and_bottomless_pits_are_refused() {
    on_a_small_stack(|| {
        for kind in kinds() {
            for size in [64 * 1024, 1024 * 1024, 5 * 1024 * 1024] {
                for byte in [0x00, 0x30, 0x31, 0xa0, 0xff] {
                    let giant = vec![byte; size];
                    assert!((kind.read)(&giant).is_err(), "{} of {byte:x}", kind.name);
                }
            }
            for tag in [0x30, 0x31, 0xa0, 0x24, 0x04] {
                for depth in [100, 1000, 10_000] {
                    let pit = pit(tag, depth);
                    assert!((kind.read)(&pit).is_err(), "{} {tag:x}", kind.name);
                    let body = tlv(0x30, &tlv(0x30, &pit));
                    assert!((kind.read)(&body).is_err(), "{} {tag:x}", kind.name);
                    let pfx = tlv(0x30, &[&b"\x02\x01\x03"[..], &pit].concat());
                    assert!((kind.read)(&pfx).is_err(), "{} {tag:x}", kind.name);
                }
            }
        }
    });
}

/// Every level holds nothing but the next, the innermost is cut off.
fn pit(tag: u8, depth: usize) -> Vec<u8> {
    let lengths = (0..depth)
        .rev()
        .map(|below| u16::try_from(below * 4).unwrap_or(0xfff0));
    let levels = lengths.flat_map(|length| {
        let [high, low] = length.to_be_bytes();
        [tag, 0x82, high, low]
    });
    levels.collect()
}

#[test]
fn lengths_that_lie_are_refused() {
    for kind in kinds() {
        for head in [
            &b"\x30\x80"[..],
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x30\xff",
            b"\x30\x81\x05",
            b"\x1f\x81\x81\x81",
        ] {
            let lying = [head, &kind.good[4..]].concat();
            assert!((kind.read)(&lying).is_err(), "{} {head:x?}", kind.name);
        }
    }
}

#[test]
fn texts_under_a_wrong_name_are_refused() {
    let [certificate, request, ..] = kinds();
    let pem = |label: &str, der: &[u8]| {
        let body = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    for label in [
        "X509 CRL",
        "CERTIFICATE REQUEST",
        "PRIVATE KEY",
        "",
        "certificate",
    ] {
        let text = pem(label, &certificate.good);
        assert!(Certificate::from_pem(&text).is_err(), "{label}");
        assert!(ForeignCertificate::from_pem(&text).is_err(), "{label}");
        assert!(import::read(text.as_bytes(), None).is_err(), "{label}");
    }
    let as_request = pem("CERTIFICATE REQUEST", &certificate.good);
    assert!(Csr::from_pem(&as_request).is_err());
    for label in ["CERTIFICATE", "NEW CERTIFICATE", "PUBLIC KEY"] {
        assert!(
            Csr::from_pem(&pem(label, &request.good)).is_err(),
            "{label}"
        );
    }
    let crossed = pem("CERTIFICATE", &certificate.good).replace("END CERTIFICATE", "END X509 CRL");
    assert!(Certificate::from_pem(&crossed).is_err());
    assert!(import::read(crossed.as_bytes(), None).is_err());
}
