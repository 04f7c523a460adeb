//! Replays what the fuzzer found worth keeping, by the rules of `fuzz/fuzz_targets`.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::fs;
use std::path::Path;

use pki::request::{RequestSignature, is_digest_of};
use pki::{Certificate, Csr, ForeignCertificate, import};

/// Every kept input of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let entries = fs::read_dir(folder.join(target)).unwrap();
    let kept: Vec<Vec<u8>> = entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!kept.is_empty(), "the corpus is empty");
    kept
}

#[test]
fn every_kept_certificate_is_read_or_refused() {
    for bytes in corpus("certificate") {
        if let Ok(certificate) = Certificate::from_der(&bytes) {
            let again = Certificate::from_pem(&certificate.to_pem()).unwrap();
            assert_eq!(again.der(), bytes);
            // Whatever it answers, it must come back.
            let _: bool = certificate.is_self_signed();
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            drop(Certificate::from_pem(text));
        }
    }
}

#[test]
fn every_kept_request_is_read_or_refused() {
    let mut read = 0;
    for bytes in corpus("csr") {
        let as_file = Csr::from_file(&bytes);
        if let Ok(csr) = Csr::from_der(&bytes) {
            assert_eq!(as_file, Ok(csr));
            read += 1;
        }
    }
    assert!(read > 0);
}

#[test]
fn every_kept_foreign_certificate_is_read_or_refused() {
    let mut read = 0;
    for bytes in corpus("foreign_certificate") {
        if let Ok(certificate) = ForeignCertificate::from_der(&bytes) {
            let again = ForeignCertificate::from_pem(&certificate.to_pem());
            assert_eq!(again.as_ref(), Ok(&certificate));
            let _: bool = certificate.is_signed_by(certificate.key());
            read += 1;
        }
    }
    assert!(read > 0);
}

#[test]
fn every_kept_file_is_read_or_refused() {
    let mut read = 0;
    for file in corpus("import") {
        if let Ok(bundle) = import::read(&file, Some("73")) {
            let found = bundle.stations.len() + bundle.foreign.len() + bundle.unread.len();
            assert!((1..=import::MAX_CERTIFICATES).contains(&found));
            read += 1;
        }
    }
    assert!(read > 0);
}

#[test]
fn every_kept_header_is_read_or_refused() {
    let mut read = 0;
    for headers in corpus("request_signature") {
        let Ok(headers) = String::from_utf8(headers) else {
            continue;
        };
        let mut lines = headers.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        if let Ok(signature) = RequestSignature::read(next(), next()) {
            assert!(signature.parameters.starts_with('('));
            read += 1;
        }
        let _: bool = is_digest_of(next(), b"{}");
    }
    assert!(read > 0);
}
