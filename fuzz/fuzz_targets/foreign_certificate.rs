//! Whatever bytes are offered as a foreign certificate, reading them ends in one or in a reason, and
//! one that was read says the same after it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::ForeignCertificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = ForeignCertificate::from_der(bytes) {
        let again = ForeignCertificate::from_pem(&certificate.to_pem());
        assert_eq!(again.as_ref(), Ok(&certificate));
        assert!(certificate.subject_text().chars().count() <= pki::foreign::MAX_SUBJECT);
        let _ = certificate.is_signed_by(certificate.key());
    }
});
