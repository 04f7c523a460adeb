//! Replays what the fuzzer found worth keeping (`fuzz/fuzz_targets/certificate.rs`).

use std::fs;
use std::path::Path;

use pki::Certificate;

#[test]
fn every_kept_certificate_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/certificate");
    let mut replayed = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        if let Ok(certificate) = Certificate::from_der(&bytes) {
            let again = Certificate::from_pem(&certificate.to_pem()).unwrap();
            assert_eq!(again.der(), bytes);
            // Whatever it answers, it must come back.
            let _: bool = certificate.is_self_signed();
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            drop(Certificate::from_pem(text));
        }
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus is empty");
}
