//! Whatever stands in the headers of a signed request, reading them ends in a signature or a refusal.
//! The first line is Signature-Input, the second Signature, the third Content-Digest.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::request::{RequestSignature, is_digest_of};

fuzz_target!(|headers: &str| {
    let mut lines = headers.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    if let Ok(signature) = RequestSignature::read(next(), next()) {
        assert!(signature.parameters.starts_with('('));
    }
    let _ = is_digest_of(next(), b"{}");
});
