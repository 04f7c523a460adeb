//! Replays what the fuzzer found worth keeping (`fuzz/fuzz_targets/coordination_message.rs`).

use std::fs;
use std::path::Path;

use coordination::Blob;
use coordination::message::plain::PlainMessage;
use coordination::message::{Body, Message, Person};

#[test]
fn every_kept_frame_decodes_or_is_refused() {
    let corpus =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/coordination_message");
    let (mut replayed, mut decoded) = (0, 0);
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        replayed += 1;
        if let Ok(message) = Message::decode(&bytes) {
            assert_eq!(Message::decode(&message.encode()), Ok(message));
            decoded += 1;
        }
        let blob = Blob::from(bytes.as_slice());
        drop(Body::decode(&blob));
        drop(Person::decode(&blob));
        if let Ok(text) = std::str::from_utf8(&bytes) {
            drop(PlainMessage::decode(text));
        }
    }
    assert!(replayed > 100, "the corpus is nearly empty");
    assert!(decoded > 20, "the corpus holds no messages");
}
