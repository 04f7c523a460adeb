//! Whatever bytes are offered as a certificate, reading them ends in a certificate or a reason, and
//! one that was read says the same after it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::Certificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let again = Certificate::from_pem(&certificate.to_pem());
        assert_eq!(again.map(|certificate| certificate.der().to_vec()).ok().as_deref(), Some(bytes));
        let _ = certificate.is_self_signed();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Certificate::from_pem(text);
    }
});
