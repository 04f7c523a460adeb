//! Whatever text a client sends, decoding it ends in a message or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = signaling::decode(text);
});
