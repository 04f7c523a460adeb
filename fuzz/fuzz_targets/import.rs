//! Whatever file an owner brings, PEM, DER or .p12, reading it ends in certificates or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pki::import;

fuzz_target!(|file: &[u8]| {
    if let Ok(bundle) = import::read(file, Some("73")) {
        let found = bundle.stations.len() + bundle.foreign.len() + bundle.unread.len();
        assert!((1..=import::MAX_CERTIFICATES).contains(&found));
    }
});
