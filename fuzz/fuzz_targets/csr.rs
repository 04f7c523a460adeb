//! Whatever bytes are offered as a request for a certificate, reading them ends in a key or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::Csr;

fuzz_target!(|bytes: &[u8]| {
    let as_file = Csr::from_file(bytes);
    if let Ok(csr) = Csr::from_der(bytes) {
        assert_eq!(as_file, Ok(csr));
    }
});
