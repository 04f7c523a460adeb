//! Replays what the fuzzer found worth keeping (`fuzz/fuzz_targets/signaling_message.rs`).

use std::fs;
use std::path::Path;

#[test]
fn every_kept_text_decodes_or_is_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/signaling_message");
    let mut replayed = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        // The socket refuses what is not UTF-8 before it comes here.
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        drop(signaling::decode(text));
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus is empty");
}
